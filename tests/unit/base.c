/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base: what the operating system gives, gates, and the texts of errors. */
#include "base/clock.h"
#include "base/fence.h"
#include "base/gate.h"
#include "base/os.h"
#include "support.h"

TestSuite(base, .timeout = 240);

Test(base, now_never_goes_back)
{
    int64_t before = distr_now();

    for (int i = 0; i < 1000; i++) {
        int64_t now = distributor_now();
        cr_assert_geq(now, before);
        before = now;
    }
    finish();
}

Test(base, a_time_after_now_does_not_overflow)
{
    cr_assert_eq(distr_after(INT64_MAX), INT64_MAX);
    cr_assert_eq(distr_after(INT64_MAX - 1), INT64_MAX);
    cr_assert_gt(distr_after(1000000000), distr_now());
    finish();
}

Test(base, there_is_a_cpu)
{
    cr_assert_geq(distr_cpu_count(), 1);
    cr_assert_leq(distr_cpu_count(), (unsigned)sysconf(_SC_NPROCESSORS_CONF));
    finish();
}

Test(base, pages_are_zero_and_can_be_written)
{
    size_t size = (size_t)3 << 20;
    unsigned char *pages = distr_pages_map(size);

    cr_assert_not_null(pages);
    for (size_t i = 0; i < size; i += 4096) {
        cr_assert_eq(pages[i], 0);
        pages[i] = 1;
    }
    distr_pages_unmap(pages, size);
    cr_assert_null(distr_pages_map(SIZE_MAX / 2), "more than there is");
    finish();
}

Test(base, a_futex_wait_ends_by_value_and_by_time)
{
    _Atomic uint32_t word = 1;

    cr_assert_eq(distr_futex_wait(&word, 0, INT64_MAX), 0, "the word is another one");
    int64_t deadline = distr_after(2000000);
    cr_assert_eq(distr_futex_wait(&word, 1, deadline), -ETIMEDOUT);
    cr_assert_geq(distr_now(), deadline);
    cr_assert_eq(distr_futex_wait(&word, 1, 0), -ETIMEDOUT, "a deadline long ago");
    finish();
}

Test(base, fences_can_be_passed)
{
    distr_fence_init();
    distr_heavy_fence();
    distr_light_fence();
    distr_full_fence();
    finish();
}

/* One place that waiters take by turns: a gate that loses a wake-up leaves somebody asleep. */
static struct distr_gate gate;
static _Atomic int places;
static _Atomic int passed;

static bool take_place(void)
{
    int now = atomic_load(&places);

    while (now > 0)
        if (atomic_compare_exchange_weak(&places, &now, now - 1))
            return true;
    return false;
}

static void *wait_for_place(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++) {
        uint32_t sequence = distr_gate_enter(&gate);
        while (!take_place())
            distr_gate_wait(&gate, &sequence, INT64_MAX);
        distr_gate_leave(&gate);
        atomic_fetch_add(&passed, 1);
    }
    return NULL;
}

Test(base, a_gate_that_wakes_one_loses_no_wake_up)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, wait_for_place, NULL), 0);
    for (int i = 0; i < 4000; i++) {
        atomic_fetch_add(&places, 1);
        distr_gate_open(&gate, 1);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(passed, 4000);
    cr_assert_eq(places, 0);
    cr_assert_eq(gate.waiters, 0);
    finish();
}

Test(base, every_error_has_a_text)
{
    static const int ours[] = {EAGAIN,  ESHUTDOWN, EDEADLK,    ETIMEDOUT, ECANCELED,
                               ENOTSUP, ECHILD,    EOWNERDEAD, EINVAL,    ENOMEM,
                               ENODATA};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        cr_assert_str_eq(distributor_strerror(ours[i]), distributor_strerror(-ours[i]));
        cr_assert_str_neq(distributor_strerror(ours[i]), distributor_strerror(99999));
    }
    cr_assert_str_eq(distributor_strerror(0), "success");
    cr_assert_not_null(distributor_strerror(INT_MIN));
    cr_assert_not_null(distributor_strerror(INT_MAX));
    finish();
}
