/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ours.h - what the programs that measure the distributor share: a distributor with all defaults,
 * the task that emits a square, and what stands before and behind the time that is measured.
 */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <distributor.h>
#include <string.h>

#include "harness.h"

static inline distributor_t *ours_create(unsigned workers)
{
    distributor_options_t options = {.size = sizeof options, .workers = workers};
    distributor_t *d;

    bench_must("distributor_create", distributor_create(&d, &options));
    return d;
}

#define OURS_WARM_NS BENCH_MILLISECOND

static inline uint64_t ours_number(const void *data)
{
    uint64_t number;

    memcpy(&number, data, sizeof number);
    return number;
}

static inline int ours_square(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = ours_number(input), square = number * number;

    (void)size;
    return distributor_emit(self, &square, sizeof square);
}

/* Reads `count` results, one call each, and gives the sum of their numbers. */
static inline uint64_t ours_read(distributor_t *d, uint64_t count)
{
    distributor_result_t result;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        bench_check(
            "distributor_next_result",
            (uint64_t)bench_must("distributor_next_result", distributor_next_result(d, &result)),
            1);
        bench_must("task", result.error);
        sum += ours_number(result.data);
    }
    return sum;
}

/* Reads to STOP. */
static inline uint64_t ours_read_all(distributor_t *d, uint64_t *sum)
{
    distributor_result_t result;
    uint64_t count = 0;

    *sum = 0;
    while (bench_must("distributor_next_result", distributor_next_result(d, &result)) == 1) {
        bench_must("task", result.error);
        *sum += ours_number(result.data);
        count++;
    }
    return count;
}

static inline int ours_nap(distributor_task_t *self, const void *input, size_t size)
{
    bench_sleep(OURS_WARM_NS);
    return ours_square(self, input, size);
}

/* Starts it.  As with the peers' pools, each worker has run a task before the clock starts. */
static inline void ours_start(distributor_t *d, unsigned workers)
{
    static const distributor_task_type_t nap = {.name = "nap", .run = ours_nap};

    bench_must("start", distributor_start(d));
    for (uint64_t i = 0; i < workers; i++)
        bench_must("add", distributor_add_task(d, &nap, &i, sizeof i));
    ours_read(d, workers);
}

/* The clock has stopped: nothing may have been left or made twice. */
static inline void ours_join(distributor_t *d)
{
    uint64_t sum;

    bench_must("close", distributor_close(d));
    bench_check("results beyond the last", ours_read_all(d, &sum), 0);
    bench_must("join", distributor_join(d, NULL));
}

#endif
