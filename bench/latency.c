/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency.c - one task at a time, there and back: add, wait for its result, add the next.
 * "latency" is the median of the trips, "latency-p99" what 99 of 100 trips stay below.
 */
#include "ours.h"

#define TRIPS 20000
#define WARM_TRIPS 1000

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static double trip(distributor_t *d, uint64_t number)
{
    int64_t start = bench_now();
    uint64_t sum;

    bench_must("add", distributor_add_task(d, &square, &number, sizeof number));
    sum = ours_read(d, 1);
    start = bench_now() - start;
    bench_check("square", sum, number * number);
    return (double)start;
}

int main(int argc, char **argv)
{
    static double times[TRIPS];
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    bench_must("start", distributor_start(d));
    for (uint64_t i = 0; i < WARM_TRIPS; i++)
        trip(d, i);
    for (uint64_t i = 0; i < TRIPS; i++)
        times[i] = trip(d, i);
    bench_must("join", distributor_join(d, NULL));
    bench_must("destroy", distributor_destroy(d));
    bench_sort(times, TRIPS);
    bench_say("latency", workers, "ns", bench_percentile(times, TRIPS, 50));
    bench_say("latency-p99", workers, "ns", bench_percentile(times, TRIPS, 99));
    return 0;
}
