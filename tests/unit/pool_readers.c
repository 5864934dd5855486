/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several readers: each result goes to exactly one of them, STOP to all; what a reader was given
 * stays valid until its own next read.
 */
#include "support.h"

TestSuite(readers, .timeout = 240);

/* ---- Each result to exactly one ---- */

enum { READERS = 4, RESULTS = 20000 };

static atomic_uchar read_by[RESULTS];
static atomic_uint total;

struct reader {
    distributor_t *d;
    size_t batch; /* 0: one at a time */
};

static void note_result(const distributor_result_t *r)
{
    unsigned n = *(const unsigned *)r->data;
    task_assert(r->error == 0 && r->size == sizeof(n) && n < RESULTS);
    task_assert(atomic_fetch_add(&read_by[n], 1) == 0);
    atomic_fetch_add(&total, 1);
}

static void *read_all(void *argument)
{
    struct reader *me = argument;
    distributor_result_t r[64];
    ptrdiff_t n;
    do {
        n = me->batch == 0 ? distributor_next_result(me->d, r)
                           : distributor_next_results(me->d, r, me->batch);
        for (ptrdiff_t i = 0; i < n; i++)
            note_result(&r[i]);
    } while (n > 0);
    task_assert(n == 0);
    for (int i = 0; i < 3; i++)
        task_assert(distributor_next_result(me->d, r) == 0);
    return NULL;
}

static int emit_ten(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned first = *(const unsigned *)input;
    for (unsigned i = first; i < first + 10; i++)
        task_assert(distributor_emit(self, &i, sizeof(i)) == 0);
    return 0;
}

static void many_readers(unsigned output_limit, bool batches)
{
    static const distributor_task_type_t ten = {.name = "ten", .run = emit_ten};
    /* Readers that have not come yet are no deadlock. */
    distributor_t *d = make(OPTIONS(.workers = 3, .output_limit = output_limit,
                                    .deadlock_ns = DISTRIBUTOR_FOREVER));
    for (int round = 0; round < 3; round++) {
        memset(read_by, 0, sizeof(read_by));
        atomic_store(&total, 0);
        expect(distributor_start(d), 0);
        pthread_t thread[READERS];
        struct reader reader[READERS];
        for (unsigned i = 0; i < READERS; i++) {
            reader[i] = (struct reader){d, batches ? 1 + 21 * i : 0};
            thread[i] = begin_thread(read_all, &reader[i]);
        }
        for (unsigned i = 0; i < RESULTS; i += 10)
            expect(distributor_add_task(d, &ten, &i, sizeof(i)), 0);
        distributor_summary_t s = sum_up(d);
        for (int i = 0; i < READERS; i++)
            end_thread(thread[i]);
        expect(s.results, RESULTS);
        expect(atomic_load(&total), RESULTS);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

Test(readers, each_result_goes_to_one)
{
    many_readers(0, false);
}

Test(readers, each_result_goes_to_one_through_a_small_output)
{
    many_readers(3, false);
}

Test(readers, each_result_goes_to_one_in_batches)
{
    many_readers(0, true);
}

Test(readers, each_result_goes_to_one_in_batches_through_a_small_output)
{
    many_readers(5, true);
}

/* ---- The first reader takes alone, until a second one comes ---- */

static void *drop_all(void *argument)
{
    struct reader *me = argument;
    while (atomic_load(&total) < RESULTS / 2)
        distributor_drop_results(me->d);
    return NULL;
}

static void note_dropped(void *result, size_t size)
{
    unsigned n = *(const unsigned *)result;
    task_assert(size == sizeof(n) && n < RESULTS);
    task_assert(atomic_fetch_add(&read_by[n], 1) == 0);
}

/* Reads alone for a while and goes on beside a thread that begins to take; each result once. */
static void joined_by(void *(*other)(void *), unsigned alone)
{
    static const distributor_task_type_t ten = {
        .name = "ten", .run = emit_ten, .discard_result = note_dropped};
    distributor_t *d = make(OPTIONS(.workers = 1));
    struct reader reader = {d, 0};
    distributor_result_t r;
    memset(read_by, 0, sizeof(read_by));
    atomic_store(&total, 0);
    for (unsigned i = 0; i < RESULTS; i += 10)
        expect(distributor_add_task(d, &ten, &i, sizeof(i)), 0);
    run(d);
    for (unsigned i = 0; i < alone; i++) {
        expect(distributor_next_result(d, &r), 1);
        note_result(&r);
    }
    pthread_t thread = begin_thread(other, &reader);
    while (distributor_next_result(d, &r) == 1)
        note_result(&r);
    atomic_store(&total, RESULTS);
    end_thread(thread);
    expect(distributor_destroy(d), 0);
    for (unsigned i = 0; i < RESULTS; i++)
        expect(atomic_load(&read_by[i]), 1);
}

Test(readers, a_second_reader_joins_the_lone_one)
{
    for (unsigned round = 0; round < 100; round++)
        joined_by(read_all, round * 50);
    finish();
}

/* Dropping takes results too. */
Test(readers, results_are_dropped_beside_the_lone_reader)
{
    for (unsigned round = 0; round < 100; round++)
        joined_by(drop_all, round * 50);
    finish();
}

/* ---- Batches ---- */

static sem_t gate;

static int emit_three_then_wait(distributor_task_t *self, const void *input, size_t size)
{
    for (int i = 0; i < 3; i++)
        task_assert(distributor_emit(self, input, size) == 0);
    await(&gate);
    return distributor_emit(self, input, size);
}

/* It waits for the first result only: the fourth needs the reader to come back. */
Test(readers, a_batch_waits_for_the_first_only)
{
    static const distributor_task_type_t type = {.name = "three", .run = emit_three_then_wait};
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, "x", 1), 0);
    distributor_result_t r[10];
    for (ptrdiff_t got = 0; got < 3;) {
        ptrdiff_t n = distributor_next_results(d, r, 10);
        ensure(n >= 1 && n <= 3 - got);
        got += n;
    }
    sem_post(&gate);
    expect(distributor_next_results(d, r, 10), 1);
    expect(distributor_close(d), 0);
    expect(distributor_next_results(d, r, 10), 0);
    sum_up(d);
    expect(distributor_next_results(d, r, 1), 0);
    expect(distributor_destroy(d), 0);
    sem_destroy(&gate);
    finish();
}

