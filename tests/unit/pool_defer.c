/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferred tasks: who completes them, what they can do until then, and how else they end. */
#include "support.h"

#include <limits.h>

TestSuite(defer, .timeout = 240);

static sem_t begun, gate;
static distributor_task_t *held[2000];
static atomic_uint count;

static void open_gates(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    atomic_store(&count, 0);
}

static void remove_gates(void)
{
    sem_destroy(&begun);
    sem_destroy(&gate);
}

/* Leaves the task to the test; its input is what the callback returns. */
static int defer_it(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task = NULL, *again = NULL;
    int answer;
    memcpy(&answer, input, sizeof(answer));
    task_assert(distributor_defer(self, &task) == 0);
    task_assert(distributor_defer(self, &again) == -EALREADY);
    task_assert(distributor_defer(task, &again) == -EALREADY);
    task_assert(distributor_emit(self, input, size) == 0);
    held[atomic_fetch_add(&count, 1)] = task;
    sem_post(&begun);
    return answer == 0 ? 0 : distributor_fail(self, answer, "says the callback");
}

static const distributor_task_type_t type = {.name = "deferred", .run = defer_it};

static distributor_t *defer_some(unsigned workers, unsigned tasks, size_t size)
{
    char input[100] = {0};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = workers));
    expect(distributor_start(d), 0);
    for (unsigned i = 0; i < tasks; i++)
        expect(distributor_add_task(d, &type, input, size), 0);
    for (unsigned i = 0; i < tasks; i++)
        await(&begun);
    nap(MILLISECONDS(2));
    return d;
}

static void end(distributor_t *d)
{
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

Test(defer, stop_waits_for_the_completion)
{
    distributor_result_t r;
    distributor_t *d = defer_some(2, 1000, 8);
    expect(distributor_close(d), 0);
    for (int i = 0; i < 1000; i++)
        expect(distributor_next_result(d, &r), 1);
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    expect(distributor_join_until(d, NULL, distributor_now() + MILLISECONDS(5)), -ETIMEDOUT);
    for (int i = 0; i < 1000; i++) {
        expect(distributor_try_next_result(d, &r), -EAGAIN);
        expect(distributor_complete(held[i], 0), 0);
        expect(distributor_complete(held[i], 0), -EALREADY);
        expect(distributor_emit(held[i], "x", 1), -EALREADY);
        expect(distributor_spawn(held[i], &nothing, NULL, 0), -EALREADY);
    }
    expect(distributor_next_result(d, &r), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, 1000);
    expect(s.results, 1000);
    end(d);
}

/* Late results and tasks, and a failure with the task's input, whatever its size. */
static void emit_late(size_t size)
{
    distributor_result_t r;
    char large[300] = "large";
    uint64_t word = 7;
    unsigned late = 0, failures = 0;
    distributor_t *d = defer_some(2, 2, size);
    ensure(distributor_of(held[0]) == d);
    ensure(!distributor_should_stop(held[0]));
    expect(distributor_worker_index(held[0]), UINT_MAX);
    ensure(distributor_worker_name(held[0]) != NULL);
    ensure(distributor_worker_value(held[0]) == NULL);
    expect(distributor_set_worker_value(held[0], large, NULL), -EINVAL);
    distributor_message_t message;
    expect(distributor_receive(held[0], &message), -EINVAL); /* it is on no worker */
    expect(distributor_emit(held[0], NULL, 1), -EINVAL);
    for (int i = 0; i < 100; i++) {
        expect(distributor_emit(held[0], &word, sizeof(word)), 0);
        expect(distributor_emit(held[1], large, sizeof(large)), 0);
        expect(distributor_spawn(held[0], &echo, &word, sizeof(word)), 0);
        expect(distributor_spawn(held[1], &echo, large, sizeof(large)), 0);
    }
    expect(distributor_fail(held[0], -EIO, "at the end of %d", 3), -EIO);
    expect(distributor_complete(held[0], -EIO), 0);
    expect(distributor_complete(held[1], 5), 0);
    expect(distributor_close(d), 0);
    int rc;
    while ((rc = distributor_next_result(d, &r)) == 1) {
        late += r.worker == UINT_MAX && r.error == 0;
        ensure(r.error == 0 || r.worker == UINT_MAX);
        if (r.error == 0)
            continue;
        failures++;
        expect(r.size, size);
        ensure(r.type == &type);
        ensure(r.error == -EINVAL || (r.error == -EIO && !strcmp(r.message, "at the end of 3")));
    }
    expect(rc, 0);
    expect(failures, 2);
    expect(late, 200);
    distributor_summary_t s = sum_up(d);
    expect(s.failed, 2);
    expect(s.completed, 200);
    expect(s.results, 2 + 200 + 200);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(defer, late_results_and_tasks)
{
    emit_late(8);
    emit_late(100);
    finish();
}

/* An error of the callback completes it; the handle is over. */
Test(defer, the_callback_can_still_fail)
{
    distributor_result_t r;
    int answer = -EIO;
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, &answer, sizeof(answer)), 0);
    expect(run(d).failed, 1);
    expect(distributor_complete(held[0], 0), -EALREADY);
    expect(distributor_next_result(d, &r), 1);
    expect(distributor_next_result(d, &r), 1);
    expect(r.error, -EIO);
    ensure(strcmp(r.message, "says the callback") == 0);
    expect(*(const int *)r.data, -EIO);
    end(d);
}

