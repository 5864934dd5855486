/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cancel: what has not begun is discarded and counted, running tasks are told, what was emitted can
 * be read, and each input and result meets its discard callback at most once.
 */
#include "support.h"

TestSuite(cancel, .timeout = 240);

enum { IDS = 20000 };

static atomic_uchar input_discarded[IDS], result_discarded[IDS], has_run[IDS];
static sem_t begun, gate;

static void clear_ids(void)
{
    memset(input_discarded, 0, sizeof(input_discarded));
    memset(result_discarded, 0, sizeof(result_discarded));
    memset(has_run, 0, sizeof(has_run));
}

static void discard_input(void *input, size_t size)
{
    unsigned id = *(unsigned *)input;
    task_assert(size == sizeof(id) && id < IDS);
    task_assert(atomic_fetch_add(&input_discarded[id], 1) == 0);
}

static void discard_result(void *result, size_t size)
{
    unsigned id = *(unsigned *)result;
    task_assert(size == sizeof(id) && id < IDS);
    task_assert(atomic_fetch_add(&result_discarded[id], 1) == 0);
}

static int emit_input(distributor_task_t *self, const void *input, size_t size)
{
    atomic_fetch_add(&has_run[*(const unsigned *)input], 1);
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t plain = {
    .name = "plain",
    .run = emit_input,
    .discard_input = discard_input,
    .discard_result = discard_result,
};

static int wait_to_be_told(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(!distributor_should_stop(self));
    task_assert(distributor_emit(self, input, size) == 0);
    sem_post(&begun);
    await(&gate);
    while (!distributor_should_stop(self))
        sched_yield();
    task_assert(distributor_spawn(self, &plain, input, size) == -ESHUTDOWN);
    task_assert(distributor_add_task(distributor_of(self), &plain, input, size) == -ESHUTDOWN);
    return *(const unsigned *)input == 0 ? 0 : distributor_fail(self, -EINTR, "was told");
}

static const distributor_task_type_t running = {
    .name = "running",
    .run = wait_to_be_told,
    .discard_input = discard_input,
    .discard_result = discard_result,
};

static void expect_pending_discarded(unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        expect(atomic_load(&input_discarded[i]), 1);
        expect(atomic_load(&has_run[i]), 0);
    }
}

/* ---- While it runs ---- */

/* Task 0 completes although it was told; task 1 fails because it was: it is cancelled, and leaves
 * no record.  The hundred others never began. */
Test(cancel, while_it_runs)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 3; round++) {
        clear_ids();
        expect(distributor_start(d), 0);
        for (unsigned i = 0; i < 2; i++)
            expect(distributor_add_task(d, &running, &i, sizeof(i)), 0);
        await(&begun);
        await(&begun);
        for (unsigned i = 2; i < 102; i++)
            expect(distributor_add_task(d, &plain, &i, sizeof(i)), 0);
        expect(distributor_cancel(d), 0);
        expect(distributor_cancel(d), 0);
        unsigned id = 102;
        expect(distributor_add_task(d, &plain, &id, sizeof(id)), -ESHUTDOWN);
        sem_post(&gate);
        sem_post(&gate);
        distributor_summary_t s = sum_up(d);
        expect(s.added, 102);
        expect(s.completed, 1);
        expect(s.cancelled, 1);
        expect(s.failed, 0);
        expect(s.discarded, 100);
        expect_pending_discarded(2, 102);
        distributor_result_t r;
        for (int i = 0; i < 2; i++) {
            expect(distributor_next_result(d, &r), 1);
            expect(r.error, 0);
        }
        expect(distributor_next_result(d, &r), 0);
        for (unsigned i = 0; i < 103; i++)
            expect(atomic_load(&result_discarded[i]), 0);
    }
    expect(distributor_destroy(d), 0);
    sem_destroy(&begun);
    sem_destroy(&gate);
    finish();
}

/* ---- Before start, and from a task ---- */

Test(cancel, before_start)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    clear_ids();
    for (unsigned i = 0; i < 100; i++)
        expect(distributor_add_task(d, &plain, &i, sizeof(i)), 0);
    expect(distributor_cancel(d), 0);
    expect(distributor_add_task(d, &echo, "x", 1), -ESHUTDOWN);
    distributor_summary_t s = run(d);
    expect(s.added, 100);
    expect(s.discarded, 100);
    expect_pending_discarded(0, 100);
    expect(drain(d), 0);
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(run(d).completed, 1);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

