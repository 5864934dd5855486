/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's capabilities, first half: adding, running and stopping (A1 to A6).  Where the seed
 * of this project had a defect, the test that would show it stands here.
 */
#include "support.h"

TestSuite(capabilities, .timeout = 240);

/* ---- A1: N workers, one input queue, one output queue ---- */

#define A1_WORKERS 3

static pthread_barrier_t a1_all_here;

static int a1_meet(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    pthread_barrier_wait(&a1_all_here);
    unsigned worker = distributor_worker_index(self);
    return distributor_emit(self, &worker, sizeof(worker));
}

/* The tasks wait for one another: they end only if each has a worker of its own. */
Test(capabilities, a1_workers_share_one_input_and_one_output)
{
    static const distributor_task_type_t meet = {.name = "meet", .run = a1_meet};
    distributor_t *d = make(OPTIONS(.workers = A1_WORKERS));
    pthread_barrier_init(&a1_all_here, NULL, A1_WORKERS);
    for (int i = 0; i < A1_WORKERS; i++)
        expect(distributor_add_task(d, &meet, NULL, 0), 0);
    distributor_summary_t s = run(d);
    expect(s.completed, A1_WORKERS);

    bool seen[A1_WORKERS] = {false};
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        unsigned worker = *(const unsigned *)r.data;
        ensure(worker < A1_WORKERS && !seen[worker]);
        expect(r.worker, worker);
        seen[worker] = true;
    }
    ensure(seen[0] && seen[1] && seen[2]);
    expect(distributor_destroy(d), 0);
    pthread_barrier_destroy(&a1_all_here);
    finish();
}

/* ---- A2: add_task before run, while it runs, and from inside a task ---- */

static int a2_family(distributor_task_t *self, const void *input, size_t size)
{
    int age = *(const int *)input;
    task_assert(size == sizeof(age));
    task_assert(distributor_emit(self, &age, sizeof(age)) == 0);
    static const distributor_task_type_t family = {.name = "family", .run = a2_family};
    if (--age < 0)
        return 0;
    task_assert(distributor_spawn(self, &family, &age, sizeof(age)) == 0);
    /* The seed's own habit: the same call inside and outside. */
    return distributor_add_task(distributor_of(self), &family, &age, sizeof(age));
}

Test(capabilities, a2_tasks_from_outside_and_from_inside)
{
    static const distributor_task_type_t family = {.name = "family", .run = a2_family};
    distributor_t *d = make(OPTIONS(.workers = 2));
    int age = 9;
    expect(distributor_add_task(d, &family, &age, sizeof(age)), 0);
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &family, &age, sizeof(age)), 0);
    expect(distributor_close(d), 0);
    expect(drain(d), 2 * 1023);
    distributor_summary_t s = sum_up(d);
    expect(s.added, 2 * 1023);
    expect(s.completed, 2 * 1023);
    expect(s.results, 2 * 1023);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A3: zero or more results a task ---- */

static int a3_count(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    int n = *(const int *)input;
    for (int i = 0; i < n; i++)
        task_assert(distributor_emit(self, &n, sizeof(n)) == 0);
    return 0;
}

Test(capabilities, a3_zero_or_more_results)
{
    static const distributor_task_type_t count = {.name = "count", .run = a3_count};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int n = 0; n < 10; n++)
        expect(distributor_add_task(d, &count, &n, sizeof(n)), 0);
    distributor_summary_t s = run(d);
    expect(s.completed, 10);
    expect(s.results, 45);
    int seen[10] = {0};
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        expect(r.size, sizeof(int));
        seen[*(const int *)r.data]++;
    }
    for (int n = 0; n < 10; n++)
        expect(seen[n], n);
    expect(distributor_destroy(d), 0);
    finish();
}

/* The seed: a run without yield killed the worker, and run() never came back. */
Test(capabilities, a3_a_run_that_emits_nothing_ends)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int i = 0; i < 100; i++)
        expect(distributor_add_task(d, &nothing, NULL, 0), 0);
    distributor_summary_t s = run(d);
    expect(s.completed, 100);
    expect(s.results, 0);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A4: run starts, and returns when out of work ---- */

