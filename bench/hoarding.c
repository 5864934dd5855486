/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hoarding.c - a task that blocks must not hold others back, wherever it stands among 1,000.
 *
 * "hoarding" is the time until the other 999 are read while one task sleeps; "hoarding-pair" the
 * time until all are read when two of them wait for each other.  Both are the worst over many
 * places, with the tasks added by the main thread and spawned by a task.  The sleeper is woken when
 * the 999 are read, so that a thousand places take no thousand seconds; it gives up after 1 s, as
 * each of a pair does, and then the time shows it.
 */
#include "ours.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define TASKS 1000
#define NOWHERE TASKS
#define PLACES 200
#define LIMIT_NS BENCH_SECOND

static const unsigned workers_needed = 2;

/* What the tasks at the two places wait for: until `arrived` is `needed`. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static unsigned arrived, needed;
static uint64_t places[2];

static void arrive(void)
{
    pthread_mutex_lock(&mutex);
    arrived++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void await_others(void)
{
    int64_t end = bench_now() + LIMIT_NS;
    struct timespec deadline = {.tv_sec = (time_t)(end / BENCH_SECOND),
                                .tv_nsec = end % BENCH_SECOND};

    pthread_mutex_lock(&mutex);
    while (arrived < needed)
        if (pthread_cond_timedwait(&changed, &mutex, &deadline) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&mutex);
}

static int run_member(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = ours_number(input);

    if (number == places[0] || number == places[1]) {
        arrive();
        await_others();
    }
    return ours_square(self, input, size);
}

static const distributor_task_type_t member = {.name = "member", .run = run_member};

static int run_root(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("spawn", distributor_spawn(self, &member, &i, sizeof i));
    return 0;
}

static const distributor_task_type_t root = {.name = "root", .run = run_root};

/* Runs the 1,000 tasks and gives the time until all but `sleepers` of them are read. */
static double run(distributor_t *d, bool spawned, unsigned sleepers)
{
    int64_t start = bench_now();
    uint64_t sum;

    bench_must("start", distributor_start(d));
    if (spawned)
        bench_must("add", distributor_add_task(d, &root, NULL, 0));
    for (uint64_t i = 0; i < TASKS && !spawned; i++)
        bench_must("add", distributor_add_task(d, &member, &i, sizeof i));
    bench_must("close", distributor_close(d));
    sum = ours_read(d, TASKS - sleepers);
    start = bench_now() - start;
    arrive();
    sum += ours_read(d, sleepers);
    bench_must("join", distributor_join(d, NULL));
    bench_check("sum of squares", sum, bench_squares(TASKS));
    ours_read_all(d, &sum);
    return (double)start / 1e6;
}

static double worst_of(distributor_t *d, bool pair)
{
    double worst = 0;

    for (unsigned i = 0; i < 2 * PLACES && worst < (double)LIMIT_NS / 1e6; i++) {
        double time;

        /* The ends, then anywhere; of the pairs the first half are neighbours. */
        places[0] = i < 4 ? (i / 2) * (TASKS - 2) : (uint64_t)random() % (TASKS - 1);
        places[1] = !pair ? NOWHERE : i < PLACES ? places[0] + 1 : (uint64_t)random() % TASKS;
        if (places[1] == places[0])
            places[1]++;
        arrived = 0;
        needed = 2;
        time = run(d, i % 2 == 1, pair ? 0 : 1);
        worst = time > worst ? time : worst;
    }
    return worst;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);
    pthread_condattr_t attributes;

    bench_check("two workers or more", workers >= workers_needed, 1);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    srandom((unsigned)bench_now());
    bench_say("hoarding", workers, "ms", worst_of(d, false));
    bench_say("hoarding-pair", workers, "ms", worst_of(d, true));
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
