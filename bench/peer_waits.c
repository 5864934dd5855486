/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_waits.c - the subjects of pools that mostly wait, for any peer: one task at a time, tasks
 * that sleep, tasks that wait to begin, and nothing to do at all.
 */
#include "peer_subjects.h"

#include <pthread.h>

#define NAPS UINT64_C(20000)
#define NAP_NS (5 * BENCH_MILLISECOND)
#define PENDING UINT64_C(1000000)
#define TRIPS 20000
#define WARM_TRIPS 20000 /* as in latency.c */
#define QUIET_TRIPS 300
#define QUIET_NS BENCH_MILLISECOND

/* ---- one at a time ---- */

static double trip(uint64_t number)
{
    int64_t start = bench_now();
    uint64_t result;

    peer_add(peer_square, number);
    result = peer_read();
    start = bench_now() - start;
    bench_check("square", result, number * number);
    return (double)start;
}

void peer_run_latency(unsigned workers)
{
    static double times[TRIPS];

    for (uint64_t i = 0; i < WARM_TRIPS; i++)
        trip(i);
    for (uint64_t i = 0; i < TRIPS; i++)
        times[i] = trip(i);
    bench_say_latency("latency", workers, times, TRIPS);
}

void peer_run_latency_quiet(unsigned workers)
{
    static double times[QUIET_TRIPS];

    for (uint64_t i = 0; i < QUIET_TRIPS; i++) {
        bench_sleep(QUIET_NS);
        times[i] = trip(i);
    }
    bench_say_latency("latency-quiet", workers, times, QUIET_TRIPS);
}

/* ---- many that sleep ---- */

static void nap(uint64_t number)
{
    bench_sleep(NAP_NS);
    peer_emit(number * number);
}

void peer_run_blocking(unsigned workers)
{
    bench_say("blocking", workers, "ms", (double)peer_stream(nap, peer_cap(NAPS)) / 1e6);
}

/* ---- many that wait to begin ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* Holds its worker while the main thread has locked the gate. */
static void wait_at_gate(uint64_t number)
{
    peer_emit(number);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

/* Two of libuv's results may change places, and none is there before its task has ended: there all
 * are read at the end. */
static void hold_workers(unsigned workers)
{
    for (unsigned i = 0; i < workers; i++)
        peer_add(wait_at_gate, 1);
    if (peer_nests())
        bench_check("workers at the gate", peer_read_sum(workers), workers);
    else
        bench_sleep(10 * BENCH_MILLISECOND);
}

void peer_run_memory(unsigned workers)
{
    uint64_t tasks = peer_cap(PENDING), later = peer_nests() ? 0 : workers;
    double before;

    peer_count_from(tasks);
    pthread_mutex_lock(&gate);
    hold_workers(workers);
    before = bench_rss();
    for (uint64_t i = 0; i < tasks; i++)
        peer_add(peer_count, i);
    before = bench_rss() - before;
    pthread_mutex_unlock(&gate);
    bench_check("number of tasks", peer_read_sum(1 + later), tasks + later);
    bench_say("memory", workers, "bytes/task", before / (double)tasks);
}

/* ---- nothing ---- */

void peer_run_idle(unsigned workers)
{
    bench_threads_t before, after;

    bench_sleep(BENCH_SECOND);
    before = bench_other_threads();
    bench_sleep(5 * BENCH_SECOND);
    after = bench_other_threads();
    bench_say("idle", workers, "us", (double)(after.cpu_ns - before.cpu_ns) / 1e3);
    bench_say("idle-switches", workers, "switches", (double)(after.switches - before.switches));
}
