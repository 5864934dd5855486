/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost_phases.c - the steps of a task's way one after the other, so that each can be timed alone:
 * the main thread adds a few blocks of tasks while the one worker is held by a task, the worker
 * runs them while the main thread sleeps, and the main thread reads while the worker has nothing.
 * `cost_phases one-core 1` ties both threads to one core, so that no line ever crosses;
 * `cost_phases two-cores 1` gives each its own, so that all lines do.
 *
 *     cost-add     one distributor_add_task()
 *     cost-run     claim, call and emit, of a task that emits its square
 *     cost-call    claim and call, of a task that emits nothing
 *     cost-read    one distributor_next_result()
 *     cost-spawn   one distributor_spawn(), in the worker
 *     cost-pop     as cost-run, of spawned tasks
 *
 * Nanoseconds each, the median of many rounds.
 */
#include "ours.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define TASKS UINT64_C(2016) /* four blocks of 504 */
#define ROUNDS 400
#define WARM_ROUNDS 20

/* What a task does besides squaring.  All tasks have one type, as where a program adds many. */
#define GATE (UINT64_C(1) << 62) /* holds its worker until the main thread has added */
#define ROOT (GATE + 1)          /* spawns all */
#define MUTE (UINT64_C(1) << 61) /* added to a number: emits nothing */

enum phase { ADD, RUN, READ, SPAWN, POP, CALL, PHASES };

static const char *const names[PHASES] = {"cost-add",   "cost-run", "cost-read",
                                          "cost-spawn", "cost-pop", "cost-call"};
static double times[PHASES][ROUNDS];
static unsigned worker_core;
static sem_t entered, gate, done;
static uint64_t ran;
static int64_t first_ns, last_ns, spawn_ns; /* written by the worker before it posts `done` */

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        bench_check("sem_wait", (uint64_t)errno, EINTR);
}

static int run_task(distributor_task_t *self, const void *input, size_t size);

static const distributor_task_type_t task = {.name = "task", .run = run_task};

static int spawn_all(distributor_task_t *self)
{
    int64_t start = bench_now();

    for (uint64_t i = 0; i < TASKS; i++)
        bench_must("spawn", distributor_spawn(self, &task, &i, sizeof i));
    spawn_ns = bench_now() - start;
    return 0;
}

static int run_task(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = ours_number(input);

    if (number == GATE) {
        sem_post(&entered);
        await(&gate);
        return 0;
    }
    if (number == ROOT)
        return spawn_all(self);
    if (ran++ == 0)
        first_ns = bench_now();
    if (number < MUTE)
        bench_must("emit", ours_square(self, input, size));
    if (ran == TASKS) {
        last_ns = bench_now();
        sem_post(&done);
    }
    return 0;
}

static void add(distributor_t *d, uint64_t number)
{
    bench_must("add", distributor_add_task(d, &task, &number, sizeof number));
}

static void let_run(double *time)
{
    ran = 0;
    sem_post(&gate);
    await(&done);
    *time = (double)(last_ns - first_ns) / (double)(TASKS - 1);
}

static void read_all(distributor_t *d, double *time)
{
    int64_t start = bench_now();
    uint64_t sum = ours_read(d, TASKS);

    *time = (double)(bench_now() - start) / (double)TASKS;
    bench_check("sum of squares", sum, bench_squares(TASKS));
}

static double add_all(distributor_t *d, uint64_t first)
{
    int64_t start;

    add(d, GATE);
    await(&entered);
    start = bench_now();
    for (uint64_t number = 0; number < TASKS; number++)
        add(d, first + number);
    return (double)(bench_now() - start) / (double)TASKS;
}

static void round_of(distributor_t *d, unsigned i)
{
    add_all(d, MUTE);
    let_run(&times[CALL][i]);
    times[ADD][i] = add_all(d, 0);
    let_run(&times[RUN][i]);
    read_all(d, &times[READ][i]);

    add(d, GATE);
    await(&entered);
    add(d, ROOT);
    let_run(&times[POP][i]);
    times[SPAWN][i] = (double)spawn_ns / (double)TASKS;
    read_all(d, &times[READ][i]);
}

static void tie_worker(void *context, unsigned index, const char *name)
{
    (void)context, (void)index, (void)name;
    bench_check("a core for the worker", bench_pin(worker_core), true);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_options_t options = {
        .size = sizeof options, .workers = 1, .worker_started = tie_worker};
    distributor_t *d;

    bench_peer = strcmp(argv[1], "one-core") == 0 ? "one-core" : "two-cores";
    worker_core = strcmp(argv[1], "one-core") == 0 ? 0 : 1;
    if (sem_init(&entered, 0, 0) != 0 || sem_init(&gate, 0, 0) != 0 || sem_init(&done, 0, 0) != 0)
        bench_failed("sem_init", -errno);
    bench_must("create", distributor_create(&d, &options));
    bench_must("start", distributor_start(d));
    bench_check("a core for the main thread", bench_pin(0), true);
    for (unsigned i = 0; i < WARM_ROUNDS; i++)
        round_of(d, 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        round_of(d, i);
    bench_must("join", distributor_join(d, NULL));
    bench_must("destroy", distributor_destroy(d));
    for (unsigned phase = 0; phase < PHASES; phase++) {
        bench_sort(times[phase], ROUNDS);
        bench_say(names[phase], workers, "ns", bench_percentile(times[phase], ROUNDS, 50));
    }
    return 0;
}
