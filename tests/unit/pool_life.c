/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of calls: what start, join and run say when they come twice, too early or from the
 * wrong thread; several distributors side by side.
 */
#include "support.h"

TestSuite(life, .timeout = 240);

/* ---- Twice, or too early ---- */

Test(life, start_and_join_twice)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_join(d, NULL), -EINVAL);
    expect(distributor_join_until(d, NULL, 0), -EINVAL);
    for (int i = 0; i < 3; i++) {
        expect(distributor_start(d), 0);
        expect(distributor_start(d), -EBUSY);
        expect(distributor_run(d, NULL), -EBUSY);
        expect(distributor_add_task(d, &nothing, NULL, 0), 0);
        expect(distributor_join(d, NULL), 0);
        expect(distributor_join(d, NULL), -EINVAL);
        expect(distributor_join_until(d, NULL, DISTRIBUTOR_FOREVER), -EINVAL);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* A join that was refused has closed nothing. */
Test(life, a_join_too_early_does_not_close)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_join(d, NULL), -EINVAL);
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(run(d).completed, 1);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* start is refused while results are unread, and leaves everything as it was. */
Test(life, start_with_unread_results)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_task(d, &echo, "x", 1), 0);
    run(d);
    distributor_result_t r;
    for (int unread = 3; unread > 0; unread--) {
        expect(distributor_start(d), -EBUSY);
        expect(distributor_run(d, NULL), -EBUSY);
        expect(distributor_join(d, NULL), -EINVAL);
        expect(distributor_next_result(d, &r), 1);
        ensure(r.size == 1 && *(const char *)r.data == 'x');
    }
    run(d);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Two that join ---- */

static sem_t begun, gate;

static int wait_at_gate(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

static atomic_int joiner;

static void *join_it(void *argument)
{
    atomic_store(&joiner, gettid());
    task_assert(distributor_join(argument, NULL) == 0);
    return NULL;
}

Test(life, one_joins_at_a_time)
{
    static const distributor_task_type_t type = {.name = "gate", .run = wait_at_gate};
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    pthread_t thread = begin_thread(join_it, d);
    while (atomic_load(&joiner) == 0 || !sleeps(atomic_load(&joiner)))
        nap(100000);
    expect(distributor_join(d, NULL), -EBUSY);
    expect(distributor_join_until(d, NULL, 0), -EBUSY);
    expect(distributor_start(d), -EBUSY);
    sem_post(&gate);
    end_thread(thread);
    expect(distributor_join(d, NULL), -EINVAL);
    expect(distributor_destroy(d), 0);
    sem_destroy(&begun);
    sem_destroy(&gate);
    finish();
}

/* ---- From inside a task ---- */

static int call_what_waits(distributor_task_t *self, const void *input, size_t size)
{
    distributor_t *d = distributor_of(self);
    distributor_result_t r[2];
    task_assert(distributor_emit(self, input, size) == 0);
    task_assert(distributor_next_result(d, r) == -EDEADLK);
    task_assert(distributor_try_next_result(d, r) == -EDEADLK);
    task_assert(distributor_next_result_until(d, r, 0) == -EDEADLK);
    task_assert(distributor_next_result_until(d, r, DISTRIBUTOR_FOREVER) == -EDEADLK);
    task_assert(distributor_next_results(d, r, 2) == -EDEADLK);
    distributor_drop_results(d);
    task_assert(distributor_join(d, NULL) == -EDEADLK);
    task_assert(distributor_join_until(d, NULL, 0) == -EDEADLK);
    task_assert(distributor_run(d, NULL) == -EDEADLK);
    task_assert(distributor_destroy(d) == -EDEADLK);
    task_assert(distributor_start(d) == -EBUSY);
    /* The join that was refused has not closed it. */
    return distributor_spawn(self, &echo, input, size);
}

Test(life, a_task_cannot_wait_for_its_own_distributor)
{
    static const distributor_task_type_t type = {.name = "waits", .run = call_what_waits};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, "x", 1), 0);
    distributor_result_t r;
    for (int i = 0; i < 2; i++) {
        expect(distributor_next_result(d, &r), 1);
        ensure(r.size == 1 && *(const char *)r.data == 'x');
    }
    expect(distributor_add_task(d, &echo, "y", 1), 0);
    expect(sum_up(d).results, 3);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Several distributors ---- */

static int use_another(distributor_task_t *self, const void *input, size_t size)
{
    distributor_t *inner = make(OPTIONS(.workers = 2));
    unsigned n = *(const unsigned *)input;
    task_assert(distributor_add_task(inner, &echo, input, size) == 0);
    task_assert(distributor_run(inner, NULL) == 0);
    distributor_result_t r;
    task_assert(distributor_next_result(inner, &r) == 1);
    n += *(const unsigned *)r.data;
    task_assert(distributor_next_result(inner, &r) == 0);
    task_assert(distributor_destroy(inner) == 0);
    return distributor_emit(self, &n, sizeof(n));
}

/* A task may wait for any distributor but its own. */
Test(life, a_task_uses_a_distributor_of_its_own)
{
    static const distributor_task_type_t type = {.name = "outer", .run = use_another};
    distributor_t *d = make(OPTIONS(.workers = 3));
    for (unsigned i = 0; i < 100; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    run(d);
    unsigned sum = 0;
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1)
        sum += *(const unsigned *)r.data;
    expect(sum, 2 * 4950);
    expect(distributor_destroy(d), 0);
    finish();
}

static distributor_t *second;

static int hand_on(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    return distributor_add_task(second, &echo, input, size);
}

/* One feeds the other, which is bounded at both ends. */
Test(life, two_in_a_row)
{
    static const distributor_task_type_t type = {.name = "hand on", .run = hand_on};
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 4));
    second = make(OPTIONS(.workers = 2, .input_limit = 2, .output_limit = 2));
    expect(distributor_start(second), 0);
    expect(distributor_start(d), 0);
    distributor_result_t r;
    unsigned got = 0;
    for (unsigned i = 0; i < 2000; i++)
        while (distributor_try_add_task(d, &type, &i, sizeof(i)) == -EAGAIN) {
            expect(distributor_next_result(second, &r), 1);
            got++;
        }
    expect(distributor_close(d), 0);
    for (; got < 2000; got++)
        expect(distributor_next_result(second, &r), 1);
    expect(sum_up(d).completed, 2000);
    expect(sum_up(second).completed, 2000);
    expect(drain(second), 0);
    expect(distributor_destroy(d), 0);
    expect(distributor_destroy(second), 0);
    finish();
}

/* ---- A thread that a task made ---- */

static void *add_from_outside(void *argument)
{
    task_assert(distributor_add_task(argument, &nothing, NULL, 0) == -ESHUTDOWN);
    distributor_result_t r;
    task_assert(distributor_next_result(argument, &r) == 1);
    return NULL;
}

static int make_a_thread(distributor_task_t *self, const void *input, size_t size)
{
    pthread_t thread;
    distributor_t *d = distributor_of(self);
    task_assert(distributor_emit(self, input, size) == 0);
    task_assert(distributor_close(d) == 0);
    task_assert(pthread_create(&thread, NULL, add_from_outside, d) == 0);
    task_assert(pthread_join(thread, NULL) == 0);
    return 0;
}

/* It is no part of the task: its adds come from outside, and it may read. */
Test(life, a_thread_made_by_a_task_is_outside)
{
    static const distributor_task_type_t type = {.name = "thread", .run = make_a_thread};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, "x", 1), 0);
    expect(run(d).completed, 1);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}
