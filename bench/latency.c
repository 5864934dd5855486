/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency.c - one task at a time, there and back: add, wait for its result, add the next.
 * `latency latency WORKERS`; `latency latency-quiet WORKERS` waits 1 ms before each, so that what
 * spins has gone to sleep.  The figure is the median of the trips; SUBJECT-p99 is what 99 of 100
 * trips stay below.
 */
#include "ours.h"

#define TRIPS 20000
#define WARM_TRIPS TRIPS /* the system needs some 60 ms to give each thread its CPU */
#define QUIET_TRIPS 300
#define QUIET_NS BENCH_MILLISECOND

static const distributor_task_type_t square = {.name = "square", .run = ours_square};
static double times[TRIPS];

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

static void back_to_back(distributor_t *d)
{
    for (uint64_t i = 0; i < WARM_TRIPS; i++)
        trip(d, i);
    for (uint64_t i = 0; i < TRIPS; i++)
        times[i] = trip(d, i);
}

static void after_quiet(distributor_t *d)
{
    for (uint64_t i = 0; i < QUIET_TRIPS; i++) {
        bench_sleep(QUIET_NS);
        times[i] = trip(d, i);
    }
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    bool quiet = argc == 3 && strcmp(argv[1], "latency-quiet") == 0;
    distributor_t *d = ours_create(workers);

    bench_must("start", distributor_start(d));
    (quiet ? after_quiet : back_to_back)(d);
    bench_must("join", distributor_join(d, NULL));
    bench_must("destroy", distributor_destroy(d));
    bench_say_latency(quiet ? "latency-quiet" : "latency", workers, times,
                      quiet ? QUIET_TRIPS : TRIPS);
    return 0;
}
