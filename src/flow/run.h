/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a graph, on the public interface of the pool.
 *
 * A node that is ready is one task of the pool, or the next one that the worker which made it ready
 * runs without asking the pool.  The events, which the code names:
 *
 *   K0  a node is ready: its count of unmet dependencies came to 0
 *   K1  its function is called
 *   K2  it has ended: all its shares have returned, and its row says how
 *   K3  the count of each of its dependents goes down by one; who takes it to 0 is K0 of that node,
 *       and there is exactly one
 *
 * K3 releases and acquires, so that K1 of a node sees all that the nodes before it did.  The shares
 * of a node (its function and its parts) count in the same word from the first part on; the last
 * to leave is K2.  What is at stake elsewhere stands at `stop` and `trouble` below.
 */
#ifndef DISTR_FLOW_RUN_H
#define DISTR_FLOW_RUN_H

#include "base/cacheline.h"
#include "flow/counts.h"
#include "flow/events.h"
#include "flow/graph.h"

#define DISTR_NO_NODE UINT32_MAX

struct distr_run;
struct distr_seat;

/* What a node's function is handed: lives in its worker's seat. */
struct distributor_call {
    struct distr_run *run;
    struct distr_seat *seat;
    const void *input; /* of a part */
    size_t input_size;
    uint32_t node;
    bool part;   /* it is a part of the node */
    bool parted; /* the node has parts, and its word counts shares */
    bool used;   /* one of the fields below, or parted, is set */
    distributor_value_t result;
    char *message;
    /* Of a node that names keys of the state: first its inputs, then its outputs. */
    distributor_value_t *bound;
    size_t input_count;
    size_t output_count;
};

/* A worker of the pool, as its index says; written by its thread alone. */
struct distr_seat {
    DISTR_CACHE_ALIGNED struct distributor_call call;
    distributor_task_t *self; /* the task of the pool that runs */
    struct distr_run *run;
    bool inside;     /* a function was called and its end is not accounted for */
    unsigned streak; /* nodes that it ran without asking the pool */
    uint32_t held;   /* ready nodes that the pool had no memory for, linked through their words */
    unsigned worker;
    const char *name; /* of the worker */
    _Atomic bool taken;    /* a task has run here; relaxed: the caller of run looks, to guess */
    _Atomic uint64_t done; /* nodes that ended here; relaxed: likewise */
};

struct distr_run {
    distributor_graph_t *graph;
    const struct distr_plan *plan;
    const struct distr_body *bodies;
    struct distr_history *history;
    distributor_graph_options_t options; /* constant */
    distributor_t *pool;
    struct distr_seat *seats; /* by worker */
    unsigned workers;         /* how many there may be */
    bool noted;               /* begins and ends are kept: times or events */
    struct distr_events events;

    /* A node failed.  Set before K3 of that node, so that who sees its effect there sees this too;
     * relaxed for that reason. */
    DISTR_CACHE_ALIGNED _Atomic bool trouble;

    struct distr_counts counts; /* whether the first worker is alone with `state` */
};

/* The pool's task: runs the node whose number is its input, and what it makes ready. */
extern const distributor_task_type_t distr_node_type;

/* Whether nothing more may begin.  relaxed: nothing is handed over by it. */
static inline bool distr_stopped(const struct distr_run *run)
{
    return atomic_load_explicit(&run->graph->stop, memory_order_relaxed);
}

/* The seat of the task's worker. */
struct distr_seat *distr_seat_of(distributor_task_t *self);

/* The end of one share of a node, with what its function returned; a node that is ready now, or
 * DISTR_NO_NODE. */
uint32_t distr_end_share(struct distr_seat *seat, int rc);

/* Begins a share: what the function will be handed. */
distributor_call_t *distr_begin_share(struct distr_seat *seat, uint32_t node);

/* Runs a node that is ready, and on. */
void distr_walk(struct distr_seat *seat, uint32_t node);

/* A thread ends in the middle of a function: its share failed. */
void distr_seat_lost(void *seat);

/* The first error of a node counts, with the message of the call. */
void distr_fail_node(struct distr_seat *seat, uint32_t node, int error);

void distr_run_log(const struct distr_run *run, distributor_log_level_t level, const char *worker,
                   const char *format, ...) DISTRIBUTOR_PRINTF(4, 5);

#endif
