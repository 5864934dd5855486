/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/events.c: what a run tells, in which order, and on which thread. */
#include "flow_support.h"

TestSuite(flow_events, .timeout = 240);

enum { NODES = 40 };

/* What was told: the place of each node's events in the order of all. */
struct told {
    pthread_t caller;
    unsigned place;
    unsigned run_starts, run_dones;
    unsigned start[NODES], run[NODES], done[NODES];
    distributor_outcome_t outcome[NODES];
    distributor_graph_summary_t summary;
};

static void on_run_start(void *context, const distributor_graph_t *graph)
{
    struct told *told = context;
    (void)graph;
    ensure(pthread_equal(told->caller, pthread_self()));
    expect(told->place++, 0);
    told->run_starts++;
}

static void on_start(void *context, const distributor_graph_t *graph, size_t node)
{
    struct told *told = context;
    ensure(pthread_equal(told->caller, pthread_self()));
    ensure(node < distributor_graph_count(graph));
    expect(told->start[node], 0);
    told->start[node] = ++told->place;
}

static void on_run(void *context, const distributor_graph_t *graph, size_t node, unsigned worker,
                   const char *worker_name)
{
    struct told *told = context;
    char name[32];
    (void)graph;
    snprintf(name, sizeof(name), "worker-%u", worker);
    expect_text(worker_name, name);
    expect(told->run[node], 0);
    ensure(told->start[node] != 0);
    told->run[node] = ++told->place;
}

static void on_done(void *context, const distributor_graph_t *graph, size_t node,
                    distributor_outcome_t outcome)
{
    struct told *told = context;
    distributor_value_t value;
    ensure(pthread_equal(told->caller, pthread_self()));
    expect(told->done[node], 0);
    told->done[node] = ++told->place;
    told->outcome[node] = outcome;
    if (outcome == DISTRIBUTOR_PASSED)
        expect(distributor_graph_result(graph, node, &value), 0);
}

static void on_run_done(void *context, const distributor_graph_t *graph,
                        const distributor_graph_summary_t *summary)
{
    struct told *told = context;
    (void)graph;
    told->place++;
    told->run_dones++;
    told->summary = *summary;
}


static distributor_graph_events_t events_to(struct told *told)
{
    *told = (struct told){.caller = pthread_self()};
    return (distributor_graph_events_t){.context = told,
                                        .run_start = on_run_start,
                                        .task_start = on_start,
                                        .task_run = on_run,
                                        .task_done = on_done,
                                        .run_done = on_run_done};
}

static int return_one(distributor_call_t *call)
{
    return distributor_return_int(call, 1);
}

static int fail(distributor_call_t *call)
{
    (void)call;
    return -EIO;
}

/* Node i comes after i / 2, and node 5 fails. */
static distributor_graph_t *heap(bool failing)
{
    distributor_graph_t *graph = new_graph();
    for (size_t i = 0; i < NODES; i++) {
        add_node(graph, .run = failing && i == 5 ? fail : return_one);
        if (i > 1)
            expect(distributor_graph_add_edge(graph, i / 2, i), 0);
    }
    return graph;
}

static _Atomic bool has_begun;

static void begin_slowly(void *context, const distributor_graph_t *graph)
{
    (void)context, (void)graph;
    usleep(20000);
    has_begun = true;
}

static int check_begun(distributor_call_t *call)
{
    (void)call;
    return has_begun ? 0 : -EPROTO;
}

/* So that what it sets up is there: the handler of a signal that the node sends, for one. */
Test(flow_events, no_node_before_run_start)
{
    const distributor_graph_events_t events = {.run_start = begin_slowly};
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = check_begun);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 2, .events = &events)).passed, 1);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_events, each_once_and_in_order)
{
    distributor_graph_t *graph = heap(false);
    for (unsigned round = 0; round < rounds(500); round++) {
        struct told told;
        const distributor_graph_events_t events = events_to(&told);
        distributor_graph_summary_t s =
            run_graph(graph, RUN_OPTIONS(.workers = 1 + round % 3, .events = &events));
        expect(s.passed, NODES);
        expect(told.summary.passed, NODES);
        expect(told.run_starts, 1);
        expect(told.run_dones, 1);
        expect(told.place, 3 * NODES + 2);
        for (size_t i = 0; i < NODES; i++) {
            ensure(told.start[i] < told.run[i] && told.run[i] < told.done[i]);
            expect(told.outcome[i], DISTRIBUTOR_PASSED);
            if (i > 1)
                ensure(told.done[i / 2] < told.start[i]);
        }
    }
    distributor_graph_destroy(graph);
    finish();
}