/* ---- How long the bytes stay valid ---- */

static int emit_pattern(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned n = *(const unsigned *)input;
    unsigned char bytes[200];
    memset(bytes, (int)(n % 251), sizeof(bytes));
    return distributor_emit(self, bytes, 1 + n % sizeof(bytes));
}

static const distributor_task_type_t pattern = {.name = "pattern", .run = emit_pattern};

static bool is_uniform(const distributor_result_t *r)
{
    const unsigned char *bytes = r->data;
    for (size_t i = 1; i < r->size; i++)
        if (bytes[i] != bytes[0])
            return false;
    return r->size >= 1;
}

static void *read_the_rest(void *argument)
{
    distributor_result_t r;
    while (distributor_next_result(argument, &r) == 1)
        task_assert(is_uniform(&r));
    return NULL;
}

static void add_patterns(distributor_t *d, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        expect(distributor_add_task(d, &pattern, &i, sizeof(i)), 0);
}

/* This thread's results outlive other threads' reads, join and the next run. */
Test(readers, results_stay_until_the_threads_next_read)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    add_patterns(d, 2000);
    run(d);
    distributor_result_t mine[300];
    unsigned char first[300];
    ptrdiff_t n = distributor_next_results(d, mine, 300);
    ensure(n >= 1 && n <= 300);
    for (ptrdiff_t i = 0; i < n; i++)
        first[i] = *(const unsigned char *)mine[i].data;
    end_thread(begin_thread(read_the_rest, d));
    add_patterns(d, 2000);
    run(d);
    end_thread(begin_thread(read_the_rest, d));
    for (ptrdiff_t i = 0; i < n; i++) {
        ensure(is_uniform(&mine[i]));
        expect(*(const unsigned char *)mine[i].data, first[i]);
    }
    expect(distributor_next_result(d, &mine[0]), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* Two distributors do not disturb each other. */
Test(readers, results_of_two_distributors)
{
    distributor_t *a = make(OPTIONS(.workers = 1)), *b = make(OPTIONS(.workers = 1));
    add_patterns(a, 100);
    add_patterns(b, 100);
    run(a);
    run(b);
    distributor_result_t r, other;
    for (int i = 0; i < 100; i++) {
        expect(distributor_next_result(a, &r), 1);
        unsigned char before = *(const unsigned char *)r.data;
        expect(distributor_next_result(b, &other), 1);
        ensure(is_uniform(&r) && is_uniform(&other));
        expect(*(const unsigned char *)r.data, before);
    }
    expect(distributor_destroy(b), 0);
    expect(distributor_next_result(a, &r), 0);
    expect(distributor_destroy(a), 0);
    finish();
}

/* ---- Waiting readers ---- */

static void *expect_one_result_and_stop(void *argument)
{
    distributor_result_t r;
    int rc, n = 0;
    while ((rc = distributor_next_result(argument, &r)) == 1)
        n++;
    task_assert(rc == 0);
    atomic_fetch_add(&total, (unsigned)n);
    return NULL;
}

/* A reader of a distributor that nobody has started or closed waits, as for a channel. */
Test(readers, wait_before_start)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    pthread_t thread[READERS];
    for (int i = 0; i < READERS; i++)
        thread[i] = begin_thread(expect_one_result_and_stop, d);
    nap(MILLISECONDS(10));
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    nap(MILLISECONDS(10));
    expect(distributor_start(d), 0);
    nap(MILLISECONDS(10));
    sum_up(d);
    for (int i = 0; i < READERS; i++)
        end_thread(thread[i]);
    expect(atomic_load(&total), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* A result wakes a reader at once, whatever the emitting task does next. */
Test(readers, a_result_comes_while_its_task_goes_on)
{
    static const distributor_task_type_t type = {.name = "three", .run = emit_three_then_wait};
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    distributor_result_t r;
    for (int i = 0; i < 20; i++) {
        expect(distributor_add_task(d, &type, "x", 1), 0);
        for (int j = 0; j < 3; j++)
            expect(distributor_next_result(d, &r), 1);
        if (i % 5 == 0)
            nap(MILLISECONDS(5));
        sem_post(&gate);
        expect(distributor_next_result(d, &r), 1);
    }
    sum_up(d);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    sem_destroy(&gate);
    finish();
}

/* A hundred thousand times which of the two it is, once both have begun. */
static int emit_many_beside_another(distributor_task_t *self, const void *input, size_t size)
{
    static atomic_int begun;
    atomic_fetch_add(&begun, 1);
    while (atomic_load(&begun) % 2 != 0)
        nap(MILLISECONDS(1));
    for (int i = 0; i < 100000; i++)
        task_assert(distributor_emit(self, input, size) == 0);
    return 0;
}

/* Neither all of one worker's results come before those of another, nor do they in batches. */
Test(readers, no_worker_waits_behind_all_of_another)
{
    static const distributor_task_type_t type = {.name = "many", .run = emit_many_beside_another};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (size_t most = 1; most <= 16; most += 15) {
        distributor_result_t r[16];
        unsigned count[2] = {0};
        for (uint64_t i = 0; i < 2; i++)
            expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
        expect(run(d).completed, 2);
        for (unsigned taken = 0; taken < 50000;) {
            ptrdiff_t n = most == 1 ? distributor_next_result(d, r)
                                    : distributor_next_results(d, r, most);
            ensure(n > 0);
            for (ptrdiff_t i = 0; i < n; i++)
                count[*(const uint64_t *)r[i].data]++;
            taken += (unsigned)n;
        }
        ensure(count[0] > 0 && count[1] > 0);
        expect(drain(d), 200000 - count[0] - count[1]);
    }
    expect(distributor_destroy(d), 0);
    finish();
}
