/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - the subjects, for any peer that provides the functions of peer.h: here the program, and
 * the subjects of tasks that do next to nothing.  `PROGRAM [-bulk] SUBJECT WORKERS`: with -bulk the
 * peer's calls for many tasks and many results stand where the others make one call each.
 *
 * The pool is open and each worker has run before the clock starts; it stops when the main thread
 * has the last result.  Everything is run twice in one pool where the distributor is, and all
 * results are read in the peer's blocking call.
 */
#include "layers.h"
#include "map.h"
#include "peer_subjects.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256
#define DEPTH 20
#define WARM_NS BENCH_MILLISECOND

#define WEAK __attribute__((weak))

static uint64_t total; /* tasks of this run */
static bool bulk;
static atomic_ulong counted;
static uint64_t count_end;

/* ---- for peers that do not have them ---- */

WEAK uint64_t peer_most(void)
{
    return UINT64_MAX;
}

WEAK bool peer_nests(void)
{
    return true;
}

WEAK void peer_add_many(peer_fn *run, const uint64_t *numbers, size_t count)
{
    (void)run, (void)numbers, (void)count;
    exit(BENCH_NO_SUBJECT);
}

WEAK size_t peer_read_many(uint64_t *results, size_t count)
{
    (void)results, (void)count;
    exit(BENCH_NO_SUBJECT);
}

WEAK void peer_map(unsigned workers, const uint64_t *numbers, uint64_t *squares)
{
    (void)workers, (void)numbers, (void)squares;
    exit(BENCH_NO_SUBJECT);
}

WEAK int64_t peer_graph(unsigned workers, uint64_t *nodes)
{
    (void)workers, (void)nodes;
    exit(BENCH_NO_SUBJECT);
}

WEAK uint64_t peer_ordered(unsigned workers, uint64_t tasks)
{
    (void)workers, (void)tasks;
    exit(BENCH_NO_SUBJECT);
}

WEAK bool peer_tree(unsigned workers, unsigned depth, uint64_t *leaves)
{
    (void)workers, (void)depth, (void)leaves;
    return false;
}

/* ---- adding and reading ---- */

static void add_each(peer_fn *task)
{
    for (uint64_t i = 0; i < total; i++)
        peer_add(task, i);
}

static void add_batches(peer_fn *task)
{
    uint64_t numbers[BATCH], next = 0;

    while (next < total) {
        size_t count = 0;

        while (count < BATCH && next < total)
            numbers[count++] = next++;
        peer_add_many(task, numbers, count);
    }
}

static void add_all(peer_fn *task)
{
    (bulk ? add_batches : add_each)(task);
}

uint64_t peer_read_sum(uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++)
        sum += peer_read();
    return sum;
}

static uint64_t read_batches(void)
{
    uint64_t results[BATCH], sum = 0;

    for (uint64_t got = 0; got < total;) {
        size_t count = peer_read_many(results, BATCH);

        for (size_t i = 0; i < count; i++)
            sum += results[i];
        got += count;
    }
    return sum;
}

static uint64_t read_all(void)
{
    return bulk ? read_batches() : peer_read_sum(total);
}

/* ---- the tasks ---- */

void peer_square(uint64_t number)
{
    peer_emit(number * number);
}

static void root(uint64_t number)
{
    (void)number;
    add_all(peer_square);
}

static void short_nap(uint64_t number)
{
    bench_sleep(WARM_NS);
    peer_emit(number * number);
}

void peer_count_from(uint64_t end)
{
    count_end = end;
    atomic_store(&counted, 0);
}

void peer_count(uint64_t number)
{
    (void)number;
    if (atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed) + 1 == count_end)
        peer_emit(count_end);
}

static void node(uint64_t depth)
{
    if (depth == 0) {
        peer_count(0);
        return;
    }
    peer_add(node, depth - 1);
    peer_add(node, depth - 1);
}

/* ---- the subjects ---- */

uint64_t peer_cap(uint64_t tasks)
{
    return tasks < peer_most() ? tasks : peer_most();
}

/* Many workers on few cores make some peers a hundred times slower: then fewer tasks will do. */
static uint64_t tasks_for(unsigned workers)
{
    return peer_cap(workers <= 2 ? 1000000 : workers <= 16 ? 200000 : 50000);
}

static void say_per_task(const char *subject, unsigned workers, int warm, int64_t ns)
{
    bench_say_warm(subject, workers, "ns/task", warm, (double)ns / (double)total);
}

