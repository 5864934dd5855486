/* SPDX-License-Identifier: BSD-2-Clause */
/* close and stop: who may still add, and what runs. */
#include "support.h"

TestSuite(stop, .timeout = 240);

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

static int wait_then_spawn(distributor_task_t *self, const void *input, size_t size)
{
    int expected = *(const int *)input;
    task_assert(size == sizeof(expected));
    sem_post(&begun);
    await(&gate);
    distributor_t *d = distributor_of(self);
    task_assert(distributor_spawn(self, &echo, "spawned", 7) == expected);
    task_assert(distributor_add_task(d, &echo, "added", 5) == expected);
    task_assert(distributor_try_add_task(d, &echo, "tried", 5) == expected);
    ptrdiff_t taken = distributor_add_tasks(d, &echo, "several", 1, 7);
    task_assert(taken == (expected == 0 ? 7 : expected));
    return 0;
}

static const distributor_task_type_t spawner = {.name = "spawner", .run = wait_then_spawn};

static void expect_adds_refused(distributor_t *d)
{
    expect(distributor_add_task(d, &echo, "x", 1), -ESHUTDOWN);
    expect(distributor_try_add_task(d, &echo, "x", 1), -ESHUTDOWN);
    expect(distributor_add_task_until(d, &echo, "x", 1, 0), -ESHUTDOWN);
    expect(distributor_add_task_until(d, &echo, "x", 1, DISTRIBUTOR_FOREVER), -ESHUTDOWN);
    expect(distributor_add_tasks(d, &echo, "x", 1, 1), -ESHUTDOWN);
}

typedef int end_fn(distributor_t *d);

/* What waits runs in both cases; whether its tasks may spawn is `spawned`. */
static void end_while_it_runs(end_fn *end, int spawned, unsigned results)
{
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int round = 0; round < 3; round++) {
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &spawner, &spawned, sizeof(int)), 0);
        for (int i = 0; i < 10; i++)
            expect(distributor_add_task(d, &echo, "accepted", 8), 0);
        await(&begun);
        expect(end(d), 0);
        expect(end(d), 0);
        expect_adds_refused(d);
        sem_post(&gate);
        expect(drain(d), results);
        /* STOP has come; nobody has joined yet. */
        expect_adds_refused(d);
        expect(distributor_add_worker(d, "too late"), -ESHUTDOWN);
        distributor_summary_t s = sum_up(d);
        expect(s.completed, 1 + results);
        expect(s.discarded, 0);
    }
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

Test(stop, close_lets_tasks_spawn)
{
    end_while_it_runs(distributor_close, 0, 10 + 10);
}

static distributor_t *other;

/* Many words, so that the short ways of adding are open; each is a spawn, whatever its thread has
 * used last. */
static int close_then_add(distributor_task_t *self, const void *input, size_t size)
{
    distributor_t *d = distributor_of(self);
    (void)input, (void)size;
    task_assert(distributor_close(d) == 0);
    for (int i = 0; i < 300; i++) {
        task_assert(distributor_add_task(d, &echo, "a spawn!", 8) == 0);
        task_assert(distributor_add_task(d, &echo, "another!", 8) == 0);
        task_assert(distributor_add_task(other, &echo, "outside!", 8) == 0);
    }
    return 0;
}

Test(stop, words_that_a_task_adds_after_close)
{
    static const distributor_task_type_t type = {.name = "closes", .run = close_then_add};
    distributor_t *d = make(OPTIONS(.workers = 1));
    other = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(run(d).completed, 1 + 600);
    expect(drain(d), 600);
    expect(run(other).completed, 300);
    expect(drain(other), 300);
    expect(distributor_destroy(d), 0);
    expect(distributor_destroy(other), 0);
    finish();
}

Test(stop, stop_lets_nobody_add)
{
    end_while_it_runs(distributor_stop, -ESHUTDOWN, 10);
}

static int close_then_stop(distributor_t *d)
{
    int rc = distributor_close(d);
    return rc == 0 ? distributor_stop(d) : rc;
}

Test(stop, stop_after_close_lets_nobody_add)
{
    end_while_it_runs(close_then_stop, -ESHUTDOWN, 10);
}

static int stop_then_close(distributor_t *d)
{
    int rc = distributor_stop(d);
    return rc == 0 ? distributor_close(d) : rc;
}

Test(stop, close_after_stop_changes_nothing)
{
    end_while_it_runs(stop_then_close, -ESHUTDOWN, 10);
}

