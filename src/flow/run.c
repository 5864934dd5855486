/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor_graph_run: one thread of the pool, and the others when they are worth it.
 *
 * Where nodes take less time than a cache line needs from core to core, two workers are slower than
 * one: each count of unmet dependencies is on the other's core.  So the caller, which has nothing
 * else to do, looks at how many nodes have ended, first after FIRST_LOOK_NS, then twice as long
 * after each time, at most MOST_LOOK_NS.  Once fewer have ended than one in SHORT_NS, at two looks
 * in a row, it calls in the other workers and stops looking.  One look is not enough: a worker that
 * was switched out looks the same, and nobody sends the others away again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fence.h"
#include "base/os.h"
#include "flow/bind.h"
#include "flow/report.h"
#include "flow/run.h"
#include "flow/select.h"

#define FIRST_LOOK_NS INT64_C(50000)
#define MOST_LOOK_NS INT64_C(1000000)
#define SHORT_NS 300
#define ROOTS_AT_ONCE 256

/* When the caller looks, and what it saw last. */
struct watch {
    int64_t look;    /* DISTRIBUTOR_FOREVER: all workers are there */
    int64_t pause;
    int64_t looked;
    uint64_t done;
    bool was_slow;
    int64_t tick;    /* DISTRIBUTOR_FOREVER: none is wanted */
};

static int check_options(distributor_graph_t *graph, const distributor_graph_options_t *options)
{
    if (options->size != sizeof *options)
        return distr_graph_say(graph, -EINVAL,
                               "the size of the options is not that of their struct");
    for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++)
        if (options->reserved[i])
            return distr_graph_say(graph, -ENOTSUP, "a reserved field of the options is set");
    if (options->workers > DISTRIBUTOR_MAX_WORKERS)
        return distr_graph_say(graph, -EINVAL, "%u workers, at most %u can be", options->workers,
                               DISTRIBUTOR_MAX_WORKERS);
    if (options->events && options->events->tick_ns < 0)
        return distr_graph_say(graph, -EINVAL, "tick_ns is negative");
    return 0;
}

/* ---- Waiting for the end ---- */

static uint64_t count_done(const struct distr_run *run, bool *taken)
{
    uint64_t done = 0;

    *taken = false;
    for (unsigned i = 0; i < run->workers; i++) {
        /* relaxed: a guess is enough. */
        done += atomic_load_explicit(&run->seats[i].done, memory_order_relaxed);
        *taken = *taken || atomic_load_explicit(&run->seats[i].taken, memory_order_relaxed);
    }
    return done;
}

/* If the system gives no thread, those that are there do the work; if they are done, none is
 * missed. */
static void call_in_workers(struct distr_run *run)
{
    unsigned there = 1;
    int rc = 0;

    distr_counts_share(&run->counts);
    while (there < run->workers && (rc = distributor_add_worker(run->pool, NULL)) >= 0)
        there++;
    if (rc < 0 && rc != -ESHUTDOWN)
        distr_run_log(run, DISTRIBUTOR_LOG_WARNING, NULL, "the system gave %u of %u threads",
                      there, run->workers);
}

/* The first look comes again until the first worker has begun, but not for ever. */
static void look(struct distr_run *run, struct watch *watch, int64_t now)
{
    bool taken;
    uint64_t done = count_done(run, &taken);
    bool is_fast = (int64_t)(done - watch->done) * SHORT_NS >= now - watch->looked;
    bool is_slow = !is_fast && (taken || watch->pause >= MOST_LOOK_NS);

    if (is_slow && watch->was_slow) {
        call_in_workers(run);
        watch->look = DISTRIBUTOR_FOREVER;
        return;
    }
    if (!is_slow)
        watch->pause = watch->pause >= MOST_LOOK_NS / 2 ? MOST_LOOK_NS : 2 * watch->pause;
    watch->done = done;
    watch->looked = now;
    watch->was_slow = is_slow;
    watch->look = now + (is_slow ? FIRST_LOOK_NS : watch->pause);
}

static void tick(struct distr_run *run, struct watch *watch, int64_t now)
{
    const distributor_graph_events_t *events = run->options.events;

    events->tick(events->context, run->graph);
    watch->tick = now + events->tick_ns;
}

/* Reads to STOP: what is read are wake-ups, and the pool's word on threads that ended, which their
 * nodes say as well. */
static void wait_for_end(struct distr_run *run)
{
    const distributor_graph_events_t *events = run->options.events;
    distributor_result_t result;
    int64_t now = distributor_now();
    struct watch watch = {.look = run->workers > 1 ? now + FIRST_LOOK_NS : DISTRIBUTOR_FOREVER,
                          .pause = FIRST_LOOK_NS,
                          .looked = now,
                          .tick = DISTRIBUTOR_FOREVER};
    int rc;

    if (events && events->tick && events->tick_ns > 0)
        watch.tick = now + events->tick_ns;
    /* What stands there already wakes nobody, nor does what comes on top of it (U1). */
    distr_events_deliver(run);
    do {
        int64_t until = watch.look < watch.tick ? watch.look : watch.tick;
        rc = distributor_next_result_until(run->pool, &result, until);
        distr_events_deliver(run);
        if (until == DISTRIBUTOR_FOREVER)
            continue;
        now = distributor_now();
        if (now >= watch.look)
            look(run, &watch, now);
        if (now >= watch.tick)
            tick(run, &watch, now);
    } while (rc == 1 || rc == -ETIMEDOUT);
    /* Without memory to read: the join that follows waits as well, but nobody is told meanwhile. */
    if (rc != 0 && watch.look != DISTRIBUTOR_FOREVER)
        call_in_workers(run);
}

/* ---- One run ---- */

