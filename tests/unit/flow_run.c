/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/run.c, node.c, report.c: what a run does, and what it leaves. */
#include "flow_support.h"

#include <distributor/state.h>

TestSuite(flow_run, .timeout = 240);

/* ---- Order ---- */

/* The clock of a run: each node takes the next number. */
static _Atomic unsigned ticks;
static unsigned began[16], ended[16];

static int note(distributor_call_t *call)
{
    size_t node = distributor_call_node(call);
    began[node] = ++ticks;
    nap(100000);
    ended[node] = ++ticks;
    return 0;
}

Test(flow_run, a_node_begins_after_all_it_waits_for)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "f", .run = note, .after = NAMES("b", "d"));
    add_node(graph, .name = "a", .run = note);
    add_node(graph, .name = "b", .run = note, .after = NAMES("a"));
    add_node(graph, .name = "c", .run = note, .after = NAMES("a"));
    add_node(graph, .name = "d", .run = note, .after = NAMES("c"));
    const unsigned before[][2] = {{2, 0}, {4, 0}, {1, 2}, {1, 3}, {3, 4}};
    for (unsigned workers = 1; workers <= 4; workers++) {
        distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = workers));
        expect(s.passed, 5);
        for (unsigned i = 0; i < 5; i++)
            ensure(ended[before[i][0]] < began[before[i][1]]);
    }
    distributor_graph_destroy(graph);
    finish();
}

/* One worker takes the longest chain first: of 0's dependents 2, of the roots 0. */
Test(flow_run, the_longest_chain_first)
{
    distributor_graph_t *graph = new_graph();
    for (unsigned i = 0; i < 7; i++)
        add_node(graph, .run = note);
    const unsigned edges[][2] = {{0, 1}, {0, 2}, {0, 3}, {2, 4}, {4, 5}, {1, 6}};
    for (unsigned i = 0; i < 6; i++)
        expect(distributor_graph_add_edge(graph, edges[i][0], edges[i][1]), 0);
    ticks = 0;
    run_graph(graph, RUN_OPTIONS(.workers = 1));
    const unsigned order[] = {0, 2, 4, 5, 1, 6, 3};
    for (unsigned i = 0; i < 7; i++)
        expect(began[order[i]], 2 * i + 1);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, an_empty_graph)
{
    distributor_graph_t *graph = new_graph();
    distributor_graph_summary_t s = run_graph(graph, NULL);
    expect(s.nodes, 0);
    expect(distributor_graph_run(graph, NULL, NULL), 0);
    expect(distributor_graph_run(graph, RUN_OPTIONS(.tags = NAMES("x")), &s), 0);
    distributor_graph_destroy(graph);
    finish();
}

static _Atomic unsigned count;

static int count_one(distributor_call_t *call)
{
    (void)call;
    count++;
    return 0;
}

Test(flow_run, runs_again_and_grows)
{
    distributor_graph_t *graph = new_graph();
    for (unsigned i = 1; i <= 20; i++) {
        add_node(graph, .run = count_one);
        if (i > 1)
            expect(distributor_graph_add_edge(graph, i - 2, i - 1), 0);
        count = 0;
        expect(run_graph(graph, RUN_OPTIONS(.workers = 2)).passed, i);
        expect(count, i);
    }
    distributor_graph_destroy(graph);
    finish();
}

