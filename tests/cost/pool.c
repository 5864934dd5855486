/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public calls, in a distributor that runs, each in a stretch in which only one thread has
 * something to do: the one worker is held by a task while the main thread adds, which then waits
 * until all have run, and reads when the worker has nothing left.
 */
#include "meter.h"

#include <distributor.h>
#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>

#define BATCH 256u

static bool metering;
static const char *event; /* of the tasks that run now */
static unsigned ran;
static sem_t entered, gate, done;

static void must(bool good)
{
    if (!good)
        abort();
}

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        must(errno == EINTR);
}

static void begin(void)
{
    if (metering)
        meter_begin();
}

static void end(const char *name)
{
    if (metering)
        meter_end(name);
}

/* ---- the tasks ---- */

/* All have one type, as where a program adds many of them: types that alternate take wide slots. */
enum { GATE = 1, NOTHING, ROOT, ONE, EMITS };

static int run_task(distributor_task_t *self, const void *input, size_t size);

static const distributor_task_type_t task = {.name = "task", .run = run_task};

/* The stretch goes from the first of METER_EVENTS + 1 tasks to the last one. */
static void do_nothing(void)
{
    if (ran++ == 0) {
        begin();
    } else if (ran == METER_EVENTS + 1) {
        end(event);
        sem_post(&done);
    }
}

static void spawn_all(distributor_task_t *self)
{
    const uint64_t what = NOTHING;

    begin();
    for (unsigned i = 0; i < METER_EVENTS; i++)
        must(distributor_spawn(self, &task, &what, sizeof what) == 0);
    end("spawn");
    must(distributor_spawn(self, &task, &what, sizeof what) == 0);
}

static void emit_one(distributor_task_t *self)
{
    const uint64_t result = 1;

    must(distributor_emit(self, &result, sizeof result) == 0);
    do_nothing();
}

/* All have one serial. */
static void emit_all(distributor_task_t *self)
{
    uint64_t result = 0;

    must(distributor_emit(self, &result, sizeof result) == 0);
    begin();
    for (result = 0; result < METER_EVENTS; result++)
        must(distributor_emit(self, &result, sizeof result) == 0);
    end("emit");
    sem_post(&done);
}

static int run_task(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t what = *(const uint64_t *)input;

    (void)size;
    if (what == NOTHING) {
        do_nothing();
    } else if (what == GATE) {
        sem_post(&entered);
        await(&gate);
    } else if (what == ROOT) {
        spawn_all(self);
    } else if (what == ONE) {
        emit_one(self);
    } else {
        emit_all(self);
    }
    return 0;
}

/* ---- the stretches ---- */

static void add(distributor_t *d, uint64_t what)
{
    must(distributor_add_task(d, &task, &what, sizeof what) == 0);
}

/* Lets the tasks run that were added, under that event's name. */
static void let_run(const char *name)
{
    event = name;
    ran = 0;
    sem_post(&gate);
    await(&done);
}

static void hold(distributor_t *d)
{
    add(d, GATE);
    await(&entered);
}

static void add_all(distributor_t *d, uint64_t what)
{
    for (unsigned i = 0; i < METER_EVENTS; i++)
        add(d, what);
}

static void add_each(distributor_t *d)
{
    hold(d);
    add(d, NOTHING);
    begin();
    add_all(d, NOTHING);
    end("add");
    let_run("run");
}

static void run_emits(distributor_t *d)
{
    hold(d);
    add(d, ONE);
    add_all(d, ONE);
    let_run("run-emits");
}

static void add_many(distributor_t *d)
{
    uint64_t batch[BATCH];

    for (unsigned i = 0; i < BATCH; i++)
        batch[i] = NOTHING;
    hold(d);
    add(d, NOTHING);
    begin();
    for (unsigned added = 0; added < METER_EVENTS; added += BATCH) {
        unsigned count = METER_EVENTS - added < BATCH ? METER_EVENTS - added : BATCH;

        must(distributor_add_tasks(d, &task, batch, sizeof *batch, count) == (ptrdiff_t)count);
    }
    end("add-many");
    let_run("run-many");
}

static void spawn(distributor_t *d)
{
    hold(d);
    add(d, ROOT);
    let_run("run-spawned");
}

static void emit(distributor_t *d)
{
    hold(d);
    add(d, EMITS);
    let_run(NULL);
}

static void read_each(distributor_t *d, const char *name)
{
    distributor_result_t result;

    must(distributor_next_result(d, &result) == 1);
    begin();
    for (unsigned i = 0; i < METER_EVENTS; i++)
        must(distributor_next_result(d, &result) == 1);
    end(name);
}

static void read_many(distributor_t *d)
{
    static distributor_result_t results[BATCH];
    unsigned left = METER_EVENTS;

    must(distributor_next_results(d, results, 1) == 1);
    begin();
    while (left > 0) {
        ptrdiff_t n = distributor_next_results(d, results, left < BATCH ? left : BATCH);

        must(n > 0);
        left -= (unsigned)n;
    }
    end("read-many");
}

static distributor_t *start(void)
{
    distributor_options_t options = {.size = sizeof options, .workers = 1};
    distributor_t *d;

    must(sem_init(&entered, 0, 0) == 0 && sem_init(&gate, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
    must(distributor_create(&d, &options) == 0);
    must(distributor_start(d) == 0);
    return d;
}

void meter_pool(int metered)
{
    static distributor_t *d;

    if (!metered)
        d = start();
    metering = metered;
    add_each(d);
    run_emits(d);
    read_each(d, "read");
    add_many(d);
    spawn(d);
    emit(d);
    read_each(d, "read-narrow");
    metering = false;
    emit(d);
    metering = metered;
    read_many(d);
    if (metered)
        must(distributor_join(d, NULL) == 0 && distributor_destroy(d) == 0);
}
