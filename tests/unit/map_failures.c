/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor_map: callbacks that fail, end their thread or cancel. */
#include "support.h"

TestSuite(map_failures, .timeout = 240);

static int do_nothing(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)context, (void)inputs, (void)outputs, (void)count;
    return 0;
}

/* After whatever happened, d is idle and maps again. */
static void expect_usable(distributor_t *d)
{
    expect(distributor_is_idle(d), 1);
    expect(distributor_map(d, do_nothing, NULL, NULL, 0, NULL, 0, 100), 0);
    expect(distributor_is_idle(d), 1);
}

/* Item 0 fails after item 1 has failed: in the array it is the first. */
struct two {
    const char *array;
    sem_t failed;
};

static int fail_second_first(void *context, const void *inputs, void *outputs, size_t count)
{
    struct two *two = context;
    (void)outputs;
    task_assert(count == 1);
    if (inputs != two->array) {
        sem_post(&two->failed);
        return -EPERM;
    }
    await(&two->failed);
    nap(MILLISECONDS(1));
    return -EIO;
}

Test(map_failures, the_first_one_in_the_array_is_returned)
{
    char array[2];
    struct two two = {.array = array};
    distributor_t *d = make(OPTIONS(.workers = 1));
    sem_init(&two.failed, 0, 0);
    for (int round = 0; round < 50; round++)
        expect(distributor_map(d, fail_second_first, &two, array, 1, NULL, 0, 2), -EIO);
    expect_usable(d);
    expect(distributor_destroy(d), 0);
    finish();
}

static int fail_by_item(void *context, const void *inputs, void *outputs, size_t count)
{
    const int *errors = inputs;
    (void)context, (void)outputs;
    for (size_t i = 0; i < count; i++)
        if (errors[i] != 0)
            return errors[i];
    return 0;
}

Test(map_failures, as_in_a_loop)
{
    static int errors[20000];
    distributor_t *d = make(OPTIONS(.workers = 3));
    expect(distributor_start(d), 0);
    for (unsigned round = rounds(500); round > 0; round--) {
        size_t first = (size_t)round * 37 % 20000;
        memset(errors, 0, sizeof(errors));
        for (size_t i = first + 1; i < 20000; i += 11)
            errors[i] = -EPERM;
        errors[first] = -EIO;
        expect(distributor_map(d, fail_by_item, NULL, errors, sizeof(int), NULL, 0, 20000), -EIO);
    }
    expect_usable(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(map_failures, a_positive_return_is_an_error)
{
    int errors[3] = {0, 7, 0};
    expect(distributor_map(NULL, fail_by_item, NULL, errors, sizeof(int), NULL, 0, 3), -EINVAL);
    expect(distributor_map(NULL, fail_by_item, NULL, errors + 1, sizeof(int), NULL, 0, 1),
           -EINVAL);
    finish();
}

static int fail_and_count(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)inputs, (void)outputs;
    atomic_fetch_add((atomic_size_t *)context, count);
    return -EIO;
}

/* Ranges are short at first, so most of a large array is left out. */
Test(map_failures, nothing_begins_after_a_failure)
{
    atomic_size_t items = 0;
    expect(distributor_map(NULL, fail_and_count, &items, NULL, 0, NULL, 0, 1000000), -EIO);
    ensure(items < 1000000);
    finish();
}

/* ---- threads that end ---- */

struct ending {
    pthread_t caller;
    bool on_worker;
    sem_t ended;
};

static int end_thread_inside(void *context, const void *inputs, void *outputs, size_t count)
{
    struct ending *ending = context;
    (void)inputs, (void)outputs, (void)count;
    bool worker = !pthread_equal(pthread_self(), ending->caller);
    if (worker == ending->on_worker) {
        sem_post(&ending->ended);
        pthread_exit(NULL);
    }
    await(&ending->ended); /* so that both kinds of thread have had an item */
    sem_post(&ending->ended);
    return 0;
}

Test(map_failures, a_callback_that_ends_a_worker)
{
    for (int started = 0; started < 2; started++) {
        struct ending ending = {.caller = pthread_self(), .on_worker = true};
        distributor_t *d = make(OPTIONS(.workers = 2));
        sem_init(&ending.ended, 0, 0);
        if (started)
            expect(distributor_start(d), 0);
        expect(distributor_map(d, end_thread_inside, &ending, NULL, 0, NULL, 0, 100),
               -EOWNERDEAD);
        expect_usable(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static void *map_and_end(void *argument)
{
    distributor_t *d = argument;
    struct ending ending = {.caller = pthread_self()};
    sem_init(&ending.ended, 0, 0);
    distributor_map(d, end_thread_inside, &ending, NULL, 0, NULL, 0, 100);
    task_assert(false); /* the thread has ended */
    return NULL;
}

Test(map_failures, a_callback_that_ends_the_caller)
{
    for (int started = 0; started < 2; started++) {
        distributor_t *d = make(OPTIONS(.workers = 2));
        if (started)
            expect(distributor_start(d), 0);
        end_thread(begin_thread(map_and_end, d));
        expect_usable(d);
        expect(distributor_destroy(d), 0);
    }
    end_thread(begin_thread(map_and_end, NULL)); /* its own distributor is gone with it */
    finish();
}

/* ---- cancel ---- */

struct cancelling {
    distributor_t *d;
    pthread_t caller;
    atomic_bool begun;
};

/* The worker cancels; the caller waits for that, and then does not end before it is told. */
static int cancel_on_worker(void *context, const void *inputs, void *outputs, size_t count)
{
    struct cancelling *cancelling = context;
    (void)inputs, (void)outputs, (void)count;
    if (pthread_equal(pthread_self(), cancelling->caller)) {
        nap(MILLISECONDS(1));
        return 0;
    }
    atomic_store(&cancelling->begun, true);
    task_assert(distributor_cancel(cancelling->d) == 0);
    return 0;
}

Test(map_failures, cancel_ends_it)
{
    for (int started = 0; started < 2; started++) {
        distributor_t *d = make(OPTIONS(.workers = 2));
        struct cancelling cancelling = {.d = d, .caller = pthread_self()};
        if (started)
            expect(distributor_start(d), 0);
        expect(distributor_map(d, cancel_on_worker, &cancelling, NULL, 0, NULL, 0, 1000000),
               -ECANCELED);
        ensure(cancelling.begun);
        if (started)
            sum_up(d);
        expect_usable(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int cancel_at_once(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)inputs, (void)outputs, (void)count;
    task_assert(distributor_cancel(context) == 0);
    return 0;
}

/* The cancel may come before a helper begins, while one runs, or when all is done. */
Test(map_failures, cancel_at_any_time)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (unsigned round = rounds(300); round > 0; round--) {
        int rc = distributor_map(d, cancel_at_once, d, NULL, 0, NULL, 0, round % 10 + 2);
        ensure(rc == 0 || rc == -ECANCELED);
        expect(distributor_is_idle(d), 1);
    }
    expect(distributor_destroy(d), 0);
    finish();
}
