/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor_map_async: the outputs in the caller's loop; and the capabilities C1 to C3, one call
 * shape for a map that waits and for one that does not.
 */
#include "support.h"

#include <poll.h>

TestSuite(map_async, .timeout = 240);

#define ITEMS 20000

static uint32_t numbers[ITEMS];
static uint64_t squares[ITEMS];

static int square(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint32_t *in = inputs;
    uint64_t *out = outputs;
    (void)context;
    for (size_t i = 0; i < count; i++)
        out[i] += (uint64_t)in[i] * in[i] + 1;
    return 0;
}

static void prepare(void)
{
    for (uint32_t i = 0; i < ITEMS; i++)
        numbers[i] = i;
    memset(squares, 0, sizeof(squares));
}

static int begin_squares(distributor_t *d, void *context, size_t count)
{
    return distributor_map_async(d, square, context, numbers, sizeof(numbers[0]), squares,
                                 sizeof(squares[0]), count);
}

/* What was read of one map. */
struct progress {
    unsigned char *seen;
    size_t items;
    size_t announced; /* what the last one says */
    bool last;
};

/* Checks one announced range.  Whether all have been read. */
static bool note(const distributor_result_t *r, struct progress *progress)
{
    unsigned char *seen = progress->seen;
    const distributor_map_range_t *range = r->data;
    expect(r->error, 0);
    expect(r->size, sizeof(*range));
    expect(strcmp(r->type->name, "map"), 0);
    if (range->last) {
        ensure(!progress->last);
        expect(range->error, 0);
        progress->last = true;
        progress->announced = range->count;
    } else {
        progress->items += range->count;
    }
    for (size_t i = range->first; !range->last && i < range->first + range->count; i++) {
        expect(seen[i]++, 0);
        expect(squares[i], (uint64_t)i * i + 1);
    }
    return progress->last && progress->items == progress->announced;
}

static void expect_all(const unsigned char *seen, size_t count)
{
    for (size_t i = 0; i < ITEMS; i++)
        expect(seen[i], i < count);
}

/* C2: an event loop that has nothing to do but poll. */
Test(map_async, c2_results_arrive_in_the_callers_loop)
{
    static unsigned char seen[ITEMS];
    struct progress progress = {.seen = seen};
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    struct pollfd loop = {.fd = distributor_fd(d), .events = POLLIN};
    prepare();
    expect(distributor_start(d), 0);
    expect(begin_squares(d, NULL, ITEMS), 0);
    for (bool all = false; !all;) {
        int rc;
        expect(poll(&loop, 1, -1), 1);
        while ((rc = distributor_try_next_result(d, &r)) == 1)
            all = note(&r, &progress);
        expect(rc, -EAGAIN);
    }
    expect_all(seen, ITEMS);
    expect(distributor_destroy(d), 0);
    finish();
}

