/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_openmp.c - OpenMP tasks, with the runtime of gcc (libgomp) or that of clang (libomp); in the
 * map a parallel for.
 *
 * OpenMP has neither a way to add from outside nor a queue of results.  So the main thread is one
 * thread more of a parallel region (in the tree one of the workers), a task stores its result into
 * its place in an array, and the main thread sums them up at the end of the group.  Beyond a number
 * of pending tasks a runtime runs a new one at once, as a call: less of a service than the others
 * give.
 */
#include "bodies.h"
#include "map.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 20
#define TREE_TASKS ((UINT64_C(1) << (DEPTH + 1)) - 1)
#define MOST UINT64_C(1000000)
#define ORDERED_TASKS UINT64_C(20000) /* a thread spins for its turn, however long that takes */

/* Two cache lines for each thread. */
typedef struct leaves {
    uint64_t count;
    char gap[120];
} leaves_t;

static unsigned workers;
static leaves_t *leaves;
static uint64_t *results, steps;

/* ---- squares and bodies ---- */

static void add_tasks(uint64_t total)
{
    for (uint64_t i = 0; i < total; i++) {
#pragma omp task firstprivate(i)
        {
            bench_work(steps);
            results[i] = i * i;
        }
    }
}

/* From inside a task, or from the main thread itself. */
static int64_t run_tasks(uint64_t total, bool nested)
{
    uint64_t sum = 0;
    int64_t start = bench_now();

#pragma omp parallel num_threads(workers + 1)
#pragma omp master
#pragma omp taskgroup
    if (nested) {
#pragma omp task
        add_tasks(total);
    } else {
        add_tasks(total);
    }
    for (uint64_t i = 0; i < total; i++)
        sum += results[i];
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(total));
    memset(results, 0, total * sizeof *results);
    return start;
}

static void say_tasks(const char *subject, uint64_t total, bool nested)
{
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm(subject, workers, "ns/task", warm,
                       (double)run_tasks(total, nested) / (double)total);
}

static uint64_t tasks(void)
{
    return workers <= 2 ? MOST : workers <= 16 ? 200000 : 50000;
}

static void run_squares(void)
{
    say_tasks("squares", tasks(), true);
}

static void run_stream(void)
{
    say_tasks("stream", tasks(), false);
}

static double time_of(void *unused, int64_t grain_ns, uint64_t total)
{
    (void)unused;
    steps = bench_steps(grain_ns);
    return (double)run_tasks(total, false) / (double)total;
}

static void run_grain(void)
{
    bench_say("grain", workers, "ns", bench_metg(time_of, NULL, workers));
}

static void run_grain_1us(void)
{
    steps = bench_steps(BODY_1US_NS);
    say_tasks("grain-1us", BODY_1US_TASKS, false);
}

static void run_grain_5us(void)
{
    steps = bench_steps(BODY_5US_NS);
    say_tasks("grain-5us", BODY_5US_TASKS, false);
}

static void run_oversubscribed(void)
{
    steps = bench_steps(BODY_5US_NS);
    say_tasks("oversubscribed", BODY_CROWD_TASKS, false);
}

/* ---- tree ---- */

static void run_node(unsigned depth)
{
    if (depth == 0) {
        leaves[omp_get_thread_num()].count++;
        return;
    }
#pragma omp task
    run_node(depth - 1);
#pragma omp task
    run_node(depth - 1);
}

static double run_one_tree(void)
{
    uint64_t count = 0;
    int64_t start = bench_now();

#pragma omp parallel num_threads(workers)
#pragma omp master
    run_node(DEPTH);
    start = bench_now() - start;
    for (unsigned i = 0; i < workers; i++) {
        count += leaves[i].count;
        leaves[i].count = 0;
    }
    bench_check("number of leaves", count, UINT64_C(1) << DEPTH);
    return (double)start / (double)TREE_TASKS;
}

static void run_tree(void)
{
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("tree", workers, "ns/task", warm, run_one_tree());
    bench_say("tree-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
}

static void map_pass(const uint64_t *numbers, uint64_t *squares)
{
#pragma omp parallel for num_threads(workers)
    for (size_t i = 0; i < BENCH_MAP_ITEMS; i++)
        squares[i] = numbers[i] * numbers[i];
}

static void run_map(void)
{
    bench_map(workers, map_pass);
}

/* A parallel for whose ordered part folds: no more than one task for each thread has begun. */
static double run_one_ordered(void)
{
    uint64_t result = 0;
    int64_t start = bench_now();

#pragma omp parallel for ordered schedule(dynamic, 1) num_threads(workers)
    for (uint64_t i = 0; i < ORDERED_TASKS; i++) {
        uint64_t square = bench_ordered_body(i);
#pragma omp ordered
        result = bench_ordered_fold(result, square);
    }
    start = bench_now() - start;
    bench_check("the squares in order", result, bench_ordered_result(ORDERED_TASKS));
    return (double)start / (double)ORDERED_TASKS;
}

static void run_ordered(void)
{
    bench_ordered_prepare();
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("ordered", workers, "ns/task", warm, run_one_ordered());
}

static const struct {
    const char *name;
    void (*run)(void);
} subjects[] = {
    {"squares", run_squares},
    {"stream", run_stream},
    {"tree", run_tree},
    {"map", run_map},
    {"grain", run_grain},
    {"grain-1us", run_grain_1us},
    {"grain-5us", run_grain_5us},
    {"oversubscribed", run_oversubscribed},
    {"ordered", run_ordered},
};

int main(int argc, char **argv)
{
    workers = bench_workers(argc, argv);
#ifdef __clang__
    bench_peer = "libomp";
#else
    bench_peer = "libgomp";
#endif
    omp_set_dynamic(0);
    leaves = calloc(workers, sizeof *leaves);
    results = calloc(MOST, sizeof *results);
    bench_check("memory for the results", leaves != NULL && results != NULL, 1);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (strcmp(subjects[i].name, argv[1]) == 0) {
            subjects[i].run();
            return 0;
        }
    return BENCH_NO_SUBJECT;
}