/* The system gives no thread whose stack is larger than all addresses: the caller learns that a run
 * was about to begin, and by the return that it has not. */
Test(flow_events, a_run_that_gets_no_thread_tells_its_start_alone)
{
    distributor_graph_t *graph = heap(false);
    struct told told;
    const distributor_graph_events_t events = events_to(&told);
    expect(distributor_graph_run(graph,
                                 RUN_OPTIONS(.workers = 2, .events = &events,
                                             .stack_size = (size_t)1 << 60),
                                 NULL),
           -EAGAIN);
    expect(told.run_starts, 1);
    expect(told.place, 1);
    const distributor_graph_events_t again = events_to(&told);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 2, .events = &again)).passed, NODES);
    expect(told.run_dones, 1);
    distributor_graph_destroy(graph);
    finish();
}

/* Skipped: 10, 11, 20 to 23. */
Test(flow_events, skipped_nodes_are_done_and_no_more)
{
    distributor_graph_t *graph = heap(true);
    struct told told;
    const distributor_graph_events_t events = events_to(&told);
    distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 2, .events = &events));
    expect(s.failed, 1);
    expect(s.skipped, 6);
    for (size_t i = 0; i < NODES; i++) {
        bool skipped = i / 2 == 5 || i / 4 == 5;
        expect(told.outcome[i], i == 5 ? DISTRIBUTOR_FAILED
                                       : skipped ? DISTRIBUTOR_SKIPPED : DISTRIBUTOR_PASSED);
        expect(told.start[i] != 0, !skipped);
        expect(told.run[i] != 0, !skipped);
        ensure(told.done[i] != 0);
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_events, cancelled_nodes_are_done_too)
{
    distributor_graph_t *graph = heap(true);
    struct told told;
    const distributor_graph_events_t events = events_to(&told);
    distributor_graph_summary_t s =
        run_graph(graph, RUN_OPTIONS(.workers = 2, .events = &events, .fail_fast = true));
    size_t cancelled = 0;
    for (size_t i = 0; i < NODES; i++) {
        ensure(told.done[i] != 0);
        cancelled += told.outcome[i] == DISTRIBUTOR_CANCELLED;
    }
    expect(cancelled, s.cancelled);
    ensure(cancelled > 0);
    distributor_graph_destroy(graph);
    finish();
}

static void cancel_on_run(void *context, const distributor_graph_t *graph, size_t node,
                          unsigned worker, const char *name)
{
    sem_t *go = context;
    (void)node, (void)worker, (void)name;
    expect(distributor_graph_cancel((distributor_graph_t *)(uintptr_t)graph), 0);
    sem_post(go);
}

static int wait_for_go(distributor_call_t *call)
{
    await(distributor_call_context(call));
    return distributor_call_should_stop(call) ? 0 : -EIO;
}

/* A callback is told of a node while it runs, not only afterwards, whatever was told before. */
Test(flow_events, a_callback_can_cancel_what_runs)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        distributor_graph_t *graph = new_graph();
        sem_t go;
        sem_init(&go, 0, 0);
        add_node(graph, .name = "a", .run = wait_for_go, .context = &go);
        add_node(graph, .name = "b", .run = fail, .after = NAMES("a"));
        const distributor_graph_events_t events = {.context = &go, .task_run = cancel_on_run};
        distributor_graph_summary_t s =
            run_graph(graph, RUN_OPTIONS(.workers = workers, .events = &events));
        expect(s.passed, 1);
        expect(s.cancelled, 1);
        distributor_graph_destroy(graph);
        sem_destroy(&go);
    }
    finish();
}

static void tick_then_go(void *context, const distributor_graph_t *graph)
{
    (void)graph;
    sem_post(context);
}

static int wait_for_ticks(distributor_call_t *call)
{
    for (unsigned i = 0; i < 3; i++)
        await(distributor_call_context(call));
    return 0;
}

Test(flow_events, ticks_come_while_nothing_else_happens)
{
    distributor_graph_t *graph = new_graph();
    sem_t ticks;
    sem_init(&ticks, 0, 0);
    add_node(graph, .run = wait_for_ticks, .context = &ticks);
    distributor_graph_events_t events = {
        .context = &ticks, .tick = tick_then_go, .tick_ns = MILLISECONDS(1)};
    expect(run_graph(graph, RUN_OPTIONS(.workers = 1, .events = &events)).passed, 1);
    events.tick_ns = -1;
    expect(distributor_graph_run(graph, RUN_OPTIONS(.events = &events), NULL), -EINVAL);
    distributor_graph_destroy(graph);
    finish();
}