static void run_squares(unsigned workers)
{
    if (!peer_nests())
        exit(BENCH_NO_SUBJECT);
    total = tasks_for(workers);
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t sum;

        peer_add(root, 0);
        sum = read_all();
        start = bench_now() - start;
        bench_check("sum of squares", sum, bench_squares(total));
        say_per_task("squares", workers, warm, start);
    }
}

int64_t peer_stream(peer_fn *task, uint64_t tasks)
{
    int64_t start = bench_now();
    uint64_t sum;

    total = tasks;
    add_all(task);
    sum = read_all();
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(total));
    return start;
}

static void run_stream(unsigned workers)
{
    uint64_t tasks = tasks_for(workers);

    for (int warm = 0; warm < 2; warm++)
        say_per_task("stream", workers, warm, peer_stream(peer_square, tasks));
}

static void run_batch(unsigned workers)
{
    uint64_t tasks = tasks_for(workers);

    bulk = true;
    for (int warm = 0; warm < 2; warm++)
        say_per_task("batch", workers, warm, peer_stream(peer_square, tasks));
}

/* The deepest tree whose tasks are no more than the peer takes. */
static unsigned depth_of_tree(void)
{
    unsigned depth = DEPTH;

    while ((UINT64_C(2) << depth) > peer_most())
        depth--;
    return depth;
}

static uint64_t tree(unsigned workers, unsigned depth)
{
    uint64_t leaves;

    if (peer_tree(workers, depth, &leaves))
        return leaves;
    peer_count_from(UINT64_C(1) << depth);
    peer_add(node, depth);
    return peer_read();
}

static void run_tree(unsigned workers)
{
    unsigned depth = depth_of_tree();

    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t leaves = tree(workers, depth);

        start = bench_now() - start;
        bench_check("number of leaves", leaves, UINT64_C(1) << depth);
        total = 2 * leaves - 1;
        say_per_task("tree", workers, warm, start);
    }
    if (depth == DEPTH)
        bench_say("tree-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
}

static void run_graph(unsigned workers)
{
    for (int warm = 0; warm < 2; warm++) {
        uint64_t nodes = 0;
        int64_t took = peer_graph(workers, &nodes);

        bench_check("number of nodes", nodes, LAYERS_COUNT * LAYERS_WIDTH);
        bench_say_warm("graph", workers, "ns/node", warm, (double)took / (double)nodes);
    }
}

static unsigned mapping_threads;

static void map_pass(const uint64_t *numbers, uint64_t *squares)
{
    peer_map(mapping_threads, numbers, squares);
}

static void run_map(unsigned workers)
{
    mapping_threads = workers;
    bench_map(workers, map_pass);
}

/* ---- the program ---- */

static const struct {
    const char *name;
    peer_subject_fn *run;
} subjects[] = {
    {"squares", run_squares},
    {"stream", run_stream},
    {"batch", run_batch},
    {"tree", run_tree},
    {"graph", run_graph},
    {"map", run_map},
    {"grain", peer_run_grain},
    {"grain-1us", peer_run_grain_1us},
    {"grain-5us", peer_run_grain_5us},
    {"oversubscribed", peer_run_oversubscribed},
    {"ordered", peer_run_ordered},
    {"latency", peer_run_latency},
    {"latency-quiet", peer_run_latency_quiet},
    {"blocking", peer_run_blocking},
    {"memory", peer_run_memory},
    {"idle", peer_run_idle},
};

/* Makes each worker run once. */
static void warm_up(unsigned workers)
{
    for (uint64_t i = 0; i < workers; i++)
        peer_add(short_nap, i);
    bench_check("sum of squares", peer_read_sum(workers), bench_squares(workers));
}

/* The first word after the program's name is the subject, or -bulk and then the subject. */
static const char *read_name(int argc, char **argv)
{
    static char name[64];

    bulk = argc == 4 && strcmp(argv[1], "-bulk") == 0;
    snprintf(name, sizeof name, "%s%s", peer_name, bulk ? "-bulk" : "");
    bench_peer = name;
    return argv[bulk ? 2 : 1];
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    const char *subject = read_name(argc, argv);

    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (strcmp(subjects[i].name, subject) != 0)
            continue;
        peer_open(workers);
        warm_up(workers);
        subjects[i].run(workers);
        fflush(stdout);
        _Exit(0); /* the pool still waits */
    }
    return BENCH_NO_SUBJECT;
}
