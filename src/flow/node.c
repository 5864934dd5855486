/* SPDX-License-Identifier: BSD-2-Clause */
/* One node on a worker, and the ones after it: events K0 to K3 of run.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "flow/bind.h"
#include "flow/run.h"
#include "flow/value.h"

/* After so many nodes in one go a worker asks the pool, so that it is fair to other tasks. */
#define TURN 64

/* How far ahead of a step through the dependents their lines are asked for. */
#define AHEAD 8

/* The seat of this thread, which ends with the run.  Of a model that a signal handler can read. */
static _Thread_local struct distr_seat *own_seat __attribute__((tls_model("initial-exec")));

static void mark(struct distr_run *run, uint32_t node, uint32_t state)
{
    /* relaxed: nobody counts on this word any more; readers come after the end of the run or
     * through U0. */
    atomic_store_explicit(&run->history->state[node], state, memory_order_relaxed);
}

static bool in_trouble(const struct distr_run *run)
{
    return atomic_load_explicit(&run->trouble, memory_order_relaxed);
}

/* The first task on this thread.  A thread that replaces one which ended finds the seat as that one
 * left it: the caller may be reading the name, which is written once. */
static struct distr_seat *take_seat(distributor_task_t *self)
{
    struct distr_run *run = distributor_context(distributor_of(self));
    unsigned worker = distributor_worker_index(self);
    struct distr_seat *seat = &run->seats[worker];

    if (!seat->run) {
        seat->run = run;
        seat->worker = worker;
        seat->name = distributor_worker_name(self);
        seat->held = DISTR_NO_NODE;
        seat->call = (struct distributor_call){.run = run, .seat = seat};
        atomic_store_explicit(&seat->taken, true, memory_order_relaxed);
    }
    distributor_set_worker_value(self, seat, NULL);
    own_seat = seat;
    return seat;
}

struct distr_seat *distr_seat_of(distributor_task_t *self)
{
    struct distr_seat *known = distributor_worker_value(self);
    struct distr_seat *seat = distr_likely(known != NULL) ? known : take_seat(self);

    seat->self = self;
    return seat;
}

const distributor_call_t *distributor_running_call(void)
{
    return own_seat && own_seat->inside ? &own_seat->call : NULL;
}

/* ---- K3: what a node makes ready ---- */

/* Who waits for a node that failed, or was skipped itself, will be skipped: of several causes the
 * one that was added first is told. */
static void pass_cause_on(struct distr_run *run, const uint32_t *target, const uint32_t *end,
                          uint32_t cause)
{
    for (; target < end; target++) {
        _Atomic uint32_t *word = &run->history->cause[*target];
        /* relaxed: K3 hands it over. */
        uint32_t known = atomic_load_explicit(word, memory_order_relaxed);

        while ((known == 0 || cause < known) &&
               !atomic_compare_exchange_weak_explicit(word, &known, cause, memory_order_relaxed,
                                                      memory_order_relaxed))
            ;
    }
}

/* Makes a ready node a task of the pool; without memory for it the worker keeps it for itself. */
static void give_to_pool(struct distr_seat *seat, uint32_t node)
{
    const uint64_t number = node;

    if (distr_likely(distributor_spawn(seat->self, &distr_node_type, &number, sizeof number) == 0))
        return;
    /* relaxed: a ready node's word is its worker's until K1. */
    atomic_store_explicit(&seat->run->history->state[node], seat->held, memory_order_relaxed);
    seat->held = node;
}

static uint32_t take_held(struct distr_seat *seat)
{
    uint32_t node = seat->held;

    if (distr_likely(node == DISTR_NO_NODE))
        return DISTR_NO_NODE;
    _Atomic uint32_t *word = &seat->run->history->state[node];
    seat->held = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, 0, memory_order_relaxed);
    return node;
}

/* A node that will be skipped does not start. */
static inline void announce_start(struct distr_seat *seat, uint32_t node)
{
    struct distr_run *run = seat->run;

    if (distr_unlikely(run->events.slots != NULL) &&
        atomic_load_explicit(&run->history->cause[node], memory_order_relaxed) == 0)
        distr_events_push(&run->events, seat->self, node, DISTR_EVENT_START);
}