/* ---- Before start ---- */

static void end_before_start(end_fn *end, int spawned, unsigned results)
{
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 3; round++) {
        expect(distributor_add_task(d, &spawner, &spawned, sizeof(int)), 0);
        expect(end(d), 0);
        expect_adds_refused(d);
        sem_post(&gate);
        distributor_summary_t s = run(d);
        expect(s.completed, 1 + results);
        expect(drain(d), results);
    }
    /* After join the next run is open again. */
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(run(d).completed, 1);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

Test(stop, close_before_start)
{
    end_before_start(distributor_close, 0, 10);
}

Test(stop, stop_before_start)
{
    end_before_start(distributor_stop, -ESHUTDOWN, 0);
}

/* ---- From inside a task ---- */

static int close_from_inside(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_close(distributor_of(self)) == 0);
    task_assert(distributor_spawn(self, &echo, "child", 5) == 0);
    return 0;
}

/* Nobody outside closes: the reader sees STOP all the same. */
Test(stop, a_task_closes)
{
    static const distributor_task_type_t type = {.name = "close", .run = close_from_inside};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 10; round++) {
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &type, NULL, 0), 0);
        expect(drain(d), 1);
        expect(sum_up(d).completed, 2);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Adders that wait ---- */

static int wait_only(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

static atomic_uint accepted;

static void *add_for_ever(void *argument)
{
    int rc;
    while ((rc = distributor_add_task_until(argument, &echo, "x", 1, DISTRIBUTOR_FOREVER)) == 0)
        atomic_fetch_add(&accepted, 1);
    task_assert(rc == -ESHUTDOWN);
    return NULL;
}

static void end_while_adders_wait(end_fn *end)
{
    static const distributor_task_type_t type = {.name = "wait", .run = wait_only};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    pthread_t thread[5];
    for (int i = 0; i < 5; i++)
        thread[i] = begin_thread(add_for_ever, d);
    nap(MILLISECONDS(20));
    expect(end(d), 0);
    /* The worker still waits: nothing but the end has woken them. */
    for (int i = 0; i < 5; i++)
        end_thread(thread[i]);
    sem_post(&gate);
    expect(drain(d), atomic_load(&accepted));
    expect(sum_up(d).completed, 1 + atomic_load(&accepted));
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

Test(stop, close_wakes_adders)
{
    end_while_adders_wait(distributor_close);
}

Test(stop, stop_wakes_adders)
{
    end_while_adders_wait(distributor_stop);
}

/* A thread that has added some words takes a short way, which has a door of its own. */
static void end_among_words(end_fn *end, distributor_order_t order)
{
    enum { WORDS = 200 };
    const uint64_t word = 7;
    distributor_t *d = make(OPTIONS(.workers = 1, .order = order));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WORDS; i++)
            expect(distributor_add_task(d, &echo, &word, sizeof(word)), 0);
        expect(end(d), 0);
        for (int i = 0; i < 3; i++)
            expect(distributor_add_task(d, &echo, &word, sizeof(word)), -ESHUTDOWN);
        distributor_summary_t s = run(d);
        expect(s.added, WORDS);
        expect(s.completed, WORDS);
        expect(drain(d), WORDS);
    }
    expect(distributor_destroy(d), 0);
}

Test(stop, among_words)
{
    end_among_words(distributor_close, DISTRIBUTOR_AS_COMPLETED);
    end_among_words(distributor_stop, DISTRIBUTOR_AS_COMPLETED);
    end_among_words(distributor_close, DISTRIBUTOR_AS_ADDED);
    end_among_words(distributor_stop, DISTRIBUTOR_AS_ADDED);
    finish();
}

/* ---- Races ---- */

static void *stop_it(void *argument)
{
    task_assert(distributor_stop(argument) == 0);
    return NULL;
}

/* An add either runs or was refused, whenever the stop comes. */
Test(stop, stop_races_adds)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (unsigned n = rounds(500); n > 0; n--) {
        expect(distributor_start(d), 0);
        pthread_t stopper[2] = {begin_thread(stop_it, d), begin_thread(stop_it, d)};
        unsigned taken = 0;
        int rc;
        while ((rc = distributor_add_task(d, &echo, "x", 1)) == 0)
            taken++;
        expect(rc, -ESHUTDOWN);
        end_thread(stopper[0]);
        end_thread(stopper[1]);
        expect(drain(d), taken);
        expect(sum_up(d).completed, taken);
    }
    expect(distributor_destroy(d), 0);
    finish();
}
