/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random graphs: nodes that pass, fail, end their thread, spawn parts, sleep; runs that are
 * cancelled, fail fast or listen to events.  Each node runs at most once, after all that it waits
 * for, and how the run is summed up is what happened.
 */
#include <distributor/graph.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define MAX_NODES 4096

enum kind { PASS, FAIL, EXIT, PARTS, REST };

struct node {
    enum kind kind;
    unsigned parents;
    unsigned parent[4];
    _Atomic unsigned begun;
    _Atomic unsigned ended; /* its function has returned, or its thread is about to end */
    _Atomic unsigned parts; /* that have ended */
    unsigned starts, runs, dones; /* events */
};

static struct node nodes[MAX_NODES];
static unsigned count;
static bool run_dependents;

static int part(distributor_call_t *call)
{
    size_t size;
    const unsigned *more = distributor_call_input(call, &size);
    struct node *node = distributor_call_context(call);

    STRESS_CHECK(size == sizeof *more, "a part has %zu bytes", size);
    if (*more > 0) {
        const unsigned fewer = *more - 1;
        for (unsigned i = 0; i < 2; i++) {
            int rc = distributor_call_spawn(call, part, &fewer, sizeof fewer);
            if (rc != 0)
                return rc;
        }
    }
    atomic_fetch_add_explicit(&node->parts, 1, memory_order_relaxed);
    return 0;
}

static int body(distributor_call_t *call)
{
    struct node *node = distributor_call_context(call);
    const unsigned depth = 2;
    int rc = 0;

    STRESS_CHECK(atomic_fetch_add(&node->begun, 1) == 0, "node %zu ran twice",
                 distributor_call_node(call));
    for (unsigned i = 0; i < node->parents; i++) {
        const struct node *parent = &nodes[node->parent[i]];
        /* relaxed: the graph hands over what the nodes before did. */
        STRESS_CHECK(atomic_load_explicit(&parent->ended, memory_order_relaxed) == 1 ||
                         run_dependents,
                     "node %zu ran before %u", distributor_call_node(call), node->parent[i]);
        STRESS_CHECK(parent->kind != PARTS || run_dependents ||
                         atomic_load_explicit(&parent->parts, memory_order_relaxed) == 7,
                     "node %zu ran before the parts of %u", distributor_call_node(call),
                     node->parent[i]);
    }
    if (node->kind == PARTS)
        rc = distributor_call_spawn(call, part, &depth, sizeof depth);
    if (node->kind == REST)
        stress_sleep_us(50);
    atomic_store_explicit(&node->ended, 1, memory_order_relaxed);
    if (node->kind == EXIT)
        pthread_exit(NULL);
    return node->kind == FAIL ? -EIO : rc;
}

static enum kind random_kind(struct stress_random *random, bool harmless)
{
    unsigned n = stress_below(random, 1000);

    if (n < 3 && !harmless)
        return n == 0 ? EXIT : FAIL;
    return n < 30 ? PARTS : n < 35 ? REST : PASS;
}

/* Parents stand before or after their children by turns, and some edges come twice. */
static distributor_graph_t *make_graph(struct stress_random *random)
{
    distributor_graph_t *graph;
    bool harmless = stress_chance(random, 30);
    unsigned near = 1 + stress_below(random, count);

    STRESS_CHECK(distributor_graph_create(&graph) == 0, "create");
    memset(nodes, 0, sizeof nodes);
    for (unsigned i = 0; i < count; i++) {
        nodes[i].kind = random_kind(random, harmless);
        const distributor_node_t node = {.size = sizeof node, .run = body, .context = &nodes[i]};
        STRESS_CHECK(distributor_graph_add(graph, &node) == (ptrdiff_t)i, "add");
    }
    for (unsigned i = 1; i < count; i++) {
        nodes[i].parents = stress_below(random, 5);
        for (unsigned j = 0; j < nodes[i].parents; j++) {
            unsigned back = 1 + stress_below(random, near < i ? near : i);
            nodes[i].parent[j] = i - back;
            STRESS_CHECK(distributor_graph_add_edge(graph, i - back, i) == 0, "edge");
        }
    }
    return graph;
}

static void on_start(void *context, const distributor_graph_t *graph, size_t node)
{
    (void)context, (void)graph;
    nodes[node].starts++;
}

static void on_run(void *context, const distributor_graph_t *graph, size_t node, unsigned worker,
                   const char *name)
{
    (void)context, (void)graph, (void)worker;
    STRESS_CHECK(nodes[node].starts == 1 && name, "node %zu runs before its start", node);
    nodes[node].runs++;
}