/* What running a node will look at first. */
static inline void look_ahead(const struct distr_body *bodies, const uint32_t *first, uint32_t node)
{
    __builtin_prefetch(&bodies[node]);
    __builtin_prefetch(&first[node]);
}

/* The dependents stand with the longest chain last: those before go to the pool, where this worker
 * takes the newest first, and the last one is run next.  What the loop needs stands in variables of
 * its own, for the compiler reads all else again after each count; and `alone` is constant where
 * this is called, so that there are two loops. */
static inline __attribute__((always_inline)) uint32_t
count_all_down(struct distr_seat *seat, const uint32_t *target, const uint32_t *end, bool alone)
{
    const struct distr_run *run = seat->run;
    _Atomic uint32_t *state = run->history->state;
    const struct distr_body *bodies = run->bodies;
    const uint32_t *first = run->plan->first, *targets = run->plan->target;
    const uint32_t *ahead = target, *near = end - target > AHEAD ? target + AHEAD : end;
    uint32_t best = DISTR_NO_NODE;

    for (; !alone && ahead < near; ahead++)
        distr_prefetch_write(&state[*ahead]);
    for (; target < end; target++) {
        uint32_t node = *target;
        look_ahead(bodies, first, node);
        if (!alone && ahead < end)
            distr_prefetch_write(&state[*ahead++]);
        if (!distr_count_down(&state[node], alone))
            continue;
        /* K0.  preempted here: the node waits, and nobody else can take it. */
        __builtin_prefetch(&targets[first[node]]);
        announce_start(seat, node);
        if (best != DISTR_NO_NODE)
            give_to_pool(seat, best);
        best = node;
    }
    return best;
}

static uint32_t release(struct distr_seat *seat, uint32_t node, uint32_t cause)
{
    struct distr_run *run = seat->run;
    const uint32_t *target = run->plan->target + run->plan->first[node];
    const uint32_t *end = run->plan->target + run->plan->first[node + 1];

    if (distr_unlikely(cause != 0) && !run->options.run_dependents)
        pass_cause_on(run, target, end, cause);
    if (!distr_counts_enter(&run->counts))
        return count_all_down(seat, target, end, false);
    uint32_t best = count_all_down(seat, target, end, true);
    distr_counts_leave(&run->counts);
    return best;
}

/* ---- K2: the end of a node ---- */

