/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - what 10,000,000 tasks of 8 bytes take while they wait to begin.
 *
 * "memory" is bytes a task, of the resident set.  "memory-lost" is what is neither given back after
 * they ran nor used again: the smaller of what is still resident, and of what a second filling adds
 * to the peak, in bytes a task.
 */
#include "ours.h"

#define TASKS UINT64_C(10000000)

static int run_nothing(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return 0;
}

static const distributor_task_type_t nothing = {.name = "nothing", .run = run_nothing};

/* No worker runs before start: all of them are pending. */
static void fill(distributor_t *d)
{
    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("add", distributor_add_task(d, &nothing, &i, sizeof i));
}

static void drain(distributor_t *d)
{
    distributor_summary_t summary;

    bench_must("run", distributor_run(d, &summary));
    bench_check("number of tasks", summary.completed, TASKS);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);
    double before = bench_rss(), full, drained, peak, again;

    fill(d);
    full = bench_rss() - before;
    drain(d);
    drained = bench_rss() - before;
    peak = bench_peak_rss();
    fill(d);
    drain(d);
    again = bench_peak_rss() - peak;
    bench_must("destroy", distributor_destroy(d));
    bench_say("memory", workers, "bytes/task", full / (double)TASKS);
    bench_say("memory-lost", workers, "bytes/task",
              (again < drained ? again : drained) / (double)TASKS);
    return 0;
}
