/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor_map_lazy, the other half of capability C1: the outputs of a source in the order of
 * its inputs, with no more inputs ahead than the window says, whatever fails and wherever the
 * reader stops.
 */
#include "support.h"

#include <sys/resource.h>
#include <sys/wait.h>

TestSuite(map_lazy, .timeout = 240);

#define FAR_AHEAD 65536

/* Gives 0, 1, 2, ... below `count`, and then `end`. */
struct numbers {
    uint64_t count, read;
    _Atomic uint64_t given;
    uint64_t most_ahead;
    int end;
};

static int give_number(void *context, void *input)
{
    struct numbers *numbers = context;
    uint64_t ahead = numbers->given + 1 - numbers->read;
    if (numbers->given == numbers->count)
        return numbers->end;
    if (ahead > numbers->most_ahead)
        numbers->most_ahead = ahead;
    *(uint64_t *)input = numbers->given++;
    return 1;
}

static int square(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint64_t *in = inputs;
    uint64_t *out = outputs;
    (void)context;
    task_assert(count == 1);
    out[0] = in[0] * in[0] + 1;
    return 0;
}

static distributor_lazy_map_t *make_map(distributor_t *d, distributor_map_fn *fn, void *context,
                                        struct numbers *numbers, size_t window)
{
    distributor_lazy_map_t *map = NULL;
    expect(distributor_map_lazy(&map, d, fn, context, give_number, numbers, 8, 8, window), 0);
    ensure(map != NULL);
    return map;
}

static void expect_square(distributor_lazy_map_t *map, struct numbers *numbers)
{
    uint64_t output = 0, item = numbers->read;
    expect(distributor_map_next(map, &output), 1);
    expect(output, item * item + 1);
    numbers->read++;
}

static void expect_end(distributor_lazy_map_t *map)
{
    uint64_t output;
    for (int i = 0; i < 3; i++)
        expect(distributor_map_next(map, &output), 0);
}

static void read_all(distributor_t *d, uint64_t count, size_t window)
{
    struct numbers numbers = {.count = count};
    distributor_lazy_map_t *map = make_map(d, square, NULL, &numbers, window);
    expect(numbers.given, 0); /* nothing before the first read */
    while (numbers.read < count)
        expect_square(map, &numbers);
    expect_end(map);
    ensure(numbers.most_ahead <= (window == 0 ? 1024 : window));
    expect(distributor_map_destroy(map), 0);
}

/* ---- what it does ---- */

Test(map_lazy, c1_in_order_on_whatever_it_runs)
{
    static const uint64_t counts[] = {0, 1, 2, 7, 1000, 5000};
    static const size_t windows[] = {0, 1, 2, 3, 7, 100};
    for (unsigned workers = 1; workers <= 16; workers *= 4) {
        distributor_t *d = make(OPTIONS(.workers = workers));
        for (int started = 0; started < 2; started++) {
            for (unsigned w = 0; w < 6; w++)
                for (unsigned c = 0; c < 6; c++)
                    read_all(d, counts[c], windows[w]);
            expect(started == 0 ? distributor_start(d) : 0, 0);
        }
        expect(distributor_destroy(d), 0);
    }
    for (unsigned w = 0; w < 6; w++)
        read_all(NULL, 1000, windows[w]);
    finish();
}

Test(map_lazy, a_million_inputs_take_the_memory_of_a_window)
{
    struct rusage before, after;
    read_all(NULL, 10000, 0);
    expect(getrusage(RUSAGE_SELF, &before), 0);
    read_all(NULL, 1000000, 0);
    expect(getrusage(RUSAGE_SELF, &after), 0);
    ensure(after.ru_maxrss - before.ru_maxrss < 8 * 1024); /* KiB; all inputs are 8 MB, twice */
    finish();
}

