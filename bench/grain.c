/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grain.c - tasks of a known length: the main thread adds them, one call each, then waits for each
 * result in the blocking call.  `grain SUBJECT WORKERS`:
 *
 *     grain            the shortest task that runs half as fast as on bare threads (METG 50 %)
 *     grain-1us        100,000 tasks of 1 us
 *     grain-5us        50,000 tasks of 5 us
 *     oversubscribed   20,000 tasks of 5 us, for many more workers than cores
 *
 * The same bodies on bare threads are in limit_threads.c.
 */
#include "bodies.h"
#include "ours.h"

static uint64_t steps;

static int run_body(distributor_task_t *self, const void *input, size_t size)
{
    bench_work(steps);
    return ours_square(self, input, size);
}

static const distributor_task_type_t body = {.name = "body", .run = run_body};

static void add(distributor_t *d, uint64_t tasks)
{
    for (uint64_t i = 0; i < tasks; i++)
        bench_must("add", distributor_add_task(d, &body, &i, sizeof i));
}

/* In a distributor that runs. */
static double time_of(void *d, int64_t grain_ns, uint64_t tasks)
{
    int64_t start;
    uint64_t sum;

    steps = bench_steps(grain_ns);
    start = bench_now();
    add(d, tasks);
    sum = ours_read(d, tasks);
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(tasks));
    return (double)start / (double)tasks;
}

static const struct {
    const char *name;
    int64_t grain_ns; /* 0: the search */
    uint64_t tasks;
} subjects[] = {
    {"grain", 0, 0},
    {"grain-1us", BODY_1US_NS, BODY_1US_TASKS},
    {"grain-5us", BODY_5US_NS, BODY_5US_TASKS},
    {"oversubscribed", BODY_5US_NS, BODY_CROWD_TASKS},
};

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);
    size_t i = 0;

    while (i < sizeof subjects / sizeof *subjects && strcmp(subjects[i].name, argv[1]) != 0)
        i++;
    if (i == sizeof subjects / sizeof *subjects)
        return BENCH_NO_SUBJECT;
    ours_start(d, workers);
    if (subjects[i].tasks == 0)
        bench_say("grain", workers, "ns", bench_metg(time_of, d, workers));
    for (int warm = 0; warm < 2 && subjects[i].tasks > 0; warm++)
        bench_say_warm(subjects[i].name, workers, "ns/task", warm,
                       time_of(d, subjects[i].grain_ns, subjects[i].tasks));
    ours_join(d);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
