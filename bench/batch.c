/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.c - the stream again, with 256 tasks in one call of distributor_add_tasks() and up to 256
 * results in one of distributor_next_results().
 */
#include "ours.h"

#define TASKS UINT64_C(1000000)
#define BATCH 256

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static void add_all(distributor_t *d)
{
    uint64_t inputs[BATCH], next = 0;

    while (next < TASKS) {
        size_t count = 0;

        while (count < BATCH && next < TASKS)
            inputs[count++] = next++;
        bench_check("tasks accepted",
                    (uint64_t)distributor_add_tasks(d, &square, inputs, sizeof *inputs, count),
                    count);
    }
}

static uint64_t read_all(distributor_t *d)
{
    distributor_result_t results[BATCH];
    uint64_t total = 0, sum = 0;

    while (total < TASKS) {
        int count = bench_must("next_results", (int)distributor_next_results(d, results, BATCH));

        if (count == 0)
            bench_wrong("number of squares", total, TASKS);
        for (int i = 0; i < count; i++) {
            bench_must("task", results[i].error);
            sum += ours_number(results[i].data);
        }
        total += (uint64_t)count;
    }
    return sum;
}

static double run(distributor_t *d)
{
    int64_t start = bench_now();
    add_all(d);
    uint64_t sum = read_all(d);
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
        bench_say_warm("batch", workers, "ns/task", warm, run(d));
    ours_join(d);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
