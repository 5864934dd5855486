/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor_pipe: the results of one distributor are the tasks of another. */
#include "support.h"

TestSuite(pipe, .timeout = 240);

static int square(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t n = *(const uint64_t *)input;
    n *= n;
    return distributor_emit(self, &n, size);
}

static int add_one(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t n = *(const uint64_t *)input + 1;
    return distributor_emit(self, &n, size);
}

static const distributor_task_type_t squares = {.name = "square", .run = square};
static const distributor_task_type_t plus_one = {.name = "plus one", .run = add_one};

static void add_numbers(distributor_t *d, uint64_t count)
{
    for (uint64_t n = 0; n < count; n++)
        expect(distributor_add_task(d, &squares, &n, sizeof(n)), 0);
}

static void *add_and_close(void *argument)
{
    for (uint64_t n = 0; n < 2000; n++)
        task_assert(distributor_add_task(argument, &squares, &n, sizeof(n)) == 0);
    task_assert(distributor_close(argument) == 0);
    return NULL;
}

#define SUM_OF_2000 UINT64_C(2664667000) /* of the squares of 0 to 1999 */

static void read_sum(distributor_t *d, uint64_t count, uint64_t sum)
{
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        expect(r.error, 0);
        sum -= *(const uint64_t *)r.data;
        count--;
    }
    expect(count, 0);
    expect(sum, 0);
}

/* ---- what it does ---- */

Test(pipe, every_result_becomes_a_task)
{
    static const unsigned workers[] = {1, 2, 4};
    static const unsigned limits[] = {0, 1, 10};
    for (unsigned i = 0; i < 27; i++) {
        distributor_t *a = make(OPTIONS(.workers = workers[i % 3], .output_limit = limits[i / 9],
                                        .input_limit = 7));
        distributor_t *b = make(OPTIONS(.workers = workers[i / 3 % 3],
                                        .input_limit = limits[i / 9], .output_limit = 3));
        expect(distributor_pipe(a, b, &plus_one), 0);
        expect(distributor_start(a), 0);
        expect(distributor_start(b), 0);
        expect(distributor_close(b), 0);
        pthread_t adder = begin_thread(add_and_close, a);
        read_sum(b, 2000, SUM_OF_2000 + 2000);
        end_thread(adder);
        expect(sum_up(a).results, 2000);
        expect(sum_up(b).completed, 2000);
        expect(distributor_destroy(i % 2 ? a : b), 0);
        expect(distributor_destroy(i % 2 ? b : a), 0);
    }
    finish();
}

/* Each end sleeps before the next result comes. */
Test(pipe, one_at_a_time)
{
    distributor_result_t r;
    distributor_t *a = make(OPTIONS(.workers = 2)), *b = make(OPTIONS(.workers = 2));
    expect(distributor_pipe(a, b, &plus_one), 0);
    expect(distributor_start(a), 0);
    expect(distributor_start(b), 0);
    for (uint64_t n = 0; n < 300; n++) {
        if (n % 3 == 0)
            nap(200000);
        expect(distributor_add_task(a, &squares, &n, sizeof(n)), 0);
        expect(distributor_next_result(b, &r), 1);
        expect(*(const uint64_t *)r.data, n * n + 1);
    }
    expect(distributor_try_next_result(b, &r), -EAGAIN);
    expect(distributor_destroy(a), 0);
    expect(distributor_destroy(b), 0);
    finish();
}

Test(pipe, a_chain_that_runs_again)
{
    enum { STAGES = 4 };
    distributor_t *stages[STAGES];
    for (int i = 0; i < STAGES; i++)
        stages[i] = make(OPTIONS(.workers = 2, .output_limit = 5));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < STAGES; i++)
            expect(distributor_start(stages[i]), 0);
        for (int i = 0; i + 1 < STAGES; i++) {
            expect(distributor_pipe(stages[i], stages[i + 1], &plus_one), 0);
            expect(distributor_close(stages[i + 1]), 0);
        }
        pthread_t adder = begin_thread(add_and_close, stages[0]);
        read_sum(stages[STAGES - 1], 2000, SUM_OF_2000 + 2000 * (STAGES - 1));
        end_thread(adder);
        for (int i = 0; i < STAGES; i++)
            sum_up(stages[i]);
    }
    for (int i = 0; i < STAGES; i++)
        expect(distributor_destroy(stages[i]), 0);
    finish();
}

