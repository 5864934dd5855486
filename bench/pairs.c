/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs.c - two threads, each tied to a core of its own, one handing over to the other, for as long
 * as both have something to do: what the model of larger machines is checked against.
 * `pairs SUBJECT GRAIN`, GRAIN being the nanoseconds that a task works:
 *
 *     pair-add    the main thread adds, the one worker runs tasks that emit nothing
 *     pair-read   a task in the one worker emits, the main thread reads
 *
 * Nanoseconds a task or result, in the best of several rounds of one distributor: other processes
 * can only make it longer.
 */
#include "ours.h"

#include <stdio.h>
#include <stdlib.h>

#define TASKS UINT64_C(100000)
#define ROUNDS 15

static uint64_t steps;

static int run_body(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    bench_work(steps);
    return 0;
}

static int run_emits(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    for (uint64_t i = 0; i < TASKS; i++) {
        bench_work(steps);
        bench_must("emit", distributor_emit(self, &i, sizeof i));
    }
    return 0;
}

static const distributor_task_type_t body = {.name = "body", .run = run_body};
static const distributor_task_type_t emits = {.name = "emits", .run = run_emits};

static double run(distributor_t *d, bool adding)
{
    const uint64_t none = 0;
    uint64_t count, sum;
    int64_t start;

    bench_must("start", distributor_start(d));
    start = bench_now();
    if (!adding)
        bench_must("add", distributor_add_task(d, &emits, &none, sizeof none));
    for (uint64_t i = 0; i < TASKS && adding; i++)
        bench_must("add", distributor_add_task(d, &body, &i, sizeof i));
    bench_must("close", distributor_close(d));
    count = ours_read_all(d, &sum);
    start = bench_now() - start;
    bench_must("join", distributor_join(d, NULL));
    bench_check("number of results", count, adding ? 0 : TASKS);
    return (double)start / (double)TASKS;
}

static void tie_worker(void *context, unsigned index, const char *name)
{
    (void)context, (void)index, (void)name;
    bench_check("a core for the worker", bench_pin(1), true);
}

int main(int argc, char **argv)
{
    distributor_options_t options = {
        .size = sizeof options, .workers = 1, .worker_started = tie_worker};
    bool adding = argc == 3 && strcmp(argv[1], "pair-add") == 0;
    double times[ROUNDS];
    distributor_t *d;

    if (argc != 3 || (!adding && strcmp(argv[1], "pair-read") != 0) || *argv[2] < '0' ||
        *argv[2] > '9') {
        fprintf(stderr, "usage: %s pair-add|pair-read GRAIN\n", argv[0]);
        return BENCH_USAGE;
    }
    steps = atol(argv[2]) > 0 ? bench_steps(atol(argv[2])) : 0;
    bench_must("create", distributor_create(&d, &options));
    bench_check("a core for the main thread", bench_pin(0), true);
    run(d, adding);
    for (unsigned i = 0; i < ROUNDS; i++)
        times[i] = run(d, adding);
    bench_must("destroy", distributor_destroy(d));
    bench_sort(times, ROUNDS);
    printf("%s %s %.6g\n", argv[1], argv[2], times[0]);
    return 0;
}
