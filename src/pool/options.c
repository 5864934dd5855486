/* SPDX-License-Identifier: BSD-2-Clause */
/* Options; see options.h. */
#include "pool/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The struct of the first release. */
#define SIZE_MIN (offsetof(distributor_options_t, reserved) + 8 * sizeof(void *))
/* More than any release will have; what claims to be larger is no options struct. */
#define SIZE_MAX_SANE 65536u

#define DEADLOCK_NS 1000000000
#define WINDOW 1024

static bool all_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Says which option it is, and its value, to the log hook that came with it; returns error. */
static int refuse(const distributor_options_t *chosen, int error, const char *format, ...)
    DISTRIBUTOR_PRINTF(3, 4);

static int refuse(const distributor_options_t *chosen, int error, const char *format, ...)
{
    char line[160];
    va_list arguments;

    if (!chosen->log)
        return error;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    chosen->log(chosen->context, DISTRIBUTOR_LOG_ERROR, NULL, line);
    return error;
}

/* Copies what both sides know; what only a newer caller knows must be zero.  Of a struct that is
 * none the hook is not called. */
static int copy(distributor_options_t *chosen, const distributor_options_t *options)
{
    const unsigned char *bytes = (const unsigned char *)options;
    size_t size = options->size, known = sizeof *chosen;

    memset(chosen, 0, sizeof *chosen);
    if (size < SIZE_MIN || size > SIZE_MAX_SANE)
        return -EINVAL;
    memcpy(chosen, options, size < known ? size : known);
    if (size > known && !all_zero(bytes + known, size - known))
        return refuse(chosen, -ENOTSUP,
                      "the size of the options is %zu, this release knows %zu bytes, "
                      "and those behind are not zero", size, known);
    return 0;
}

static int check_order(const distributor_options_t *chosen)
{
    uintmax_t window = chosen->window;

    if (chosen->order != DISTRIBUTOR_AS_COMPLETED && chosen->order != DISTRIBUTOR_AS_ADDED)
        return refuse(chosen, -EINVAL, "the order %d is unknown", (int)chosen->order);
    if (chosen->order == DISTRIBUTOR_AS_COMPLETED && window != 0)
        return refuse(chosen, -EINVAL, "a window of %ju is for DISTRIBUTOR_AS_ADDED alone", window);
    if (window > DISTRIBUTOR_MAX_WINDOW)
        return refuse(chosen, -EINVAL, "a window of %ju is more than DISTRIBUTOR_MAX_WINDOW, %ju",
                      window, (uintmax_t)DISTRIBUTOR_MAX_WINDOW);
    return 0;
}

static int check_threads(const distributor_options_t *chosen)
{
    long least = sysconf(_SC_THREAD_STACK_MIN);

    if (chosen->workers > DISTRIBUTOR_MAX_WORKERS)
        return refuse(chosen, -EINVAL, "workers: %u is more than DISTRIBUTOR_MAX_WORKERS, %u",
                      chosen->workers, DISTRIBUTOR_MAX_WORKERS);
    if (chosen->stack_size != 0 && least > 0 && chosen->stack_size < (size_t)least)
        return refuse(chosen, -EINVAL, "a stack_size of %zu is less than PTHREAD_STACK_MIN, %ld",
                      chosen->stack_size, least);
    if (chosen->deadlock_ns < 0)
        return refuse(chosen, -EINVAL, "a deadlock_ns of %jd is negative",
                      (intmax_t)chosen->deadlock_ns);
    return 0;
}

/* Parts that this release does not have. */
static int check_parts(const distributor_options_t *chosen)
{
    if (chosen->engine)
        return refuse(chosen, -ENOTSUP, "engine is not NULL, and this release has none");
    if (!all_zero((const unsigned char *)chosen->reserved, sizeof chosen->reserved))
        return refuse(chosen, -ENOTSUP, "reserved is not NULL");
    return 0;
}

static int check(const distributor_options_t *chosen)
{
    int rc = check_threads(chosen);

    if (rc == 0)
        rc = check_order(chosen);
    return rc == 0 ? check_parts(chosen) : rc;
}

int distr_options_read(distributor_options_t *chosen, const distributor_options_t *options)
{
    int rc = 0;

    memset(chosen, 0, sizeof *chosen);
    if (options)
        rc = copy(chosen, options);
    if (rc == 0)
        rc = check(chosen);
    if (rc == 0 && chosen->deadlock_ns == 0)
        chosen->deadlock_ns = DEADLOCK_NS;
    if (rc == 0 && chosen->order == DISTRIBUTOR_AS_ADDED && chosen->window == 0)
        chosen->window = WINDOW;
    return rc;
}
