/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many_ends.c - threads that come and go, and many that stay.
 *
 * "many-ends" is how much 10,000 threads that add one task each and end, 100 of them alive at a
 * time, raise the peak of the process over the same threads when they add nothing.
 * "many-ends-one" and "many-ends-live" are the CPU time of one add with one adder and with 1,000
 * that live and add at the same time, "many-ends-ratio" is the second divided by the first.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ours.h"

#include <pthread.h>
#include <stdlib.h>

#define WAVES 100
#define WAVE 100
#define ADDERS 1000
#define ADDS UINT64_C(1000000)

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

/* One adding thread.  It waits at the barrier before and after, so that all live at once. */
typedef struct adder {
    pthread_t thread;
    distributor_t *d; /* NULL: it adds nothing */
    uint64_t first, count;
    int64_t cpu_ns;
    pthread_barrier_t *barrier;
} adder_t;

static void *run_adder(void *argument)
{
    adder_t *self = argument;

    pthread_barrier_wait(self->barrier);
    self->cpu_ns = bench_thread_cpu();
    for (uint64_t i = 0; i < self->count && self->d != NULL; i++) {
        uint64_t number = self->first + i;

        bench_must("add", distributor_add_task(self->d, &square, &number, sizeof number));
    }
    self->cpu_ns = bench_thread_cpu() - self->cpu_ns;
    pthread_barrier_wait(self->barrier);
    return NULL;
}

/* Runs `count` adders at once that share out `total` adds; gives their CPU time. */
static int64_t run_adders(distributor_t *d, unsigned count, uint64_t first, uint64_t total)
{
    static adder_t adders[ADDERS];
    pthread_barrier_t barrier;
    int64_t cpu_ns = 0;

    pthread_barrier_init(&barrier, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        adders[i] = (adder_t){.d = d,
                              .first = first + i * (total / count),
                              .count = total / count,
                              .barrier = &barrier};
        bench_must("pthread_create",
                   -pthread_create(&adders[i].thread, NULL, run_adder, &adders[i]));
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(adders[i].thread, NULL);
        cpu_ns += adders[i].cpu_ns;
    }
    pthread_barrier_destroy(&barrier);
    return cpu_ns;
}

static double churn(unsigned workers)
{
    distributor_t *d = ours_create(workers);
    uint64_t sum;
    double peak;

    bench_must("start", distributor_start(d));
    for (unsigned wave = 0; wave < WAVES; wave++)
        run_adders(NULL, WAVE, 0, WAVE);
    peak = bench_peak_rss();
    for (unsigned wave = 0; wave < WAVES; wave++) {
        run_adders(d, WAVE, (uint64_t)wave * WAVE, WAVE);
        bench_check("sum of squares", ours_read(d, WAVE),
                    bench_squares((uint64_t)(wave + 1) * WAVE) -
                        bench_squares((uint64_t)wave * WAVE));
    }
    peak = bench_peak_rss() - peak;
    bench_must("join", distributor_join(d, NULL));
    bench_check("results left", ours_read_all(d, &sum), 0);
    bench_must("destroy", distributor_destroy(d));
    return peak;
}

/* CPU time of one add, in the second of two runs. */
static double cost(unsigned workers, unsigned adders)
{
    distributor_t *d = ours_create(workers);
    int64_t cpu_ns = 0;
    uint64_t sum;

    for (int warm = 0; warm < 2; warm++) {
        bench_must("start", distributor_start(d));
        cpu_ns = run_adders(d, adders, 0, ADDS);
        bench_must("close", distributor_close(d));
        bench_check("number of squares", ours_read_all(d, &sum), ADDS);
        bench_check("sum of squares", sum, bench_squares(ADDS));
        bench_must("join", distributor_join(d, NULL));
    }
    bench_must("destroy", distributor_destroy(d));
    return (double)cpu_ns / (double)ADDS;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    double one, many;

    bench_say("many-ends", workers, "MiB", churn(workers) / (1 << 20));
    one = cost(workers, 1);
    many = cost(workers, ADDERS);
    bench_say("many-ends-one", workers, "ns/add", one);
    bench_say("many-ends-live", workers, "ns/add", many);
    bench_say("many-ends-ratio", workers, "x", many / one);
    return 0;
}
