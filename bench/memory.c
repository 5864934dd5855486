/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - what 10,000,000 tasks of 8 bytes take while they wait to begin.
 *
 * "memory" is bytes a task, of the resident set.  "memory-lost" is what is neither given back after
 * they ran nor used again: the smaller of what is still resident, and of what a second filling adds
 * to the peak, in bytes a task.  "memory-16" is "memory" for inputs of 16 bytes, the largest that
 * need no allocation, in a distributor of its own before.
 */
#include "ours.h"

#define TASKS UINT64_C(10000000)
#define WIDE_TASKS UINT64_C(1000000)

static int run_nothing(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return 0;
}

static const distributor_task_type_t nothing = {.name = "nothing", .run = run_nothing};

/* No worker runs before start: all of them are pending. */
static void fill(distributor_t *d, uint64_t tasks, size_t size)
{
    for (uint64_t i = 0; i < tasks; i++) {
        const uint64_t input[2] = {i, i};

        bench_must("add", distributor_add_task(d, &nothing, input, size));
    }
}

static void drain(distributor_t *d, uint64_t tasks)
{
    distributor_summary_t summary;

    bench_must("run", distributor_run(d, &summary));
    bench_check("number of tasks", summary.completed, tasks);
}

static void measure_wide(unsigned workers)
{
    distributor_t *d = ours_create(workers);
    double before = bench_rss();

    fill(d, WIDE_TASKS, 16);
    bench_say("memory-16", workers, "bytes/task", (bench_rss() - before) / (double)WIDE_TASKS);
    drain(d, WIDE_TASKS);
    bench_must("destroy", distributor_destroy(d));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    double before, full, drained, peak, again;
    distributor_t *d;

    measure_wide(workers);
    d = ours_create(workers);
    before = bench_rss();
    fill(d, TASKS, 8);
    full = bench_rss() - before;
    drain(d, TASKS);
    drained = bench_rss() - before;
    peak = bench_peak_rss();
    fill(d, TASKS, 8);
    drain(d, TASKS);
    again = bench_peak_rss() - peak;
    bench_must("destroy", distributor_destroy(d));
    bench_say("memory", workers, "bytes/task", full / (double)TASKS);
    bench_say("memory-lost", workers, "bytes/task",
              (again < drained ? again : drained) / (double)TASKS);
    return 0;
}
