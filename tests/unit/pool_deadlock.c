/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -EDEADLK: the thread that called start waits in add or join, but every worker waits for room in
 * the output, nobody else has ever read, and nothing moves.  It is told so, loses nothing, reads on
 * and calls again.  Who is not in that trap is never told so.
 */
#include "support.h"

TestSuite(deadlock, .timeout = 240);

static int emit_five(distributor_task_t *self, const void *input, size_t size)
{
    for (int i = 0; i < 5; i++)
        task_assert(distributor_emit(self, input, size) == 0);
    return 0;
}

static const distributor_task_type_t five = {.name = "five", .run = emit_five};

static void expect_results(distributor_t *d, unsigned count)
{
    distributor_result_t r;
    for (unsigned i = 0; i < count; i++)
        expect(distributor_next_result(d, &r), 1);
}

/* ---- join ---- */

/* Every worker is blocked: two tasks for two workers. */
Test(deadlock, join_says_so_and_loses_nothing)
{
    distributor_t *d =
        make(OPTIONS(.workers = 2, .output_limit = 2, .deadlock_ns = MILLISECONDS(5)));
    for (int i = 0; i < 4; i++)
        expect(distributor_add_task(d, &five, &i, sizeof(i)), 0);
    distributor_summary_t s = {.added = 77};
    expect(distributor_run(d, &s), -EDEADLK);
    expect(s.added, 77);
    expect_results(d, 3);
    expect(distributor_join(d, NULL), -EDEADLK);
    /* It is closed since the first join. */
    expect(distributor_add_task(d, &five, NULL, 0), -ESHUTDOWN);
    expect(drain(d), 17);
    s = sum_up(d);
    expect(s.completed, 4);
    expect(s.results, 20);
    expect(distributor_destroy(d), 0);
    finish();
}

/* One task for two workers: the other one has nothing to do, and nobody can go on either. */
Test(deadlock, join_says_so_with_an_idle_worker)
{
    distributor_t *d =
        make(OPTIONS(.workers = 2, .output_limit = 2, .deadlock_ns = MILLISECONDS(5)));
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_run(d, NULL), -EDEADLK);
    expect(drain(d), 5);
    expect(sum_up(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}

static int fail_at_once(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return -EIO;
}

/* What the workers wait with may be the failures of their tasks. */
Test(deadlock, failures_with_no_reader)
{
    static const distributor_task_type_t type = {.name = "fail", .run = fail_at_once};
    distributor_t *d =
        make(OPTIONS(.workers = 2, .output_limit = 1, .deadlock_ns = MILLISECONDS(5)));
    for (int i = 0; i < 10; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(distributor_run(d, NULL), -EDEADLK);
    expect(drain(d), 10);
    expect(sum_up(d).failed, 10);
    expect(distributor_destroy(d), 0);
    finish();
}

/* Forever is off: then the deadline decides. */
Test(deadlock, off)
{
    distributor_t *d =
        make(OPTIONS(.workers = 1, .output_limit = 1, .deadlock_ns = DISTRIBUTOR_FOREVER));
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_start(d), 0);
    int64_t deadline = distributor_now() + MILLISECONDS(50);
    expect(distributor_join_until(d, NULL, deadline), -ETIMEDOUT);
    ensure(distributor_now() >= deadline);
    expect(drain(d), 5);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

static void *join_it(void *argument)
{
    distributor_summary_t s;
    task_assert(distributor_join(argument, &s) == 0);
    task_assert(s.completed == 1 && s.results == 5);
    return NULL;
}

/* Another thread joins, the one that started reads when it likes. */
Test(deadlock, only_the_thread_that_started)
{
    distributor_t *d =
        make(OPTIONS(.workers = 1, .output_limit = 1, .deadlock_ns = MILLISECONDS(1)));
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_start(d), 0);
    pthread_t joiner = begin_thread(join_it, d);
    for (int i = 0; i < 5; i++) {
        nap(MILLISECONDS(20));
        expect_results(d, 1);
    }
    end_thread(joiner);
    expect(distributor_destroy(d), 0);
    finish();
}

static sem_t has_read;

static void *read_slowly(void *argument)
{
    distributor_result_t r;
    for (int i = 0; i < 5; i++) {
        task_assert(distributor_next_result(argument, &r) == 1);
        sem_post(&has_read);
        nap(MILLISECONDS(20));
    }
    task_assert(distributor_next_result(argument, &r) == 0);
    return NULL;
}

/* Another thread has read, so it may well go on. */
Test(deadlock, not_if_somebody_else_reads)
{
    sem_init(&has_read, 0, 0);
    distributor_t *d =
        make(OPTIONS(.workers = 1, .output_limit = 1, .deadlock_ns = MILLISECONDS(1)));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    pthread_t reader = begin_thread(read_slowly, d);
    await(&has_read);
    expect(sum_up(d).results, 5);
    end_thread(reader);
    expect(distributor_destroy(d), 0);
    sem_destroy(&has_read);
    finish();
}

static int sleep_then_emit(distributor_task_t *self, const void *input, size_t size)
{
    nap(MILLISECONDS(30));
    return distributor_emit(self, input, size);
}

/* A task that takes its time is no deadlock. */
Test(deadlock, not_while_a_task_runs)
{
    static const distributor_task_type_t type = {.name = "slow", .run = sleep_then_emit};
    distributor_t *d =
        make(OPTIONS(.workers = 2, .output_limit = 4, .deadlock_ns = MILLISECONDS(1)));
    for (int i = 0; i < 4; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(run(d).completed, 4);
    expect(drain(d), 4);
    expect(distributor_destroy(d), 0);
    finish();
}

static sem_t slow_begun;
static atomic_bool slow_ended;

static int take_its_time(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&slow_begun);
    nap(MILLISECONDS(50));
    atomic_store(&slow_ended, true);
    return 0;
}

/* Nor is it one while one worker waits for room and another one works. */
Test(deadlock, not_while_another_task_runs)
{
    static const distributor_task_type_t slow = {.name = "slow", .run = take_its_time};
    sem_init(&slow_begun, 0, 0);
    distributor_t *d =
        make(OPTIONS(.workers = 2, .output_limit = 1, .deadlock_ns = MILLISECONDS(1)));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &slow, NULL, 0), 0);
    await(&slow_begun);
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_join(d, NULL), -EDEADLK);
    ensure(atomic_load(&slow_ended));
    expect(drain(d), 5);
    expect(sum_up(d).completed, 2);
    expect(distributor_destroy(d), 0);
    sem_destroy(&slow_begun);
    finish();
}

