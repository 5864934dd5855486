/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_cores.c - what it costs to get something from one core to another.  Two threads, each tied
 * to a core of its own.  `limit_cores SUBJECT WORKERS`:
 *
 *     hop         slots of 32 bytes through a ring, one way, one writer and one reader, each slot
 *                 published by a store of its own: nanoseconds a slot
 *     hop-result  the same with 16 bytes, which is what a result of up to 8 bytes takes in our
 *                 narrow blocks
 *     hop-batch   slots of 32 bytes, 64 published by one store
 *     cache-line  a word that the two write in turn: nanoseconds for there and back
 *     futex-wake  from before the call that wakes a sleeper until that sleeper runs, the median
 *
 * A task needs two hops: to the worker, and its result back.  The last of the three says what is
 * left when the stores that publish do not count.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOPS UINT64_C(5120000)
#define ROUNDS UINT64_C(1000000)
#define WAKES 1000

static void go_to(unsigned core)
{
    if (bench_pin(core))
        return;
    fprintf(stderr, "limit: there are no two cores\n");
    exit(BENCH_NO_SUBJECT);
}

/* Runs `other` on the second core while `self` runs on the first. */
static void run_pair(void (*self)(void), void *(*other)(void *))
{
    pthread_t thread;

    bench_must("pthread_create", -pthread_create(&thread, NULL, other, NULL));
    go_to(0);
    self();
    pthread_join(thread, NULL);
}

/* ---- hop ---- */

#define RING_WORDS 4096u /* 32 KiB, the size of the ring of 1,024 slots of 32 bytes */

/* What goes through the ring: words a slot, and slots that are published at once. */
static unsigned slot_words, batch;

/* Each side keeps a copy of the other's index and reads the real one only when the copy says that
 * the ring is full or empty: so the lines of the indices move once for many slots.  Indices count
 * words. */
static struct {
    _Alignas(128) atomic_ulong tail; /* written by the writer */
    unsigned long head_seen;         /* the writer's copy */
    _Alignas(128) atomic_ulong head; /* written by the reader */
    unsigned long tail_seen;         /* the reader's copy */
    _Alignas(128) uint64_t words[RING_WORDS];
} ring;

static int64_t hop_start, hop_end;
static uint64_t hop_sum;

/* Inlined with constants, so that a slot's loop is unrolled as in a queue of such slots. */
static inline __attribute__((always_inline)) void write_ring(unsigned words, unsigned slots)
{
    const unsigned long end = HOPS * words, step = (unsigned long)words * slots;

    for (unsigned long tail = 0; tail < end; tail += step) {
        uint64_t *slot = &ring.words[tail % RING_WORDS];

        while (tail + step - ring.head_seen > RING_WORDS)
            ring.head_seen = atomic_load_explicit(&ring.head, memory_order_acquire);
        for (unsigned i = 0; i < step; i++)
            slot[i] = tail + i;
        atomic_store_explicit(&ring.tail, tail + step, memory_order_release);
    }
}

static inline __attribute__((always_inline)) void read_ring(unsigned words, unsigned slots)
{
    const unsigned long end = HOPS * words, step = (unsigned long)words * slots;

    for (unsigned long head = 0; head < end; head += step) {
        const uint64_t *slot = &ring.words[head % RING_WORDS];

        while (head == ring.tail_seen)
            ring.tail_seen = atomic_load_explicit(&ring.tail, memory_order_acquire);
        for (unsigned i = 0; i < step; i++)
            hop_sum += slot[i];
        atomic_store_explicit(&ring.head, head + step, memory_order_release);
    }
}

static void write_slots(void)
{
    hop_start = bench_now();
    if (batch > 1)
        write_ring(4, 64);
    else if (slot_words == 2)
        write_ring(2, 1);
    else
        write_ring(4, 1);
}

static void *read_slots(void *argument)
{
    go_to(1);
    if (batch > 1)
        read_ring(4, 64);
    else if (slot_words == 2)
        read_ring(2, 1);
    else
        read_ring(4, 1);
    hop_end = bench_now();
    return argument;
}

static void measure_hop(const char *subject, unsigned workers, unsigned words, unsigned slots)
{
    const uint64_t count = HOPS * words;

    slot_words = words;
    batch = slots;
    run_pair(write_slots, read_slots);
    bench_check("sum of words", hop_sum, count / 2 * (count - 1));
    bench_say(subject, workers, "ns/slot", (double)(hop_end - hop_start) / (double)HOPS);
}

/* ---- cache line ---- */

static _Alignas(128) atomic_ulong word;
static int64_t rounds_ns;

static void await_word(unsigned long value)
{
    while (atomic_load_explicit(&word, memory_order_acquire) != value)
        ;
}

static void serve(void)
{
    await_word(1); /* the other is there */
    rounds_ns = bench_now();
    for (unsigned long i = 1; i <= ROUNDS; i++) {
        atomic_store_explicit(&word, 2 * i, memory_order_release);
        await_word(2 * i + 1);
    }
    rounds_ns = bench_now() - rounds_ns;
}

static void *return_serve(void *argument)
{
    go_to(1);
    atomic_store_explicit(&word, 1, memory_order_release);
    for (unsigned long i = 1; i <= ROUNDS; i++) {
        await_word(2 * i);
        atomic_store_explicit(&word, 2 * i + 1, memory_order_release);
    }
    return argument;
}

static void measure_cache_line(unsigned workers)
{
    run_pair(serve, return_serve);
    bench_say("cache-line", workers, "ns", (double)rounds_ns / (double)ROUNDS);
}

/* ---- futex wake ---- */

static _Alignas(128) atomic_uint bell;
static _Alignas(128) atomic_llong woken_at; /* 0: not yet */
static double wakes[WAKES];

static void ring_bell(void)
{
    for (unsigned i = 0; i < WAKES; i++) {
        int64_t start, end;

        bench_sleep(300000); /* until it sleeps, and its core too */
        atomic_store(&woken_at, 0);
        start = bench_now();
        atomic_store(&bell, i + 1);
        syscall(SYS_futex, &bell, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        while ((end = atomic_load(&woken_at)) == 0)
            ;
        wakes[i] = (double)(end - start);
    }
}

static void *await_bell(void *argument)
{
    go_to(1);
    for (unsigned i = 0; i < WAKES; i++) {
        while (atomic_load(&bell) == i)
            syscall(SYS_futex, &bell, FUTEX_WAIT_PRIVATE, i, NULL, NULL, 0);
        atomic_store(&woken_at, bench_now());
    }
    return argument;
}

static void measure_futex_wake(unsigned workers)
{
    run_pair(ring_bell, await_bell);
    bench_sort(wakes, WAKES);
    bench_say("futex-wake", workers, "ns", bench_percentile(wakes, WAKES, 50));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    bench_peer = "limit";
    if (strcmp(argv[1], "hop") == 0)
        measure_hop(argv[1], workers, 4, 1);
    else if (strcmp(argv[1], "hop-result") == 0)
        measure_hop(argv[1], workers, 2, 1);
    else if (strcmp(argv[1], "hop-batch") == 0)
        measure_hop(argv[1], workers, 4, 64);
    else if (strcmp(argv[1], "cache-line") == 0)
        measure_cache_line(workers);
    else if (strcmp(argv[1], "futex-wake") == 0)
        measure_futex_wake(workers);
    else
        return BENCH_NO_SUBJECT;
    return 0;
}