static int add_roots(struct distr_run *run)
{
    const struct distr_plan *plan = run->plan;
    uint64_t numbers[ROOTS_AT_ONCE];

    for (uint32_t i = 0; i < plan->root_count;) {
        uint32_t count = 0;
        for (; count < ROOTS_AT_ONCE && i < plan->root_count; count++, i++) {
            numbers[count] = plan->roots[i];
            distr_events_push(&run->events, NULL, plan->roots[i], DISTR_EVENT_START);
        }
        ptrdiff_t added =
            distributor_add_tasks(run->pool, &distr_node_type, numbers, sizeof *numbers, count);
        if (added != (ptrdiff_t)count)
            return added < 0 ? (int)added : -ENOMEM;
    }
    return 0;
}

static void finish(struct distr_run *run, distributor_graph_summary_t *summary)
{
    const distributor_graph_events_t *events = run->options.events;

    distr_count_outcomes(run->history, summary);
    for (uint32_t n = 0; events && events->task_done && summary->cancelled && n < run->plan->count;
         n++)
        if (distr_outcome_of(run->history, n) == DISTRIBUTOR_CANCELLED)
            events->task_done(events->context, run->graph, n, DISTRIBUTOR_CANCELLED);
    summary->duration_ns = distributor_now() - summary->started_ns;
    if (events && events->run_done)
        events->run_done(events->context, run->graph, summary);
}

/* The pool has its tasks: nothing fails any more once it has started. */
static int run_to_end(struct distr_run *run, distributor_graph_summary_t *summary)
{
    const distributor_graph_events_t *events = run->options.events;
    int rc = add_roots(run);

    if (rc != 0)
        return rc;
    if (events && events->run_start)
        events->run_start(events->context, run->graph);
    summary->started_ns = distributor_now(); /* no node begins before it */
    rc = distributor_start(run->pool);
    if (rc != 0)
        return rc;
    distributor_close(run->pool);
    wait_for_end(run);
    distributor_join(run->pool, NULL);
    distr_events_deliver(run);
    finish(run, summary);
    return 0;
}

static void on_worker_started(void *context, unsigned worker, const char *name)
{
    const struct distr_run *run = context;

    run->options.worker_started(run->options.worker_context, worker, name);
}

static void on_worker_stopped(void *context, unsigned worker, const char *name)
{
    const struct distr_run *run = context;

    run->options.worker_stopped(run->options.worker_context, worker, name);
}

static int make_pool(struct distr_run *run)
{
    const distributor_options_t options = {.size = sizeof options,
                                           .workers = 1,
                                           .name = run->options.name,
                                           .stack_size = run->options.stack_size,
                                           .worker_started = run->options.worker_started
                                               ? on_worker_started : NULL,
                                           .worker_stopped = run->options.worker_stopped
                                               ? on_worker_stopped : NULL,
                                           .context = run,
                                           .deadlock_ns = DISTRIBUTOR_FOREVER};

    run->workers = run->options.workers != 0 ? run->options.workers : distr_cpu_count();
    run->seats = aligned_alloc(DISTR_CACHELINE, run->workers * sizeof *run->seats);
    if (!run->seats)
        return -ENOMEM;
    memset(run->seats, 0, run->workers * sizeof *run->seats);
    distr_fence_init();
    if (run->options.events && distr_events_make(&run->events, run->plan->count) != 0)
        return -ENOMEM;
    return distributor_create(&run->pool, &options);
}

static int run_plan(struct distr_run *run, distributor_graph_summary_t *summary)
{
    distributor_graph_t *graph = run->graph;

    run->noted = run->options.times || run->options.events;
    int rc = distr_history_fit(&graph->history, graph->count, run->noted);
    if (rc == 0)
        rc = make_pool(run);
    if (rc == 0) {
        distr_history_begin(&graph->history, run->plan);
        rc = run_to_end(run, summary);
        graph->history.ran = rc == 0;
    }
    distributor_destroy(run->pool);
    distr_events_free(&run->events);
    free(run->seats);
    return rc == 0 ? 0
                   : distr_graph_say(graph, rc, "the run could not start: %s",
                                     distributor_strerror(rc));
}

int distributor_graph_run(distributor_graph_t *graph, const distributor_graph_options_t *options,
                          distributor_graph_summary_t *summary)
{
    const distributor_graph_options_t defaults = {.size = sizeof defaults};
    distributor_graph_summary_t unwanted;
    struct distr_plan some = {0};
    int rc = distr_graph_usable(graph);

    if (rc != 0)
        return rc;
    rc = check_options(graph, options ? options : &defaults);
    if (rc == 0)
        rc = distr_select(graph, options ? options : &defaults, &some);
    bool chosen = options && (options->only || options->tags);
    const struct distr_plan *plan = chosen ? &some : &graph->plan;
    if (rc == 0)
        rc = distr_bind_check(graph, plan, options ? options->state : NULL);
    if (rc == 0) {
        struct distr_run run = {.graph = graph,
                                .plan = plan,
                                .bodies = graph->bodies,
                                .history = &graph->history,
                                .options = options ? *options : defaults};
        summary = summary ? summary : &unwanted;
        memset(summary, 0, sizeof *summary);
        atomic_store_explicit(&graph->stop, false, memory_order_relaxed);
        atomic_store_explicit(&graph->running, true, memory_order_relaxed);
        rc = run_plan(&run, summary);
        atomic_store_explicit(&graph->running, false, memory_order_relaxed);
    }
    distr_plan_free(&some);
    return rc;
}

int distributor_graph_cancel(distributor_graph_t *graph)
{
    if (!graph)
        return -EINVAL;
    /* relaxed: nothing is handed over; a store alone, so that a signal handler may call it. */
    atomic_store_explicit(&graph->stop, true, memory_order_relaxed);
    return 0;
}
