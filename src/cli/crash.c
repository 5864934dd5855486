/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words of a task that ends the process.  Each thread that runs tasks gets a stack of its
 * own for the handler, for its stack may be what has run out; one that runs parts alone does not,
 * and is named unless it is that.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/cli.h"

#define STACK_SIZE 16384

static _Thread_local char handler_stack[STACK_SIZE];
static _Thread_local bool has_stack;

static struct iovec piece(const char *text)
{
    return (struct iovec){.iov_base = (void *)text, .iov_len = strlen(text)};
}

/* The name of what this thread runs, also of a task's part; NULL: nothing. */
static const char *current_task(void)
{
    const distributor_call_t *call = distributor_running_call();

    return call ? distributor_call_name(call) : NULL;
}

/* One line, in one write; safe in a signal handler. */
static void last_words(const char *name, const char *what, const char *why)
{
    struct iovec words[] = {piece("\ndistributor: task '"), piece(name ? name : "?"), piece(what),
                            piece(why ? why : ""), piece("\n")};

    if (writev(STDERR_FILENO, words, sizeof words / sizeof *words) < 0)
        return; /* nobody is there to be told */
}

static void on_crash(int number)
{
    last_words(current_task(), "' crashed: ", sigdescr_np(number));
    signal(number, SIG_DFL);
    raise(number); /* ends the process when this handler returns */
}

static void on_exit_call(void)
{
    const char *name = current_task();

    if (!name)
        return;
    last_words(name, "' called exit", NULL);
    _exit(EXIT_ENGINE);
}

int watch_for_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    return atexit(on_exit_call) == 0 ? 0 : complain(EXIT_ENGINE, "no memory");
}

void give_handler_a_stack(void)
{
    stack_t own = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, present;

    if (has_stack)
        return;
    has_stack = true;
    /* A sanitizer may have been here before. */
    if (sigaltstack(NULL, &present) == 0 && (present.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
}
