/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of all deadlines: nanoseconds of CLOCK_MONOTONIC. */
#ifndef DISTR_BASE_CLOCK_H
#define DISTR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t distr_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* now + duration, without overflow. */
static inline int64_t distr_after(int64_t duration)
{
    int64_t now = distr_now();

    return duration > INT64_MAX - now ? INT64_MAX : now + duration;
}

#endif