/* A diamond of many, with each edge twice. */
Test(flow_run, each_node_exactly_once)
{
    size_t width = rounds(100000);
    distributor_graph_t *graph = new_graph();
    for (size_t i = 0; i < width + 2; i++)
        add_node(graph, .run = count_one);
    for (size_t i = 1; i <= width; i++) {
        for (unsigned twice = 0; twice < 2; twice++) {
            expect(distributor_graph_add_edge(graph, 0, i), 0);
            expect(distributor_graph_add_edge(graph, i, width + 1), 0);
        }
    }
    for (unsigned workers = 1; workers <= 4; workers++) {
        count = 0;
        expect(run_graph(graph, RUN_OPTIONS(.workers = workers)).passed, width + 2);
        expect(count, width + 2);
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, a_million_nodes)
{
    size_t width = 1000, nodes = rounds(1000000) / width * width;
    distributor_graph_t *graph = new_graph();
    for (size_t i = 0; i < nodes; i++)
        add_node(graph, .run = count_one);
    for (size_t i = width; i < nodes; i++)
        for (size_t edge = 0; edge < 3; edge++)
            expect(distributor_graph_add_edge(graph, i / width * width - 1 - (i + edge) % width, i),
                   0);
    count = 0;
    expect(run_graph(graph, RUN_OPTIONS(.workers = 2)).passed, nodes);
    expect(count, nodes);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, a_long_chain_needs_no_stack)
{
    size_t length = 100000;
    distributor_graph_t *graph = new_graph();
    for (size_t i = 0; i < length; i++) {
        add_node(graph, .run = count_one);
        if (i > 0)
            expect(distributor_graph_add_edge(graph, i - 1, i), 0);
    }
    expect(run_graph(graph, RUN_OPTIONS(.workers = 2, .stack_size = 65536)).passed, length);
    expect(count, length);
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Workers ---- */

static sem_t met;

static int meet(distributor_call_t *call)
{
    sem_t *mine = distributor_call_context(call);
    sem_post(mine);
    await(&met);
    return 0;
}

static sem_t here[3];

static void *let_go(void *unused)
{
    for (unsigned i = 0; i < 3; i++)
        await(&here[i]);
    for (unsigned i = 0; i < 3; i++)
        sem_post(&met);
    return unused;
}

/* Nodes that wait for each other get a worker each, though it begins with one. */
Test(flow_run, all_workers_come_when_they_are_needed)
{
    distributor_graph_t *graph = new_graph();
    sem_init(&met, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        sem_init(&here[i], 0, 0);
        add_node(graph, .run = meet, .context = &here[i]);
    }
    pthread_t thread = begin_thread(let_go, NULL);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 3)).passed, 3);
    end_thread(thread);
    distributor_graph_destroy(graph);
    finish();
}

static int look_around(distributor_call_t *call)
{
    distributor_graph_t *graph = distributor_call_graph(call);
    const distributor_node_t node = {.size = sizeof(node), .run = no_work};
    distributor_report_t report;
    task_assert(distributor_call_context(call) == &count);
    task_assert(strcmp(distributor_call_name(call), "a name") == 0);
    task_assert(distributor_call_node(call) == 0);
    task_assert(distributor_running_call() == call);
    task_assert(distributor_call_worker(call) == 0);
    task_assert(strcmp(distributor_call_worker_name(call), "flow-0") == 0);
    task_assert(!distributor_call_should_stop(call));
    task_assert(distributor_call_state(call) == NULL);
    task_assert(distributor_call_input(call, NULL) == NULL);
    task_assert(distributor_graph_run(graph, NULL, NULL) == -EBUSY);
    task_assert(distributor_graph_add(graph, &node) == -EBUSY);
    task_assert(distributor_graph_add_edge(graph, 0, 0) == -EBUSY);
    task_assert(distributor_graph_destroy(graph) == -EBUSY);
    task_assert(distributor_graph_report(graph, 0, &report) == -EBUSY);
    task_assert(distributor_graph_check(graph) == -EBUSY);
    return 0;
}

Test(flow_run, what_a_node_sees)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a name", .run = look_around, .context = &count);
    expect(run_graph(graph, RUN_OPTIONS(.workers = 1, .name = "flow")).passed, 1);
    cr_assert_null(distributor_running_call());
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Failures ---- */

static int fail_with_words(distributor_call_t *call)
{
    return distributor_call_fail(call, -EIO, "HTTP %d", 503);
}

/* In the locale "C" no byte stands for that letter. */
static int fail_with_no_text(distributor_call_t *call)
{
    return distributor_call_fail(call, -EIO, "%ls", L"\u0416");
}

static int fail_shortly(distributor_call_t *call)
{
    (void)call;
    return 5;
}

static int end_thread_of_worker(distributor_call_t *call)
{
    (void)call;
    pthread_exit(NULL);
}

static int words_without_failure(distributor_call_t *call)
{
    distributor_call_fail(call, -EIO, "forgotten");
    return 0;
}

