/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After fork: in the child every call says -ECHILD and destroy does nothing; the parent goes on
 * as if nothing had been.
 */
#include <sys/wait.h>

#include "support.h"

TestSuite(forked, .timeout = 240);

#define child_expects(condition) \
    do { \
        if (!(condition)) \
            _exit(__LINE__ % 250 + 1); \
    } while (0)

static void call_everything_in_the_child(distributor_t *d, distributor_t *other)
{
    distributor_result_t r;
    child_expects(distributor_add_worker(d, "child") == -ECHILD);
    child_expects(distributor_start(d) == -ECHILD);
    child_expects(distributor_close(d) == -ECHILD);
    child_expects(distributor_stop(d) == -ECHILD);
    child_expects(distributor_cancel(d) == -ECHILD);
    child_expects(distributor_join(d, NULL) == -ECHILD);
    child_expects(distributor_join_until(d, NULL, 0) == -ECHILD);
    child_expects(distributor_run(d, NULL) == -ECHILD);
    child_expects(distributor_add_task(d, &nothing, NULL, 0) == -ECHILD);
    child_expects(distributor_try_add_task(d, &nothing, NULL, 0) == -ECHILD);
    child_expects(distributor_add_task_until(d, &nothing, NULL, 0, 0) == -ECHILD);
    child_expects(distributor_add_tasks(d, &nothing, "x", 1, 1) == -ECHILD);
    child_expects(distributor_next_result(d, &r) == -ECHILD);
    child_expects(distributor_try_next_result(d, &r) == -ECHILD);
    child_expects(distributor_next_result_until(d, &r, 0) == -ECHILD);
    child_expects(distributor_next_results(d, &r, 1) == -ECHILD);
    child_expects(distributor_send(d, 0, "x", 1) == -ECHILD);
    child_expects(distributor_find_worker(d, "worker-0") == -ECHILD);
    child_expects(distributor_lock(d) == -ECHILD);
    child_expects(distributor_unlock(d) == -ECHILD);
    child_expects(distributor_is_idle(d) == -ECHILD);
    child_expects(distributor_pipe(d, other, &nothing) == -ECHILD);
    child_expects(distributor_pipe(other, d, &nothing) == -ECHILD);
    distributor_drop_results(d);
}

/* The child ends with 0, or with the line that was wrong. */
static int end_of_child(pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int calls_of_a_child(distributor_t *d)
{
    distributor_t *other = make(OPTIONS(.workers = 1));
    pid_t child = fork();
    if (child == 0) {
        call_everything_in_the_child(d, other);
        child_expects(distributor_destroy(d) == 0);
        end_child(0);
    }
    expect(distributor_destroy(other), 0);
    return child < 0 ? -1 : end_of_child(child);
}

Test(forked, before_start)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(calls_of_a_child(d), 0);
    expect(run(d).completed, 1);
    expect(calls_of_a_child(d), 0);
    expect(drain(d), 1);
    expect(calls_of_a_child(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static void *keep_adding(void *argument)
{
    unsigned n = 0;
    while (distributor_add_task(argument, &echo, "x", 1) == 0)
        n++;
    return (void *)(uintptr_t)n;
}

/* Whatever the other threads hold at the moment of the fork, the child does not hang. */
Test(forked, while_it_runs)
{
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 10, .output_limit = 10));
    expect(distributor_start(d), 0);
    pthread_t adder = begin_thread(keep_adding, d);
    unsigned got = 0;
    distributor_result_t r;
    for (unsigned n = rounds(100); n > 0; n--) {
        expect(calls_of_a_child(d), 0);
        for (int i = 0; i < 20; i++, got++)
            expect(distributor_next_result(d, &r), 1);
    }
    expect(distributor_close(d), 0);
    void *added;
    expect(pthread_join(adder, &added), 0);
    got += (unsigned)drain(d);
    expect(got, (uintptr_t)added);
    expect(sum_up(d).results, got);
    expect(distributor_destroy(d), 0);
    finish();
}

/* A child may make a distributor of its own.  Not under AddressSanitizer: its allocator may be
 * locked by a thread that the child does not have. */
Test(forked, the_child_has_its_own)
{
#ifdef SUPPORT_ASAN
    cr_skip_test("AddressSanitizer does not survive threads in a forked child");
#endif
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    pid_t child = fork();
    ensure(child >= 0);
    if (child == 0) {
        distributor_t *own;
        distributor_summary_t s;
        child_expects(distributor_create(&own, NULL) == 0);
        for (int i = 0; i < 100; i++)
            child_expects(distributor_add_task(own, &nothing, NULL, 0) == 0);
        child_expects(distributor_run(own, &s) == 0);
        child_expects(s.completed == 100);
        child_expects(distributor_destroy(own) == 0);
        child_expects(distributor_destroy(d) == 0);
        end_child(0);
    }
    expect(end_of_child(child), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

enum { WORDS = 40 }; /* so many that the worker's output has a block of their kind */

static int fork_inside(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    uint64_t word = 0;
    for (int i = 0; i < WORDS; i++)
        task_assert(distributor_emit(self, &word, sizeof(word)) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (*(const int *)input == 0) {
            execlp("true", "true", (char *)NULL);
            _exit(127);
        }
        child_expects(distributor_emit(self, &word, sizeof(word)) == -ECHILD);
        child_expects(distributor_emit(self, "x", 1) == -ECHILD);
        child_expects(distributor_spawn(self, &nothing, NULL, 0) == -ECHILD);
        child_expects(distributor_add_task(distributor_of(self), &nothing, NULL, 0) == -ECHILD);
        end_child(0);
    }
    int status = end_of_child(child);
    task_assert(status == 0);
    return distributor_emit(self, &status, sizeof(status));
}

/* A task may fork, and exec. */
Test(forked, inside_a_task)
{
    static const distributor_task_type_t type = {.name = "fork", .run = fork_inside};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int i = 0; i < 20; i++) {
        int kind = i % 2;
        expect(distributor_add_task(d, &type, &kind, sizeof(kind)), 0);
    }
    expect(run(d).completed, 20);
    expect(drain(d), 20 * (WORDS + 1));
    expect(distributor_destroy(d), 0);
    finish();
}

static distributor_task_t *deferred;
static sem_t is_deferred;

static int defer_it(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_defer(self, &deferred) == 0);
    sem_post(&is_deferred);
    return 0;
}

Test(forked, while_a_task_is_deferred)
{
    static const distributor_task_type_t type = {.name = "deferred", .run = defer_it};
    distributor_t *d = make(OPTIONS(.workers = 1));
    sem_init(&is_deferred, 0, 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(distributor_start(d), 0);
    await(&is_deferred);
    pid_t child = fork();
    if (child == 0) {
        child_expects(distributor_emit(deferred, "x", 1) == -ECHILD);
        child_expects(distributor_spawn(deferred, &nothing, NULL, 0) == -ECHILD);
        child_expects(distributor_complete(deferred, 0) == -ECHILD);
        end_child(0);
    }
    expect(end_of_child(child), 0);
    expect(distributor_emit(deferred, "x", 1), 0);
    expect(distributor_complete(deferred, 0), 0);
    expect(sum_up(d).completed, 1);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    sem_destroy(&is_deferred);
    finish();
}
