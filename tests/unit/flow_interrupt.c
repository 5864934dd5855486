/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/interrupt.c: Ctrl-C for a program that runs graphs (E7 of the capabilities). */
#include <signal.h>
#include <sys/wait.h>

#include "flow_support.h"

TestSuite(flow_interrupt, .timeout = 240);

static _Atomic unsigned others;

static void count_other(int number)
{
    (void)number;
    others++;
}

/* A handler of the host, which must be there again afterwards. */
static void handle_by_host(void)
{
    const struct sigaction action = {.sa_handler = count_other};

    expect(sigaction(SIGINT, &action, NULL), 0);
}

static void take(void *context, const distributor_graph_t *graph)
{
    (void)graph;
    task_assert(distributor_handle_interrupt(context) == 0);
}

/* Sends the signal to the process, and ends when the run was told. */
static int interrupt(distributor_call_t *call)
{
    task_assert(kill(getpid(), SIGINT) == 0);
    while (!distributor_call_should_stop(call))
        usleep(1000);
    return distributor_return_int(call, 7);
}

static distributor_graph_summary_t run_interrupted(distributor_graph_t *graph)
{
    const distributor_graph_events_t events = {.context = graph, .run_start = take};

    return run_graph(graph, RUN_OPTIONS(.workers = 2, .events = &events));
}

/* What runs ends and counts, what waits is cancelled, and nothing is missing from the summary. */
Test(flow_interrupt, the_first_cancels_and_the_summary_is_whole)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "runs", .run = interrupt);
    for (unsigned i = 0; i < 7; i++)
        add_node(graph, .run = no_work, .after = NAMES("runs"));
    handle_by_host();
    distributor_graph_summary_t s = run_interrupted(graph);
    expect(s.passed, 1);
    expect(s.cancelled, 7);
    expect(distributor_handle_interrupt(NULL), SIGINT);
    expect(raise(SIGINT), 0);
    expect(others, 1);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_interrupt, one_graph_at_a_time)
{
    distributor_graph_t *graph = new_graph(), *other = new_graph();
    handle_by_host();
    expect(distributor_handle_interrupt(NULL), 0);
    expect(distributor_handle_interrupt(graph), 0);
    expect(distributor_handle_interrupt(other), -EBUSY);
    expect(distributor_handle_interrupt(graph), -EBUSY);
    expect(distributor_handle_interrupt(NULL), 0);
    expect(distributor_handle_interrupt(other), 0);
    expect(raise(SIGINT), 0);
    expect(others, 0);
    expect(distributor_handle_interrupt(NULL), SIGINT);
    expect(distributor_handle_interrupt(NULL), 0);
    distributor_graph_destroy(graph);
    distributor_graph_destroy(other);
    finish();
}

Test(flow_interrupt, the_second_ends_the_process)
{
    int status = 0;
    pid_t process = fork();
    if (process == 0) {
        distributor_graph_t *graph;
        if (distributor_graph_create(&graph) == 0 && distributor_handle_interrupt(graph) == 0)
            raise(SIGINT);
        raise(SIGINT);
        _exit(1);
    }
    expect(waitpid(process, &status, 0), process);
    ensure(WIFEXITED(status));
    expect(WEXITSTATUS(status), 130);
    finish();
}
