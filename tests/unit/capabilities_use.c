/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's capabilities, second half: reading, the lock, workers that are added and messages (A7
 * to A11).  Where the seed of this project had a defect, the test that would show it stands here.
 */
#include "support.h"

TestSuite(capabilities, .timeout = 240);

/* ---- A7: results until STOP ---- */

static int a7_square(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    uint64_t n = *(const uint64_t *)input;
    n *= n;
    return distributor_emit(self, &n, sizeof(n));
}

#define A7_SQUARES 1000
#define A7_SUM UINT64_C(332833500) /* of the squares of 0 to 999 */

/* The seed: 75 of 200 such runs missed results.  Odd rounds read while it runs. */
Test(capabilities, a7_a_thousand_squares_are_all_read)
{
    static const distributor_task_type_t square = {.name = "square", .run = a7_square};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (unsigned round = rounds(2000); round > 0; round--) {
        for (uint64_t i = 0; i < A7_SQUARES; i++)
            expect(distributor_add_task(d, &square, &i, sizeof(i)), 0);
        if (round % 2 == 0) {
            run(d);
        } else {
            expect(distributor_start(d), 0);
            expect(distributor_close(d), 0);
        }
        uint64_t count = 0, sum = 0;
        distributor_result_t r;
        for (; distributor_next_result(d, &r) == 1; count++)
            sum += *(const uint64_t *)r.data;
        expect(count, A7_SQUARES);
        expect(sum, A7_SUM);
        if (round % 2 == 1)
            sum_up(d);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* The seed: a result equal to "STOP" ended the iteration. */
Test(capabilities, a7_a_result_whose_bytes_are_stop)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_task(d, &echo, "STOP", 4), 0);
    expect(distributor_add_task(d, &echo, NULL, 0), 0);
    expect(distributor_add_task(d, &echo, "on", 2), 0);
    run(d);
    distributor_result_t r;
    int stops = 0, others = 0;
    while (distributor_next_result(d, &r) == 1) {
        if (r.size == 4 && memcmp(r.data, "STOP", 4) == 0)
            stops++;
        else
            others++;
    }
    expect(stops, 3);
    expect(others, 2);
    for (int i = 0; i < 5; i++)
        expect(distributor_next_result(d, &r), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A8: results can be read while it runs ---- */

static sem_t a8_was_read;

static int a8_emit_then_wait(distributor_task_t *self, const void *input, size_t size)
{
    for (int i = 0; i < 10; i++) {
        task_assert(distributor_emit(self, input, size) == 0);
        await(&a8_was_read);
    }
    return 0;
}

/* The task goes on only when its result was read: it ends only if that works while it runs. */
Test(capabilities, a8_read_while_it_runs)
{
    static const distributor_task_type_t type = {.name = "talk", .run = a8_emit_then_wait};
    sem_init(&a8_was_read, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, "word", 4), 0);
    distributor_result_t r;
    for (int i = 0; i < 10; i++) {
        expect(distributor_next_result(d, &r), 1);
        ensure(memcmp(r.data, "word", 4) == 0);
        sem_post(&a8_was_read);
    }
    distributor_summary_t s = sum_up(d);
    expect(s.results, 10);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    sem_destroy(&a8_was_read);
    finish();
}

/* ---- A9: a lock that tasks can share ---- */

#define A9_TASKS 2000

static unsigned a9_guarded;

static int a9_under_lock(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_t *d = distributor_of(self);
    task_assert(distributor_lock(d) == 0);
    task_assert(distributor_lock(d) == 0);
    volatile unsigned *guarded = &a9_guarded;
    unsigned before = *guarded;
    sched_yield();
    *guarded = before + 1;
    task_assert(distributor_unlock(d) == 0);
    task_assert(distributor_unlock(d) == 0);
    return 0;
}

Test(capabilities, a9_tasks_share_a_lock)
{
    static const distributor_task_type_t type = {.name = "guarded", .run = a9_under_lock};
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (int i = 0; i < A9_TASKS; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    expect(a9_guarded, A9_TASKS);
    expect(distributor_unlock(d), -EPERM);
    expect(distributor_destroy(d), 0);
    finish();
}

static int a9_spawn_and_emit(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_spawn(self, &echo, "child", 5) == 0);
    return distributor_emit(self, "parent", 6);
}

/* The seed: its users' lock was the pool's own, so holding it stalled everything. */
Test(capabilities, a9_holding_the_lock_does_not_stall_the_pool)
{
    static const distributor_task_type_t type = {.name = "parent", .run = a9_spawn_and_emit};
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 8, .output_limit = 8));
    expect(distributor_lock(d), 0);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 1000; i++) {
        distributor_result_t r;
        expect(distributor_add_task(d, &type, NULL, 0), 0);
        expect(distributor_next_result(d, &r), 1);
        expect(distributor_next_result(d, &r), 1);
    }
    expect(distributor_add_worker(d, "meanwhile"), 2);
    expect(distributor_send(d, 0, "message", 7), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, 2000);
    expect(distributor_unlock(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A10: add_worker(name) ---- */

static int a10_tell_name(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    const char *name = distributor_worker_name(self);
    return distributor_emit(self, name, strlen(name));
}

Test(capabilities, a10_only_the_workers_that_were_added)
{
    static const distributor_task_type_t type = {.name = "who", .run = a10_tell_name};
    distributor_t *d = make(NULL);
    expect(distributor_add_worker(d, "Anna"), 0);
    expect(distributor_add_worker(d, "Bert"), 1);
    for (int i = 0; i < 50; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    distributor_result_t r;
    int n = 0;
    for (; distributor_next_result(d, &r) == 1; n++) {
        ensure(r.worker < 2);
        expect(r.size, 4);
        ensure(memcmp(r.data, r.worker == 0 ? "Anna" : "Bert", 4) == 0);
    }
    expect(n, 50);
    expect(distributor_destroy(d), 0);
    finish();
}

static sem_t a10_begun, a10_gate;

static int a10_wait(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&a10_begun);
    await(&a10_gate);
    return 0;
}

static int a10_post(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(strcmp(distributor_worker_name(self), "late") == 0);
    sem_post(&a10_gate);
    return 0;
}

/* The seed: a worker added after run() never started.  Here the only other one is occupied. */
Test(capabilities, a10_a_worker_added_after_start_runs_tasks)
{
    static const distributor_task_type_t wait_ = {.name = "wait", .run = a10_wait};
    static const distributor_task_type_t post = {.name = "post", .run = a10_post};
    for (unsigned n = rounds(200); n > 0; n--) {
        sem_init(&a10_begun, 0, 0);
        sem_init(&a10_gate, 0, 0);
        distributor_t *d = make(OPTIONS(.workers = 1));
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &wait_, NULL, 0), 0);
        await(&a10_begun);
        expect(distributor_add_task(d, &post, NULL, 0), 0);
        expect(distributor_add_worker(d, "late"), 1);
        distributor_summary_t s = sum_up(d);
        expect(s.completed, 2);
        expect(distributor_destroy(d), 0);
        sem_destroy(&a10_begun);
        sem_destroy(&a10_gate);
    }
    finish();
}

