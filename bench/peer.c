/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - the subjects, for any peer that provides the functions of peer.h.
 *
 * The pool is open and each worker has run before the clock starts; it stops when the main thread
 * has the last result.  Everything is run twice in one pool where the distributor is, and all
 * results are read in the peer's blocking call.
 */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256
#define DEPTH 20
#define GRAIN_TASKS UINT64_C(50000)
#define GRAIN_NS 5000
#define PENDING UINT64_C(1000000)
#define NAPS UINT64_C(20000)
#define NAP_NS (5 * BENCH_MILLISECOND)
#define TRIPS 20000
#define WARM_TRIPS 1000

#define WEAK __attribute__((weak))

static uint64_t total; /* tasks of this run */
static uint64_t grain; /* steps of a task */
static atomic_ulong counted;

/* ---- for peers that do not have them ---- */

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

WEAK bool peer_tree(unsigned workers, unsigned depth, uint64_t *leaves)
{
    (void)workers, (void)depth, (void)leaves;
    return false;
}

/* ---- the tasks ---- */

static void square(uint64_t number)
{
    peer_emit(number * number);
}

static void root(uint64_t number)
{
    (void)number;
    for (uint64_t i = 0; i < total; i++)
        peer_add(square, i);
}

static void body(uint64_t number)
{
    bench_work(grain);
    peer_emit(number * number);
}

static void nap(uint64_t number)
{
    bench_sleep(NAP_NS);
    peer_emit(number * number);
}

/* A pool that cannot wait for all its tasks has to count them. */
static void count_one(uint64_t number)
{
    (void)number;
    if (atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed) + 1 == total)
        peer_emit(total);
}

static void node(uint64_t depth)
{
    if (depth == 0) {
        count_one(0);
        return;
    }
    peer_add(node, depth - 1);
    peer_add(node, depth - 1);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* Holds its worker while the main thread has locked the gate. */
static void wait_at_gate(uint64_t number)
{
    peer_emit(number);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

/* ---- the subjects ---- */

/* Many workers on few cores make some peers a hundred times slower: then fewer tasks will do. */
static uint64_t tasks_for(unsigned workers)
{
    return workers <= 2 ? 1000000 : workers <= 16 ? 200000 : 50000;
}

static uint64_t read_sum(uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++)
        sum += peer_read();
    return sum;
}

/* Makes each worker run once. */
static void warm_up(unsigned workers)
{
    for (uint64_t i = 0; i < workers; i++)
        peer_add(nap, i);
    bench_check("sum of squares", read_sum(workers), bench_squares(workers));
}

static void say_per_task(const char *subject, unsigned workers, int warm, int64_t ns)
{
    bench_say_warm(subject, workers, "ns/task", warm, (double)ns / (double)total);
}

static void run_squares(unsigned workers)
{
    total = tasks_for(workers);
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t sum;

        peer_add(root, 0);
        sum = read_sum(total);
        start = bench_now() - start;
        bench_check("sum of squares", sum, bench_squares(total));
        say_per_task("squares", workers, warm, start);
    }
}

static void stream(const char *subject, unsigned workers, peer_fn *task)
{
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t sum;

        for (uint64_t i = 0; i < total; i++)
            peer_add(task, i);
        sum = read_sum(total);
        start = bench_now() - start;
        bench_check("sum of squares", sum, bench_squares(total));
        say_per_task(subject, workers, warm, start);
    }
}

static void run_stream(unsigned workers)
{
    total = tasks_for(workers);
    stream("stream", workers, square);
}

static void run_grain(unsigned workers)
{
    grain = bench_steps(GRAIN_NS);
    total = GRAIN_TASKS;
    stream("grain", workers, body);
}

static void add_batches(void)
{
    uint64_t numbers[BATCH], next = 0;

    while (next < total) {
        size_t count = 0;

        while (count < BATCH && next < total)
            numbers[count++] = next++;
        peer_add_many(square, numbers, count);
    }
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

static void run_batch(unsigned workers)
{
    total = tasks_for(workers);
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t sum;

        add_batches();
        sum = read_batches();
        start = bench_now() - start;
        bench_check("sum of squares", sum, bench_squares(total));
        say_per_task("batch", workers, warm, start);
    }
}

static uint64_t tree(unsigned workers)
{
    uint64_t leaves;

    if (peer_tree(workers, DEPTH, &leaves))
        return leaves;
    total = UINT64_C(1) << DEPTH;
    atomic_store(&counted, 0);
    peer_add(node, DEPTH);
    return peer_read();
}

static void run_tree(unsigned workers)
{
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t leaves = tree(workers);

        start = bench_now() - start;
        bench_check("number of leaves", leaves, UINT64_C(1) << DEPTH);
        total = 2 * leaves - 1;
        say_per_task("tree", workers, warm, start);
    }
    bench_say("tree-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
}

static void run_memory(unsigned workers)
{
    double before;

    total = PENDING;
    pthread_mutex_lock(&gate);
    for (unsigned i = 0; i < workers; i++)
        peer_add(wait_at_gate, 1);
    bench_check("workers at the gate", read_sum(workers), workers);
    before = bench_rss();
    for (uint64_t i = 0; i < total; i++)
        peer_add(count_one, i);
    before = bench_rss() - before;
    pthread_mutex_unlock(&gate);
    bench_check("number of tasks", peer_read(), total);
    bench_say("memory", workers, "bytes/task", before / (double)total);
}

static void run_idle(unsigned workers)
{
    bench_threads_t before, after;

    bench_sleep(BENCH_SECOND);
    before = bench_other_threads();
    bench_sleep(5 * BENCH_SECOND);
    after = bench_other_threads();
    bench_say("idle", workers, "us", (double)(after.cpu_ns - before.cpu_ns) / 1e3);
    bench_say("idle-switches", workers, "switches", (double)(after.switches - before.switches));
}

static void run_blocking(unsigned workers)
{
    int64_t start = bench_now();
    uint64_t sum;

    for (uint64_t i = 0; i < NAPS; i++)
        peer_add(nap, i);
    sum = read_sum(NAPS);
    start = bench_now() - start;
    bench_check("sum of squares", sum, bench_squares(NAPS));
    bench_say("blocking", workers, "ms", (double)start / 1e6);
}

static double trip(uint64_t number)
{
    int64_t start = bench_now();
    uint64_t result;

    peer_add(square, number);
    result = peer_read();
    start = bench_now() - start;
    bench_check("square", result, number * number);
    return (double)start;
}

static void run_latency(unsigned workers)
{
    static double times[TRIPS];

    for (uint64_t i = 0; i < WARM_TRIPS; i++)
        trip(i);
    for (uint64_t i = 0; i < TRIPS; i++)
        times[i] = trip(i);
    bench_sort(times, TRIPS);
    bench_say("latency", workers, "ns", bench_percentile(times, TRIPS, 50));
    bench_say("latency-p99", workers, "ns", bench_percentile(times, TRIPS, 99));
}

static const struct {
    const char *name;
    void (*run)(unsigned workers);
} subjects[] = {
    {"squares", run_squares}, {"stream", run_stream},   {"batch", run_batch},
    {"tree", run_tree},       {"grain", run_grain},     {"memory", run_memory},
    {"idle", run_idle},       {"latency", run_latency}, {"blocking", run_blocking},
};

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    bench_peer = peer_name;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (strcmp(subjects[i].name, argv[1]) != 0)
            continue;
        peer_open(workers);
        warm_up(workers);
        subjects[i].run(workers);
        fflush(stdout);
        _Exit(0); /* the pool still waits */
    }
    return BENCH_NO_SUBJECT;
}
