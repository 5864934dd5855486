/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - a binary tree of 2^20 leaves: each inner task spawns two, nobody emits.  The clock runs
 * from before start to after join.  "tree-rss" is the peak of the whole process.
 */
#include "ours.h"

#include <stdlib.h>

#define DEPTH 20
#define TASKS ((UINT64_C(1) << (DEPTH + 1)) - 1)

/* One for each worker, two cache lines apart: the prefetcher fetches lines in pairs. */
typedef struct leaves {
    uint64_t count;
    char gap[120];
} leaves_t;

static leaves_t *leaves;

static int run_node(distributor_task_t *self, const void *input, size_t size);

static const distributor_task_type_t node = {.name = "node", .run = run_node};

static int run_node(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t depth = ours_number(input);
    int error;

    (void)size;
    if (depth-- == 0) {
        leaves[distributor_worker_index(self)].count++;
        return 0;
    }
    error = distributor_spawn(self, &node, &depth, sizeof depth);
    return error != 0 ? error : distributor_spawn(self, &node, &depth, sizeof depth);
}

static double run(distributor_t *d, unsigned workers)
{
    const uint64_t depth = DEPTH;
    distributor_summary_t summary;
    uint64_t count = 0;
    int64_t start = bench_now();

    bench_must("start", distributor_start(d));
    bench_must("add", distributor_add_task(d, &node, &depth, sizeof depth));
    bench_must("join", distributor_join(d, &summary));
    start = bench_now() - start;
    for (unsigned i = 0; i < workers; i++) {
        count += leaves[i].count;
        leaves[i].count = 0;
    }
    bench_check("number of leaves", count, UINT64_C(1) << DEPTH);
    bench_check("number of tasks", summary.completed, TASKS);
    return (double)start / (double)TASKS;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    leaves = calloc(workers, sizeof *leaves);
    bench_check("memory for the leaves", leaves != NULL, 1);
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("tree", workers, "ns/task", warm, run(d, workers));
    bench_say("tree-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
    bench_must("destroy", distributor_destroy(d));
    free(leaves);
    return 0;
}