/* a fails; c and d are skipped, b and e run. */
static distributor_graph_t *failing_graph(distributor_call_fn *fails)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = fails);
    add_node(graph, .name = "b", .run = count_one);
    add_node(graph, .name = "c", .run = count_one, .after = NAMES("a", "b"));
    add_node(graph, .name = "d", .run = count_one, .after = NAMES("c"));
    add_node(graph, .name = "e", .run = count_one, .after = NAMES("b"));
    return graph;
}

Test(flow_run, dependents_of_a_failure_are_skipped_with_the_reason)
{
    distributor_graph_t *graph = failing_graph(fail_with_words);
    for (unsigned again = 0; again < 3; again++) {
        count = 0;
        distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 1 + again));
        expect(s.passed, 2);
        expect(s.failed, 1);
        expect(s.skipped, 2);
        expect(s.cancelled, 0);
        expect(count, 2);
        distributor_report_t r = report_of(graph, "a");
        expect(r.outcome, DISTRIBUTOR_FAILED);
        expect(r.error, -EIO);
        expect_text(r.message, "HTTP 503");
        r = report_of(graph, "c");
        expect(r.outcome, DISTRIBUTOR_SKIPPED);
        expect(r.error, -ECANCELED);
        expect(r.cause, 0);
        expect_text(r.message, "a failed");
        r = report_of(graph, "d");
        expect(r.cause, 0);
        expect_text(r.message, "a failed");
        r = report_of(graph, "e");
        expect(r.outcome, DISTRIBUTOR_PASSED);
        expect(r.error, 0);
        expect(r.started_ns, 0);
        expect_text(r.message, "");
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, dependents_of_a_failure_run_on_request)
{
    distributor_graph_t *graph = failing_graph(fail_shortly);
    distributor_graph_summary_t s =
        run_graph(graph, RUN_OPTIONS(.workers = 2, .run_dependents = true));
    expect(s.passed, 4);
    expect(s.failed, 1);
    distributor_report_t r = report_of(graph, "a");
    expect(r.error, -EINVAL); /* a positive return */
    expect_text(r.message, "it returned 5, not 0 or a negative errno");
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, a_function_that_ends_its_thread)
{
    distributor_graph_t *graph = failing_graph(end_thread_of_worker);
    for (unsigned workers = 1; workers <= 2; workers++) {
        distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = workers));
        expect(s.passed, 2);
        expect(s.failed, 1);
        expect(s.skipped, 2);
        expect(report_of(graph, "a").error, -EOWNERDEAD);
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, a_message_that_cannot_be_printed)
{
    distributor_graph_t *graph = failing_graph(fail_with_no_text);
    expect(run_graph(graph, NULL).failed, 1);
    expect_text(report_of(graph, "a").message, distributor_strerror(-EIO));
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, a_message_alone_is_no_failure)
{
    distributor_graph_t *graph = failing_graph(words_without_failure);
    expect(run_graph(graph, NULL).passed, 5);
    expect_text(report_of(graph, "a").message, "");
    distributor_graph_destroy(graph);
    finish();
}

static int fail_on_request(distributor_call_t *call)
{
    return *(bool *)distributor_call_context(call) ? -EIO : 0;
}

Test(flow_run, a_failure_is_forgotten_by_the_next_run)
{
    distributor_graph_t *graph = new_graph();
    bool fails, other_fails;
    add_node(graph, .name = "a", .run = fail_on_request, .context = &fails);
    add_node(graph, .name = "b", .run = no_work, .after = NAMES("a"));
    /* By turns something else fails, and does so first. */
    add_node(graph, .name = "c", .run = fail_on_request, .context = &other_fails);
    add_node(graph, .name = "d", .run = no_work, .after = NAMES("c"));
    add_node(graph, .name = "e", .run = no_work, .after = NAMES("d"));
    for (unsigned i = 0; i < 4; i++) {
        fails = i % 2 == 0;
        other_fails = !fails;
        distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 1));
        expect(s.passed, fails ? 3 : 2);
        expect(report_of(graph, "a").error, fails ? -EIO : 0);
        expect(report_of(graph, "b").error, fails ? -ECANCELED : 0);
    }
    distributor_graph_destroy(graph);
    finish();
}