/* The seed: hung for ever. */
Test(capabilities, a4_no_task_at_all)
{
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (int i = 0; i < 100; i++) {
        distributor_summary_t s = run(d);
        expect(s.added, 0);
        expect(s.results, 0);
        expect(drain(d), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int a4_raise(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    return distributor_fail(self, -EIO, "an exception in a task");
}

/* The seed: hung for ever. */
Test(capabilities, a4_a_failing_task)
{
    static const distributor_task_type_t raise_ = {.name = "raise", .run = a4_raise};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_task(d, &raise_, NULL, 0), 0);
    expect(distributor_add_task(d, &echo, "fine", 4), 0);
    distributor_summary_t s = run(d);
    expect(s.failed, 1);
    expect(s.completed, 1);
    int failed = 0, fine = 0;
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        failed += r.error == -EIO && strcmp(r.message, "an exception in a task") == 0;
        fine += r.error == 0 && r.size == 4 && memcmp(r.data, "fine", 4) == 0;
    }
    expect(failed, 1);
    expect(fine, 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A5: it stops all workers by itself when work runs out ---- */

#define A5_CHAIN 21

static int a5_link(distributor_task_t *self, const void *input, size_t size)
{
    int left = *(const int *)input - 1;
    static const distributor_task_type_t link_ = {.name = "link", .run = a5_link};
    return left > 0 ? distributor_spawn(self, &link_, &left, size) : 0;
}

static void a5_one_chain(distributor_t *d)
{
    static const distributor_task_type_t link_ = {.name = "link", .run = a5_link};
    int left = A5_CHAIN;
    expect(distributor_add_task(d, &link_, &left, sizeof(left)), 0);
    distributor_summary_t s = run(d);
    expect(s.added, A5_CHAIN);
    expect(s.completed, A5_CHAIN);
}

/* The seed: 26 of 300 runs of this chain lost tasks to an early STOP. */
Test(capabilities, a5_stops_when_work_runs_out)
{
    for (unsigned n = rounds(10000); n > 0; n--) {
        distributor_t *d = make(OPTIONS(.workers = 4));
        a5_one_chain(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

Test(capabilities, a5_stops_when_work_runs_out_each_time)
{
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (unsigned n = rounds(10000); n > 0; n--)
        a5_one_chain(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A6: stop puts STOP at the end of the queue ---- */

static pthread_barrier_t a6_both_here;

static int a6_stop(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    pthread_barrier_wait(&a6_both_here);
    task_assert(distributor_stop(distributor_of(self)) == 0);
    task_assert(distributor_spawn(self, &nothing, NULL, 0) == -ESHUTDOWN);
    return 0;
}

/* The seed: workers that raced to stop left 20 to 60 stale STOPs for the next run. */
Test(capabilities, a6_stop_twice_at_once_from_two_tasks)
{
    static const distributor_task_type_t stop = {.name = "stop", .run = a6_stop};
    distributor_t *d = make(OPTIONS(.workers = 2));
    pthread_barrier_init(&a6_both_here, NULL, 2);
    for (unsigned n = rounds(1000); n > 0; n--) {
        expect(distributor_add_task(d, &stop, NULL, 0), 0);
        expect(distributor_add_task(d, &stop, NULL, 0), 0);
        for (int i = 0; i < 20; i++)
            expect(distributor_add_task(d, &echo, "accepted", 8), 0);
        distributor_summary_t s = run(d);
        expect(s.completed, 22);
        expect(drain(d), 20);
    }
    expect(distributor_destroy(d), 0);
    pthread_barrier_destroy(&a6_both_here);
    finish();
}

static sem_t a6_gate;
static atomic_uint a6_accepted;

static int a6_wait(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    await(&a6_gate);
    return 0;
}

static void *a6_add(void *argument)
{
    int rc;
    while ((rc = distributor_add_task(argument, &nothing, NULL, 0)) == 0)
        atomic_fetch_add(&a6_accepted, 1);
    task_assert(rc == -ESHUTDOWN);
    return NULL;
}

Test(capabilities, a6_stop_while_adders_wait_for_room)
{
    static const distributor_task_type_t gate = {.name = "gate", .run = a6_wait};
    sem_init(&a6_gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &gate, NULL, 0), 0);
    pthread_t adder[4];
    for (int i = 0; i < 4; i++)
        adder[i] = begin_thread(a6_add, d);
    while (distributor_try_add_task(d, &nothing, NULL, 0) != -EAGAIN)
        atomic_fetch_add(&a6_accepted, 1);
    nap(MILLISECONDS(20));
    expect(distributor_stop(d), 0);
    expect(distributor_stop(d), 0);
    for (int i = 0; i < 4; i++)
        end_thread(adder[i]);
    sem_post(&a6_gate);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, 1 + atomic_load(&a6_accepted));
    expect(distributor_destroy(d), 0);
    sem_destroy(&a6_gate);
    finish();
}
