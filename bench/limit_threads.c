/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_threads.c - the bodies of some subjects with no queue at all: what is left for a pool to
 * add to.  `limit_threads SUBJECT WORKERS`:
 *
 *     serial    one thread calls 1,000,000 tasks through a pointer from an array, stores the
 *               results, then sums them up; pages are warm
 *     grain-1us, grain-5us, oversubscribed, ordered
 *               the bodies of these subjects, shared out to plain threads
 *     blocking  the 5 ms sleeps, shared out to plain threads
 *
 * The threads have started before the clock does, and it stops when the last of them is done.
 */
#include "bodies.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_TASKS UINT64_C(1000000)
#define NAPS UINT64_C(20000)
#define NAP_NS (5 * BENCH_MILLISECOND)

typedef uint64_t body_fn(uint64_t number);

static uint64_t steps;

static uint64_t square(uint64_t number)
{
    return number * number;
}

static uint64_t spin(uint64_t number)
{
    bench_work(steps);
    return number * number;
}

static uint64_t nap(uint64_t number)
{
    bench_sleep(NAP_NS);
    return number * number;
}

/* ---- serial ---- */

typedef struct item {
    body_fn *run;
    uint64_t number;
} item_t;

static void measure_serial(unsigned workers)
{
    body_fn *volatile run = square; /* hides from the compiler which function it is */
    item_t *items = calloc(SERIAL_TASKS, sizeof *items);
    uint64_t *results = calloc(SERIAL_TASKS, sizeof *results), sum = 0;
    int64_t start = 0;

    bench_check("memory for the tasks", items != NULL && results != NULL, 1);
    for (uint64_t i = 0; i < SERIAL_TASKS; i++)
        items[i] = (item_t){run, i};
    for (int warm = 0; warm < 2; warm++) {
        sum = 0;
        start = bench_now();
        for (uint64_t i = 0; i < SERIAL_TASKS; i++)
            results[i] = items[i].run(items[i].number);
        for (uint64_t i = 0; i < SERIAL_TASKS; i++)
            sum += results[i];
        start = bench_now() - start;
    }
    bench_check("sum of squares", sum, bench_squares(SERIAL_TASKS));
    bench_say("serial", workers, "ns/task", (double)start / (double)SERIAL_TASKS);
    free(items);
    free(results);
}

/* ---- plain threads ---- */

typedef struct share {
    pthread_t thread;
    pthread_barrier_t *barrier;
    body_fn *run;
    uint64_t first, count, sum;
    int64_t end;
} share_t;

static void *run_share(void *argument)
{
    share_t *self = argument;

    pthread_barrier_wait(self->barrier);
    for (uint64_t i = 0; i < self->count; i++)
        self->sum += self->run(self->first + i);
    self->end = bench_now();
    return NULL;
}

/* Gives the time from the barrier to the end of the last thread. */
static double run_threads(unsigned count, body_fn *run, uint64_t tasks)
{
    share_t *shares = calloc(count, sizeof *shares);
    pthread_barrier_t barrier;
    int64_t start, end = 0;
    uint64_t sum = 0;

    bench_check("tasks that can be shared out", shares != NULL && tasks % count == 0, 1);
    pthread_barrier_init(&barrier, NULL, count + 1);
    for (unsigned i = 0; i < count; i++) {
        shares[i] = (share_t){
            .barrier = &barrier, .run = run, .first = i * (tasks / count), .count = tasks / count};
        bench_must("pthread_create",
                   -pthread_create(&shares[i].thread, NULL, run_share, &shares[i]));
    }
    bench_sleep(20 * BENCH_MILLISECOND); /* until all of them wait */
    start = bench_now();
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < count; i++) {
        pthread_join(shares[i].thread, NULL);
        end = shares[i].end > end ? shares[i].end : end;
        sum += shares[i].sum;
    }
    bench_check("sum of squares", sum, bench_squares(tasks));
    pthread_barrier_destroy(&barrier);
    free(shares);
    return (double)(end - start);
}

static void measure_bodies(const char *subject, unsigned workers, int64_t grain_ns, uint64_t tasks)
{
    steps = bench_steps(grain_ns);
    bench_say(subject, workers, "ns/task", run_threads(workers, spin, tasks) / (double)tasks);
}

static void measure_ordered(unsigned workers)
{
    bench_ordered_prepare();
    bench_say("ordered", workers, "ns/task",
              run_threads(workers, bench_ordered_body, BODY_ORDERED_TASKS) /
                  (double)BODY_ORDERED_TASKS);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    bench_peer = "limit";
    if (strcmp(argv[1], "serial") == 0)
        measure_serial(workers);
    else if (strcmp(argv[1], "grain-1us") == 0)
        measure_bodies(argv[1], workers, BODY_1US_NS, BODY_1US_TASKS);
    else if (strcmp(argv[1], "grain-5us") == 0)
        measure_bodies(argv[1], workers, BODY_5US_NS, BODY_5US_TASKS);
    else if (strcmp(argv[1], "oversubscribed") == 0)
        measure_bodies(argv[1], workers, BODY_5US_NS, BODY_CROWD_TASKS);
    else if (strcmp(argv[1], "ordered") == 0)
        measure_ordered(workers);
    else if (strcmp(argv[1], "blocking") == 0)
        bench_say("blocking", workers, "ms", run_threads(workers, nap, NAPS) / 1e6);
    else
        return BENCH_NO_SUBJECT;
    return 0;
}
