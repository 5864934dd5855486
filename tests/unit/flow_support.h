/* SPDX-License-Identifier: BSD-2-Clause */
/* What the unit tests of libdistributor-flow share. */
#ifndef TESTS_UNIT_FLOW_SUPPORT_H
#define TESTS_UNIT_FLOW_SUPPORT_H

#include "support.h"

#include <distributor/graph.h>

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

#define RUN_OPTIONS(...)                                                                           \
    &(distributor_graph_options_t) { .size = sizeof(distributor_graph_options_t), __VA_ARGS__ }

#define expect_text(actual, wanted)                                                                \
    do {                                                                                           \
        const char *got_ = (actual), *want_ = (wanted);                                            \
        if (!got_ || strcmp(got_, want_) != 0)                                                     \
            cr_assert_fail("%s is \"%s\", not \"%s\"", #actual, got_ ? got_ : "NULL", want_);      \
    } while (0)

static inline int no_work(distributor_call_t *call)
{
    (void)call;
    return 0;
}

static inline distributor_graph_t *new_graph(void)
{
    distributor_graph_t *graph = NULL;
    expect(distributor_graph_create(&graph), 0);
    ensure(graph != NULL);
    return graph;
}

/* Adds a node and expects that it can. */
#define add_node(graph, ...)                                                                       \
    add_good_node((graph), &(distributor_node_t){.size = sizeof(distributor_node_t), __VA_ARGS__})

static inline size_t add_good_node(distributor_graph_t *graph, const distributor_node_t *node)
{
    size_t before = distributor_graph_count(graph);
    ptrdiff_t index = distributor_graph_add(graph, node);
    expect(index, before);
    return (size_t)index;
}

/* Runs, and the summary adds up. */
static inline distributor_graph_summary_t run_graph(distributor_graph_t *graph,
                                                    const distributor_graph_options_t *options)
{
    distributor_graph_summary_t s;
    memset(&s, 0xff, sizeof(s));
    int rc = distributor_graph_run(graph, options, &s);
    if (rc != 0)
        cr_assert_fail("run: %d, %s", rc, distributor_graph_message(graph));
    expect(s.passed + s.failed, s.ran);
    expect(s.ran + s.skipped + s.cancelled, s.nodes);
    ensure(s.duration_ns >= 0 && s.started_ns > 0);
    return s;
}

static inline distributor_report_t report_of(distributor_graph_t *graph, const char *name)
{
    distributor_report_t r;
    ptrdiff_t node = distributor_graph_find(graph, name);
    ensure(node >= 0);
    expect(distributor_graph_report(graph, (size_t)node, &r), 0);
    return r;
}

#endif
