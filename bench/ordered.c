/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ordered.c - results in the order in which their tasks were added (DISTRIBUTOR_AS_ADDED), with the
 * default window.  `ordered SUBJECT WORKERS`:
 *
 *     ordered         200,000 tasks of 500 ns, each hundredth of 50 us; the same bodies on bare
 *                     threads are in limit_threads.c
 *     ordered-empty   what the order costs where nothing else does: the time of a task of a stream
 *                     of 1,000,000 squares, less that of the same stream in a distributor that
 *                     keeps no order.  Medians of several runs of both, one after the other.
 *
 * What is read is checked number by number: the fold of bodies.h comes out right in one order only.
 */
#include "bodies.h"
#include "ours.h"

#define EMPTY_TASKS UINT64_C(1000000)
#define ROUNDS 5

static int run_body(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t square = bench_ordered_body(ours_number(input));

    (void)size;
    return distributor_emit(self, &square, sizeof square);
}

static const distributor_task_type_t body = {.name = "body", .run = run_body};
static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static distributor_t *start(unsigned workers, distributor_order_t order)
{
    distributor_options_t options = {.size = sizeof options, .workers = workers, .order = order};
    distributor_t *d;

    bench_must("distributor_create", distributor_create(&d, &options));
    ours_start(d, workers);
    return d;
}

static void read_all(distributor_t *d, uint64_t tasks, uint64_t *sum, uint64_t *folded)
{
    distributor_result_t result;

    *sum = *folded = 0;
    for (uint64_t i = 0; i < tasks; i++) {
        bench_check("distributor_next_result", (uint64_t)distributor_next_result(d, &result), 1);
        bench_must("task", result.error);
        *sum += ours_number(result.data);
        *folded = bench_ordered_fold(*folded, ours_number(result.data));
    }
}

static double run(distributor_t *d, distributor_order_t order, const distributor_task_type_t *type,
                  uint64_t tasks)
{
    uint64_t sum, folded;
    int64_t start = bench_now();
    for (uint64_t i = 0; i < tasks; i++)
        bench_must("add", distributor_add_task(d, type, &i, sizeof i));
    read_all(d, tasks, &sum, &folded);
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(tasks));
    if (order == DISTRIBUTOR_AS_ADDED)
        bench_check("the squares in order", folded, bench_ordered_result(tasks));
    return (double)start / (double)tasks;
}

static void run_bodies(unsigned workers)
{
    distributor_t *d = start(workers, DISTRIBUTOR_AS_ADDED);

    bench_ordered_prepare();
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("ordered", workers, "ns/task", warm,
                       run(d, DISTRIBUTOR_AS_ADDED, &body, BODY_ORDERED_TASKS));
    ours_join(d);
    bench_must("destroy", distributor_destroy(d));
}

static void run_empty(unsigned workers)
{
    distributor_t *with = start(workers, DISTRIBUTOR_AS_ADDED);
    distributor_t *without = start(workers, DISTRIBUTOR_AS_COMPLETED);
    double kept[ROUNDS], loose[ROUNDS];

    run(with, DISTRIBUTOR_AS_ADDED, &square, EMPTY_TASKS);
    run(without, DISTRIBUTOR_AS_COMPLETED, &square, EMPTY_TASKS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        kept[i] = run(with, DISTRIBUTOR_AS_ADDED, &square, EMPTY_TASKS);
        loose[i] = run(without, DISTRIBUTOR_AS_COMPLETED, &square, EMPTY_TASKS);
    }
    ours_join(with);
    ours_join(without);
    bench_must("destroy", distributor_destroy(with));
    bench_must("destroy", distributor_destroy(without));
    bench_sort(kept, ROUNDS);
    bench_sort(loose, ROUNDS);
    bench_say("ordered-empty", workers, "ns/task", kept[ROUNDS / 2] - loose[ROUNDS / 2]);
    bench_say("ordered-empty-with", workers, "ns/task", kept[ROUNDS / 2]);
    bench_say("ordered-empty-without", workers, "ns/task", loose[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    if (strcmp(argv[1], "ordered") == 0)
        run_bodies(workers);
    else if (strcmp(argv[1], "ordered-empty") == 0)
        run_empty(workers);
    else
        return BENCH_NO_SUBJECT;
    return 0;
}
