/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nasty uses of threads: destructors that add, small stacks, thousands of workers, two that stop
 * at once, a reader that goes away.  tests/README.md says which scenario each test shows.
 */
#include <limits.h>

#include "support.h"

TestSuite(nasty_threads, .timeout = 240);

/* ---- The end of a thread ---- */

static pthread_key_t early_key, late_key; /* made before and after the library makes its own */
static distributor_t *target;
static atomic_uint added_late;

/* The values count how often the destructor has run: it asks for all rounds that POSIX promises. */
static void add_at_the_end(pthread_key_t key, void *value)
{
    uintptr_t times = (uintptr_t)value;
    task_assert(distributor_add_task(target, &echo, &times, sizeof(times)) == 0);
    atomic_fetch_add(&added_late, 1);
    if (times < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(key, (void *)(times + 1));
}

static void end_early_key(void *value)
{
    add_at_the_end(early_key, value);
}

static void end_late_key(void *value)
{
    distributor_result_t r;
    add_at_the_end(late_key, value);
    int rc = distributor_try_next_result(target, &r);
    task_assert(rc == 0 || rc == 1 || rc == -EAGAIN);
    if (rc == 1)
        atomic_fetch_sub(&added_late, 1);
}

static void *use_and_end(void *unused)
{
    task_assert(distributor_add_task(target, &nothing, NULL, 0) == 0);
    pthread_setspecific(early_key, (void *)1);
    pthread_setspecific(late_key, (void *)1);
    return unused;
}

Test(nasty_threads, destructors_that_add_and_read)
{
    enum { THREADS = 4 };
    expect(pthread_key_create(&early_key, end_early_key), 0);
    target = make(OPTIONS(.workers = 2));
    expect(pthread_key_create(&late_key, end_late_key), 0);
    expect(distributor_start(target), 0);
    unsigned turns = rounds(50);
    for (unsigned n = 0; n < turns; n++) {
        pthread_t thread[THREADS];
        for (int i = 0; i < THREADS; i++)
            thread[i] = begin_thread(use_and_end, NULL);
        for (int i = 0; i < THREADS; i++)
            end_thread(thread[i]);
    }
    expect(distributor_close(target), 0);
    expect(drain(target), atomic_load(&added_late));
    distributor_summary_t s = sum_up(target);
    expect(s.completed, (uint64_t)turns * THREADS * (1 + 2 * PTHREAD_DESTRUCTOR_ITERATIONS));
    expect(distributor_destroy(target), 0);
    finish();
}

static const char held_text[100] = "in memory of its own";
static sem_t is_held, has_read;

static void *hold_a_result(void *unused)
{
    distributor_result_t r;

    task_assert(distributor_next_result(target, &r) == 1);
    sem_post(&is_held);
    await(&has_read);
    task_assert(memcmp(r.data, held_text, sizeof(held_text)) == 0);
    return unused;
}

/* The library has passed on what the thread had: now to the holder. */
static void read_beside_a_holder(void *unused)
{
    distributor_result_t r;
    pthread_t holder = begin_thread(hold_a_result, unused);

    await(&is_held);
    task_assert(distributor_next_result(target, &r) == 1);
    sem_post(&has_read);
    end_thread(holder);
}

static void *add_two_and_end(void *unused)
{
    for (int i = 0; i < 2; i++)
        task_assert(distributor_add_task(target, &echo, held_text, sizeof(held_text)) == 0);
    pthread_setspecific(late_key, &late_key);
    return unused;
}

Test(nasty_threads, a_destructor_leaves_others_what_they_hold)
{
    sem_init(&is_held, 0, 0);
    sem_init(&has_read, 0, 0);
    target = make(OPTIONS(.workers = 1));
    expect(pthread_key_create(&late_key, read_beside_a_holder), 0);
    expect(distributor_start(target), 0);
    end_thread(begin_thread(add_two_and_end, NULL));
    expect(sum_up(target).completed, 2);
    expect(distributor_destroy(target), 0);
    finish();
}

/* ---- Small stacks ---- */

static int use_the_library(distributor_task_t *self, const void *input, size_t size)
{
    unsigned number;
    char text[200];
    task_assert(size == sizeof(number));
    memcpy(&number, input, sizeof(number));
    memset(text, 'x', sizeof(text));
    if (number % 3 == 0)
        return distributor_fail(self, -EIO, "task %u of %s: %.*s", number,
                                distributor_worker_name(self), 199, text);
    if (number % 3 == 1)
        task_assert(distributor_spawn(self, &echo, text, sizeof(text)) == 0);
    return distributor_emit(self, text, sizeof(text));
}

/* 64 KiB are enough for all that the library does on a worker. */
Test(nasty_threads, stacks_of_64_kib)
{
    static const distributor_task_type_t type = { .name = "all", .run = use_the_library };
    distributor_t *d = make(OPTIONS(.workers = 4, .stack_size = 64 << 10));
    for (unsigned i = 0; i < 3000; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    distributor_summary_t s = run(d);
    expect(s.failed, 1000);
    expect(s.completed, 3000);
    expect(drain(d), 4000);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Very many workers, and the ends of the limits ---- */

static unsigned count_threads(void)
{
    unsigned n = 0;
    char line[200];
    FILE *f = fopen("/proc/self/status", "r");
    ensure(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "Threads: %u", &n) == 1)
            break;
    fclose(f);
    return n;
}

/* They run; or the start is refused as the contract says, and leaves no thread.  The whole number
 * takes more than a gigabyte and half a minute: `make check-long` asks for it. */
Test(nasty_threads, thirty_thousand_workers, .timeout = 250)
{
#ifdef SUPPORT_ASAN
    cr_skip_test("AddressSanitizer takes more memory for each thread than there is");
#endif
    unsigned workers = getenv("DISTRIBUTOR_TEST_LONG") != NULL ? 30000 : 3000;
    unsigned before = count_threads();
    distributor_t *d = NULL;
    int rc = distributor_create(&d, OPTIONS(.workers = workers, .stack_size = 64 << 10));
    if (rc == 0) {
        for (unsigned i = 0; i < 1000; i++)
            expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
        rc = distributor_start(d);
    }
    if (rc == 0) {
        expect(sum_up(d).completed, 1000);
        expect(drain(d), 1000);
    }
    ensure(rc == 0 || rc == -EAGAIN || rc == -ENOMEM);
    expect(distributor_destroy(d), 0);
    while (count_threads() != before) /* one that was joined stays listed for a moment */
        nap(MILLISECONDS(1));
    finish();
}

static void *add_1000(void *d)
{
    for (unsigned i = 0; i < 1000; i++)
        task_assert(distributor_add_task(d, &echo, &i, sizeof(i)) == 0);
    task_assert(distributor_close(d) == 0);
    return NULL;
}

Test(nasty_threads, limits_at_their_ends)
{
    static const uint64_t limits[] = { 0, 1, 3, (uint64_t)1 << 31, (uint64_t)1 << 32,
                                       UINT64_MAX - 1, UINT64_MAX };
    enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };
    for (unsigned i = 0; i < LIMITS * LIMITS; i++) {
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = limits[i % LIMITS],
                                        .output_limit = limits[i / LIMITS]));
        expect(distributor_start(d), 0);
        pthread_t adder = begin_thread(add_1000, d);
        expect(drain(d), 1000);
        end_thread(adder);
        expect(sum_up(d).completed, 1000);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* ---- Ends ---- */

static void *read_100(void *d)
{
    distributor_result_t r;
    for (int i = 0; i < 100; i++)
        task_assert(distributor_next_result(d, &r) == 1);
    return NULL;
}

static distributor_t *with_a_reader_that_left(void)
{
    distributor_t *d = make(OPTIONS(.workers = 3, .output_limit = 2,
                                    .deadlock_ns = DISTRIBUTOR_FOREVER));
    for (unsigned i = 0; i < 300; i++)
        expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
    expect(distributor_start(d), 0);
    end_thread(begin_thread(read_100, d));
    return d;
}

/* Stop refuses at once; a join has to wait for room, and says so at its deadline; who then reads
 * on, or cancels, or destroys, comes to the end. */
Test(nasty_threads, a_reader_that_leaves_half_way)
{
    distributor_t *d = with_a_reader_that_left();
    expect(distributor_stop(d), 0);
    expect(distributor_add_task(d, &nothing, NULL, 0), -ESHUTDOWN);
    expect(distributor_join_until(d, NULL, distributor_now() + MILLISECONDS(50)), -ETIMEDOUT);
    expect(drain(d), 200);
    expect(sum_up(d).completed, 300);
    expect(distributor_destroy(d), 0);

    d = with_a_reader_that_left();
    expect(distributor_stop(d), 0);
    expect(distributor_cancel(d), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.added, 300);
    drain(d);
    expect(distributor_destroy(d), 0);

    d = with_a_reader_that_left();
    expect(distributor_stop(d), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static sem_t both;

static void *stop_with_the_other(void *d)
{
    await(&both);
    task_assert(distributor_stop(d) == 0);
    task_assert(distributor_add_task(d, &nothing, NULL, 0) == -ESHUTDOWN);
    return NULL;
}

static void *add_until_refused(void *d)
{
    uintptr_t n = 0;
    while (distributor_add_task(d, &nothing, NULL, 0) == 0)
        n++;
    return (void *)n;
}

/* With adders that wait for room meanwhile. */
Test(nasty_threads, stopped_by_two_at_once)
{
    sem_init(&both, 0, 0);
    for (unsigned n = rounds(300); n > 0; n--) {
        distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 2));
        expect(distributor_start(d), 0);
        pthread_t thread[4];
        for (int i = 0; i < 4; i++)
            thread[i] = begin_thread(i < 2 ? stop_with_the_other : add_until_refused, d);
        sem_post(&both);
        sem_post(&both);
        uint64_t sum = 0;
        for (int i = 0; i < 4; i++) {
            void *added = NULL;
            expect(pthread_join(thread[i], &added), 0);
            sum += (uintptr_t)added;
        }
        expect(sum_up(d).completed, sum);
        expect(distributor_destroy(d), 0);
    }
    sem_destroy(&both);
    finish();
}
