/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/part.c: functions that spawn parts, which their dependents wait for. */
#include <sys/wait.h>

#include "flow_support.h"

#include <distributor/state.h>

TestSuite(flow_parts, .timeout = 240);

static _Atomic unsigned leaves;

static int leaf(distributor_call_t *call)
{
    size_t size;
    const unsigned *depth = distributor_call_input(call, &size);
    task_assert(size == sizeof(*depth));
    task_assert(strcmp(distributor_call_name(call), "tree") == 0);
    task_assert(distributor_running_call() == call);
    if (*depth == 0) {
        leaves++;
        return 0;
    }
    const unsigned below = *depth - 1;
    int rc = distributor_call_spawn(call, leaf, &below, sizeof(below));
    return rc != 0 ? rc : distributor_call_spawn(call, leaf, &below, sizeof(below));
}

static int tree(distributor_call_t *call)
{
    const unsigned depth = 8;
    for (unsigned i = 0; i < 4; i++)
        task_assert(distributor_call_spawn(call, leaf, &depth, sizeof(depth)) == 0);
    task_assert(distributor_call_spawn(call, NULL, NULL, 0) == -EINVAL);
    task_assert(distributor_call_spawn(call, leaf, NULL, 1) == -EINVAL);
    task_assert(distributor_call_spawn(call, leaf, &depth, SIZE_MAX) == -EMSGSIZE);
    return distributor_return_string(call, "planted");
}

static int after_tree(distributor_call_t *call)
{
    distributor_value_t value;
    task_assert(leaves == 4 << 8);
    task_assert(distributor_call_result(call, "tree", &value) == 0);
    return 0;
}

Test(flow_parts, dependents_wait_for_all_parts)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "tree", .run = tree);
    add_node(graph, .name = "after", .run = after_tree, .after = NAMES("tree"));
    for (unsigned i = 0; i < rounds(50); i++) {
        leaves = 0;
        expect(run_graph(graph, RUN_OPTIONS(.workers = 1 + i % 3)).passed, 2);
        expect(leaves, 4 << 8);
    }
    distributor_graph_destroy(graph);
    finish();
}

static int broken_part(distributor_call_t *call)
{
    distributor_value_t value = distributor_int(1);
    task_assert(distributor_return_int(call, 1) == -EPERM);
    task_assert(distributor_call_set(call, "key", &value) == -EPERM);
    task_assert(distributor_call_get(call, "key", &value) == -EPERM);
    return distributor_call_fail(call, -EIO, "a part broke");
}

static int lost_part(distributor_call_t *call)
{
    (void)call;
    pthread_exit(NULL);
}

static int spawn_one(distributor_call_t *call)
{
    distributor_call_fn *const *part = distributor_call_context(call);
    int rc = distributor_call_spawn(call, *part, NULL, 0);
    return rc != 0 ? rc : distributor_return_int(call, 5);
}

static int never(distributor_call_t *call)
{
    task_assert(!call);
    return 0;
}

Test(flow_parts, a_part_that_fails_fails_its_node)
{
    static distributor_call_fn *parts[] = {broken_part, lost_part};
    static const int errors[] = {-EIO, -EOWNERDEAD};
    for (unsigned i = 0; i < 2; i++) {
        distributor_graph_t *graph = new_graph();
        distributor_value_t value;
        add_node(graph, .name = "node", .run = spawn_one, .context = &parts[i]);
        add_node(graph, .name = "after", .run = never, .after = NAMES("node"));
        distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 1 + i));
        expect(s.failed, 1);
        expect(s.skipped, 1);
        expect(report_of(graph, "node").error, errors[i]);
        expect(distributor_graph_result(graph, 0, &value), -ENODATA);
        if (i == 0)
            expect_text(report_of(graph, "node").message, "a part broke");
        distributor_graph_destroy(graph);
    }
    finish();
}

static int spawn_and_exit(distributor_call_t *call)
{
    const unsigned none = 0;
    task_assert(distributor_call_spawn(call, leaf, &none, sizeof(none)) == 0);
    pthread_exit(NULL);
}

Test(flow_parts, a_node_that_ends_its_thread_waits_for_its_parts)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "tree", .run = spawn_and_exit);
    leaves = 0;
    expect(run_graph(graph, RUN_OPTIONS(.workers = 1)).failed, 1);
    expect(leaves, 1);
    distributor_graph_destroy(graph);
    finish();
}

static int spawn_and_cancel(distributor_call_t *call)
{
    int rc = distributor_call_spawn(call, never, NULL, 0);
    distributor_graph_cancel(distributor_call_graph(call));
    return rc;
}

Test(flow_parts, parts_that_were_cancelled_fail_their_node)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "node", .run = spawn_and_cancel);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 1)).failed, 1);
    expect(report_of(graph, "node").error, -ECANCELED);
    expect_text(report_of(graph, "node").message, "cancelled before all its parts ran");
    distributor_graph_destroy(graph);
    finish();
}

/* The child has a copy of the call, and no pool that would run a part. */
static int fork_and_spawn(distributor_call_t *call)
{
    pid_t child = fork();
    if (child == 0)
        end_child(distributor_call_spawn(call, never, NULL, 0) == -ECHILD ? 0 : 1);
    int status = -1;
    task_assert(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}

/* Not under AddressSanitizer: its allocator may be locked by a thread that the child does not
 * have. */
Test(flow_parts, a_child_of_fork_spawns_none)
{
#ifdef SUPPORT_ASAN
    cr_skip_test("AddressSanitizer does not survive threads in a forked child");
#endif
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = fork_and_spawn);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 2)).passed, 1);
    distributor_graph_destroy(graph);
    finish();
}