/* Of several causes the first one that was added is told. */
Test(flow_run, the_cause_does_not_depend_on_the_order)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "x", .run = fail_shortly);
    add_node(graph, .name = "y", .run = fail_shortly);
    add_node(graph, .name = "z", .run = fail_shortly, .after = NAMES("w"));
    add_node(graph, .name = "w", .run = no_work);
    add_node(graph, .name = "last", .run = no_work, .after = NAMES("z", "y", "x"));
    for (unsigned i = 0; i < rounds(200); i++) {
        run_graph(graph, RUN_OPTIONS(.workers = 2));
        expect(report_of(graph, "last").cause, 0);
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_run, fail_fast_begins_nothing_more)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = fail_shortly);
    add_node(graph, .name = "b", .run = count_one, .after = NAMES("a"));
    add_node(graph, .name = "c", .run = count_one);
    add_node(graph, .name = "d", .run = count_one, .after = NAMES("c"));
    /* a has the longest chain, by its index: the one worker begins with it. */
    distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 1, .fail_fast = true));
    expect(s.failed, 1);
    expect(s.cancelled, 3);
    expect(count, 0);
    distributor_report_t r = report_of(graph, "d");
    expect(r.outcome, DISTRIBUTOR_CANCELLED);
    expect(r.error, -ECANCELED);
    expect_text(r.message, "the run was cancelled before it began");
    expect(run_graph(graph, RUN_OPTIONS(.workers = 1)).passed, 2); /* the next run is a new one */
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Cancelling ---- */

static int cancel_itself(distributor_call_t *call)
{
    task_assert(!distributor_call_should_stop(call));
    task_assert(distributor_graph_cancel(distributor_call_graph(call)) == 0);
    task_assert(distributor_call_should_stop(call));
    task_assert(distributor_call_spawn(call, no_work, NULL, 0) == -ECANCELED);
    return 0;
}

Test(flow_run, cancel_lets_running_nodes_end)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = cancel_itself);
    add_node(graph, .name = "b", .run = count_one, .after = NAMES("a"));
    add_node(graph, .name = "c", .run = count_one, .after = NAMES("b"));
    expect(distributor_graph_cancel(graph), 0); /* it does not run: nothing happens */
    distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 2));
    expect(s.passed, 1);
    expect(s.cancelled, 2);
    expect(count, 0);
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Choosing ---- */

Test(flow_run, only_and_tags)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = count_one, .tags = NAMES("slow"));
    add_node(graph, .name = "b", .run = count_one, .after = NAMES("a"), .tags = NAMES("x", "y"));
    add_node(graph, .name = "c", .run = count_one, .after = NAMES("b"));
    distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.only = NAMES("c")));
    expect(s.nodes, 1);
    expect(report_of(graph, "a").outcome, DISTRIBUTOR_NOT_RUN);
    expect(report_of(graph, "c").outcome, DISTRIBUTOR_PASSED);
    expect(run_graph(graph, RUN_OPTIONS(.tags = NAMES("y", "slow"))).nodes, 2);
    expect(report_of(graph, "c").outcome, DISTRIBUTOR_NOT_RUN);
    expect(run_graph(graph, RUN_OPTIONS(.tags = NAMES("none"))).nodes, 0);
    s = run_graph(graph, RUN_OPTIONS(.tags = NAMES("slow"), .only = NAMES("a", "c")));
    expect(s.nodes, 1);
    expect(report_of(graph, "a").outcome, DISTRIBUTOR_PASSED);
    expect(run_graph(graph, NULL).nodes, 3);
    distributor_place_t place;
    expect(distributor_graph_place(graph, 1, &place), 0);
    expect_text(place.tags[1], "y");
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Values ---- */

static unsigned destroyed;

static void destroy(void *pointer)
{
    ensure(pointer == &destroyed);
    destroyed++;
}

static int return_all(distributor_call_t *call)
{
    const distributor_value_t pointer = distributor_pointer(&destroyed, destroy);
    const distributor_value_t none = distributor_none();
    task_assert(distributor_return(call, &none) == -EINVAL);
    task_assert(distributor_return(call, NULL) == -EINVAL);
    task_assert(distributor_return_string(call, NULL) == -EINVAL);
    task_assert(distributor_return_int(call, 1) == 0);
    task_assert(distributor_return_bool(call, true) == 0);
    task_assert(distributor_return_bytes(call, "\0x", 2) == 0);
    task_assert(distributor_return_float(call, 2.5) == 0);
    task_assert(distributor_return(call, &pointer) == 0);
    return distributor_return_string(call, "the last one counts");
}

