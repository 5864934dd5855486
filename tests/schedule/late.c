/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of deferred tasks (B1 to B5): their completion by another thread meets the return of
 * their callback, a second completion, cancel, and STOP, which waits for them.
 */
#include "schedule/schedule.h"

#include <distributor.h>
#include <errno.h>
#include <string.h>

static distributor_t *pool;
static distributor_task_t *held; /* the deferred task, once it is there */
static int returned;             /* what its callback returns */
static bool completing;          /* somebody has called complete */
static unsigned ended;           /* completions that were accepted */
static unsigned children;

static int run_child(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    children++;
    return 0;
}

static int run_deferred(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task;

    (void)input, (void)size;
    schedule_check(distributor_defer(self, &task) == 0);
    held = task;
    return returned;
}

static const distributor_task_type_t child = {.name = "child", .run = run_child};
static const distributor_task_type_t deferred = {.name = "deferred", .run = run_deferred};

/* A worker that is about to run a task that defers itself. */
static void set_up_limited(int returns, uint64_t output_limit)
{
    distributor_options_t options = {
        .size = sizeof options, .workers = 1, .output_limit = output_limit};

    held = NULL;
    returned = returns;
    completing = false;
    ended = 0;
    children = 0;
    schedule_check(distributor_create(&pool, &options) == 0);
    schedule_check(distributor_add_task(pool, &deferred, NULL, 0) == 0);
    schedule_check(distributor_start(pool) == 0);
}

static void set_up(int returns)
{
    set_up_limited(returns, 0);
}

static pthread_t start(void *(*routine)(void *))
{
    pthread_t thread;

    schedule_check(pthread_create(&thread, NULL, routine, NULL) == 0);
    return thread;
}

static int complete(int error)
{
    while (!held)
        schedule_yield();
    completing = true;
    int rc = distributor_complete(held, error);
    if (rc == 0)
        ended++;
    return rc;
}

/* Joins: STOP has come, and the task has ended once. */
static distributor_summary_t join(void)
{
    distributor_summary_t summary;

    schedule_check(distributor_join(pool, &summary) == 0);
    schedule_check(summary.added == 1 + children);
    schedule_check(summary.completed + summary.failed + summary.cancelled == summary.added);
    return summary;
}

static void finish(void)
{
    schedule_check(distributor_destroy(pool) == 0);
}

/* ---- completion and return ---- */

static void *complete_well(void *unused)
{
    (void)unused;
    schedule_check(complete(0) == 0);
    return NULL;
}

/* The callback returns as another thread completes; who joins waits for both. */
static void meets_return(void)
{
    set_up(0);
    pthread_t other = start(complete_well);
    schedule_begin();
    distributor_summary_t summary = join();
    schedule_check(completing && summary.completed == 1);
    pthread_join(other, NULL);
    finish();
}

/* The callback has returned and its worker sleeps: the last count is that of the completion. */
static void comes_late(void)
{
    set_up(0);
    schedule_settle();
    pthread_t other = start(complete_well);
    schedule_begin();
    distributor_summary_t summary = join();
    schedule_check(completing && summary.completed == 1);
    pthread_join(other, NULL);
    finish();
}

static void *complete_somehow(void *unused)
{
    (void)unused;
    int rc = complete(0);
    schedule_check(rc == 0 || rc == -EALREADY || rc == -ECANCELED);
    return NULL;
}

/* Its callback returns an error: that, or the completion, ends it. */
static void meets_error(void)
{
    set_up(-EIO);
    pthread_t other = start(complete_somehow);
    schedule_begin();
    distributor_summary_t summary = join();
    pthread_join(other, NULL);
    schedule_check(summary.completed == ended && summary.failed == 1 - ended);
    finish();
}

/* Two complete it: one of them is told. */
static void completed_twice(void)
{
    set_up(0);
    pthread_t other = start(complete_somehow);
    schedule_begin();
    int rc = complete(-EIO);
    schedule_check(rc == 0 || rc == -EALREADY);
    distributor_summary_t summary = join();
    pthread_join(other, NULL);
    schedule_check(ended == 1);
    schedule_check(rc == 0 ? summary.failed == 1 : summary.completed == 1);
    finish();
}

/* ---- cancel ---- */

/* It was completed, or it counts as cancelled. */
static void meets_cancel(void)
{
    set_up(0);
    while (!held)
        schedule_yield();
    pthread_t other = start(complete_somehow);
    schedule_begin();
    schedule_check(distributor_cancel(pool) == 0);
    distributor_summary_t summary = join();
    pthread_join(other, NULL);
    schedule_check(summary.completed == ended && summary.cancelled == 1 - ended);
    finish();
}

/* Nobody completes it: cancel ends it, also if its callback has not returned. */
static void is_cancelled(void)
{
    set_up(0);
    schedule_begin();
    while (!held)
        schedule_yield();
    schedule_check(distributor_cancel(pool) == 0);
    distributor_summary_t summary = join();
    schedule_check(summary.cancelled == 1);
    schedule_check(distributor_complete(held, 0) == -ECANCELED);
    finish();
}

/* ---- what it does before its end ---- */

static void *emit_and_complete(void *unused)
{
    uint64_t word = 7;

    (void)unused;
    while (!held)
        schedule_yield();
    schedule_check(distributor_emit(held, &word, sizeof word) == 0);
    schedule_check(complete(-EIO) == 0);
    return NULL;
}

/* A late result and a late failure are read before STOP; they may be of two outputs. */
static void emits(void)
{
    distributor_result_t result;
    unsigned failures = 0;

    set_up(0);
    pthread_t other = start(emit_and_complete);
    schedule_check(distributor_close(pool) == 0);
    schedule_begin();
    for (unsigned i = 0; i < 2; i++) {
        schedule_check(distributor_next_result(pool, &result) == 1);
        failures += result.error == -EIO;
    }
    schedule_check(failures == 1);
    schedule_check(distributor_next_result(pool, &result) == 0);
    pthread_join(other, NULL);
    schedule_check(join().failed == 1);
    finish();
}

static void *spawn_and_complete(void *unused)
{
    (void)unused;
    while (!held)
        schedule_yield();
    schedule_check(distributor_spawn(held, &child, NULL, 0) == 0);
    schedule_check(complete(0) == 0);
    return NULL;
}

/* What it spawns wakes a worker, and runs before STOP. */
static void spawns(void)
{
    set_up(0);
    schedule_settle();
    pthread_t other = start(spawn_and_complete);
    schedule_begin();
    distributor_summary_t summary = join();
    schedule_check(children == 1 && summary.completed == 2);
    pthread_join(other, NULL);
    finish();
}

/* After it there is no result, and what is refused takes no room. */
static void emits_no_more(void)
{
    uint64_t word = 7;

    set_up_limited(0, 1);
    schedule_begin();
    schedule_check(complete(0) == 0);
    for (unsigned i = 0; i < 2; i++)
        schedule_check(distributor_emit(held, &word, sizeof word) == -EALREADY);
    schedule_check(join().completed == 1);
    finish();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "meets_return", .body = meets_return, .preemptions = 1},
    {.name = "comes_late", .body = comes_late},
    {.name = "meets_error", .body = meets_error, .preemptions = 1},
    {.name = "completed_twice", .body = completed_twice, .preemptions = 1},
    {.name = "meets_cancel", .body = meets_cancel},
    {.name = "is_cancelled", .body = is_cancelled},
    {.name = "emits", .body = emits, .preemptions = 1},
    {.name = "emits_no_more", .body = emits_no_more},
    {.name = "spawns", .body = spawns, .preemptions = 1},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
