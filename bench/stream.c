/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - the main thread adds 1,000,000 tasks, one call each, then reads all results, one call
 * each.  The clock runs from before the first task to after the last result.
 */
#include "ours.h"

#define TASKS UINT64_C(1000000)

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static double run(distributor_t *d)
{
    int64_t start = bench_now();
    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("add", distributor_add_task(d, &square, &i, sizeof i));
    uint64_t sum = ours_read(d, TASKS);
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(TASKS));
    return (double)start / (double)TASKS;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    ours_start(d, workers);
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("stream", workers, "ns/task", warm, run(d));
    ours_join(d);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
