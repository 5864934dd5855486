/* SPDX-License-Identifier: BSD-2-Clause */
/* The bounded output, and the three forms of reading one result. */
#include "support.h"

TestSuite(output, .timeout = 240);

static atomic_int emitted, reads_begun, most;

static int emit_count(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    for (int n = *(const int *)input; n > 0; n--) {
        task_assert(distributor_emit(self, &n, sizeof(n)) == 0);
        int ahead = atomic_fetch_add(&emitted, 1) + 1 - atomic_load(&reads_begun);
        int seen = atomic_load(&most);
        while (ahead > seen && !atomic_compare_exchange_weak(&most, &seen, ahead))
            continue;
    }
    return 0;
}

static const distributor_task_type_t emitter = {.name = "emitter", .run = emit_count};

/* `emitted` lags behind and `reads_begun` runs ahead of what the library counts, so what is seen
 * here can only be less than the truth. */
static int most_ahead(unsigned workers, unsigned limit, int tasks, int results_each)
{
    distributor_t *d = make(OPTIONS(.workers = workers, .output_limit = limit));
    atomic_store(&emitted, 0);
    atomic_store(&reads_begun, 0);
    atomic_store(&most, 0);
    expect(distributor_start(d), 0);
    for (int i = 0; i < tasks; i++)
        expect(distributor_add_task(d, &emitter, &results_each, sizeof(int)), 0);
    expect(distributor_close(d), 0);
    distributor_result_t r;
    int n = 0;
    for (;; n++) {
        if (n % 10 == 0) /* lets the workers run into the limit */
            nap(100000);
        atomic_fetch_add(&reads_begun, 1);
        if (distributor_next_result(d, &r) != 1)
            break;
    }
    expect(n, tasks * results_each);
    expect(sum_up(d).results, tasks * results_each);
    expect(distributor_destroy(d), 0);
    return atomic_load(&most);
}

Test(output, the_limit_is_exact_for_one_emitter)
{
    static const unsigned limits[] = {1, 2, 3, 10, 100};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        ensure(most_ahead(1, limits[i], 5, 200) <= (int)limits[i]);
    finish();
}

Test(output, the_limit_with_many_emitters)
{
    static const unsigned limits[] = {1, 3, 100};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        ensure(most_ahead(4, limits[i], 20, 50) <= (int)limits[i] + 4);
    finish();
}

static sem_t reached;

static int emit_and_tell(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    for (int n = *(const int *)input; n > 0; n--) {
        task_assert(distributor_emit(self, &n, sizeof(n)) == 0);
        sem_post(&reached);
    }
    return 0;
}

/* With nobody reading the limit is reached, and no result goes over it: there is room for no more
 * than were read. */
Test(output, a_full_output_holds_the_limit)
{
    static const distributor_task_type_t type = {.name = "tell", .run = emit_and_tell};
    enum { LIMIT = 4, RESULTS = 20 };
    sem_init(&reached, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = LIMIT));
    expect(distributor_start(d), 0);
    int n = RESULTS;
    expect(distributor_add_task(d, &type, &n, sizeof(n)), 0);
    for (int i = 0; i < LIMIT; i++)
        await(&reached);
    for (int i = 0; i < RESULTS - LIMIT; i++) {
        distributor_result_t r;
        nap(MILLISECONDS(1));
        ensure(sem_trywait(&reached) != 0);
        expect(distributor_next_result(d, &r), 1);
        expect(*(const int *)r.data, RESULTS - i);
        await(&reached);
    }
    expect(distributor_close(d), 0);
    expect(drain(d), LIMIT);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    sem_destroy(&reached);
    finish();
}

/* ---- Reading with and without waiting ---- */

Test(output, try_next_result)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    distributor_result_t r;
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    expect(distributor_start(d), 0);
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    sum_up(d);
    expect(distributor_try_next_result(d, &r), 1);
    expect(r.size, 1);
    expect(distributor_try_next_result(d, &r), 0);
    expect(distributor_try_next_result(d, &r), 0);
    expect(distributor_start(d), 0);
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(output, next_result_until_a_deadline)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    distributor_result_t r;
    expect(distributor_next_result_until(d, &r, 0), -ETIMEDOUT);
    expect(distributor_next_result_until(d, &r, INT64_MIN), -ETIMEDOUT);
    expect(distributor_start(d), 0);
    int64_t deadline = distributor_now() + MILLISECONDS(30);
    expect(distributor_next_result_until(d, &r, deadline), -ETIMEDOUT);
    ensure(distributor_now() >= deadline);
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(distributor_add_task(d, &echo, "y", 1), 0);
    expect(distributor_next_result_until(d, &r, DISTRIBUTOR_FOREVER), 1);
    sum_up(d);
    /* What is there is given, whatever the deadline; and so is STOP. */
    expect(distributor_next_result_until(d, &r, 0), 1);
    expect(distributor_next_result_until(d, &r, 0), 0);
    expect(distributor_next_result_until(d, &r, DISTRIBUTOR_FOREVER), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- A failure record finds its way through a full output ---- */

static int emit_then_fail(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_emit(self, input, size) == 0);
    return -EIO;
}

Test(output, failures_with_a_limit)
{
    static const distributor_task_type_t type = {.name = "fail", .run = emit_then_fail};
    distributor_t *d = make(OPTIONS(.workers = 3, .output_limit = 1));
    expect(distributor_start(d), 0);
    for (int i = 0; i < 200; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    expect(distributor_close(d), 0);
    distributor_result_t r;
    int records = 0, results = 0;
    while (distributor_next_result(d, &r) == 1) {
        records += r.error == -EIO;
        results += r.error == 0;
    }
    expect(records, 200);
    expect(results, 200);
    expect(sum_up(d).failed, 200);
    expect(distributor_destroy(d), 0);
    finish();
}
