/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the unit tests of the public interface share.
 *
 * Criterion's assertions may fail on the thread of the test alone.  So a callback notes what it saw
 * with task_assert(), and finish(), the last line of every test, fails the test for it.  finish()
 * also looks for leaks, which Criterion would hide: it must come after distributor_destroy().
 *
 * No test is decided by time.  What must happen first is awaited with a semaphore; nap() only
 * makes the interesting order likely, and the test passes in the other order too.
 */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <distributor.h>

#if defined(__SANITIZE_ADDRESS__)
#define SUPPORT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SUPPORT_ASAN 1
#endif
#endif
#ifdef SUPPORT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

#define MILLISECONDS(n) ((int64_t)(n) * 1000000)

/* ---- Assertions ---- */

/* Criterion sends a message for each assertion, also for one that holds, and that costs more than
 * what is tested here.  So these two speak only when something is wrong. */
#define ensure(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert_fail("not so: %s", #condition);                                              \
    } while (0)

#define expect(actual, expected)                                                                   \
    do {                                                                                           \
        long long got_ = (long long)(actual), want_ = (long long)(expected);                       \
        if (got_ != want_)                                                                         \
            cr_assert_fail("%s is %lld, not %lld", #actual, got_, want_);                          \
    } while (0)

static _Atomic(const char *) support_failure;

static inline void support_note(bool fine, const char *text)
{
    const char *none = NULL;
    if (!fine)
        atomic_compare_exchange_strong(&support_failure, &none, text);
}

#define SUPPORT_TEXT(x) #x
#define SUPPORT_LINE(x) SUPPORT_TEXT(x)
#define task_assert(condition)                                                                     \
    support_note((condition), "line " SUPPORT_LINE(__LINE__) ": " #condition)

static inline void finish(void)
{
    const char *failure = atomic_load(&support_failure);
    if (failure != NULL)
        cr_assert_fail("in a callback, %s", failure);
#ifdef SUPPORT_ASAN
    expect(__lsan_do_recoverable_leak_check(), 0);
#endif
}

/* How often a loop of thousands runs: all of it, but a tenth under a sanitizer.  The variable
 * DISTRIBUTOR_TEST_PERCENT decides otherwise.  What is cut is said. */
static inline unsigned rounds(unsigned full)
{
    const char *percent = getenv("DISTRIBUTOR_TEST_PERCENT");
#ifdef SUPPORT_ASAN
    unsigned share = 10;
#else
    unsigned share = 100;
#endif
    if (percent)
        share = (unsigned)strtoul(percent, NULL, 10);
    unsigned n = (unsigned)((uint64_t)full * share / 100);
    n = n == 0 ? 1 : n;
    if (n < full) /* not through Criterion: a warning would fail the program */
        fprintf(stderr, "# %u of %u rounds\n", n, full);
    return n;
}

/* Ends a child of fork, without what exit would run.  `make coverage` has the function that writes
 * down what was reached; elsewhere there is none. */
extern void __gcov_dump(void) __attribute__((weak));

static inline void end_child(int status)
{
    if (__gcov_dump)
        __gcov_dump();
    _exit(status);
}

/* ---- Time and threads ---- */

static inline void nap(int64_t duration_ns)
{
    struct timespec t = { duration_ns / 1000000000, duration_ns % 1000000000 };
    nanosleep(&t, NULL);
}

static inline void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

static inline pthread_t begin_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    expect(pthread_create(&thread, NULL, body, argument), 0);
    return thread;
}

static inline void end_thread(pthread_t thread)
{
    expect(pthread_join(thread, NULL), 0);
}

/* Whether the thread with this number sleeps in the kernel. */
static inline bool sleeps(pid_t thread)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        if (fgets(line, sizeof(line), f) == NULL)
            line[0] = '\0';
        fclose(f);
    }
    const char *state = strrchr(line, ')');
    return state != NULL && state[1] == ' ' && state[2] == 'S';
}

/* ---- Distributors ---- */

#define OPTIONS(...)                                                                               \
    &(distributor_options_t) { .size = sizeof(distributor_options_t), __VA_ARGS__ }

static inline distributor_t *make(const distributor_options_t *options)
{
    distributor_t *d = NULL;
    expect(distributor_create(&d, options), 0);
    ensure(d != NULL);
    return d;
}

static inline void add_up(const distributor_summary_t *s)
{
    expect(s->completed + s->failed + s->cancelled + s->discarded, s->added);
    expect(s->retried, 0);
    ensure(s->duration_ns >= 0);
}

/* Joins; the summary of every test adds up. */
static inline distributor_summary_t sum_up(distributor_t *d)
{
    distributor_summary_t s;
    memset(&s, 0xff, sizeof(s));
    expect(distributor_join(d, &s), 0);
    add_up(&s);
    return s;
}

/* Runs what was added, to the end. */
static inline distributor_summary_t run(distributor_t *d)
{
    distributor_summary_t s;
    memset(&s, 0xff, sizeof(s));
    expect(distributor_run(d, &s), 0);
    add_up(&s);
    return s;
}

/* Reads until STOP and says how many results there were. */
static inline uint64_t drain(distributor_t *d)
{
    distributor_result_t r;
    uint64_t n = 0;
    int rc;
    while ((rc = distributor_next_result(d, &r)) == 1)
        n++;
    expect(rc, 0);
    return n;
}

/* A task that does nothing, and one that emits its input. */
static inline int support_nothing(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return 0;
}

static inline int support_echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t nothing = { .name = "nothing", .run = support_nothing };
static const distributor_task_type_t echo = { .name = "echo", .run = support_echo };

#endif
