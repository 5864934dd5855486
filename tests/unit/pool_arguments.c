/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments that can never be right, and those that this release does not take. */
#include <limits.h>

#include "support.h"

TestSuite(arguments, .timeout = 240);

/* ---- NULL ---- */

Test(arguments, no_distributor)
{
    distributor_result_t r;
    expect(distributor_create(NULL, NULL), -EINVAL);
    expect(distributor_create(NULL, OPTIONS(.workers = 1)), -EINVAL);
    expect(distributor_add_worker(NULL, "name"), -EINVAL);
    expect(distributor_start(NULL), -EINVAL);
    expect(distributor_close(NULL), -EINVAL);
    expect(distributor_stop(NULL), -EINVAL);
    expect(distributor_cancel(NULL), -EINVAL);
    expect(distributor_join(NULL, NULL), -EINVAL);
    expect(distributor_join_until(NULL, NULL, 0), -EINVAL);
    expect(distributor_run(NULL, NULL), -EINVAL);
    expect(distributor_add_task(NULL, &nothing, NULL, 0), -EINVAL);
    expect(distributor_try_add_task(NULL, &nothing, NULL, 0), -EINVAL);
    expect(distributor_add_task_until(NULL, &nothing, NULL, 0, 0), -EINVAL);
    expect(distributor_add_tasks(NULL, &nothing, "x", 1, 1), -EINVAL);
    expect(distributor_next_result(NULL, &r), -EINVAL);
    expect(distributor_try_next_result(NULL, &r), -EINVAL);
    expect(distributor_next_result_until(NULL, &r, 0), -EINVAL);
    expect(distributor_next_results(NULL, &r, 1), -EINVAL);
    expect(distributor_send(NULL, 0, "x", 1), -EINVAL);
    expect(distributor_find_worker(NULL, "worker-0"), -EINVAL);
    expect(distributor_lock(NULL), -EINVAL);
    expect(distributor_unlock(NULL), -EINVAL);
    distributor_drop_results(NULL);
    expect(distributor_destroy(NULL), 0);
    finish();
}

static void expect_adds(distributor_t *d, const distributor_task_type_t *type, const void *input,
                        size_t size, int error)
{
    expect(distributor_add_task(d, type, input, size), error);
    expect(distributor_try_add_task(d, type, input, size), error);
    expect(distributor_add_task_until(d, type, input, size, 0), error);
    expect(distributor_add_tasks(d, type, input, size, 3), error);
}

