/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A failing task harms only itself, and the reader is told: the error, a message, the task's input
 * and whose failure it was.
 */
#include "support.h"

TestSuite(failures, .timeout = 240);

/* Runs one task of this type and reads its one record, which stays valid. */
static distributor_result_t only_record(distributor_t *d, const distributor_task_type_t *type,
                                        const void *input, size_t size)
{
    distributor_result_t r;
    expect(distributor_add_task(d, type, input, size), 0);
    distributor_summary_t s = run(d);
    expect(s.failed, 1);
    expect(s.results, 0);
    expect(distributor_next_result(d, &r), 1);
    ensure(r.error < 0);
    ensure(r.message != NULL);
    ensure(r.type == type);
    expect(r.attempt, 1);
    expect(r.size, size);
    ensure(size == 0 ? r.data == NULL : memcmp(r.data, input, size) == 0);
    return r;
}

/* ---- The record ---- */

static int fail_with_message(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    return distributor_fail(self, -EHOSTUNREACH, "page %s: HTTP %d", (const char *)input, 503);
}

Test(failures, the_record_says_all)
{
    static const distributor_task_type_t type = {.name = "page", .run = fail_with_message};
    distributor_t *d = make(OPTIONS(.workers = 3));
    distributor_result_t r = only_record(d, &type, "/index.html", 12);
    expect(r.error, -EHOSTUNREACH);
    cr_assert_str_eq(r.message, "page /index.html: HTTP 503");
    ensure(r.worker < 3);
    expect(distributor_destroy(d), 0);
    finish();
}

static int return_input(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    return size == 0 ? -EPERM : *(const int *)input;
}

static const distributor_task_type_t returner = {.name = "returner", .run = return_input};

