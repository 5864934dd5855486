/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deferred.c - 5,000 tasks in flight on few workers.  A round adds them; each defers itself; when
 * all have, four threads emit the square of a quarter of them each and complete them, and the main
 * thread reads.  "deferred" is the time of one task in all of that, "deferred-complete" the part of
 * it from when all are in flight.
 */
#include "ours.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define IN_FLIGHT UINT64_C(5000)
#define ROUNDS 40
#define COMPLETERS 4

static distributor_task_t *flying[IN_FLIGHT]; /* by number; a task writes its own entry */
static atomic_ulong deferred;
static sem_t all_fly;
static pthread_barrier_t begin; /* of the four and the main thread, once a round */

static int run_request(distributor_task_t *self, const void *input, size_t size)
{
    int error = distributor_defer(self, &flying[ours_number(input)]);

    (void)size;
    if (error == 0 && atomic_fetch_add(&deferred, 1) + 1 == IN_FLIGHT)
        sem_post(&all_fly);
    return error;
}

static const distributor_task_type_t request = {.name = "request", .run = run_request};

static void *complete_quarters(void *first)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&begin);
        for (uint64_t i = *(const uint64_t *)first; i < IN_FLIGHT; i += COMPLETERS) {
            distributor_task_t *task = flying[i]; /* of the next round once the square is read */
            uint64_t square = i * i;

            bench_must("emit", distributor_emit(task, &square, sizeof square));
            bench_must("complete", distributor_complete(task, 0));
        }
    }
    return NULL;
}

/* One round; adds what it took, and what it took from when all are in flight. */
static void run_round(distributor_t *d, int64_t *whole_ns, int64_t *complete_ns)
{
    int64_t start = bench_now(), middle, end;
    uint64_t sum;

    atomic_store(&deferred, 0);
    for (uint64_t i = 0; i < IN_FLIGHT; i++)
        bench_must("add", distributor_add_task(d, &request, &i, sizeof i));
    while (sem_wait(&all_fly) != 0)
        ;
    middle = bench_now();
    pthread_barrier_wait(&begin);
    sum = ours_read(d, IN_FLIGHT);
    end = bench_now();
    bench_check("sum of squares", sum, bench_squares(IN_FLIGHT));
    *whole_ns += end - start;
    *complete_ns += end - middle;
}

static void run(distributor_t *d, unsigned workers, int warm)
{
    static const uint64_t firsts[COMPLETERS] = {0, 1, 2, 3};
    const double tasks = (double)(ROUNDS * IN_FLIGHT);
    pthread_t threads[COMPLETERS];
    int64_t whole_ns = 0, complete_ns = 0;
    distributor_summary_t summary;

    bench_must("start", distributor_start(d));
    for (unsigned i = 0; i < COMPLETERS; i++)
        bench_must("pthread_create", -pthread_create(&threads[i], NULL, complete_quarters,
                                                     (void *)(uintptr_t)&firsts[i]));
    for (unsigned round = 0; round < ROUNDS; round++)
        run_round(d, &whole_ns, &complete_ns);
    for (unsigned i = 0; i < COMPLETERS; i++)
        pthread_join(threads[i], NULL);
    bench_must("join", distributor_join(d, &summary));
    bench_check("tasks that completed", summary.completed, ROUNDS * IN_FLIGHT);
    bench_check("results", summary.results, ROUNDS * IN_FLIGHT);
    bench_say_warm("deferred", workers, "ns/task", warm, (double)whole_ns / tasks);
    bench_say_warm("deferred-complete", workers, "ns/task", warm, (double)complete_ns / tasks);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);

    bench_check("sem_init", sem_init(&all_fly, 0, 0) == 0, 1);
    bench_must("barrier", -pthread_barrier_init(&begin, NULL, COMPLETERS + 1));
    for (int warm = 0; warm < 2; warm++)
        run(d, workers, warm);
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