static void on_done(void *context, const distributor_graph_t *graph, size_t node,
                    distributor_outcome_t outcome)
{
    bool ran = outcome == DISTRIBUTOR_PASSED || outcome == DISTRIBUTOR_FAILED;

    (void)context, (void)graph;
    STRESS_CHECK(nodes[node].dones++ == 0, "node %zu is done twice", node);
    STRESS_CHECK(nodes[node].runs == ran, "node %zu: outcome %d, %u runs", node, outcome,
                 nodes[node].runs);
    for (unsigned i = 0; ran && i < nodes[node].parents; i++)
        STRESS_CHECK(nodes[nodes[node].parent[i]].dones == 1, "node %zu is done before %u", node,
                     nodes[node].parent[i]);
}

/* Whether one of its parents failed, or was skipped for one that did. */
static bool has_cause(distributor_graph_t *graph, unsigned node, distributor_report_t *cause)
{
    for (unsigned i = 0; i < nodes[node].parents; i++) {
        STRESS_CHECK(distributor_graph_report(graph, nodes[node].parent[i], cause) == 0, "report");
        if (cause->outcome == DISTRIBUTOR_FAILED || cause->outcome == DISTRIBUTOR_SKIPPED)
            return true;
    }
    return false;
}

static void check_node(distributor_graph_t *graph, unsigned i, bool stopped)
{
    distributor_report_t report, cause;
    const struct node *node = &nodes[i];

    STRESS_CHECK(distributor_graph_report(graph, i, &report) == 0, "report");
    bool ran = report.outcome == DISTRIBUTOR_PASSED || report.outcome == DISTRIBUTOR_FAILED;
    bool fails = node->kind == FAIL || node->kind == EXIT;
    STRESS_CHECK(node->begun == ran, "node %u: outcome %d, begun %u", i, report.outcome,
                 node->begun);
    STRESS_CHECK(!ran || stopped || fails == (report.outcome == DISTRIBUTOR_FAILED),
                 "node %u of kind %d: outcome %d", i, node->kind, report.outcome);
    STRESS_CHECK(report.outcome != DISTRIBUTOR_CANCELLED || stopped, "node %u was cancelled", i);
    STRESS_CHECK(report.outcome != DISTRIBUTOR_NOT_RUN, "node %u was left out", i);
    if (!run_dependents && !stopped)
        STRESS_CHECK(has_cause(graph, i, &cause) == (report.outcome == DISTRIBUTOR_SKIPPED),
                     "node %u: outcome %d", i, report.outcome);
}

static void *cancel_soon(void *graph)
{
    struct stress_random random = {(uint64_t)(uintptr_t)graph};

    stress_pause(&random, 300);
    distributor_graph_cancel(graph);
    return NULL;
}

static void reset(void)
{
    for (unsigned i = 0; i < count; i++) {
        nodes[i].begun = nodes[i].ended = nodes[i].parts = 0;
        nodes[i].starts = nodes[i].runs = nodes[i].dones = 0;
    }
}

static void run(distributor_graph_t *graph, struct stress_random *random)
{
    static const distributor_graph_events_t events = {
        .task_start = on_start, .task_run = on_run, .task_done = on_done};
    bool listen = stress_chance(random, 40), cancel = stress_chance(random, 20);
    distributor_graph_options_t options = {
        .size = sizeof options,
        .workers = stress.workers != 0 ? stress.workers : 1 + stress_below(random, 8),
        .run_dependents = run_dependents,
        .fail_fast = stress_chance(random, 20),
        .times = stress_chance(random, 30),
        .events = listen ? &events : NULL};
    distributor_graph_summary_t s;
    pthread_t thread;

    stress_state("%u nodes, %u workers%s%s%s", count, options.workers, listen ? ", events" : "",
                 cancel ? ", cancel" : "", options.fail_fast ? ", fail fast" : "");
    reset();
    if (cancel)
        stress_thread(&thread, cancel_soon, graph);
    STRESS_CHECK(distributor_graph_run(graph, &options, &s) == 0, "run");
    if (cancel)
        stress_join(thread);
    STRESS_CHECK(s.nodes == count && s.ran == s.passed + s.failed &&
                     s.nodes == s.ran + s.skipped + s.cancelled,
                 "the summary does not add up");
    for (unsigned i = 0; i < count; i++) {
        check_node(graph, i, cancel || options.fail_fast);
        STRESS_CHECK(!listen || nodes[i].dones == 1, "node %u: %u times done", i, nodes[i].dones);
    }
}

int main(int argc, char **argv)
{
    static const struct stress_options defaults = {
        .name = "graph", .rounds = 400, .tasks = 2000, .placement = -1};
    struct stress_random random;

    stress_begin(&defaults, argc, argv);
    while (stress_next(&random)) {
        unsigned most = stress.tasks < MAX_NODES ? stress.tasks : MAX_NODES;
        count = 1 + stress_below(&random, most);
        run_dependents = stress_chance(&random, 20);
        distributor_graph_t *graph = make_graph(&random);
        for (unsigned again = 0; again < 2; again++)
            run(graph, &random);
        STRESS_CHECK(distributor_graph_destroy(graph) == 0, "destroy");
    }
    return stress_end();
}