/* Each waits for the other: so they run at the same time. */
static int meet(void *context, const void *inputs, void *outputs, size_t count)
{
    sem_t *meeting = context;
    uint64_t item = *(const uint64_t *)inputs;
    if (item == 0 || item == 5) {
        sem_post(&meeting[item == 0]);
        await(&meeting[item != 0]);
    }
    return square(NULL, inputs, outputs, count);
}

Test(map_lazy, reader_and_worker_run_at_the_same_time)
{
    for (unsigned round = rounds(200); round > 0; round--) {
        struct numbers numbers = {.count = 10};
        sem_t meeting[2];
        for (int i = 0; i < 2; i++)
            expect(sem_init(&meeting[i], 0, 0), 0);
        distributor_t *d = make(OPTIONS(.workers = 1));
        expect(distributor_start(d), 0);
        distributor_lazy_map_t *map = make_map(d, meet, meeting, &numbers, 8);
        while (numbers.read < 10)
            expect_square(map, &numbers);
        expect_end(map);
        expect(distributor_map_destroy(map), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* Two maps and tasks of others in one distributor: the results of those are nobody else's. */
Test(map_lazy, shares_a_distributor)
{
    struct numbers numbers[2] = {{.count = 3000}, {.count = 3000}};
    distributor_t *d = make(OPTIONS(.workers = 2));
    distributor_lazy_map_t *maps[2];
    for (int i = 0; i < 2; i++)
        maps[i] = make_map(d, square, NULL, &numbers[i], 50);
    for (int i = 0; i < 100; i++)
        expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 6000; i++)
        expect_square(maps[i % 2], &numbers[i % 2]);
    expect(distributor_close(d), 0); /* the maps go on without it */
    expect(drain(d), 100);
    for (int i = 0; i < 2; i++) {
        expect_end(maps[i]);
        expect(distributor_map_destroy(maps[i]), 0);
    }
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* The first item lets the window be filled, with more than the helper will ever have done. */
static int square_slowly(void *context, const void *inputs, void *outputs, size_t count)
{
    struct numbers *numbers = context;
    while (*(const uint64_t *)inputs == 0 && numbers->given < FAR_AHEAD)
        nap(100000);
    for (volatile int i = 0; i < 20000; i++)
        continue;
    return square(NULL, inputs, outputs, count);
}

/* The map goes on for as long as the task has not run, on the only worker. */
static void beside_an_endless_map(distributor_order_t order)
{
    struct numbers numbers = {.count = UINT64_MAX};
    distributor_result_t r;
    int rc = -EAGAIN;
    distributor_t *d = make(OPTIONS(.workers = 1, .order = order));
    expect(distributor_start(d), 0);
    distributor_lazy_map_t *map = make_map(d, square_slowly, &numbers, &numbers, FAR_AHEAD);
    for (int i = 0; i < 2; i++, rc = -EAGAIN) {
        expect_square(map, &numbers);
        expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
        while (rc == -EAGAIN) {
            expect_square(map, &numbers);
            rc = distributor_try_next_result(d, &r);
        }
        expect(rc, 1);
        expect(*(const int *)r.data, i);
    }
    expect(distributor_stop(d), 0);
    while ((rc = distributor_try_next_result(d, &r)) == -EAGAIN)
        expect_square(map, &numbers);
    expect(rc, 0); /* STOP */
    expect_square(map, &numbers);
    expect(distributor_map_destroy(map), 0);
    expect(distributor_destroy(d), 0);
}

Test(map_lazy, starves_no_task)
{
    beside_an_endless_map(DISTRIBUTOR_AS_COMPLETED);
    beside_an_endless_map(DISTRIBUTOR_AS_ADDED);
    finish();
}

static int count_calls(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)inputs, (void)outputs;
    atomic_fetch_add((atomic_uint *)context, (unsigned)count);
    return 0;
}

static int give_nothing(void *context, void *input)
{
    task_assert(input == NULL);
    return (*(unsigned *)context)-- > 0;
}

Test(map_lazy, without_inputs_and_outputs)
{
    atomic_uint calls = 0;
    unsigned left = 500;
    distributor_lazy_map_t *map;
    expect(distributor_map_lazy(&map, NULL, count_calls, &calls, give_nothing, &left, 0, 0, 0), 0);
    for (int i = 0; i < 500; i++)
        expect(distributor_map_next(map, NULL), 1);
    expect(distributor_map_next(map, NULL), 0);
    expect(atomic_load(&calls), 500);
    expect(distributor_map_destroy(map), 0);
    finish();
}

/* ---- what fails ---- */

static int fail_sevenths(void *context, const void *inputs, void *outputs, size_t count)
{
    uint64_t item = *(const uint64_t *)inputs;
    return item % 7 == 3 ? -EIO : item % 7 == 4 ? 1 : square(context, inputs, outputs, count);
}

Test(map_lazy, a_failure_stands_at_its_place)
{
    struct numbers numbers = {.count = 7000};
    distributor_lazy_map_t *map = make_map(NULL, fail_sevenths, NULL, &numbers, 100);
    while (numbers.read < 7000) {
        uint64_t output = 0, item = numbers.read;
        int rc = distributor_map_next(map, &output);
        expect(rc, item % 7 == 3 ? -EIO : item % 7 == 4 ? -EINVAL : 1);
        expect(output, rc == 1 ? item * item + 1 : 0);
        numbers.read++;
    }
    expect_end(map);
    expect(distributor_map_destroy(map), 0);
    finish();
}

Test(map_lazy, a_source_that_fails)
{
    static const int ends[] = {-EIO, 2};
    for (uint64_t count = 0; count < 300; count += 13) {
        for (int i = 0; i < 2; i++) {
            struct numbers numbers = {.count = count, .end = ends[i]};
            uint64_t output;
            distributor_lazy_map_t *map = make_map(NULL, square, NULL, &numbers, 20);
            while (numbers.read < count)
                expect_square(map, &numbers);
            expect(distributor_map_next(map, &output), i == 0 ? -EIO : -EINVAL);
            expect_end(map);
            expect(distributor_map_destroy(map), 0);
        }
    }
    finish();
}

static int end_some_threads(void *context, const void *inputs, void *outputs, size_t count)
{
    if (*(const uint64_t *)inputs % 50 == 49)
        pthread_exit(NULL);
    return square(context, inputs, outputs, count);
}

struct reader {
    distributor_lazy_map_t *map;
    struct numbers numbers;
    unsigned lost;
};

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    uint64_t output;
    int rc;
    while ((rc = distributor_map_next(reader->map, &output)) != 0) {
        uint64_t item = reader->numbers.read++;
        bool fine = item % 50 != 49;
        task_assert(rc == (fine ? 1 : -EOWNERDEAD));
        task_assert(!fine || output == item * item + 1);
        reader->lost += !fine;
    }
    return reader;
}

/* The callback ends workers and readers; the next thread reads on. */
Test(map_lazy, a_callback_that_ends_its_thread)
{
    for (unsigned round = rounds(30); round > 0; round--) {
        struct reader reader = {.numbers = {.count = 1000}};
        void *end = NULL;
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_start(d), 0);
        reader.map = make_map(d, end_some_threads, NULL, &reader.numbers, 64);
        while (end == NULL)
            expect(pthread_join(begin_thread(read_on, &reader), &end), 0);
        expect(reader.numbers.read, 1000);
        expect(reader.lost, 20);
        expect(distributor_map_destroy(reader.map), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int give_and_end_thread(void *context, void *input)
{
    struct numbers *numbers = context;
    if (numbers->given == numbers->count)
        pthread_exit(NULL);
    return give_number(context, input);
}

static void *read_one(void *argument)
{
    uint64_t output;
    expect(distributor_map_next(argument, &output), 1);
    return argument;
}

Test(map_lazy, a_source_that_ends_its_thread)
{
    struct numbers numbers = {.count = 20};
    uint64_t output;
    void *end;
    distributor_lazy_map_t *map;
    expect(distributor_map_lazy(&map, NULL, square, NULL, give_and_end_thread, &numbers, 8, 8, 64),
           0);
    do
        expect(pthread_join(begin_thread(read_one, map), &end), 0);
    while (end != NULL && ++numbers.read < 21);
    ensure(end == NULL); /* it was the source */
    while (numbers.read < 20)
        expect_square(map, &numbers);
    expect(distributor_map_next(map, &output), -EOWNERDEAD);
    expect_end(map);
    expect(distributor_map_destroy(map), 0);
    finish();
}

/* ---- early ends ---- */

struct calls {
    atomic_uint running;
    atomic_bool over;
};

static int note_call(void *context, const void *inputs, void *outputs, size_t count)
{
    struct calls *calls = context;
    atomic_fetch_add(&calls->running, 1);
    task_assert(!atomic_load(&calls->over));
    int rc = square(NULL, inputs, outputs, count);
    if (*(const uint64_t *)inputs % 16 == 0)
        nap(20000);
    task_assert(!atomic_load(&calls->over));
    atomic_fetch_sub(&calls->running, 1);
    return rc;
}

Test(map_lazy, a_reader_that_leaves)
{
    distributor_t *d = make(OPTIONS(.workers = 3));
    expect(distributor_start(d), 0);
    for (unsigned round = rounds(1000); round > 0; round--) {
        struct numbers numbers = {.count = UINT64_MAX};
        struct calls calls = {.running = 0};
        distributor_lazy_map_t *map = make_map(d, note_call, &calls, &numbers, 1 + round % 40);
        for (unsigned i = 0; i < round % 60; i++)
            expect_square(map, &numbers);
        expect(distributor_map_destroy(map), 0);
        atomic_store(&calls.over, true);
        expect(atomic_load(&calls.running), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* What happens to the distributor is no matter of the map. */
Test(map_lazy, cancel_and_another_run)
{
    for (unsigned round = rounds(200); round > 0; round--) {
        struct numbers numbers = {.count = 400};
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_start(d), 0);
        distributor_lazy_map_t *map = make_map(d, square, NULL, &numbers, 32);
        while (numbers.read < 100 + round % 100)
            expect_square(map, &numbers);
        expect(distributor_cancel(d), 0);
        expect_square(map, &numbers);
        sum_up(d);
        expect(distributor_start(d), 0);
        while (numbers.read < 400)
            expect_square(map, &numbers);
        expect_end(map);
        expect(distributor_map_destroy(map), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

struct stuck {
    sem_t begun, go;
    atomic_bool is_stuck;
    atomic_int reader; /* its thread */
    distributor_lazy_map_t *map;
};

/* A worker is stuck in the first item that one claims.  The reader waits in its own ones until that
 * has happened, awake. */
static int stick(void *context, const void *inputs, void *outputs, size_t count)
{
    struct stuck *stuck = context;
    if (gettid() == atomic_load(&stuck->reader)) {
        while (!atomic_load(&stuck->is_stuck))
            sched_yield();
    } else if (!atomic_exchange(&stuck->is_stuck, true)) {
        sem_post(&stuck->begun);
        await(&stuck->go);
    }
    return square(NULL, inputs, outputs, count);
}

static void *read_100(void *argument)
{
    struct stuck *stuck = argument;
    uint64_t output;
    atomic_store(&stuck->reader, gettid());
    for (int i = 0; i < 100; i++)
        task_assert(distributor_map_next(stuck->map, &output) == 1);
    return NULL;
}

/* A child has the map, but not who runs its items: it reads up to the one that is stuck. */
Test(map_lazy, fork_while_an_item_runs)
{
    struct stuck stuck = {0};
    struct numbers numbers = {.count = 100};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    expect(sem_init(&stuck.begun, 0, 0), 0);
    expect(sem_init(&stuck.go, 0, 0), 0);
    stuck.map = make_map(d, stick, &stuck, &numbers, 16);
    pthread_t thread = begin_thread(read_100, &stuck);
    await(&stuck.begun);
    while (!sleeps(atomic_load(&stuck.reader)))
        nap(100000);
    pid_t child = fork();
    if (child == 0) {
        uint64_t output;
        int rc;
        while ((rc = distributor_map_next(stuck.map, &output)) == 1)
            continue;
        end_child(rc == -ECHILD ? 0 : 1);
    }
    int status = -1;
    expect(waitpid(child, &status, 0), child);
    expect(status, 0);
    sem_post(&stuck.go);
    end_thread(thread);
    expect(distributor_map_destroy(stuck.map), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(map_lazy, the_child_ends_its_copy)
{
    struct numbers numbers = {.count = 100};
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    distributor_lazy_map_t *map = make_map(d, square, NULL, &numbers, 16);
    for (int i = 0; i < 10; i++)
        expect_square(map, &numbers);
    pid_t child = fork();
    if (child == 0)
        end_child(distributor_map_destroy(map) == 0 && distributor_destroy(d) == 0 ? 0 : 1);
    int status = -1;
    expect(waitpid(child, &status, 0), child);
    expect(status, 0);
    while (numbers.read < 100)
        expect_square(map, &numbers);
    expect(distributor_map_destroy(map), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- what it refuses ---- */

static int give_and_call(void *context, void *input)
{
    distributor_lazy_map_t *map = *(distributor_lazy_map_t **)context;
    *(uint64_t *)input = 0;
    expect(distributor_map_next(map, input), -EDEADLK);
    expect(distributor_map_destroy(map), -EDEADLK);
    return 0;
}

Test(map_lazy, its_own_source_cannot_call_it)
{
    distributor_lazy_map_t *map;
    uint64_t output;
    expect(distributor_map_lazy(&map, NULL, square, NULL, give_and_call, &map, 8, 8, 0), 0);
    expect(distributor_map_next(map, &output), 0);
    expect(distributor_map_destroy(map), 0);
    finish();
}

static int make_inside(distributor_task_t *self, const void *input, size_t size)
{
    distributor_lazy_map_t *map = (distributor_lazy_map_t *)self;
    (void)input, (void)size;
    task_assert(distributor_map_lazy(&map, distributor_of(self), square, NULL, give_number, NULL, 8,
                                     8, 0) == -EDEADLK);
    task_assert(map == NULL);
    return 0;
}

Test(map_lazy, what_it_refuses)
{
    static const distributor_task_type_t inside = {.name = "inside", .run = make_inside};
    struct numbers numbers = {.count = 1};
    distributor_lazy_map_t *map;
    uint64_t output;
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_map_lazy(NULL, d, square, NULL, give_number, &numbers, 8, 8, 0), -EINVAL);
    expect(distributor_map_lazy(&map, d, NULL, NULL, give_number, &numbers, 8, 8, 0), -EINVAL);
    expect(distributor_map_lazy(&map, d, square, NULL, NULL, &numbers, 8, 8, 0), -EINVAL);
    expect(distributor_map_lazy(&map, d, square, NULL, give_number, &numbers, 8, 8,
                                DISTRIBUTOR_MAX_WINDOW + 1), -EINVAL);
    expect(distributor_map_lazy(&map, d, square, NULL, give_number, &numbers, SIZE_MAX / 2, 8, 0),
           -ENOMEM);
    ensure(map == NULL);
    expect(distributor_map_next(NULL, &output), -EINVAL);
    expect(distributor_map_destroy(NULL), 0);
    map = make_map(d, square, NULL, &numbers, 0);
    expect(distributor_map_next(map, NULL), -EINVAL);
    expect(distributor_map_destroy(map), 0);
    expect(distributor_add_task(d, &inside, NULL, 0), 0);
    expect(run(d).completed, 1);
    expect(distributor_close(d), 0);
    expect(distributor_map_lazy(&map, d, square, NULL, give_number, &numbers, 8, 8, 0), -ESHUTDOWN);
    expect(distributor_destroy(d), 0);
    finish();
}