static int add_up_arguments(distributor_call_t *call)
{
    distributor_value_t a, b;
    task_assert(distributor_call_argument(call, 0, &a) == 0 && a.type == DISTRIBUTOR_INT);
    task_assert(distributor_call_argument(call, 1, &b) == 0 && b.type == DISTRIBUTOR_STRING);
    task_assert(distributor_call_argument(call, 2, &b) == -ENOENT);
    task_assert(distributor_call_argument(call, 0, NULL) == -EINVAL);
    return distributor_return_int(call, a.as.integer + (int64_t)b.size);
}

static int read_others(distributor_call_t *call)
{
    distributor_value_t value;
    task_assert(distributor_call_result(call, "all", &value) == 0);
    task_assert(value.type == DISTRIBUTOR_STRING &&
                strcmp(value.as.string, "the last one counts") == 0);
    task_assert(distributor_call_result(call, "sum", &value) == 0 && value.as.integer == 44);
    task_assert(distributor_call_result(call, "nobody", &value) == -ENOENT);
    task_assert(distributor_call_result(call, "silent", &value) == -ENODATA);
    task_assert(distributor_call_result(call, "later", &value) == -ENODATA);
    return distributor_return_bool(call, true);
}

Test(flow_run, arguments_and_results)
{
    distributor_graph_t *graph = new_graph();
    distributor_value_t value;
    char text[] = "to";
    const distributor_value_t arguments[] = {distributor_int(42), distributor_string(text)};
    add_node(graph, .name = "all", .run = return_all);
    add_node(graph, .name = "sum", .run = add_up_arguments, .arguments = arguments,
             .argument_count = 2);
    memset(text, 0, sizeof(text)); /* it was copied */
    add_node(graph, .name = "silent", .run = no_work);
    add_node(graph, .name = "reader", .run = read_others, .after = NAMES("all", "sum", "silent"));
    add_node(graph, .name = "later", .run = no_work, .after = NAMES("reader"));
    for (unsigned again = 0; again < 2; again++) {
        expect(run_graph(graph, RUN_OPTIONS(.workers = 2)).passed, 5);
        expect(destroyed, 1 + again);
        expect(distributor_graph_result(graph, 1, &value), 0);
        expect(value.as.integer, 44);
        expect(distributor_graph_result(graph, 2, &value), -ENODATA);
    }
    const distributor_value_t others[] = {distributor_int(1), distributor_string("four")};
    expect(distributor_graph_set_arguments(graph, 1, others, 2), 0);
    run_graph(graph, RUN_OPTIONS(.only = NAMES("sum")));
    expect(distributor_graph_result(graph, 1, &value), 0);
    expect(value.as.integer, 5);
    expect(distributor_graph_result(graph, 0, &value), 0); /* left out: it keeps its result */
    distributor_graph_destroy(graph);
    finish();
}

/* E8: a node alone, with what others would have returned. */
Test(flow_run, results_can_be_given)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "all", .run = fail_shortly);
    add_node(graph, .name = "sum", .run = fail_shortly);
    add_node(graph, .name = "silent", .run = no_work);
    add_node(graph, .name = "reader", .run = read_others, .after = NAMES("all", "sum"));
    add_node(graph, .name = "later", .run = no_work);
    const distributor_value_t all = distributor_string("the last one counts");
    const distributor_value_t sum = distributor_int(44);
    const distributor_value_t owned = distributor_pointer(&destroyed, destroy);
    expect(distributor_graph_set_result(graph, 0, &owned), 0);
    expect(distributor_graph_set_result(graph, 0, &all), 0);
    expect(destroyed, 1);
    expect(distributor_graph_set_result(graph, 1, &sum), 0);
    expect(run_graph(graph, RUN_OPTIONS(.only = NAMES("reader"))).passed, 1);
    expect(distributor_graph_set_result(graph, 4, &owned), 0);
    distributor_graph_destroy(graph);
    expect(destroyed, 2);
    finish();
}

