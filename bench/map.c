/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - the squares of an array.  The calling thread is one of those that work, as it is with the
 * peers, and the distributor has started before the clock, as their pools have.
 */
#include "map.h"
#include "ours.h"

static distributor_t *d;

static int square_range(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint64_t *numbers = inputs;
    uint64_t *squares = outputs;

    (void)context;
    for (size_t i = 0; i < count; i++)
        squares[i] = numbers[i] * numbers[i];
    return 0;
}

static void pass(const uint64_t *numbers, uint64_t *squares)
{
    bench_must("map", distributor_map(d, square_range, NULL, numbers, sizeof *numbers, squares,
                                      sizeof *squares, BENCH_MAP_ITEMS));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    d = ours_create(workers > 1 ? workers - 1 : 1);
    bench_must("start", distributor_start(d));
    bench_map(workers, pass);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
