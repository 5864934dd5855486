/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A random workload over the public API: tasks that spawn random trees, emit random results and
 * fail at random, adders and readers that use every form of their calls.  What a task does depends
 * on its word and the seed alone, so a seed repeats the same tree on any thread.
 *
 * Owners and logs are numbered alike: adders first, then workers; the logs of readers follow.
 */
#ifndef STRESS_WORKLOAD_H
#define STRESS_WORKLOAD_H

#include "ledger.h"
#include "support.h"

#include <distributor/pool.h>

#define WORKLOAD_MAX_WORKERS 256

struct workload {
    uint64_t seed;
    unsigned adders;        /* owners 0 .. adders - 1; worker w is owner adders + w */
    unsigned spawn_percent; /* tasks that spawn 1 to 3 more, to a depth of 4 */
    unsigned emit_percent;  /* tasks that emit 1 to 3 results */
    unsigned fail_percent;
    unsigned pause_percent; /* tasks that pause for up to 100 us */
    unsigned exit_percent;  /* tasks that end their thread */
    bool ending;            /* stop, cancel or destroy may come: adds and emits may be refused */
};

/* Set before the threads of a round start. */
extern struct workload workload;

void workload_reset(const struct workload *next);

/* Half of all rounds are in the order of adding, with a window that is small as a rule.  After
 * workload_reset and ledger_reset. */
void workload_order(distributor_options_t *options, struct stress_random *random);

/* How many tasks have ended their thread, each a failure with -EOWNERDEAD; after the run. */
uint64_t workload_exits(void);

/* The type of all tasks of an owner: there are two, so that a result tells them apart. */
const distributor_task_type_t *workload_type(unsigned owner);

/* One adder: its owner, its next number, its log. */
struct workload_adder {
    distributor_t *d;
    unsigned owner;
    uint32_t sequence;
    struct stress_random random;
};

void workload_adder(struct workload_adder *adder, distributor_t *d, unsigned owner,
                    struct stress_random *random);

/* Calls the library once, in a random way, for one task or several; 0, -EAGAIN, -ETIMEDOUT, or
 * -ESHUTDOWN when `ending` is set. */
int workload_add_once(struct workload_adder *adder);

/* Adds until something was accepted (0) or -ESHUTDOWN. */
int workload_add(struct workload_adder *adder);

/* Adds `count` tasks or until -ESHUTDOWN. */
int workload_add_many(struct workload_adder *adder, unsigned count);

/* Checks and logs one result. */
void workload_take(struct ledger_log *log, const distributor_result_t *result);

/* Reads in random ways until STOP (0) or -ESHUTDOWN; *count is the number read. */
int workload_read_all(distributor_t *d, struct ledger_log *log, struct stress_random *random,
                      uint64_t *count);

#endif