/* Completed by another thread, or by itself, before the callback returns. */
static int complete_early(distributor_task_t *self, const void *input, size_t size)
{
    int answer;
    (void)size;
    memcpy(&answer, input, sizeof(answer));
    task_assert(distributor_defer(self, &held[0]) == 0);
    if (answer == 1) {
        sem_post(&begun);
        await(&gate);
    } else {
        task_assert(distributor_fail(held[0], -EIO, "early") == -EIO);
        task_assert(distributor_complete(held[0], answer) == 0);
    }
    task_assert(distributor_complete(held[0], 0) == -EALREADY);
    if (answer == -EPERM)
        pthread_exit(NULL);
    return answer == -EIO ? -ENOENT : 0;
}

Test(defer, completed_before_it_returns)
{
    static const distributor_task_type_t early = {.run = complete_early};
    static const int answers[] = {0, 1, -EIO, -EPERM};
    distributor_result_t r;
    for (int i = 0; i < 4; i++) {
        open_gates();
        distributor_t *d = make(OPTIONS(.workers = 1));
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &early, &answers[i], sizeof(int)), 0);
        if (answers[i] == 1) {
            await(&begun);
            expect(distributor_complete(held[0], 0), 0);
            sem_post(&gate);
        }
        distributor_summary_t s = sum_up(d);
        expect(s.completed, answers[i] >= 0);
        expect(s.failed, answers[i] < 0);
        if (answers[i] < 0) {
            expect(distributor_next_result(d, &r), 1);
            expect(r.error, answers[i]);
            ensure(strcmp(r.message, "early") == 0);
        }
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

/* Never completed: cancel and destroy end them; STOP does not wait, and they can be told. */
Test(defer, cancel_ends_them)
{
    distributor_t *d = defer_some(2, 100, 100);
    expect(distributor_complete(held[0], 0), 0);
    expect(distributor_stop(d), 0);
    expect(distributor_spawn(held[1], &nothing, NULL, 0), -ESHUTDOWN);
    expect(distributor_emit(held[1], "x", 1), 0);
    expect(distributor_cancel(d), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, 1);
    expect(s.cancelled, 99);
    expect(s.results, 101);
    expect(distributor_complete(held[0], 0), -EALREADY);
    for (int i = 1; i < 100; i++)
        expect(distributor_complete(held[i], -EIO), -ECANCELED);
    distributor_drop_results(d);
    expect(distributor_destroy(d), 0);
    remove_gates();

    d = defer_some(2, 100, 100);
    expect(distributor_complete(held[3], 0), 0);
    end(d);
}

/* A late result waits for room until the cancellation, and is lost with it; so is the task, as its
 * callback returns after that. */
static int emit_too_much(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task = NULL;
    task_assert(distributor_emit(self, input, size) == 0);
    task_assert(distributor_defer(self, &task) == 0);
    held[0] = task;
    sem_post(&begun);
    task_assert(distributor_emit(task, input, size) == -ECANCELED);
    return 0;
}

Test(defer, cancelled_before_it_returns)
{
    static const distributor_task_type_t twice = {.name = "twice", .run = emit_too_much};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &twice, "x", 1), 0);
    await(&begun);
    expect(distributor_cancel(d), 0);
    expect(sum_up(d).cancelled, 1);
    expect(distributor_complete(held[0], 0), -ECANCELED);
    expect(drain(d), 1);
    end(d);
}

/* A failure waits for room, and cancel ends the wait; one that comes before the completion has
 * ended the task. */
static void *complete_it(void *cancels)
{
    sem_post(&begun);
    int rc = distributor_complete(held[0], -EIO);
    task_assert(rc == 0 || (cancels && rc == -ECANCELED));
    return NULL;
}

Test(defer, a_completion_waits_for_room)
{
    for (int cancels = 0; cancels < 2; cancels++) {
        distributor_result_t r;
        int answer = 0;
        open_gates();
        distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1));
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &type, &answer, sizeof(answer)), 0);
        await(&begun);
        pthread_t thread = begin_thread(complete_it, cancels ? &answer : NULL);
        await(&begun);
        nap(MILLISECONDS(2));
        if (cancels)
            expect(distributor_cancel(d), 0);
        expect(distributor_next_result(d, &r), 1);
        end_thread(thread);
        expect(distributor_close(d), 0);
        unsigned failed = 0;
        while (distributor_next_result(d, &r) == 1)
            failed++;
        distributor_summary_t s = sum_up(d);
        expect(s.failed, failed);
        expect(s.failed + s.cancelled, 1);
        ensure(cancels || failed == 1);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

/* More than rest before they are used again. */
static int count_up(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task;
    (void)input, (void)size;
    task_assert(distributor_defer(self, &task) == 0);
    return distributor_complete(task, 0);
}

Test(defer, many_one_after_another)
{
    static const distributor_task_type_t quick = {.run = count_up};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (unsigned i = 0; i < 10000; i++)
        expect(distributor_add_task(d, &quick, NULL, 0), 0);
    expect(run(d).completed, 10000);
    expect(distributor_destroy(d), 0);
    finish();
}

static int wrong_uses(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task;
    (void)input, (void)size;
    task_assert(distributor_defer(self, NULL) == -EINVAL);
    task_assert(distributor_defer(NULL, &task) == -EINVAL);
    task_assert(distributor_complete(self, 0) == -EINVAL);
    task_assert(distributor_complete(NULL, 0) == -EINVAL);
    return 0;
}

static int not_in_order(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task;
    (void)input, (void)size;
    task_assert(distributor_defer(self, &task) == -ENOTSUP);
    return 0;
}

Test(defer, wrong_arguments)
{
    static const distributor_task_type_t wrong = {.run = wrong_uses};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &wrong, NULL, 0), 0);
    expect(run(d).completed, 1);
    expect(distributor_destroy(d), 0);
    static const distributor_task_type_t ordered = {.run = not_in_order};
    d = make(OPTIONS(.workers = 1, .order = DISTRIBUTOR_AS_ADDED));
    expect(distributor_add_task(d, &ordered, NULL, 0), 0);
    expect(run(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}
