/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * destroy, in whatever state the distributor is: it ends running tasks and waiting callers, and
 * each input and result that is left goes through its discard callback once.
 */
#include "support.h"

TestSuite(destroy, .timeout = 240);

enum { IDS = 1000 };

static atomic_uchar input_discarded[IDS], result_discarded[IDS];
static sem_t begun;

static void discard_input(void *input, size_t size)
{
    task_assert(size == sizeof(unsigned));
    task_assert(atomic_fetch_add(&input_discarded[*(unsigned *)input], 1) == 0);
}

static void discard_result(void *result, size_t size)
{
    task_assert(size == sizeof(unsigned));
    task_assert(atomic_fetch_add(&result_discarded[*(unsigned *)result], 1) == 0);
}

static const distributor_task_type_t owning = {
    .name = "owning",
    .run = support_echo,
    .discard_input = discard_input,
    .discard_result = discard_result,
};

static void add_ids(distributor_t *d, const distributor_task_type_t *type, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        expect(distributor_add_task(d, type, &i, sizeof(i)), 0);
}

static unsigned sum_of(const atomic_uchar *counts)
{
    unsigned sum = 0;
    for (int i = 0; i < IDS; i++)
        sum += atomic_load(&counts[i]);
    return sum;
}

/* ---- At rest ---- */

Test(destroy, nothing_at_all)
{
    expect(distributor_destroy(NULL), 0);
    expect(distributor_destroy(make(NULL)), 0);
    distributor_t *d = make(OPTIONS(.workers = 3));
    expect(distributor_add_worker(d, "one more"), 3);
    expect(distributor_send(d, 3, "unread", 6), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(destroy, tasks_that_never_ran)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    add_ids(d, &owning, IDS);
    expect(distributor_destroy(d), 0);
    expect(sum_of(input_discarded), IDS);
    expect(sum_of(result_discarded), 0);
    finish();
}

/* What a reader got is the reader's: it is not discarded. */
Test(destroy, results_that_nobody_read)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    add_ids(d, &owning, IDS);
    run(d);
    bool got[IDS] = {false};
    distributor_result_t r[10];
    expect(distributor_next_result(d, r), 1);
    got[*(const unsigned *)r[0].data] = true;
    ptrdiff_t n = distributor_next_results(d, r, 10);
    ensure(n >= 1 && n <= 10);
    for (ptrdiff_t i = 0; i < n; i++)
        got[*(const unsigned *)r[i].data] = true;
    expect(distributor_destroy(d), 0);
    for (unsigned i = 0; i < IDS; i++)
        expect(atomic_load(&result_discarded[i]), got[i] ? 0 : 1);
    expect(sum_of(input_discarded), 0);
    finish();
}

Test(destroy, results_that_were_dropped)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    add_ids(d, &owning, IDS);
    run(d);
    expect(distributor_start(d), -EBUSY);
    distributor_drop_results(d);
    expect(sum_of(result_discarded), IDS);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 0);
    distributor_drop_results(d);
    expect(run(d).added, 0);
    expect(distributor_destroy(d), 0);
    expect(sum_of(result_discarded), IDS);
    finish();
}

/* But not what this thread holds of its last read. */
Test(destroy, results_that_were_dropped_beside_one_that_is_held)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    char bytes[100];
    memset(bytes, 'x', sizeof(bytes));
    for (int i = 0; i < 100; i++)
        expect(distributor_add_task(d, &echo, bytes, sizeof(bytes)), 0);
    run(d);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    distributor_drop_results(d);
    expect(r.size, sizeof(bytes));
    ensure(memcmp(r.data, bytes, sizeof(bytes)) == 0);
    expect(distributor_next_result(d, &r), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(destroy, after_cancel_without_join)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    add_ids(d, &owning, IDS);
    expect(distributor_cancel(d), 0);
    expect(distributor_destroy(d), 0);
    expect(sum_of(input_discarded) + sum_of(result_discarded), IDS);
    finish();
}

/* ---- While it runs ---- */

Test(destroy, with_idle_workers)
{
    for (unsigned n = rounds(500); n > 0; n--) {
        distributor_t *d = make(OPTIONS(.workers = 3));
        expect(distributor_start(d), 0);
        if (n % 10 == 0)
            nap(MILLISECONDS(2));
        expect(distributor_destroy(d), 0);
    }
    finish();
}

Test(destroy, with_tasks_that_come_and_go)
{
    for (unsigned n = rounds(200); n > 0; n--) {
        memset(input_discarded, 0, sizeof(input_discarded));
        memset(result_discarded, 0, sizeof(result_discarded));
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_start(d), 0);
        add_ids(d, &owning, IDS);
        expect(distributor_destroy(d), 0);
        expect(sum_of(input_discarded) + sum_of(result_discarded), IDS);
    }
    finish();
}

static atomic_uint returned;

static int run_until_told(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_emit(self, input, size) == 0);
    sem_post(&begun);
    while (!distributor_should_stop(self))
        sched_yield();
    nap(MILLISECONDS(10));
    atomic_fetch_add(&returned, 1);
    return 0;
}

/* It waits for them. */
Test(destroy, with_tasks_that_run)
{
    static const distributor_task_type_t type = {
        .name = "until told",
        .run = run_until_told,
        .discard_input = discard_input,
        .discard_result = discard_result,
    };
    sem_init(&begun, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    add_ids(d, &type, 10);
    await(&begun);
    await(&begun);
    expect(distributor_destroy(d), 0);
    expect(atomic_load(&returned), 2);
    expect(sum_of(input_discarded), 8);
    expect(sum_of(result_discarded), 2);
    sem_destroy(&begun);
    finish();
}

/* The reader stopped half-way: the workers wait for room that will not come. */
Test(destroy, with_tasks_that_wait_for_room)
{
    distributor_t *d = make(OPTIONS(.workers = 3, .output_limit = 2));
    expect(distributor_start(d), 0);
    add_ids(d, &owning, 100);
    distributor_result_t r;
    for (int i = 0; i < 10; i++)
        expect(distributor_next_result(d, &r), 1);
    expect(distributor_destroy(d), 0);
    expect(sum_of(input_discarded) + sum_of(result_discarded), 90);
    finish();
}

static int destroy_from_inside(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_destroy(distributor_of(self)) == -EDEADLK);
    task_assert(!distributor_should_stop(self));
    task_assert(distributor_spawn(self, &echo, input, size) == 0);
    return 0;
}

Test(destroy, from_inside_a_task)
{
    static const distributor_task_type_t type = {.name = "destroy", .run = destroy_from_inside};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_task(d, &type, "x", 1), 0);
    expect(run(d).completed, 2);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    finish();
}
