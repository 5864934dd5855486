/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words of a task that ends the process, or of a module that does it while it is loaded.
 * Each worker gets a stack of its own for the handler, for its stack may be what has run out.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/cli.h"

#define STACK_SIZE 16384

static _Thread_local char handler_stack[STACK_SIZE];
static const char *suspect; /* the module that is loaded or set up; NULL: none */

static struct iovec piece(const char *text)
{
    return (struct iovec){.iov_base = (void *)text, .iov_len = strlen(text)};
}

/* The name of the task that this thread runs, the whole or a part; NULL: none. */
static const char *current_task(void)
{
    const distributor_call_t *call = distributor_running_call();

    return call ? distributor_call_name(call) : NULL;
}

/* One line, in one write; safe in a signal handler. */
static void last_words(const char *what, const char *why)
{
    const char *task = current_task(), *name = task ? task : suspect;
    struct iovec words[] = {piece(task || !suspect ? "\ndistributor: task '"
                                                   : "\ndistributor: module '"),
                            piece(name ? name : "?"), piece(what), piece(why ? why : ""),
                            piece("\n")};

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
    bool is_task = current_task() != NULL;

    if (!is_task && !suspect)
        return;
    last_words("' called exit", NULL);
    _exit(is_task ? EXIT_ENGINE : EXIT_MODULE);
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

void suspect_module(const char *path)
{
    suspect = path;
}

void give_handler_a_stack(void)
{
    stack_t own = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, present;

    /* A sanitizer may have been here before. */
    if (sigaltstack(NULL, &present) == 0 && (present.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
}
