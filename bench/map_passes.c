/* SPDX-License-Identifier: BSD-2-Clause */
/* map_passes.c - see map.h. */
#include "map.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *make_array(void)
{
    uint64_t *array = malloc(BENCH_MAP_ITEMS * sizeof *array);

    bench_check("memory for the array", array != NULL, 1);
    memset(array, 1, BENCH_MAP_ITEMS * sizeof *array);
    return array;
}

static double timed(bench_map_fn *pass, const uint64_t *numbers, uint64_t *squares)
{
    uint64_t sum = 0;
    int64_t start;

    memset(squares, 0, BENCH_MAP_ITEMS * sizeof *squares);
    start = bench_now();
    pass(numbers, squares);
    start = bench_now() - start;
    for (size_t i = 0; i < BENCH_MAP_ITEMS; i++)
        sum += squares[i];
    bench_check("sum of squares", sum, bench_squares(BENCH_MAP_ITEMS));
    return (double)start / (double)BENCH_MAP_ITEMS;
}

void bench_map(unsigned workers, bench_map_fn *pass)
{
    uint64_t *numbers = make_array(), *squares = make_array();
    double times[BENCH_MAP_PASSES];

    for (size_t i = 0; i < BENCH_MAP_ITEMS; i++)
        numbers[i] = i;
    bench_say_warm("map", workers, "ns/item", 0, timed(pass, numbers, squares));
    for (unsigned i = 0; i < BENCH_MAP_PASSES; i++)
        times[i] = timed(pass, numbers, squares);
    bench_sort(times, BENCH_MAP_PASSES);
    bench_say_warm("map", workers, "ns/item", 1, times[BENCH_MAP_PASSES / 2]);
    free(numbers);
    free(squares);
}