static int return_and_fail(distributor_call_t *call)
{
    const distributor_value_t pointer = distributor_pointer(&destroyed, destroy);
    task_assert(distributor_return(call, &pointer) == 0);
    return -EIO;
}

Test(flow_run, a_failed_node_has_no_result)
{
    distributor_graph_t *graph = new_graph();
    distributor_value_t value;
    add_node(graph, .run = return_and_fail);
    expect(run_graph(graph, NULL).failed, 1);
    expect(distributor_graph_result(graph, 0, &value), -ENODATA);
    expect(destroyed, 1);
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Times and words ---- */

Test(flow_run, times_on_request)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = note);
    add_node(graph, .name = "b", .run = note, .after = NAMES("a"));
    distributor_graph_summary_t s = run_graph(graph, RUN_OPTIONS(.workers = 2, .times = true));
    distributor_report_t a = report_of(graph, "a"), b = report_of(graph, "b");
    ensure(a.started_ns >= s.started_ns && a.ended_ns - a.started_ns >= 100000);
    ensure(b.started_ns >= a.ended_ns && b.ended_ns <= s.started_ns + s.duration_ns);
    run_graph(graph, NULL);
    expect(report_of(graph, "a").started_ns, 0);
    add_node(graph, .name = "later", .run = note, .after = NAMES("b"));
    run_graph(graph, RUN_OPTIONS(.workers = 2, .times = true));
    ensure(report_of(graph, "later").started_ns >= report_of(graph, "b").ended_ns);
    distributor_graph_destroy(graph);
    finish();
}

static char logged[256];

static void keep_log(void *context, distributor_log_level_t level, const char *worker,
                     const char *message)
{
    snprintf(logged, sizeof(logged), "%s %d %s %s", (const char *)context, level, worker, message);
}

static int talk(distributor_call_t *call)
{
    distributor_call_log(call, DISTRIBUTOR_LOG_DEBUG, "%d of %d", 1, 2);
    return 0;
}

Test(flow_run, words_go_to_the_log_hook)
{
    distributor_graph_t *graph = new_graph();
    distributor_graph_options_t options = {.size = sizeof(options),
                                           .workers = 1,
                                           .log = keep_log,
                                           .log_context = (void *)(uintptr_t) "ctx"};
    add_node(graph, .name = "speaker", .run = talk);
    add_node(graph, .name = "broken", .run = fail_with_words);
    options.only = NAMES("speaker");
    run_graph(graph, &options);
    expect_text(logged, "ctx 7 worker-0 speaker: 1 of 2");
    options.only = NAMES("broken");
    run_graph(graph, &options);
    expect_text(logged, "ctx 6 worker-0 broken failed: HTTP 503");
    options.log = distributor_log_to_stderr;
    run_graph(graph, &options);
    distributor_graph_destroy(graph);
    finish();
}

/* ---- Hooks of the threads ---- */

struct hooks {
    _Atomic unsigned started, stopped;
    _Atomic unsigned inside; /* functions and parts that a thread ran between its hooks */
};

static _Thread_local bool between_hooks;

static void on_started(void *context, unsigned worker, const char *name)
{
    struct hooks *hooks = context;
    task_assert(!between_hooks && worker < 2);
    task_assert(strcmp(name, worker == 0 ? "hooked-0" : "hooked-1") == 0);
    between_hooks = true;
    hooks->started++;
}

static void on_stopped(void *context, unsigned worker, const char *name)
{
    struct hooks *hooks = context;
    task_assert(between_hooks && worker < 2 && name != NULL);
    between_hooks = false;
    hooks->stopped++;
}

static int count_inside(distributor_call_t *call)
{
    struct hooks *hooks = distributor_call_context(call);
    if (between_hooks)
        hooks->inside++;
    return 0;
}

/* Its part runs on another thread. */
static int wait_for_part(distributor_call_t *call)
{
    struct hooks *hooks = distributor_call_context(call);
    int rc = distributor_call_spawn(call, count_inside, NULL, 0);
    while (rc == 0 && hooks->inside == 0)
        usleep(1000);
    count_inside(call);
    return rc;
}