/* ---- failures ---- */

static int fail_somehow(distributor_task_t *self, const void *input, size_t size)
{
    int kind = *(const int *)input;
    (void)size;
    if (kind == 0)
        return -EIO;
    if (kind == 1)
        return distributor_fail(self, -EPERM, "number %d", kind);
    return kind == 2 ? -100000 : distributor_emit(self, &kind, sizeof(kind));
}

Test(pipe, a_failure_goes_on_as_one)
{
    static const distributor_task_type_t failing = {.name = "failing", .run = fail_somehow};
    static const int errors[] = {-EIO, -EPERM, -100000};
    distributor_t *a = make(OPTIONS(.workers = 1)), *b = make(OPTIONS(.workers = 2));
    unsigned char input[100] = {0};
    distributor_result_t r;
    expect(distributor_pipe(a, b, &echo), 0);
    for (int kind = 0; kind < 4; kind++) { /* with a small input and with a large one */
        input[0] = (unsigned char)kind;
        expect(distributor_add_task(a, &failing, input, 4), 0);
        expect(distributor_add_task(a, &failing, input, sizeof(input)), 0);
    }
    expect(run(a).failed, 6);
    distributor_summary_t s = run(b);
    expect(s.added, 8);
    expect(s.failed, 6);
    expect(s.completed, 2);
    int left = 8;
    for (; distributor_next_result(b, &r) == 1; left--) {
        int kind = *(const int *)r.data;
        expect(r.error, kind == 3 ? 0 : errors[kind]);
        ensure(r.type == (kind == 3 ? &echo : &failing));
        ensure(r.size == 4 || (kind != 3 && r.size == sizeof(input)));
        if (kind == 1)
            expect(strcmp(r.message, "number 1"), 0);
    }
    expect(left, 0);
    expect(distributor_destroy(a), 0);
    expect(distributor_destroy(b), 0);
    finish();
}

/* ---- bounds ---- */

struct endless {
    atomic_ulong begun;
    sem_t go;
};

static int count_up(void *context, distributor_input_t *input)
{
    struct endless *endless = context;
    uint64_t n = atomic_fetch_add(&endless->begun, 1);
    return distributor_set_input(input, &n, sizeof(n));
}

static struct endless *held;

static int hold_task(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    await(&held->go);
    sem_post(&held->go);
    return 0;
}

Test(pipe, backpressure_reaches_the_first_source)
{
    static const distributor_task_type_t holding = {.name = "holding", .run = hold_task};
    struct endless endless = {.begun = 0};
    distributor_t *a = make(OPTIONS(.workers = 2, .output_limit = 4));
    distributor_t *b = make(OPTIONS(.workers = 2, .input_limit = 4));
    held = &endless;
    sem_init(&endless.go, 0, 0);
    expect(distributor_pipe(a, b, &holding), 0);
    expect(distributor_add_source(a, &squares, count_up, &endless), 0);
    expect(distributor_start(a), 0);
    expect(distributor_start(b), 0);
    /* 2 run in b, 4 wait there, 4 wait in a's output, 2 wait to be emitted; a row of a's source is
     * at most 128 */
    for (int i = 0; i < 20; i++) {
        nap(MILLISECONDS(1));
        ensure(atomic_load(&endless.begun) <= 2 + 4 + 4 + 2 * 129);
    }
    expect(distributor_stop(a), 0);
    sem_post(&endless.go);
    distributor_summary_t s = sum_up(b);
    expect(s.completed, atomic_load(&endless.begun));
    sum_up(a);
    expect(distributor_destroy(a), 0);
    expect(distributor_destroy(b), 0);
    finish();
}

/* ---- what results own ---- */

static atomic_int owned;

static void discard_owned(void *pointer, size_t size)
{
    task_assert(size == sizeof(void *));
    free(*(void **)pointer);
    atomic_fetch_sub(&owned, 1);
}

