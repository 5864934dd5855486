/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocking.c - 20,000 tasks that sleep 5 ms on 200 workers.  The workers run and each has slept
 * once before the clock starts, as the plain threads in limit.c have; it stops at the last result.
 */
#include "ours.h"

#define TASKS UINT64_C(20000)
#define SLEEP_NS (5 * BENCH_MILLISECOND)

static int run_nap(distributor_task_t *self, const void *input, size_t size)
{
    bench_sleep(SLEEP_NS);
    return ours_square(self, input, size);
}

static const distributor_task_type_t nap = {.name = "nap", .run = run_nap};

static void round_of(distributor_t *d, uint64_t tasks)
{
    for (uint64_t i = 0; i < tasks; i++)
        bench_must("add", distributor_add_task(d, &nap, &i, sizeof i));
    bench_check("sum of squares", ours_read(d, tasks), bench_squares(tasks));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);
    int64_t start;

    bench_must("start", distributor_start(d));
    round_of(d, workers);
    start = bench_now();
    round_of(d, TASKS);
    bench_say("blocking", workers, "ms", (double)(bench_now() - start) / 1e6);
    bench_must("join", distributor_join(d, NULL));
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