/* Without distributor_fail the message is the text of the error. */
Test(failures, a_message_of_its_own)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    static const int errors[] = {-EIO, -ENOENT, -ECANCELED, -1, -4095};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        distributor_result_t r = only_record(d, &returner, &errors[i], sizeof(int));
        expect(r.error, errors[i]);
        cr_assert_str_eq(r.message, distributor_strerror(errors[i]));
        expect(drain(d), 0);
    }
    expect(only_record(d, &returner, NULL, 0).error, -EPERM);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(failures, a_positive_return_is_einval)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    static const int returns[] = {1, 7, INT32_MAX};
    for (size_t i = 0; i < sizeof(returns) / sizeof(returns[0]); i++) {
        char message[64];
        distributor_result_t r = only_record(d, &returner, &returns[i], sizeof(int));
        expect(r.error, -EINVAL);
        snprintf(message, sizeof(message), "it returned %d, not 0 or a negative errno", returns[i]);
        cr_assert_str_eq(r.message, message);
        expect(drain(d), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int says_and_returns(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_fail(self, -EIO, "its own words");
    return 1;
}

Test(failures, own_words_are_kept_at_a_positive_return)
{
    static const distributor_task_type_t type = {.name = "says", .run = says_and_returns};
    distributor_t *d = make(OPTIONS(.workers = 1));
    cr_assert_str_eq(only_record(d, &type, NULL, 0).message, "its own words");
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static int change_its_mind(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_fail(self, -EIO, "first") == -EIO);
    task_assert(distributor_fail(self, -EIO, NULL) == -EINVAL); /* and nothing changes */
    task_assert(distributor_fail(NULL, -EIO, "nobody") == -EINVAL);
    task_assert(distributor_fail(self, 0, "zero is no error") == -EINVAL);
    task_assert(distributor_fail(self, 5, "nor is %d", 5) == -EINVAL);
    task_assert(distributor_fail(self, -EACCES, "last %d", 1) == -EACCES);
    return -EPIPE;
}

Test(failures, the_last_message_counts)
{
    static const distributor_task_type_t type = {.name = "mind", .run = change_its_mind};
    distributor_t *d = make(OPTIONS(.workers = 1));
    distributor_result_t r = only_record(d, &type, NULL, 0);
    expect(r.error, -EPIPE);
    cr_assert_str_eq(r.message, "last 1");
    expect(distributor_destroy(d), 0);
    finish();
}

/* In the locale "C" no byte stands for that letter. */
static int fail_with_no_text(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    return distributor_fail(self, -EIO, "%ls", L"\u0416");
}

Test(failures, a_message_that_cannot_be_printed)
{
    static const distributor_task_type_t type = {.name = "letter", .run = fail_with_no_text};
    distributor_t *d = make(OPTIONS(.workers = 1));
    distributor_result_t r = only_record(d, &type, NULL, 0);
    expect(r.error, -EIO);
    cr_assert_str_eq(r.message, distributor_strerror(-EIO));
    expect(distributor_destroy(d), 0);
    finish();
}

static int fail_but_return_zero(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_fail(self, -EIO, "it was nothing") == -EIO);
    return 0;
}

/* And its message is not that of the worker's next task. */
Test(failures, zero_is_no_failure)
{
    static const distributor_task_type_t type = {.name = "zero", .run = fail_but_return_zero};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    distributor_summary_t s = run(d);
    expect(s.failed, 0);
    expect(s.completed, 1);
    expect(drain(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    int error = -EIO;
    expect(distributor_add_task(d, &returner, &error, sizeof(error)), 0);
    expect(run(d).failed, 1);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    cr_assert_str_eq(r.message, distributor_strerror(-EIO));
    expect(distributor_destroy(d), 0);
    finish();
}

static char logged[128];

static void keep_log(void *context, distributor_log_level_t level, const char *worker,
                     const char *message)
{
    task_assert(context == logged && level == DISTRIBUTOR_LOG_INFO);
    snprintf(logged, sizeof(logged), "%s: %s", worker, message);
}

/* With its message, or the words of its error; without a name it is called a task. */
Test(failures, are_told_to_the_log)
{
    static const distributor_task_type_t types[] = {{.name = "words", .run = fail_with_message},
                                                    {.name = "none", .run = return_input},
                                                    {.run = return_input}};
    static const char *const wanted[] = {"w: task words failed: page x: HTTP 503",
                                         "w: task none failed: Input/output error",
                                         "w: task task failed: Input/output error"};
    distributor_t *d = make(OPTIONS(.context = logged, .log = keep_log));
    expect(distributor_add_worker(d, "w"), 0);
    for (int i = 0; i < 3; i++) {
        int error = -EIO;
        expect(distributor_add_task(d, &types[i], i == 0 ? (const void *)"x" : &error,
                                    i == 0 ? 2 : sizeof(error)), 0);
        expect(run(d).failed, 1);
        expect(drain(d), 1);
        cr_assert_str_eq(logged, wanted[i]);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

#define LONG_MESSAGE 20000

static int fail_at_length(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    return distributor_fail(self, -E2BIG, "%*d", LONG_MESSAGE, *(const int *)input);
}

Test(failures, long_messages_are_whole)
{
    static const distributor_task_type_t type = {.name = "long", .run = fail_at_length};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int i = 0; i < 10; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    run(d);
    distributor_result_t r;
    int n = 0;
    for (; distributor_next_result(d, &r) == 1; n++) {
        expect(strlen(r.message), LONG_MESSAGE);
        expect(r.message[LONG_MESSAGE - 1] - '0', *(const int *)r.data);
    }
    expect(n, 10);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- It harms only itself ---- */

static int seventh_fails(distributor_task_t *self, const void *input, size_t size)
{
    int n = *(const int *)input;
    task_assert(distributor_emit(self, input, size) == 0);
    task_assert(distributor_spawn(self, &echo, input, size) == 0);
    return n % 7 == 0 ? distributor_fail(self, -EIO, "%d", n) : 0;
}

/* The others run, and what the failed ones emitted and spawned before stands. */
Test(failures, the_others_go_on)
{
    enum { COUNT = 1000 };
    static const distributor_task_type_t type = {.name = "seventh", .run = seventh_fails};
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (int i = 0; i < COUNT; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    distributor_summary_t s = run(d);
    expect(s.added, 2 * COUNT);
    expect(s.failed, 143);
    expect(s.completed, 2 * COUNT - 143);
    int seen[COUNT] = {0};
    uint64_t serial[COUNT] = {0};
    bool has_serial[COUNT] = {false};
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        int n = *(const int *)r.data;
        ensure(n >= 0 && n < COUNT);
        ensure(r.type == &type || r.type == &echo);
        if (r.error != 0)
            expect(n, strtol(r.message, NULL, 10));
        seen[n] += r.error == 0 ? 1 : 10;
        if (r.type == &echo)
            continue;
        /* The failure has the serial of what its task emitted. */
        if (has_serial[n])
            expect(r.serial, serial[n]);
        has_serial[n] = true;
        serial[n] = r.serial;
    }
    for (int i = 0; i < COUNT; i++)
        expect(seen[i], i % 7 == 0 ? 12 : 2);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Tasks that end their thread ---- */

static int end_thread_now(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_emit(self, input, size) == 0);
    pthread_exit(NULL);
}

/* AddressSanitizer learns of pthread_exit, but not of frames that a cancellation leaves behind. */
static void leave_frames(void)
{
#ifdef SUPPORT_ASAN
    __asan_handle_no_return();
#endif
}

static int cancel_thread_now(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_emit(self, input, size) == 0);
    pthread_cancel(pthread_self());
    leave_frames();
    pthread_testcancel();
    bool cancelled = false;
    task_assert(cancelled);
    return 0;
}

static void expect_owner_dead(const distributor_task_type_t *type)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int run_ = 0; run_ < 2; run_++) {
        for (int i = 0; i < 20; i++) {
            expect(distributor_add_task(d, type, &i, sizeof(i)), 0);
            expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
        }
        distributor_summary_t s = run(d);
        expect(s.failed, 20);
        expect(s.completed, 20);
        expect(s.results, 40);
        distributor_result_t r;
        int dead = 0, alive = 0;
        while (distributor_next_result(d, &r) == 1) {
            ensure(r.error == 0 || (r.error == -EOWNERDEAD && r.type == type));
            ensure(r.worker < 2);
            dead += r.error != 0;
            alive += r.error == 0;
        }
        expect(dead, 20);
        expect(alive, 40);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

Test(failures, a_task_that_calls_pthread_exit)
{
    static const distributor_task_type_t type = {.name = "exit", .run = end_thread_now};
    expect_owner_dead(&type);
}

Test(failures, a_task_whose_thread_is_cancelled)
{
    static const distributor_task_type_t type = {.name = "cancel", .run = cancel_thread_now};
    expect_owner_dead(&type);
}
