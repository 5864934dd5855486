/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost_prices.c - what the kernel takes for what a distributor asks of it, in nanoseconds:
 *
 *     price-fault        the first write to a page
 *     price-switch       from one thread to another on the same core, by futex
 *     price-wake         a futex wake that wakes nobody
 *     price-membarrier   one, while another thread of the process runs on the other core
 *     price-thread       making a thread that ends at once, and joining it
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES 16384
#define SWITCHES 20000
#define CALLS 100000
#define BARRIERS 5000
#define THREADS 200

static atomic_uint turn;
static atomic_bool stop;

static double per(int64_t start, double count)
{
    return (double)(bench_now() - start) / count;
}

static double price_of_fault(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int64_t start;
    double price;

    bench_check("memory for pages", pages != MAP_FAILED, true);
    madvise(pages, PAGES * page, MADV_NOHUGEPAGE);
    start = bench_now();
    for (size_t i = 0; i < PAGES; i++)
        *(volatile char *)(pages + i * page) = 1;
    price = per(start, PAGES);
    munmap(pages, PAGES * page);
    return price;
}

static void take_turns(unsigned mine)
{
    for (unsigned i = 0; i < SWITCHES; i++) {
        unsigned now;

        while ((now = atomic_load(&turn)) % 2 != mine)
            syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
        atomic_store(&turn, now + 1);
        syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

static void *run_other_turns(void *argument)
{
    bench_pin(0);
    take_turns(1);
    return argument;
}

static double price_of_switch(void)
{
    pthread_t other;
    int64_t start;

    bench_pin(0);
    bench_must("pthread_create", -pthread_create(&other, NULL, run_other_turns, NULL));
    start = bench_now();
    take_turns(0);
    pthread_join(other, NULL);
    return per(start, 2.0 * SWITCHES);
}

static double price_of_wake(void)
{
    int64_t start = bench_now();

    for (unsigned i = 0; i < CALLS; i++)
        syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return per(start, CALLS);
}

static void *run_busy(void *argument)
{
    bench_pin(1);
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        ;
    return argument;
}

static double price_of_membarrier(void)
{
    pthread_t other;
    int64_t start;
    double price;

    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0)
        return 0;
    bench_must("pthread_create", -pthread_create(&other, NULL, run_busy, NULL));
    bench_sleep(BENCH_MILLISECOND);
    start = bench_now();
    for (unsigned i = 0; i < BARRIERS; i++)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    price = per(start, BARRIERS);
    atomic_store(&stop, true);
    pthread_join(other, NULL);
    return price;
}

static void *run_nothing(void *argument)
{
    return argument;
}

static double price_of_thread(void)
{
    int64_t start = bench_now();

    for (unsigned i = 0; i < THREADS; i++) {
        pthread_t thread;

        bench_must("pthread_create", -pthread_create(&thread, NULL, run_nothing, NULL));
        pthread_join(thread, NULL);
    }
    return per(start, THREADS);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    bench_peer = "limit";
    bench_say("price-fault", workers, "ns", price_of_fault());
    bench_say("price-switch", workers, "ns", price_of_switch());
    bench_say("price-wake", workers, "ns", price_of_wake());
    bench_say("price-membarrier", workers, "ns", price_of_membarrier());
    bench_say("price-thread", workers, "ns", price_of_thread());
    return 0;
}
