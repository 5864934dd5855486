/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor_map: each item once and in its place, on whatever it runs, and what it refuses. */
#include "support.h"

TestSuite(map, .timeout = 240);

#define MOST 100000

/* In which state the distributor is handed over. */
enum state { NONE, CREATED, STARTED, STATES };

static distributor_t *hand_over(enum state state, unsigned workers)
{
    if (state == NONE)
        return NULL;
    distributor_t *d = make(OPTIONS(.workers = workers));
    if (state == STARTED)
        expect(distributor_start(d), 0);
    return d;
}

static int square(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint32_t *in = inputs;
    uint64_t *out = outputs;
    (void)context;
    for (size_t i = 0; i < count; i++)
        out[i] += (uint64_t)in[i] * in[i] + 1; /* twice would show */
    return 0;
}

static uint32_t numbers[MOST];
static uint64_t squares[MOST];

static void prepare(size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)i;
    memset(squares, 0, count * sizeof(squares[0]));
}

static void check_squares(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (squares[i] != (uint64_t)i * i + 1)
            cr_assert_fail("item %zu of %zu is %llu", i, count, (unsigned long long)squares[i]);
}

static int map_squares(distributor_t *d, size_t count)
{
    prepare(count);
    return distributor_map(d, square, NULL, numbers, sizeof(numbers[0]), squares,
                           sizeof(squares[0]), count);
}

/* ---- what it does ---- */

Test(map, every_item_once_and_in_its_place)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 100, 1000, MOST};
    static const unsigned workers[] = {1, 2, 16};
    for (unsigned state = NONE; state < STATES; state++) {
        for (unsigned w = 0; w < 3; w++) {
            distributor_t *d = hand_over((enum state)state, workers[w]);
            for (unsigned c = 0; c < 8; c++) {
                expect(map_squares(d, counts[c]), 0);
                check_squares(counts[c]);
                expect(d ? distributor_is_idle(d) : 1, 1);
            }
            expect(distributor_destroy(d), 0);
        }
    }
    finish();
}

Test(map, again_and_again_on_a_started_distributor)
{
    distributor_t *d = hand_over(STARTED, 2);
    for (unsigned round = rounds(20000); round > 0; round--)
        expect(map_squares(d, round % 50), 0);
    expect(sum_up(d).results, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static int negate(void *context, const void *inputs, void *outputs, size_t count)
{
    ensure(inputs == outputs);
    (void)context;
    for (size_t i = 0; i < count; i++)
        ((int64_t *)outputs)[i] *= -1;
    return 0;
}

Test(map, in_place)
{
    int64_t values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = i;
    expect(distributor_map(NULL, negate, NULL, values, 8, values, 8, 1000), 0);
    for (int i = 0; i < 1000; i++)
        expect(values[i], -i);
    finish();
}

static int count_items(void *context, const void *inputs, void *outputs, size_t count)
{
    task_assert(!inputs && !outputs);
    atomic_fetch_add((atomic_size_t *)context, count);
    return 0;
}

/* With nothing to read or write the number of items is all there is, and it may be large. */
Test(map, without_arrays)
{
    static const size_t counts[] = {1, 1000, (size_t)1 << 50, SIZE_MAX};
    for (unsigned i = 0; i < 4; i++) {
        atomic_size_t total = 0;
        expect(distributor_map(NULL, count_items, &total, NULL, 0, NULL, 0, counts[i]), 0);
        ensure(total == counts[i]);
    }
    finish();
}

static int meet(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)inputs, (void)outputs;
    task_assert(count == 1);
    pthread_barrier_wait(context);
    return 0;
}

/* Eight items that wait for one another need seven workers and the caller at once. */
Test(map, all_workers_and_the_caller_help)
{
    for (unsigned state = CREATED; state < STATES; state++) {
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 8);
        distributor_t *d = hand_over((enum state)state, 7);
        for (int round = 0; round < 20; round++)
            expect(distributor_map(d, meet, &barrier, NULL, 0, NULL, 0, 8), 0);
        expect(distributor_destroy(d), 0);
        pthread_barrier_destroy(&barrier);
    }
    finish();
}

