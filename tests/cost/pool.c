/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public calls, each in a stretch in which only one thread has something to do: tasks are added
 * before the one worker starts, it runs them while the main thread waits in join, and results are
 * read when it has ended.
 */
#include "meter.h"

#include <distributor.h>
#include <stdbool.h>
#include <stdlib.h>

#define BATCH 256u

static bool metering;
static const char *event; /* of the tasks that run now */
static unsigned ran;

static void must(bool good)
{
    if (!good)
        abort();
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

/* The stretch goes from the first of METER_EVENTS + 1 tasks to the last one. */
static int run_nothing(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    if (ran++ == 0)
        begin();
    else if (ran == METER_EVENTS + 1)
        end(event);
    return 0;
}

static const distributor_task_type_t nothing = {.name = "nothing", .run = run_nothing};

static void run(distributor_t *d, const char *name)
{
    event = name;
    ran = 0;
    must(distributor_run(d, NULL) == 0 && (event == NULL || ran == METER_EVENTS + 1));
}

/* ---- from outside ---- */

static void add_each(distributor_t *d)
{
    uint64_t number = 0;

    must(distributor_add_task(d, &nothing, &number, sizeof number) == 0);
    begin();
    for (number = 0; number < METER_EVENTS; number++)
        must(distributor_add_task(d, &nothing, &number, sizeof number) == 0);
    end("add");
    run(d, "run");
}

static void add_many(distributor_t *d)
{
    static uint64_t numbers[BATCH];

    must(distributor_add_tasks(d, &nothing, numbers, sizeof *numbers, 1) == 1);
    begin();
    for (unsigned added = 0; added < METER_EVENTS; added += BATCH) {
        unsigned count = METER_EVENTS - added < BATCH ? METER_EVENTS - added : BATCH;

        must(distributor_add_tasks(d, &nothing, numbers, sizeof *numbers, count) ==
             (ptrdiff_t)count);
    }
    end("add-many");
    run(d, "run-many");
}

/* ---- from inside ---- */

static int run_root(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    begin();
    for (uint64_t i = 0; i < METER_EVENTS; i++)
        must(distributor_spawn(self, &nothing, &i, sizeof i) == 0);
    end("spawn");
    return distributor_spawn(self, &nothing, &(uint64_t){0}, sizeof(uint64_t));
}

static int run_emits(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    begin();
    for (uint64_t i = 0; i < METER_EVENTS; i++)
        must(distributor_emit(self, &i, sizeof i) == 0);
    end("emit");
    return distributor_emit(self, &(uint64_t){0}, sizeof(uint64_t));
}

static const distributor_task_type_t root = {.name = "root", .run = run_root};
static const distributor_task_type_t emits = {.name = "emits", .run = run_emits};

static void add_one(distributor_t *d, const distributor_task_type_t *type, const char *name)
{
    must(distributor_add_task(d, type, NULL, 0) == 0);
    run(d, name);
}

static void read_each(distributor_t *d)
{
    distributor_result_t result;

    must(distributor_next_result(d, &result) == 1);
    begin();
    for (unsigned i = 0; i < METER_EVENTS; i++)
        must(distributor_next_result(d, &result) == 1);
    end("read");
    must(distributor_next_result(d, &result) == 0);
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
    must(distributor_next_results(d, results, BATCH) == 0);
}

void meter_pool(int metered)
{
    static distributor_t *d;
    distributor_options_t options = {.size = sizeof options, .workers = 1};

    if (!metered)
        must(distributor_create(&d, &options) == 0);
    metering = metered;
    add_each(d);
    add_many(d);
    add_one(d, &root, "run-spawned");
    add_one(d, &emits, NULL);
    read_each(d);
    metering = false;
    add_one(d, &emits, NULL);
    metering = metered;
    read_many(d);
    if (metered)
        must(distributor_destroy(d) == 0);
}
