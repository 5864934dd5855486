/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ours.h - what the programs that measure the distributor share: a distributor with all defaults,
 * and the task that emits a square.
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

#endif
