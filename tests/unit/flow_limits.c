/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of libdistributor-flow at their ends, where no test grows to: they are set by hand.  What
 * cannot be done there is refused, and is possible again as soon as the count is lower.
 */
#include "flow/graph.h"
#include "flow/state.h"
#include "flow_support.h"

#include <limits.h>

TestSuite(flow_limits, .timeout = 240);

/* ---- The lock of a state, which its owner has taken as often as it can be ---- */

static void lock_fully(distributor_state_t *state)
{
    expect(distributor_state_lock(state), 0);
    state->lock.__data.__count = UINT_MAX; /* glibc's: what it counts is no part of POSIX */
    expect(distributor_state_lock(state), -EAGAIN);
}

static void unlock_fully(distributor_state_t *state)
{
    state->lock.__data.__count = 1;
    expect(distributor_state_unlock(state), 0);
}

static distributor_state_t *new_state(void)
{
    distributor_state_t *state = NULL;
    expect(distributor_state_create(&state, 0), 0);
    expect(distributor_state_declare(state, "key", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE), 0);
    return state;
}

static int no_update(void *context, const distributor_value_t *before, distributor_value_t *after)
{
    (void)context, (void)before, (void)after;
    task_assert(false);
    return 0;
}

static int no_key(void *context, const char *key, distributor_value_type_t type, unsigned flags,
                  const distributor_value_t *value)
{
    (void)context, (void)key, (void)type, (void)flags, (void)value;
    task_assert(false);
    return 0;
}

Test(flow_limits, a_lock_that_cannot_be_taken)
{
    const distributor_value_t one = distributor_int(1);
    distributor_state_t *state = new_state();
    distributor_value_t value;
    char *json;
    lock_fully(state);
    expect(distributor_state_declare(state, "other", DISTRIBUTOR_INT, 0), -EAGAIN);
    expect(distributor_state_set(state, "key", &one), -EAGAIN);
    expect(distributor_state_set_text(state, "key", "1"), -EAGAIN);
    expect(distributor_state_get(state, "key", &value), -EAGAIN);
    expect(distributor_state_update(state, "key", no_update, NULL), -EAGAIN);
    expect(distributor_state_unset(state, "key"), -EAGAIN);
    expect(distributor_state_each(state, no_key, NULL), -EAGAIN);
    expect(distributor_state_message(state, NULL, 0), -EAGAIN);
    expect(distributor_state_to_json(state, &json), -EAGAIN);
    expect(distributor_state_from_json(state, "{}", 2), -EAGAIN);
    expect(distributor_state_save(state, "/nowhere/state"), -EAGAIN);
    expect(distributor_state_load(state, "/nowhere/state"), -EAGAIN); /* there is nothing to say */
    unlock_fully(state);
    expect(distributor_state_get(state, "key", &value), -ENODATA);
    expect(distributor_state_set(state, "key", &one), 0);
    distributor_state_destroy(state);
    finish();
}

Test(flow_limits, a_lock_that_a_run_cannot_take)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = new_state();
    distributor_graph_summary_t s;
    add_node(graph, .run = no_work);
    lock_fully(state);
    expect(distributor_graph_run(graph, RUN_OPTIONS(.state = state), &s), -EAGAIN);
    expect_text(distributor_graph_message(graph), "the lock of the state cannot be taken");
    unlock_fully(state);
    expect(run_graph(graph, RUN_OPTIONS(.state = state)).passed, 1);
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
    finish();
}

/* Of the one worker: it takes the lock, and the next node gives it back. */
static int lock_inside(distributor_call_t *call)
{
    const distributor_value_t one = distributor_int(1);
    distributor_state_t *state = distributor_call_context(call);
    int rc = distributor_call_set(call, "key", &one);
    task_assert(distributor_state_lock(state) == 0);
    state->lock.__data.__count = UINT_MAX;
    return rc;
}

static int unlock_inside(distributor_call_t *call)
{
    distributor_state_t *state = distributor_call_context(call);
    state->lock.__data.__count = 1;
    task_assert(distributor_state_unlock(state) == 0);
    return 0;
}