/* C1 and C3: the same function, the same arguments, in the order of the inputs. */
Test(map_async, c1_c3_one_call_shape_for_both)
{
    static unsigned char seen[ITEMS];
    static uint64_t same[ITEMS];
    struct progress progress = {.seen = seen};
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    prepare();
    expect(distributor_map(d, square, NULL, numbers, 4, same, 8, ITEMS), 0);
    expect(begin_squares(d, NULL, ITEMS), 0); /* started later */
    expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
    while (distributor_next_result(d, &r) == 1)
        note(&r, &progress);
    expect_all(seen, ITEMS);
    expect(memcmp(same, squares, sizeof(same)), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* Beside results of other types, without a name and of the same name, the address tells. */
Test(map_async, among_results_of_other_types)
{
    static const distributor_task_type_t nameless = {.run = support_echo},
                                         namesake = {.name = "map", .run = support_echo};
    static unsigned char seen[ITEMS];
    struct progress progress = {.seen = seen};
    unsigned others = 0;
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    prepare();
    for (unsigned i = 0; i < 100; i++)
        expect(distributor_add_task(d, i % 2 == 0 ? &nameless : &namesake, "x", 1), 0);
    expect(begin_squares(d, NULL, ITEMS), 0);
    expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
    while (distributor_next_result(d, &r) == 1)
        if (r.type == &nameless || r.type == &namesake)
            others++;
        else
            note(&r, &progress);
    expect(others, 100);
    expect_all(seen, ITEMS);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(map_async, of_all_sizes_again_and_again)
{
    static const size_t counts[] = {0, 1, 2, 3, 100, ITEMS};
    static unsigned char seen[ITEMS];
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 3, .output_limit = 2));
    expect(distributor_start(d), 0);
    for (unsigned round = 0; round < 60; round++) {
        struct progress progress = {.seen = seen};
        prepare();
        memset(seen, 0, sizeof(seen));
        expect(begin_squares(d, NULL, counts[round % 6]), 0);
        do
            expect(distributor_next_result(d, &r), 1);
        while (!note(&r, &progress));
        expect_all(seen, counts[round % 6]);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int fail_at(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint32_t *in = inputs;
    (void)outputs;
    for (size_t i = 0; i < count; i++)
        if (in[i] >= *(const uint32_t *)context)
            return in[i] == *(const uint32_t *)context ? -EIO : -EPERM;
    return 0;
}

Test(map_async, the_last_range_has_the_first_failure)
{
    distributor_t *d = make(OPTIONS(.workers = 3));
    prepare();
    expect(distributor_start(d), 0);
    for (uint32_t first = 0; first < 3000; first += 61) {
        distributor_map_range_t range = {.last = false};
        distributor_result_t r;
        expect(distributor_map_async(d, fail_at, &first, numbers, 4, NULL, 0, ITEMS), 0);
        size_t items = 0, announced = SIZE_MAX;
        while (items != announced) {
            expect(distributor_next_result(d, &r), 1);
            expect(r.error, 0);
            range = *(const distributor_map_range_t *)r.data;
            ensure(range.context == &first);
            if (range.last) {
                announced = range.count;
                expect(range.error, -EIO);
                ensure(range.first <= first);
            } else {
                items += range.count;
                ensure(range.first + range.count <= first);
            }
        }
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int end_thread_inside(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)context, (void)inputs, (void)outputs, (void)count;
    pthread_exit(NULL);
}

Test(map_async, a_callback_that_ends_its_thread)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    for (int round = 0; round < 10; round++) {
        bool last = false, lost = false;
        distributor_result_t r;
        expect(distributor_map_async(d, end_thread_inside, NULL, numbers, 4, NULL, 0, 100), 0);
        while (!last || !lost) {
            expect(distributor_next_result(d, &r), 1);
            const distributor_map_range_t *range = r.data;
            lost = lost || r.error == -EOWNERDEAD;
            if (r.error == 0) {
                expect(range->error, -EOWNERDEAD);
                last = range->last;
            }
        }
        while (distributor_is_idle(d) != 1) /* more threads may have ended */
            distributor_drop_results(d);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* Whatever comes first, memory and arrays are free after STOP. */
Test(map_async, cancel_at_any_time)
{
    for (unsigned round = rounds(300); round > 0; round--) {
        distributor_t *d = make(OPTIONS(.workers = 2, .output_limit = round % 3));
        prepare();
        expect(distributor_start(d), 0);
        for (int i = 0; i < 3; i++)
            expect(begin_squares(d, NULL, ITEMS), 0);
        if (round % 2)
            nap(round % 10 * 10000);
        expect(distributor_cancel(d), 0);
        sum_up(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int map_inside(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(begin_squares(distributor_of(self), NULL, 1000) == 0);
    return 0;
}

Test(map_async, inside_a_task)
{
    static const distributor_task_type_t inside = {.name = "inside", .run = map_inside};
    static unsigned char seen[ITEMS];
    struct progress progress = {.seen = seen};
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    prepare();
    expect(distributor_add_task(d, &inside, NULL, 0), 0);
    expect(run(d).failed, 0);
    while (distributor_next_result(d, &r) == 1)
        note(&r, &progress);
    expect_all(seen, 1000);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(map_async, what_it_refuses)
{
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 1));
    expect(begin_squares(NULL, NULL, 1), -EINVAL);
    expect(distributor_map_async(d, NULL, NULL, numbers, 4, NULL, 0, 1), -EINVAL);
    expect(distributor_map_async(d, square, NULL, numbers, 0, NULL, 0, 1), -EINVAL);
    expect(distributor_add_task(d, &nothing, NULL, 0), 0);
    expect(begin_squares(d, NULL, 1), -EAGAIN);
    expect(distributor_close(d), 0);
    expect(begin_squares(d, NULL, 1), -ESHUTDOWN);
    expect(run(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}
