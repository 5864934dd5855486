/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_gomp.c - OpenMP tasks with the runtime of gcc, for the tree only:
 * OpenMP has neither a queue of results nor a way to add from outside.  Beyond a number of pending
 * tasks a runtime runs a new one at once, as a call, so that its tree is hardly queued at all.
 */
#include "harness.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 20
#define TASKS ((UINT64_C(1) << (DEPTH + 1)) - 1)

/* Two cache lines for each thread. */
typedef struct leaves {
    uint64_t count;
    char gap[120];
} leaves_t;

static leaves_t *leaves;

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

static double run(unsigned workers)
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
    return (double)start / (double)TASKS;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    bench_peer = "libgomp";
    if (strcmp(argv[1], "tree") != 0)
        return BENCH_NO_SUBJECT;
    omp_set_dynamic(0);
    leaves = calloc(workers, sizeof *leaves);
    bench_check("memory for the leaves", leaves != NULL, 1);
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("tree", workers, "ns/task", warm, run(workers));
    bench_say("tree-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
    free(leaves);
    return 0;
}