Test(arguments, no_pointer_where_one_is_needed)
{
    static const distributor_task_type_t no_run = {.name = "no run"};
    distributor_t *d = make(OPTIONS(.workers = 1));
    distributor_result_t r;
    for (int i = 0; i < 2; i++) {
        expect_adds(d, NULL, "x", 1, -EINVAL);
        expect_adds(d, &no_run, "x", 1, -EINVAL);
        expect_adds(d, &nothing, NULL, 1, -EINVAL);
        expect(distributor_next_result(d, NULL), -EINVAL);
        expect(distributor_try_next_result(d, NULL), -EINVAL);
        expect(distributor_next_result_until(d, NULL, 0), -EINVAL);
        expect(distributor_next_results(d, NULL, 1), -EINVAL);
        expect(distributor_next_results(d, &r, 0), -EINVAL);
        expect(distributor_send(d, 0, NULL, 1), -EINVAL);
        expect(distributor_find_worker(d, NULL), -EINVAL);
        expect(distributor_add_tasks(d, &nothing, "x", 1, 0), 0);
        if (i == 0)
            expect(distributor_start(d), 0);
    }
    expect(sum_up(d).added, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static int misuse_inside(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    static const distributor_task_type_t no_run = {.name = "no run"};
    distributor_message_t m;
    task_assert(distributor_emit(NULL, "x", 1) == -EINVAL);
    task_assert(distributor_emit(self, NULL, 1) == -EINVAL);
    task_assert(distributor_emit(self, "x", SIZE_MAX) == -EMSGSIZE);
    task_assert(distributor_spawn(NULL, &nothing, NULL, 0) == -EINVAL);
    task_assert(distributor_spawn(self, NULL, NULL, 0) == -EINVAL);
    task_assert(distributor_spawn(self, &no_run, NULL, 0) == -EINVAL);
    task_assert(distributor_spawn(self, &nothing, NULL, 1) == -EINVAL);
    task_assert(distributor_spawn(self, &nothing, "x", SIZE_MAX) == -EMSGSIZE);
    task_assert(distributor_receive(NULL, &m) == -EINVAL);
    task_assert(distributor_receive(self, NULL) == -EINVAL);
    task_assert(distributor_set_worker_value(NULL, NULL, NULL) == -EINVAL);
    return 0;
}

Test(arguments, inside_a_task)
{
    static const distributor_task_type_t type = {.name = "misuse", .run = misuse_inside};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    distributor_summary_t s = run(d);
    expect(s.added, 1);
    expect(s.completed, 1);
    expect(s.results, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Sizes ---- */

Test(arguments, too_many_bytes)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect_adds(d, &nothing, "x", DISTRIBUTOR_MAX_SIZE + 1, -EMSGSIZE);
    expect_adds(d, &nothing, "x", SIZE_MAX, -EMSGSIZE);
    expect(distributor_send(d, 0, "x", DISTRIBUTOR_MAX_SIZE + 1), -EMSGSIZE);
    expect(distributor_send(d, 0, "x", SIZE_MAX), -EMSGSIZE);
    expect(run(d).added, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Policies of task types ---- */

static int spawn_type(distributor_task_t *self, const void *input, size_t size)
{
    const distributor_task_type_t *type;
    task_assert(size == sizeof(type));
    memcpy(&type, input, sizeof(type));
    task_assert(distributor_spawn(self, type, NULL, 0) == -ENOTSUP);
    task_assert(distributor_add_task(distributor_of(self), type, NULL, 0) == -ENOTSUP);
    return 0;
}

Test(arguments, a_policy_that_this_release_does_not_have)
{
    static const distributor_task_type_t spawner = {.name = "spawner", .run = spawn_type};
    static int later;
    static const distributor_task_type_t types[] = {
        {.run = support_nothing, .retries = 1},    {.run = support_nothing, .retries = UINT_MAX},
        {.run = support_nothing, .backoff_ns = 1}, {.run = support_nothing, .backoff_ns = -1},
        {.run = support_nothing, .timeout_ns = 1}, {.run = support_nothing, .timeout_ns = -1},
        {.run = support_nothing, .reserved = {[3] = &later}},
    };
    enum { TYPES = sizeof(types) / sizeof(types[0]) };
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int i = 0; i < TYPES; i++) {
        const distributor_task_type_t *type = &types[i];
        expect_adds(d, type, "x", 1, -ENOTSUP);
        expect(distributor_add_task(d, &spawner, &type, sizeof(type)), 0);
    }
    expect(run(d).added, TYPES);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Options ---- */

static void expect_refused(const distributor_options_t *options, int error)
{
    distributor_t *d = (distributor_t *)&d;
    expect(distributor_create(&d, options), error);
    ensure(d == NULL);
}

static char why[256];

static void keep_why(void *context, distributor_log_level_t level, const char *worker,
                     const char *message)
{
    ensure(context == why && worker == NULL && level == DISTRIBUTOR_LOG_ERROR && *why == '\0');
    snprintf(why, sizeof(why), "%s", message);
}

/* One message, and that is it. */
static void expect_why(distributor_options_t options, int error, const char *message)
{
    options.context = why;
    options.log = keep_why;
    why[0] = '\0';
    expect_refused(&options, error);
    expect(strcmp(why, message), 0);
}

Test(arguments, the_log_is_told_which_option_is_wrong)
{
    char stack[128];
    struct {
        distributor_options_t known;
        unsigned char more;
    } later = {.known = {.size = sizeof(later), .context = why, .log = keep_why}, .more = 1};
    snprintf(stack, sizeof(stack), "a stack_size of 1 is less than PTHREAD_STACK_MIN, %ld",
             sysconf(_SC_THREAD_STACK_MIN));
    expect_why(*OPTIONS(.workers = 70000), -EINVAL,
               "workers: 70000 is more than DISTRIBUTOR_MAX_WORKERS, 65536");
    expect_why(*OPTIONS(.stack_size = 1), -EINVAL, stack);
    expect_why(*OPTIONS(.deadlock_ns = -5), -EINVAL, "a deadlock_ns of -5 is negative");
    expect_why(*OPTIONS(.order = (distributor_order_t)2), -EINVAL, "the order 2 is unknown");
    expect_why(*OPTIONS(.window = 9), -EINVAL, "a window of 9 is for DISTRIBUTOR_AS_ADDED alone");
    expect_why(*OPTIONS(.order = DISTRIBUTOR_AS_ADDED, .window = 1048577), -EINVAL,
               "a window of 1048577 is more than DISTRIBUTOR_MAX_WINDOW, 1048576");
    expect_why(*OPTIONS(.engine = why), -ENOTSUP, "engine is not NULL, and this release has none");
    expect_why(*OPTIONS(.reserved = {why}), -ENOTSUP, "reserved is not NULL");
    why[0] = '\0';
    expect_refused(&later.known, -ENOTSUP);
    ensure(strstr(why, "and those behind are not zero") != NULL);
    /* What is no options struct has no hook either. */
    why[0] = '\0';
    later.known.size = 1;
    expect_refused(&later.known, -EINVAL);
    expect(strlen(why), 0);
    finish();
}

Test(arguments, options_that_can_never_be_right)
{
    expect_refused(OPTIONS(.workers = DISTRIBUTOR_MAX_WORKERS + 1), -EINVAL);
    expect_refused(OPTIONS(.workers = UINT_MAX), -EINVAL);
    expect_refused(OPTIONS(.order = (distributor_order_t)2), -EINVAL);
    expect_refused(OPTIONS(.order = (distributor_order_t)-1), -EINVAL);
    expect_refused(OPTIONS(.window = 1), -EINVAL); /* of a distributor without an order */
    expect_refused(OPTIONS(.order = DISTRIBUTOR_AS_ADDED, .window = DISTRIBUTOR_MAX_WINDOW + 1),
                   -EINVAL);
    expect_refused(OPTIONS(.order = DISTRIBUTOR_AS_ADDED, .window = UINT64_MAX), -EINVAL);
    expect_refused(OPTIONS(.stack_size = 1), -EINVAL);
    expect_refused(OPTIONS(.stack_size = (size_t)PTHREAD_STACK_MIN - 1), -EINVAL);
    expect_refused(OPTIONS(.deadlock_ns = -1), -EINVAL);
    expect_refused(OPTIONS(.deadlock_ns = INT64_MIN), -EINVAL);
    static const size_t sizes[] = {0, 1, sizeof(size_t), sizeof(distributor_options_t) / 2,
                                   sizeof(distributor_options_t) - 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        distributor_options_t options = {.size = sizes[i], .workers = 1};
        expect_refused(&options, -EINVAL);
    }
    finish();
}

Test(arguments, options_that_this_release_does_not_take)
{
    static const int engine;
    expect_refused(OPTIONS(.engine = &engine), -ENOTSUP);
    for (int i = 0; i < 8; i++) {
        distributor_options_t options = {.size = sizeof(options)};
        options.reserved[i] = &options;
        expect_refused(&options, -ENOTSUP);
    }
    finish();
}

/* The struct of a later release: fine as long as what is new is zero. */
Test(arguments, options_of_a_later_release)
{
    struct {
        distributor_options_t known;
        unsigned char more[64];
    } later;
    memset(&later, 0, sizeof(later));
    later.known.size = sizeof(later);
    later.known.workers = 2;
    distributor_t *d = make(&later.known);
    expect(distributor_find_worker(d, "worker-1"), 1);
    expect(distributor_destroy(d), 0);
    for (size_t i = 0; i < sizeof(later.more); i += 9) {
        later.more[i] = 1;
        expect_refused(&later.known, -ENOTSUP);
        later.more[i] = 0;
    }
    finish();
}

Test(arguments, options_at_their_ends)
{
    static const uint64_t limits[] = {1, 3, UINT64_C(1) << 31, UINT64_MAX};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        distributor_t *d =
            make(OPTIONS(.workers = 1, .input_limit = limits[i], .output_limit = limits[i],
                         .deadlock_ns = i % 2 == 0 ? 1 : DISTRIBUTOR_FOREVER));
        expect(distributor_add_task(d, &echo, "x", 1), 0);
        run(d);
        expect(drain(d), 1);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* ---- Small things ---- */

Test(arguments, texts_and_clock)
{
    static const int errors[] = {0, EINVAL, ESHUTDOWN, EDEADLK, ECHILD, ENOTSUP, 4095, INT_MAX};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const char *text = distributor_strerror(errors[i]);
        ensure(text != NULL && text[0] != '\0');
        cr_assert_str_eq(text, distributor_strerror(-errors[i]));
    }
    ensure(distributor_strerror(INT_MIN) != NULL);
    cr_assert_str_eq(distributor_version(), DISTRIBUTOR_VERSION);
    struct timespec t;
    int64_t before = distributor_now();
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    ensure(before <= now && now <= distributor_now());
    finish();
}
