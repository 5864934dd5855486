/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost_calls.c - what a million tasks ask of the kernel.  `cost_calls SUBJECT WORKERS` runs
 * squares, stream or tree twice in one distributor and reports for the second run, per million
 * tasks: page faults, threads switched out of their own will or not, futex waits (a reader's nap is
 * one) and wakes, membarriers; and a task's time on the clock and on the CPUs.  The first run has
 * the suffix -cold.
 *
 * The library calls the kernel through here: syscall() is this program's own, which counts and
 * hands on.  So nothing is traced and nothing slowed down.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ours.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TASKS UINT64_C(1000000)
#define DEPTH 19 /* of the tree, 2^20 - 1 tasks */

enum count { FAULTS, VOLUNTARY, INVOLUNTARY, WAITS, WAKES, MEMBARRIERS, OTHERS, COUNTS };

static const char *const names[COUNTS] = {"faults",      "switches",    "preemptions",
                                          "futex-waits", "futex-wakes", "membarriers",
                                          "other-calls"};

static atomic_ullong calls[COUNTS];

/* ---- the calls that come by ---- */

static void count_call(long number, int operation)
{
    enum count which = OTHERS;

    if (number == SYS_membarrier)
        which = MEMBARRIERS;
    else if (number == SYS_futex)
        which = (operation & FUTEX_CMD_MASK) == FUTEX_WAKE ? WAKES : WAITS;
    atomic_fetch_add_explicit(&calls[which], 1, memory_order_relaxed);
}

/* Six arguments are what a call has at most; those that the caller did not give are not looked at
 * by the kernel. */
long syscall(long number, ...)
{
    static long (*_Atomic next)(long number, ...);
    long a[6];
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (next == NULL)
        next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    count_call(number, (int)a[1]);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- the tasks ---- */

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static int run_root(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("spawn", distributor_spawn(self, &square, &i, sizeof i));
    return 0;
}

static int run_node(distributor_task_t *self, const void *input, size_t size);

static const distributor_task_type_t root = {.name = "root", .run = run_root};
static const distributor_task_type_t node = {.name = "node", .run = run_node};

static int run_node(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t depth = ours_number(input);

    (void)size;
    if (depth-- == 0)
        return 0;
    bench_must("spawn", distributor_spawn(self, &node, &depth, sizeof depth));
    return distributor_spawn(self, &node, &depth, sizeof depth);
}

static uint64_t run(distributor_t *d, const char *subject)
{
    const uint64_t depth = DEPTH;
    distributor_summary_t summary;
    uint64_t sum = 0;

    bench_must("start", distributor_start(d));
    if (strcmp(subject, "tree") == 0)
        bench_must("add", distributor_add_task(d, &node, &depth, sizeof depth));
    else if (strcmp(subject, "squares") == 0)
        bench_must("add", distributor_add_task(d, &root, NULL, 0));
    else
        for (uint64_t i = 0; i < TASKS; i++)
            bench_must("add", distributor_add_task(d, &square, &i, sizeof i));
    bench_must("close", distributor_close(d));
    if (strcmp(subject, "tree") != 0)
        bench_check("number of squares", ours_read_all(d, &sum), TASKS);
    bench_must("join", distributor_join(d, &summary));
    if (strcmp(subject, "tree") == 0)
        bench_check("number of nodes", summary.completed, (UINT64_C(2) << DEPTH) - 1);
    else
        bench_check("sum of squares", sum, bench_squares(TASKS));
    return summary.completed;
}

/* ---- what it took ---- */

static double cpu_of(const struct timeval *time)
{
    return (double)time->tv_sec * 1e9 + (double)time->tv_usec * 1e3;
}

static void measure(distributor_t *d, const char *subject, unsigned workers, int warm)
{
    struct rusage before, after;
    double million, cpu;
    int64_t start;
    char name[64];

    for (unsigned i = 0; i < COUNTS; i++)
        atomic_store(&calls[i], 0);
    getrusage(RUSAGE_SELF, &before);
    start = bench_now();
    million = (double)run(d, subject) / 1e6;
    start = bench_now() - start;
    getrusage(RUSAGE_SELF, &after);
    calls[FAULTS] = (unsigned long long)(after.ru_minflt - before.ru_minflt);
    calls[VOLUNTARY] = (unsigned long long)(after.ru_nvcsw - before.ru_nvcsw);
    calls[INVOLUNTARY] = (unsigned long long)(after.ru_nivcsw - before.ru_nivcsw);
    cpu = cpu_of(&after.ru_utime) + cpu_of(&after.ru_stime) - cpu_of(&before.ru_utime) -
          cpu_of(&before.ru_stime);
    bench_peer = subject;
    bench_say_warm("cost-wall", workers, "ns/task", warm, (double)start / 1e6 / million);
    bench_say_warm("cost-cpu", workers, "ns/task", warm, cpu / 1e6 / million);
    for (unsigned i = 0; i < COUNTS; i++) {
        snprintf(name, sizeof name, "cost-%s", names[i]);
        bench_say_warm(name, workers, "per 10^6", warm, (double)calls[i] / million);
    }
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    for (int warm = 0; warm < 2; warm++)
        measure(d, argv[1], workers, warm);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