/* ---- what it refuses ---- */

Test(map, arguments)
{
    distributor_t *d = make(NULL);
    char array[8];
    expect(distributor_map(d, NULL, NULL, array, 1, array, 1, 8), -EINVAL);
    expect(distributor_map(d, square, NULL, NULL, 1, array, 1, 8), -EINVAL);
    expect(distributor_map(d, square, NULL, array, 0, array, 1, 8), -EINVAL);
    expect(distributor_map(d, square, NULL, array, 1, NULL, 1, 8), -EINVAL);
    expect(distributor_map(d, square, NULL, array, 1, array, 0, 8), -EINVAL);
    expect(distributor_map(d, square, NULL, array, 8, array, 1, SIZE_MAX / 8), -EINVAL);
    expect(distributor_map(d, square, NULL, array, 1, array, SIZE_MAX, 1), -EINVAL);
    expect(distributor_is_idle(NULL), -EINVAL);
    expect(distributor_destroy(d), 0);
    finish();
}

static int wait_task(distributor_task_t *self, const void *input, size_t size)
{
    sem_t *const *semaphores = input;
    (void)self, (void)size;
    sem_post(semaphores[0]);
    await(semaphores[1]);
    return 0;
}

static void expect_busy(distributor_t *d)
{
    expect(distributor_is_idle(d), 0);
    expect(map_squares(d, 10), -EBUSY);
    expect(map_squares(d, 1), -EBUSY);
    expect(squares[0], 0); /* no item was touched */
}

Test(map, a_distributor_that_has_tasks_or_results_is_busy)
{
    static const distributor_task_type_t waiting = {.name = "waiting", .run = wait_task};
    distributor_result_t r;
    sem_t begun, go, *both[] = {&begun, &go};
    sem_init(&begun, 0, 0);
    sem_init(&go, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_is_idle(d), 1);
    expect(distributor_add_task(d, &waiting, both, sizeof(both)), 0);
    expect_busy(d);                       /* a task waits for the start */
    expect(distributor_start(d), 0);
    await(&begun);
    expect_busy(d);                       /* a task runs */
    sem_post(&go);
    expect(distributor_add_task(d, &echo, "x", 1), 0);
    expect(distributor_close(d), 0);
    expect(map_squares(d, 10), -ESHUTDOWN);
    sum_up(d);
    expect_busy(d);                       /* a result is unread */
    expect(distributor_next_result(d, &r), 1);
    expect(map_squares(d, 10), 0);
    check_squares(10);
    expect(distributor_destroy(d), 0);
    finish();
}

static int map_inside(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_is_idle(distributor_of(self)) == -EDEADLK);
    task_assert(map_squares(distributor_of(self), 10) == -EDEADLK);
    task_assert(map_squares(NULL, 10) == 0);
    return 0;
}

Test(map, inside_a_task)
{
    static const distributor_task_type_t inside = {.name = "inside", .run = map_inside};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_task(d, &inside, NULL, 0), 0);
    expect(run(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}

static int map_again(void *context, const void *inputs, void *outputs, size_t count)
{
    atomic_size_t items = 0;
    int rc = distributor_map(context, count_items, &items, NULL, 0, NULL, 0, 2);
    (void)inputs, (void)outputs, (void)count;
    /* On a worker; on the calling thread, while a worker helps, and when that has ended. */
    task_assert(rc == -EDEADLK || rc == -EBUSY || (rc == 0 && items == 2));
    return 0;
}

Test(map, inside_a_map_of_the_same_distributor)
{
    distributor_t *d = hand_over(STARTED, 2);
    for (int round = 0; round < 100; round++)
        expect(distributor_map(d, map_again, d, NULL, 0, NULL, 0, 4), 0);
    expect(distributor_destroy(d), 0);
    finish();
}
