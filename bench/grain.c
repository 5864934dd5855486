/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grain.c - tasks of 5 us: the main thread adds 50,000 of them, then waits for each result in the
 * blocking call.  The same bodies on bare threads are in limit.c.
 */
#include "ours.h"

#define TASKS UINT64_C(50000)
#define GRAIN_NS 5000

static uint64_t steps;

static int run_body(distributor_task_t *self, const void *input, size_t size)
{
    bench_work(steps);
    return ours_square(self, input, size);
}

static const distributor_task_type_t body = {.name = "body", .run = run_body};

static double run(distributor_t *d)
{
    uint64_t sum;
    int64_t start = bench_now();

    bench_must("start", distributor_start(d));
    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("add", distributor_add_task(d, &body, &i, sizeof i));
    bench_must("close", distributor_close(d));
    bench_check("number of results", ours_read_all(d, &sum), TASKS);
    bench_must("join", distributor_join(d, NULL));
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(TASKS));
    return (double)start / (double)TASKS;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    steps = bench_steps(GRAIN_NS);
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("grain", workers, "ns/task", warm, run(d));
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
