/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of what a graph tells its caller (flow/events.h, U0 to U2): a node that runs waits for
 * what a callback does, so that nobody goes on if its push wakes nobody.
 */
#include "schedule/schedule.h"

#include <distributor/channel.h>
#include <distributor/graph.h>

static distributor_event_t *answer;
static unsigned told; /* callbacks so far */

static int wait_for_answer(distributor_call_t *call)
{
    (void)call;
    return distributor_event_wait(answer);
}

/* The node is in the pool, which has not started. */
static void on_run_start(void *unused, const distributor_graph_t *graph)
{
    (void)unused, (void)graph;
    schedule_begin();
}

static void on_task_start(void *unused, const distributor_graph_t *graph, size_t node)
{
    (void)unused, (void)graph;
    schedule_check(node == 0 && told++ == 0);
}

static void on_task_run(void *unused, const distributor_graph_t *graph, size_t node,
                        unsigned worker, const char *name)
{
    (void)unused, (void)graph, (void)name;
    schedule_check(node == 0 && worker == 0 && told++ == 1);
    schedule_check(distributor_event_set(answer) == 0);
}

static void on_task_done(void *unused, const distributor_graph_t *graph, size_t node,
                         distributor_outcome_t outcome)
{
    (void)unused, (void)graph;
    schedule_check(node == 0 && outcome == DISTRIBUTOR_PASSED && told++ == 2);
}

static void on_run_done(void *unused, const distributor_graph_t *graph,
                        const distributor_graph_summary_t *summary)
{
    (void)unused, (void)graph;
    schedule_end();
    schedule_check(summary->passed == 1 && told == 3);
}

/* One node, whose start the caller itself has pushed. */
static void told_while_it_runs(void)
{
    static const distributor_graph_events_t events = {.run_start = on_run_start,
                                                      .task_start = on_task_start,
                                                      .task_run = on_task_run,
                                                      .task_done = on_task_done,
                                                      .run_done = on_run_done};
    const distributor_graph_options_t options = {
        .size = sizeof options, .workers = 1, .events = &events};
    const distributor_node_t node = {.size = sizeof node, .run = wait_for_answer};
    distributor_graph_t *graph;

    told = 0;
    schedule_check(distributor_event_create(&answer) == 0);
    schedule_check(distributor_graph_create(&graph) == 0);
    schedule_check(distributor_graph_add(graph, &node) == 0);
    schedule_check(distributor_graph_run(graph, &options, NULL) == 0);
    schedule_check(distributor_graph_destroy(graph) == 0);
    distributor_event_destroy(answer);
}

static const struct schedule_scenario scenarios[] = {
    {.name = "told_while_it_runs", .body = told_while_it_runs},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