/* The row says how it ended; its dependents are released. */
static uint32_t end_node(struct distr_seat *seat, uint32_t node, uint32_t cause)
{
    struct distr_run *run = seat->run;

    if (distr_unlikely(run->noted)) {
        run->history->ended[node] = distributor_now();
        distr_events_push(&run->events, seat->self, node, DISTR_EVENT_DONE);
    }
    atomic_store_explicit(&seat->done,
                          atomic_load_explicit(&seat->done, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    return release(seat, node, cause);
}

static uint32_t all_shares_ended(struct distr_seat *seat, uint32_t node)
{
    struct distr_run *run = seat->run;
    struct distr_history *h = run->history;

    /* relaxed: what other shares did was handed over by the count of shares. */
    if (in_trouble(run) && atomic_load_explicit(&h->error[node], memory_order_relaxed) != 0) {
        if (h->value[node].type != DISTRIBUTOR_NONE)
            distr_value_drop(&h->value[node]);
        mark(run, node, DISTR_NODE_FAILED);
        return end_node(seat, node, node + 1);
    }
    if (h->value[node].type != DISTRIBUTOR_NONE) {
        atomic_store_explicit(&h->any_value, true, memory_order_relaxed);
        /* Y0 release: pairs with Y1 in distributor_call_result. */
        atomic_store_explicit(&h->has_value[node], true, memory_order_release);
    }
    return end_node(seat, node, 0);
}

/* ---- Shares ---- */

distributor_call_t *distr_begin_share(struct distr_seat *seat, uint32_t node)
{
    seat->call.node = node;
    seat->inside = true;
    return &seat->call;
}

/* Keeps what the call left.  Until then the thread may end, in a log hook, and is accounted for. */
static void settle(struct distr_seat *seat, int rc)
{
    struct distributor_call *call = &seat->call;

    if (rc == 0)
        rc = distr_bind_outputs(call);
    if (rc != 0)
        distr_fail_node(seat, call->node, rc);
    else if (!call->part && call->result.type != DISTRIBUTOR_NONE) {
        seat->run->history->value[call->node] = call->result;
        call->result = distributor_none();
    }
    seat->inside = false;
}

uint32_t distr_end_share(struct distr_seat *seat, int rc)
{
    struct distributor_call *call = &seat->call;
    uint32_t node = call->node;
    bool several = call->part || call->parted;

    settle(seat, rc);
    distr_unbind(call);
    distr_value_drop(&call->result);
    free(call->message);
    *call = (struct distributor_call){.run = seat->run, .seat = seat};
    /* Shares release what they did to the last of them. */
    if (several && atomic_fetch_sub_explicit(&seat->run->history->state[node], 1,
                                             memory_order_acq_rel) != 1)
        return DISTR_NO_NODE;
    return all_shares_ended(seat, node);
}

/* A ready node that does not run after all; true: it does. */
static bool may_run(struct distr_seat *seat, uint32_t node, uint32_t *next)
{
    struct distr_run *run = seat->run;

    *next = DISTR_NO_NODE;
    /* relaxed: K3 handed it over. */
    uint32_t cause = atomic_load_explicit(&run->history->cause[node], memory_order_relaxed);
    if (distr_stopped(run)) {
        mark(run, node, DISTR_NODE_CANCELLED);
        return false;
    }
    if (cause == 0)
        return true;
    mark(run, node, DISTR_NODE_SKIPPED);
    *next = end_node(seat, node, cause);
    return false;
}

/* K1 to K3 of one node; the next one, or DISTR_NO_NODE. */
static inline uint32_t run_node(struct distr_seat *seat, uint32_t node)
{
    struct distr_run *run = seat->run;
    uint32_t next;

    if (distr_unlikely(distr_stopped(run) || in_trouble(run)) && !may_run(seat, node, &next))
        return next;
    distributor_call_t *call = distr_begin_share(seat, node);
    if (distr_unlikely(run->noted)) {
        run->history->started[node] = distributor_now();
        run->history->worker[node] = seat->worker;
        distr_events_push(&run->events, seat->self, node, DISTR_EVENT_RUN);
    }
    int rc = distr_unlikely(run->options.state != NULL) ? distr_bind(call) : 0;
    if (distr_likely(rc == 0))
        rc = run->bodies[node].run(call);
    if (distr_unlikely(rc != 0 || call->used))
        return distr_end_share(seat, rc);
    seat->inside = false;
    return end_node(seat, node, 0);
}

void distr_walk(struct distr_seat *seat, uint32_t node)
{
    do {
        node = run_node(seat, node);
        if (node != DISTR_NO_NODE && ++seat->streak % TURN == 0) {
            give_to_pool(seat, node);
            node = DISTR_NO_NODE;
        }
        if (node == DISTR_NO_NODE)
            node = take_held(seat);
    } while (node != DISTR_NO_NODE);
}

/* What the thread that ends had yet to run goes to the pool; with no memory for it all that waits
 * is told of as cancelled. */
void distr_seat_lost(void *argument)
{
    struct distr_seat *seat = argument;
    uint32_t node = DISTR_NO_NODE;

    distr_counts_leave(&seat->run->counts); /* it was cancelled on its way into the kernel */
    if (seat->inside)
        node = distr_end_share(seat, -EOWNERDEAD);
    if (node != DISTR_NO_NODE)
        give_to_pool(seat, node);
    while ((node = take_held(seat)) != DISTR_NO_NODE) {
        const uint64_t number = node;
        if (distributor_spawn(seat->self, &distr_node_type, &number, sizeof number) != 0)
            mark(seat->run, node, DISTR_NODE_CANCELLED);
    }
}

static int run_ready(distributor_task_t *self, const void *input, size_t size)
{
    struct distr_seat *seat = distr_seat_of(self);
    uint64_t node = *(const uint64_t *)input;

    (void)size;
    pthread_cleanup_push(distr_seat_lost, seat);
    distr_walk(seat, (uint32_t)node);
    pthread_cleanup_pop(0);
    return 0;
}

const distributor_task_type_t distr_node_type = {.name = "node", .run = run_ready};
