/* SPDX-License-Identifier: BSD-2-Clause */
/* Words to the log hook, and a hook that prints them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "flow/run.h"

/* Hands one line to the hook; one that there is no memory for is shortened. */
static void say(const struct distr_run *run, distributor_log_level_t level, const char *worker,
                const char *format, va_list arguments)
{
    char shortened[256];
    char *text;
    va_list again;

    va_copy(again, arguments);
    int length = vasprintf(&text, format, arguments);
    if (length < 0)
        vsnprintf(shortened, sizeof shortened, format, again);
    va_end(again);
    run->options.log(run->options.log_context, level, worker, length < 0 ? shortened : text);
    if (length >= 0)
        free(text);
}

void distr_run_log(const struct distr_run *run, distributor_log_level_t level, const char *worker,
                   const char *format, ...)
{
    va_list arguments;

    if (!run->options.log)
        return;
    va_start(arguments, format);
    say(run, level, worker, format, arguments);
    va_end(arguments);
}

void distributor_call_log(distributor_call_t *call, distributor_log_level_t level,
                          const char *format, ...)
{
    char name[24];
    char *text;
    va_list arguments;

    if (!call->run->options.log || !format)
        return;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    distr_run_log(call->run, level, call->seat->name, "%s: %s",
                  distr_graph_called(call->run->graph, call->node, name),
                  length < 0 ? "(no memory for the message)" : text);
    if (length >= 0)
        free(text);
}

static const char *level_name(distributor_log_level_t level)
{
    switch (level) {
    case DISTRIBUTOR_LOG_ERROR:
        return "error";
    case DISTRIBUTOR_LOG_WARNING:
        return "warning";
    case DISTRIBUTOR_LOG_INFO:
        return "info";
    case DISTRIBUTOR_LOG_DEBUG:
        return "debug";
    }
    return "?";
}

void distributor_log_to_stderr(void *context, distributor_log_level_t level, const char *worker,
                               const char *message)
{
    struct timespec now;
    struct tm parts;
    char clock[16] = "";

    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &parts))
        strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    fprintf(stderr, "%s.%03ld %s %s: %s\n", clock, now.tv_nsec / 1000000, worker ? worker : "-",
            level_name(level), message ? message : "");
}
