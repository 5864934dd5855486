/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * src/cli/crash.c: the last words of a process.  Each is a child, whose standard error is read.
 * What comes last in a handler is wrapped at link time, so that `make coverage` learns of it.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "flow_support.h"

TestSuite(cli_crash, .timeout = 240);

int __real_raise(int number);
int __wrap_raise(int number);
int __wrap_raise(int number)
{
    if (__gcov_dump)
        __gcov_dump();
    return __real_raise(number);
}

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status)
{
    if (__gcov_dump)
        __gcov_dump();
    __real__exit(status);
}

/* How a child ends that does this, and what it has said. */
static int status_of(void (*end)(void), char *words, size_t size)
{
    static const struct rlimit no_core;
    int ends[2], status = -1;
    ensure(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        if (watch_for_crashes() == 0)
            end();
        _exit(99);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t more;
    while ((more = read(ends[0], words + length, size - 1 - length)) > 0)
        length += (size_t)more;
    words[length] = '\0';
    close(ends[0]);
    expect(waitpid(child, &status, 0), child);
    return status;
}

static void expect_signal(void (*end)(void), int number, const char *wanted)
{
    char words[256];
    int status = status_of(end, words, sizeof(words));
    ensure(WIFSIGNALED(status));
    expect(WTERMSIG(status), number);
    expect_text(words, wanted);
    finish();
}

static void expect_exit(void (*end)(void), int code, const char *wanted)
{
    char words[256];
    int status = status_of(end, words, sizeof(words));
    ensure(WIFEXITED(status));
    expect(WEXITSTATUS(status), code);
    expect_text(words, wanted);
    finish();
}

/* ---- A module that is loaded ---- */

static void abort_in_module(void)
{
    suspect_module("m.c");
    abort();
}

Test(cli_crash, a_module_that_aborts)
{
    expect_signal(abort_in_module, SIGABRT, "\ndistributor: module 'm.c' crashed: Aborted\n");
}

static void exit_in_module(void)
{
    suspect_module("m.c");
    exit(0);
}

Test(cli_crash, a_module_that_calls_exit)
{
    expect_exit(exit_in_module, EXIT_MODULE, "\ndistributor: module 'm.c' called exit\n");
}

/* The words are lost, and no more than they. */
static void exit_unheard(void)
{
    close(STDERR_FILENO);
    exit_in_module();
}

Test(cli_crash, nobody_is_there_to_be_told)
{
    expect_exit(exit_unheard, EXIT_MODULE, "");
}

/* ---- A task ---- */

static void run_in_graph(distributor_call_fn *function)
{
    distributor_graph_t *graph;
    const distributor_node_t node = {.size = sizeof(node), .name = "a", .run = function};
    if (distributor_graph_create(&graph) == 0 && distributor_graph_add(graph, &node) == 0)
        distributor_graph_run(graph, NULL, NULL);
}

static int abort_now(distributor_call_t *call)
{
    (void)call;
    give_handler_a_stack();
    abort();
}

static void abort_in_task(void)
{
    run_in_graph(abort_now);
}

static int exit_now(distributor_call_t *call)
{
    (void)call;
    exit(0);
}

static void exit_in_task(void)
{
    run_in_graph(exit_now);
}

/* Not under AddressSanitizer: it does not survive threads in a forked child. */
Test(cli_crash, a_task_that_aborts)
{
#ifdef SUPPORT_ASAN
    cr_skip_test("AddressSanitizer does not survive threads in a forked child");
#endif
    expect_signal(abort_in_task, SIGABRT, "\ndistributor: task 'a' crashed: Aborted\n");
}

Test(cli_crash, a_task_that_calls_exit)
{
#ifdef SUPPORT_ASAN
    cr_skip_test("AddressSanitizer does not survive threads in a forked child");
#endif
    expect_exit(exit_in_task, EXIT_ENGINE, "\ndistributor: task 'a' called exit\n");
}