static int spawn_and_cancel(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    for (unsigned i = 1; i <= 50; i++) {
        unsigned id = *(const unsigned *)input + i;
        task_assert(distributor_spawn(self, &plain, &id, sizeof(id)) == 0);
    }
    task_assert(distributor_cancel(distributor_of(self)) == 0);
    task_assert(distributor_should_stop(self));
    return 0;
}

Test(cancel, from_inside_a_task)
{
    static const distributor_task_type_t type = {.name = "cancel", .run = spawn_and_cancel};
    distributor_t *d = make(OPTIONS(.workers = 1));
    clear_ids();
    unsigned id = 1000;
    expect(distributor_add_task(d, &type, &id, sizeof(id)), 0);
    for (unsigned i = 0; i < 100; i++)
        expect(distributor_add_task(d, &plain, &i, sizeof(i)), 0);
    distributor_summary_t s = run(d);
    expect(s.added, 151);
    expect(s.completed + s.discarded, 151);
    for (unsigned i = 0; i < 100; i++)
        expect(atomic_load(&has_run[i]) + atomic_load(&input_discarded[i]), 1);
    expect_pending_discarded(1001, 1051);
    expect(drain(d), s.results);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- An emit that finds no room ---- */

static atomic_int refused_with;

static int emit_two(distributor_task_t *self, const void *input, size_t size)
{
    unsigned id = *(const unsigned *)input;
    task_assert(distributor_emit(self, input, size) == 0);
    sem_post(&begun);
    id++;
    int rc = distributor_emit(self, &id, sizeof(id));
    atomic_store(&refused_with, rc);
    /* And so does the next one. */
    id++;
    task_assert(distributor_emit(self, &id, sizeof(id)) == -ECANCELED);
    return rc;
}

Test(cancel, an_emit_that_waits_for_room)
{
    static const distributor_task_type_t type = {
        .name = "two",
        .run = emit_two,
        .discard_result = discard_result,
    };
    sem_init(&begun, 0, 0);
    clear_ids();
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1));
    expect(distributor_start(d), 0);
    unsigned id = 0;
    expect(distributor_add_task(d, &type, &id, sizeof(id)), 0);
    await(&begun);
    nap(MILLISECONDS(10));
    expect(distributor_cancel(d), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.cancelled, 1);
    expect(s.results, 3); /* those that were dropped included */
    expect(atomic_load(&refused_with), -ECANCELED);
    expect(atomic_load(&result_discarded[0]), 0);
    expect(atomic_load(&result_discarded[1]), 1);
    expect(atomic_load(&result_discarded[2]), 1);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    expect(*(const unsigned *)r.data, 0);
    expect(distributor_next_result(d, &r), 0);
    expect(distributor_destroy(d), 0);
    expect(atomic_load(&result_discarded[0]), 0);
    sem_destroy(&begun);
    finish();
}

/* ---- Races ---- */

static void *add_until_refused(void *argument)
{
    unsigned id = 0;
    int rc = 0;
    for (; id < IDS && rc == 0; id += rc == 0)
        rc = distributor_add_task(argument, &plain, &id, sizeof(id));
    task_assert(rc == 0 || rc == -ESHUTDOWN);
    return (void *)(uintptr_t)id;
}

static void one_race(distributor_t *d, unsigned round)
{
    clear_ids();
    expect(distributor_start(d), 0);
    pthread_t adder = begin_thread(add_until_refused, d);
    nap((int64_t)(round % 20) * 20000);
    expect(distributor_cancel(d), 0);
    void *returned;
    expect(pthread_join(adder, &returned), 0);
    unsigned taken = (unsigned)(uintptr_t)returned;
    distributor_summary_t s = sum_up(d);
    expect(s.added, taken);
    expect(s.completed, drain(d));
    for (unsigned i = 0; i < IDS; i++)
        expect(atomic_load(&has_run[i]) + atomic_load(&input_discarded[i]), i < taken);
}

/* Each task that was accepted either ran or was discarded, whenever the cancel comes. */
Test(cancel, cancel_races_the_work)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (unsigned n = rounds(100); n > 0; n--)
        one_race(d, n);
    expect(distributor_destroy(d), 0);
    finish();
}