Test(flow_limits, a_lock_that_an_output_cannot_take)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = new_state();
    distributor_value_t value;
    add_node(graph, .name = "locks", .run = lock_inside, .context = state,
             .outputs = NAMES("key"));
    add_node(graph, .name = "unlocks", .run = unlock_inside, .context = state,
             .after = NAMES("locks"));
    distributor_graph_summary_t s =
        run_graph(graph, RUN_OPTIONS(.workers = 1, .state = state, .run_dependents = true));
    expect(s.failed, 1);
    expect(s.passed, 1);
    expect(report_of(graph, "locks").error, -EAGAIN);
    expect(distributor_state_get(state, "key", &value), -ENODATA);
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
    finish();
}

/* ---- A graph ---- */

Test(flow_limits, as_many_nodes_as_there_can_be)
{
    const distributor_node_t node = {.size = sizeof(node), .run = no_work};
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = no_work);
    graph->count = DISTRIBUTOR_MAX_NODES;
    expect(distributor_graph_add(graph, &node), -ENOSPC);
    expect_text(distributor_graph_message(graph),
                "there are 4294967279 nodes, and no more can be");
    graph->count = 1;
    add_node(graph, .run = no_work);
    expect(run_graph(graph, NULL).passed, 2);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_limits, as_many_edges_as_there_can_be)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = no_work);
    add_node(graph, .run = no_work);
    graph->edge_count = DISTRIBUTOR_MAX_NODES;
    expect(distributor_graph_add_edge(graph, 0, 1), -ENOSPC);
    expect_text(distributor_graph_message(graph),
                "there are 4294967279 edges, and no more can be");
    graph->edge_count = 0;
    expect(distributor_graph_add_edge(graph, 0, 1), 0);
    expect(run_graph(graph, NULL).passed, 2);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_limits, more_edges_than_a_plan_can_number)
{
    const struct distr_plan_input input = {.count = 1, .edge_count = UINT32_MAX};
    struct distr_plan plan;
    expect(distr_plan_make(&plan, &input), -ENOSPC);
    distr_plan_free(&plan);
    finish();
}

/* ---- A file: all names beside its own that are tried are taken ---- */

static const char *beside(unsigned i)
{
    static char name[64];
    snprintf(name, sizeof(name), "state.%d.%u", (int)getpid(), i);
    return name;
}

Test(flow_limits, all_names_beside_a_file_are_taken)
{
    enum { NAMES_TRIED = 100 };
    char folder[] = "/tmp/distributor-limits.XXXXXX", text[64];
    distributor_state_t *state = new_state();
    ensure(mkdtemp(folder) && chdir(folder) == 0);
    for (unsigned i = 0; i < NAMES_TRIED; i++)
        expect(fclose(fopen(beside(i), "w")), 0);
    expect(distributor_state_save(state, "state"), -EEXIST);
    distributor_state_message(state, text, sizeof(text));
    expect_text(text, "cannot write state: File exists");
    for (unsigned i = 0; i < NAMES_TRIED; i++)
        expect(unlink(beside(i)), 0);
    expect(distributor_state_save(state, "state"), 0);
    expect(unlink("state"), 0);
    expect(rmdir(folder), 0);
    distributor_state_destroy(state);
    finish();
}

/* ---- A value: its text would be longer than an int says ---- */

Test(flow_limits, values_without_a_text)
{
    const distributor_value_t bytes = {
        .type = DISTRIBUTOR_BYTES, .size = (size_t)INT_MAX / 2 + 1, .as.bytes = ""};
    const distributor_value_t string = {
        .type = DISTRIBUTOR_STRING, .size = (size_t)INT_MAX + 1, .as.string = ""};
    expect(distributor_value_format(&bytes, NULL, 0), -EOVERFLOW);
    expect(distributor_value_format(&string, NULL, 0), -EOVERFLOW);
    finish();
}