static int emit_owned(distributor_task_t *self, const void *input, size_t size)
{
    void *pointer = malloc(10);
    (void)input, (void)size;
    atomic_fetch_add(&owned, 1);
    return distributor_emit(self, &pointer, sizeof(pointer));
}

static int free_owned(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)size;
    free(*(void *const *)input);
    atomic_fetch_sub(&owned, 1);
    return 0;
}

static const distributor_task_type_t producing = {
    .name = "producing", .run = emit_owned, .discard_result = discard_owned};
static const distributor_task_type_t consuming = {
    .name = "consuming", .run = free_owned, .discard_input = discard_owned};

/* The ends are cancelled and destroyed in all orders, at any time. */
Test(pipe, nothing_is_lost_whichever_end_goes_first)
{
    for (unsigned round = rounds(400); round > 0; round--) {
        distributor_t *a = make(OPTIONS(.workers = 2, .output_limit = round % 3));
        distributor_t *b = make(OPTIONS(.workers = 2, .input_limit = round % 5));
        expect(distributor_pipe(a, b, &consuming), 0);
        for (int i = 0; i < 100; i++)
            expect(distributor_add_task(a, &producing, NULL, 0), 0);
        expect(distributor_start(a), 0);
        if (round % 7)
            expect(distributor_start(b), 0);
        nap(round % 11 * 10000);
        if (round % 4 == 0)
            expect(distributor_cancel(round % 8 ? a : b), 0);
        expect(distributor_destroy(round % 2 ? a : b), 0);
        expect(distributor_destroy(round % 2 ? b : a), 0);
        expect(atomic_load(&owned), 0);
    }
    finish();
}

Test(pipe, a_stopped_reader_leaves_the_results)
{
    distributor_result_t r;
    distributor_t *a = make(OPTIONS(.workers = 1)), *b = make(OPTIONS(.workers = 1));
    expect(distributor_pipe(a, b, &plus_one), 0);
    expect(distributor_start(b), 0);
    expect(distributor_stop(b), 0);
    expect(sum_up(b).added, 0);
    add_numbers(a, 10);
    expect(run(a).results, 10);
    expect(drain(a), 10);
    /* Now another can take its place. */
    expect(distributor_start(a), 0);
    expect(distributor_start(b), 0);
    expect(distributor_pipe(a, b, &plus_one), 0);
    add_numbers(a, 10);
    sum_up(a);
    expect(sum_up(b).completed, 10);
    expect(distributor_next_result(a, &r), 0);
    expect(drain(b), 10);
    expect(distributor_destroy(a), 0);
    expect(distributor_destroy(b), 0);
    finish();
}

/* ---- what it refuses ---- */

Test(pipe, arguments)
{
    static const distributor_task_type_t no_run = {.name = "none"};
    distributor_t *a = make(NULL), *b = make(NULL), *c = make(NULL);
    expect(distributor_pipe(NULL, b, &echo), -EINVAL);
    expect(distributor_pipe(a, NULL, &echo), -EINVAL);
    expect(distributor_pipe(a, a, &echo), -EINVAL);
    expect(distributor_pipe(a, b, NULL), -EINVAL);
    expect(distributor_pipe(a, b, &no_run), -EINVAL);
    expect(distributor_close(c), 0);
    expect(distributor_pipe(a, c, &echo), -ESHUTDOWN);
    expect(distributor_pipe(a, b, &echo), 0); /* those that failed left nothing behind */
    expect(distributor_pipe(a, b, &echo), -EBUSY);
    expect(distributor_pipe(c, b, &echo), 0); /* several into one */
    expect(distributor_destroy(a), 0);
    expect(distributor_destroy(b), 0);
    expect(distributor_destroy(c), 0);
    finish();
}

static int smallest(void *context, distributor_input_t *input)
{
    (void)context, (void)input;
    return INT32_MIN;
}

/* The number by which a pipe says "failed" means nothing from others. */
Test(pipe, a_source_that_returns_the_smallest_number)
{
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_source(d, &echo, smallest, NULL), 0);
    expect(run(d).failed, 1);
    expect(distributor_next_result(d, &r), 1);
    expect(r.error, INT32_MIN);
    expect(distributor_next_result(d, &r), 0);
    expect(distributor_destroy(d), 0);
    finish();
}