Test(flow_run, hooks_of_each_thread)
{
    struct hooks hooks = {0};
    const distributor_graph_options_t options = {.size = sizeof(options),
                                                 .workers = 2,
                                                 .name = "hooked",
                                                 .worker_started = on_started,
                                                 .worker_stopped = on_stopped,
                                                 .worker_context = &hooks};
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "waits", .run = wait_for_part, .context = &hooks);
    run_graph(graph, &options);
    expect(hooks.inside, 2);
    expect(hooks.started, 2);
    expect(hooks.stopped, 2);
    distributor_graph_destroy(graph);
    finish();
}

static int call_without(distributor_call_t *call)
{
    distributor_value_t value = distributor_none();
    task_assert(distributor_call_result(call, NULL, &value) == -EINVAL);
    task_assert(distributor_call_result(call, "alone", NULL) == -EINVAL);
    task_assert(distributor_call_result(call, "nobody", &value) == -ENOENT);
    task_assert(distributor_call_argument(call, 0, NULL) == -EINVAL);
    task_assert(distributor_call_argument(call, 0, &value) == -ENOENT);
    task_assert(distributor_call_get(call, NULL, &value) == -EINVAL);
    task_assert(distributor_call_get(call, "key", NULL) == -EINVAL);
    task_assert(distributor_call_set(call, NULL, &value) == -EINVAL);
    value.type = (distributor_value_type_t)99;
    task_assert(distributor_return(call, &value) == -EINVAL);
    task_assert(distributor_call_set(call, "key", &value) == -EINVAL);
    task_assert(distributor_call_fail(call, -EIO, NULL) == -EINVAL);
    logged[0] = '\0';
    distributor_call_log(call, DISTRIBUTOR_LOG_INFO, NULL);
    task_assert(logged[0] == '\0');
    return distributor_call_fail(call, 5, "a number that is no error");
}

Test(flow_run, a_call_without_what_it_needs)
{
    distributor_graph_t *graph = new_graph();
    distributor_value_t value = distributor_none();
    add_node(graph, .name = "alone", .run = call_without);
    expect(run_graph(graph, RUN_OPTIONS(.log = keep_log, .log_context = (void *)(uintptr_t) "ctx"))
               .failed, 1);
    expect(report_of(graph, "alone").error, -EINVAL);
    expect_text(report_of(graph, "alone").message, "a number that is no error");
    expect(distributor_graph_result(NULL, 0, &value), -EINVAL);
    expect(distributor_graph_result(graph, 0, NULL), -EINVAL);
    expect(distributor_graph_result(graph, 1, &value), -ENOENT);
    expect(distributor_graph_result(graph, 0, &value), -ENODATA);
    expect(distributor_graph_report(graph, 0, NULL), -EINVAL);
    value.type = (distributor_value_type_t)99;
    expect(distributor_graph_set_result(graph, 0, &value), -EINVAL);
    expect_text(distributor_graph_message(graph), "the result has no valid type or no bytes");
    distributor_graph_destroy(graph);
    finish();
}

/* What stands behind the time of a line. */
static const char *behind_time(const char *line)
{
    expect(strspn(line, "0123456789:."), strlen("HH:MM:SS.mmm"));
    return line + strlen("HH:MM:SS.mmm");
}

Test(flow_run, each_level_has_its_name_on_stderr)
{
    static const struct line {
        distributor_log_level_t level;
        const char *worker, *message, *wanted;
    } lines[] = {{DISTRIBUTOR_LOG_ERROR, "w", "one", " w error: one\n"},
                 {DISTRIBUTOR_LOG_WARNING, "w", "two", " w warning: two\n"},
                 {DISTRIBUTOR_LOG_INFO, NULL, "three", " - info: three\n"},
                 {DISTRIBUTOR_LOG_DEBUG, "w", NULL, " w debug: \n"},
                 {(distributor_log_level_t)99, "w", "five", " w ?: five\n"}};
    char text[128];
    FILE *terminal = stderr, *kept = tmpfile();
    ensure(kept != NULL);
    stderr = kept;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        distributor_log_to_stderr(NULL, lines[i].level, lines[i].worker, lines[i].message);
    stderr = terminal;
    rewind(kept);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        ensure(fgets(text, sizeof(text), kept) != NULL);
        expect_text(behind_time(text), lines[i].wanted);
    }
    fclose(kept);
    finish();
}