/* ---- add ---- */

static void add_or_read(distributor_t *d, unsigned *told, unsigned *got)
{
    int rc;
    while ((rc = distributor_add_task(d, &five, NULL, 0)) == -EDEADLK) {
        expect_results(d, 1);
        (*told)++, (*got)++;
    }
    expect(rc, 0);
}

Test(deadlock, add_says_so_and_loses_nothing)
{
    distributor_t *d = make(
        OPTIONS(.workers = 2, .input_limit = 2, .output_limit = 2, .deadlock_ns = MILLISECONDS(2)));
    expect(distributor_start(d), 0);
    unsigned told = 0, got = 0;
    for (int i = 0; i < 12; i++)
        add_or_read(d, &told, &got);
    ensure(told > 0);
    expect(distributor_close(d), 0);
    expect(got + drain(d), 60);
    distributor_summary_t s = sum_up(d);
    expect(s.added, 12);
    expect(s.results, 60);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(deadlock, add_tasks_says_how_many_were_taken)
{
    static const int inputs[30];
    distributor_t *d = make(
        OPTIONS(.workers = 1, .input_limit = 2, .output_limit = 2, .deadlock_ns = MILLISECONDS(2)));
    expect(distributor_start(d), 0);
    size_t added = 0;
    unsigned got = 0, told = 0;
    while (added < 30) {
        ptrdiff_t n = distributor_add_tasks(d, &five, inputs, sizeof(int), 30 - added);
        ensure(n > 0 || n == -EDEADLK);
        added += n > 0 ? (size_t)n : 0;
        told += added < 30;
        if (added < 30) {
            expect_results(d, 1);
            got++;
        }
    }
    ensure(told > 0);
    expect(distributor_close(d), 0);
    expect(got + drain(d), 150);
    expect(sum_up(d).added, 30);
    expect(distributor_destroy(d), 0);
    finish();
}

/* Full, and nobody started it. */
Test(deadlock, add_before_start)
{
    distributor_t *d =
        make(OPTIONS(.workers = 1, .input_limit = 2, .deadlock_ns = MILLISECONDS(5)));
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    expect(distributor_add_task(d, &five, NULL, 0), -EDEADLK);
    expect(run(d).completed, 2);
    expect(drain(d), 10);
    expect(distributor_destroy(d), 0);
    finish();
}

static void *start_soon(void *argument)
{
    nap(MILLISECONDS(20));
    task_assert(distributor_start(argument) == 0);
    return NULL;
}

/* Full, and started by another thread in time. */
Test(deadlock, add_waits_for_the_start)
{
    distributor_t *d =
        make(OPTIONS(.workers = 1, .input_limit = 1, .deadlock_ns = DISTRIBUTOR_FOREVER));
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    pthread_t starter = begin_thread(start_soon, d);
    expect(distributor_add_task(d, &five, NULL, 0), 0);
    end_thread(starter);
    expect(sum_up(d).completed, 2);
    expect(drain(d), 10);
    expect(distributor_destroy(d), 0);
    finish();
}
