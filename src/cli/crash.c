/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words of a task that ends the process.  Each thread keeps the name of what it runs, and
 * a stack of its own for the handler, for its stack may be what has run out.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/cli.h"

#define STACK_SIZE 16384

static _Thread_local const char *current;
static _Thread_local char handler_stack[STACK_SIZE];
static _Thread_local bool has_stack;

static struct iovec piece(const char *text)
{
    return (struct iovec){.iov_base = (void *)text, .iov_len = strlen(text)};
}

/* One line, in one write; safe in a signal handler. */
static void last_words(const char *what, const char *why)
{
    struct iovec words[] = {piece("\ndistributor: task '"), piece(current ? current : "?"),
                            piece(what), piece(why ? why : ""), piece("\n")};

    if (writev(STDERR_FILENO, words, sizeof words / sizeof *words) < 0)
        return; /* nobody is there to be told */
}

static void on_crash(int number)
{
    last_words("' crashed: ", sigdescr_np(number));
    signal(number, SIG_DFL);
    raise(number); /* ends the process when this handler returns */
}

static void on_exit_call(void)
{
    if (!current)
        return;
    last_words("' called exit", NULL);
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

/* Once for each thread; a sanitizer may have been here before. */
static void take_stack(void)
{
    stack_t own = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, present;

    has_stack = true;
    if (sigaltstack(NULL, &present) == 0 && (present.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
}

void set_current_task(const char *name)
{
    if (!has_stack)
        take_stack();
    current = name;
}
