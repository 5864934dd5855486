/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends can be bounded: the limits are exact for one adder and one emitter, a spawn never
 * waits, and the try_ and _until forms say why they did not go on.
 */
#include "support.h"

TestSuite(limits, .timeout = 240);

static sem_t begun, gate;

static void open_gates(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
}

static void remove_gates(void)
{
    sem_destroy(&begun);
    sem_destroy(&gate);
}

static int wait_at_gate(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

static const distributor_task_type_t gated = {.name = "gated", .run = wait_at_gate};

static unsigned add_until_full(distributor_t *d)
{
    unsigned n = 0;
    int rc;
    while ((rc = distributor_try_add_task(d, &nothing, NULL, 0)) == 0)
        n++;
    expect(rc, -EAGAIN);
    return n;
}

/* ---- The input ---- */

Test(limits, input_is_exact_before_start)
{
    static const unsigned limits[] = {1, 2, 3, 7, 64, 1000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = limits[i]));
        expect(add_until_full(d), limits[i]);
        expect(run(d).completed, limits[i]);
        expect(add_until_full(d), limits[i]);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* The task that has begun does not count. */
Test(limits, input_is_exact_while_it_runs)
{
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 5));
    expect(distributor_start(d), 0);
    for (int i = 0; i < 10; i++) {
        expect(distributor_add_task(d, &gated, NULL, 0), 0);
        await(&begun);
        expect(add_until_full(d), 5);
        sem_post(&gate);
    }
    expect(sum_up(d).completed, 60);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

static atomic_uint accepted;

static void *add_all_one_can(void *argument)
{
    int rc;
    while ((rc = distributor_try_add_task(argument, &nothing, NULL, 0)) == 0)
        atomic_fetch_add(&accepted, 1);
    task_assert(rc == -EAGAIN);
    return NULL;
}

/* At most one over the limit for each concurrent caller. */
Test(limits, input_with_many_adders)
{
    enum { ADDERS = 8, LIMIT = 100 };
    for (unsigned n = rounds(100); n > 0; n--) {
        atomic_store(&accepted, 0);
        distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = LIMIT));
        pthread_t thread[ADDERS];
        for (int i = 0; i < ADDERS; i++)
            thread[i] = begin_thread(add_all_one_can, d);
        for (int i = 0; i < ADDERS; i++)
            end_thread(thread[i]);
        ensure(atomic_load(&accepted) >= LIMIT && atomic_load(&accepted) <= LIMIT + ADDERS);
        expect(run(d).completed, atomic_load(&accepted));
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int spawn_many(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_t *d = distributor_of(self);
    for (int i = 0; i < 100; i++) {
        task_assert(distributor_spawn(self, &nothing, NULL, 0) == 0);
        task_assert(distributor_add_task(d, &nothing, NULL, 0) == 0);
        task_assert(distributor_try_add_task(d, &nothing, NULL, 0) == 0);
        task_assert(distributor_add_task_until(d, &nothing, NULL, 0, 0) == 0);
    }
    char inputs[10] = {0};
    task_assert(distributor_add_tasks(d, &nothing, inputs, 1, 10) == 10);
    sem_post(&begun);
    await(&gate);
    return 0;
}

/* It counts all the same: an outside adder finds no room then. */
Test(limits, a_spawn_goes_over_the_limit)
{
    static const distributor_task_type_t type = {.name = "many", .run = spawn_many};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    expect(distributor_try_add_task(d, &nothing, NULL, 0), -EAGAIN);
    sem_post(&gate);
    expect(distributor_add_task(d, &nothing, NULL, 0), 0);
    expect(sum_up(d).completed, 1 + 400 + 10 + 1);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

/* Every worker adds into a full queue, and nobody hangs. */
Test(limits, all_workers_spawn_at_once)
{
    static const distributor_task_type_t type = {.name = "many", .run = spawn_many};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 4, .input_limit = 1));
    expect(distributor_start(d), 0);
    for (int i = 0; i < 4; i++) {
        sem_post(&gate);
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    }
    expect(sum_up(d).completed, 4 * 411);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

/* ---- Deadlines of adds ---- */

Test(limits, add_until_a_deadline)
{
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &gated, NULL, 0), 0);
    await(&begun);
    /* Room: a deadline that has passed does not matter. */
    expect(distributor_add_task_until(d, &nothing, NULL, 0, 0), 0);
    /* No room. */
    expect(distributor_add_task_until(d, &nothing, NULL, 0, 0), -ETIMEDOUT);
    expect(distributor_add_task_until(d, &nothing, NULL, 0, INT64_MIN), -ETIMEDOUT);
    int64_t deadline = distributor_now() + MILLISECONDS(30);
    expect(distributor_add_task_until(d, &nothing, NULL, 0, deadline), -ETIMEDOUT);
    ensure(distributor_now() >= deadline);
    sem_post(&gate);
    expect(distributor_add_task_until(d, &nothing, NULL, 0, DISTRIBUTOR_FOREVER), 0);
    expect(sum_up(d).completed, 3);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

Test(limits, add_tasks_waits_for_room)
{
    static const int inputs[1000];
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 3));
    expect(distributor_start(d), 0);
    expect(distributor_add_tasks(d, &echo, inputs, sizeof(int), 1000), 1000);
    expect(distributor_add_tasks(d, &echo, NULL, 0, 10), 10);
    expect(distributor_close(d), 0);
    expect(drain(d), 1010);
    expect(distributor_add_tasks(d, &echo, inputs, sizeof(int), 1000), -ESHUTDOWN);
    expect(sum_up(d).added, 1010);
    expect(distributor_destroy(d), 0);
    finish();
}

static void *stop_soon(void *argument)
{
    nap(MILLISECONDS(20));
    task_assert(distributor_stop(argument) == 0);
    sem_post(&gate);
    return NULL;
}

/* Stopped in the middle of an array: the count is that of the tasks that run. */
Test(limits, add_tasks_says_how_many_were_taken)
{
    static const int inputs[50];
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 20));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &gated, NULL, 0), 0);
    await(&begun);
    pthread_t stopper = begin_thread(stop_soon, d);
    ptrdiff_t taken = distributor_add_tasks(d, &echo, inputs, sizeof(int), 50);
    ensure(taken == -ESHUTDOWN || taken == 20);
    end_thread(stopper);
    taken = taken < 0 ? 0 : taken;
    expect(drain(d), taken);
    expect(sum_up(d).completed, 1 + taken);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}