/* ---- A11: send(message, to) a worker ---- */

static pthread_barrier_t a11_both_here;

static int a11_read_mail(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_t *d = distributor_of(self);
    bool anna = strcmp(distributor_worker_name(self), "Anna") == 0;
    const char *other = anna ? "Bert" : "Anna";
    int to = distributor_find_worker(d, other);
    task_assert(to == (anna ? 1 : 0));
    task_assert(distributor_send(d, (unsigned)to, "inside", 6) == 0);
    pthread_barrier_wait(&a11_both_here);
    distributor_message_t m;
    while (distributor_receive(self, &m) == 1)
        task_assert(distributor_emit(self, m.data, m.size) == 0);
    return 0;
}

/* Both workers get what was sent before start, by index and by name, and then what the task on the
 * other worker sent, in this order. */
Test(capabilities, a11_send_to_a_worker_by_index_and_by_name)
{
    static const distributor_task_type_t type = {.name = "read mail", .run = a11_read_mail};
    static const char *const words[] = {"index", "name", "inside"};
    pthread_barrier_init(&a11_both_here, NULL, 2);
    distributor_t *d = make(NULL);
    expect(distributor_add_worker(d, "Anna"), 0);
    expect(distributor_add_worker(d, "Bert"), 1);
    for (unsigned i = 0; i < 2; i++) {
        expect(distributor_send(d, i, "index", 5), 0);
        int found = distributor_find_worker(d, i == 0 ? "Anna" : "Bert");
        expect(found, i);
        expect(distributor_send(d, (unsigned)found, "name", 4), 0);
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    }
    run(d);
    unsigned got[2] = {0, 0};
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        ensure(r.worker < 2 && got[r.worker] < 3);
        const char *word = words[got[r.worker]++];
        expect(r.size, strlen(word));
        ensure(memcmp(r.data, word, r.size) == 0);
    }
    expect(got[0], 3);
    expect(got[1], 3);
    expect(distributor_send(d, 2, "nobody", 6), -ENOENT);
    expect(distributor_find_worker(d, "Carl"), -ENOENT);
    expect(distributor_destroy(d), 0);
    pthread_barrier_destroy(&a11_both_here);
    finish();
}
