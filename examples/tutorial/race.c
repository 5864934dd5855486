/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race - a lost update, and its two cures.
 *
 * The database is one value; an update reads it, takes its time, and writes back one more.  Two
 * tasks that update at once can read the same value, and then one of the updates is gone.  Here
 * that is no matter of luck: the tasks meet after reading and before writing.
 *
 * With distributor_lock around the update none is lost.  The lock is recursive, so that a task
 * which holds it may call a function which takes it again.
 */
#define _POSIX_C_SOURCE 200809L /* barriers, nanosleep */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <distributor.h>

enum { TASKS = 2 }; /* as many as workers: both must run at once to meet */

static struct database {
    /* Atomic, so that each read and each write is whole; the update still is not. */
    atomic_int value;
    pthread_barrier_t meeting;
} database;

/* ---- the update, with time to think between reading and writing ---- */

static void meet_the_other(void)
{
    pthread_barrier_wait(&database.meeting);
}

static void take_time(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void update(void (*think)(void))
{
    int value = atomic_load(&database.value);
    think();
    atomic_store(&database.value, value + 1);
}

/* ---- three tasks ---- */

static int race(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    update(meet_the_other);
    return 0;
}

static int update_locked(distributor_t *d)
{
    int error = distributor_lock(d);
    if (error != 0)
        return error;
    update(take_time); /* nobody else can be here: a meeting would wait for ever */
    return distributor_unlock(d);
}

static int once(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    return update_locked(distributor_of(self));
}

/* Two updates that nobody sees half done: the lock is held around both, and update_locked takes
 * it a second time.  The value between two such tasks is always even. */
static int twice(distributor_task_t *self, const void *input, size_t size)
{
    distributor_t *d = distributor_of(self);
    (void)input, (void)size;
    int error = distributor_lock(d);
    if (error != 0)
        return error;
    error = update_locked(d);
    if (error == 0)
        error = update_locked(d);
    int value = atomic_load(&database.value);
    if (error == 0)
        error = distributor_emit(self, &value, sizeof value);
    int unlocked = distributor_unlock(d);
    return error != 0 ? error : unlocked;
}

/* ---- two tasks at once, and what became of the value ---- */

/* A failed task is a result record; so are the values that tasks emit. */
static int read_results(distributor_t *d)
{
    distributor_result_t result;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        if (result.error != 0)
            return result.error;
        printf("  one task saw the value %d\n", *(const int *)result.data);
    }
    return got;
}

static int show(distributor_t *d, const distributor_task_type_t *type, int updates)
{
    atomic_store(&database.value, 0);
    for (int i = 0; i < TASKS; i++) {
        int error = distributor_add_task(d, type, NULL, 0);
        if (error != 0)
            return error;
    }
    int error = distributor_run(d, NULL);
    if (error == 0)
        error = read_results(d);
    if (error == 0)
        printf("%s: %d updates, the value is %d\n", type->name, updates,
               atomic_load(&database.value));
    return error;
}

int main(void)
{
    static const distributor_task_type_t without = {.name = "without a lock", .run = race};
    static const distributor_task_type_t with = {.name = "with the lock", .run = once};
    static const distributor_task_type_t nested = {.name = "with the lock twice", .run = twice};

    distributor_options_t options = {.size = sizeof options, .workers = TASKS};
    distributor_t *d;
    int error = -pthread_barrier_init(&database.meeting, NULL, TASKS);
    if (error != 0)
        return 1;
    error = distributor_create(&d, &options);
    if (error == 0)
        error = show(d, &without, TASKS);
    if (error == 0)
        error = show(d, &with, TASKS);
    if (error == 0)
        error = show(d, &nested, 2 * TASKS);
    if (error != 0)
        fprintf(stderr, "race: %s\n", distributor_strerror(error));
    distributor_destroy(d);
    pthread_barrier_destroy(&database.meeting);
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
