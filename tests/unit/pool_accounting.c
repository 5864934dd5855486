/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is lost and nothing doubled; STOP comes after the last result; the summary adds up; and
 * all that again in the next run of the same distributor.
 */
#include "support.h"

TestSuite(accounting, .timeout = 240);

/* ---- Many adders, tasks that spawn ---- */

#define ADDERS 6
#define TASKS_EACH 2000
#define FAMILIES (ADDERS * TASKS_EACH)
#define MEMBERS 3 /* each task from outside spawns two more */
#define IDS (FAMILIES * MEMBERS)

static atomic_uchar began[IDS];

static int member(distributor_task_t *self, const void *input, size_t size)
{
    unsigned id = *(const unsigned *)input;
    task_assert(size == sizeof(id) && id < IDS);
    atomic_fetch_add(&began[id], 1);
    if (id < FAMILIES) {
        static const distributor_task_type_t type = {.name = "member", .run = member};
        for (unsigned i = 1; i < MEMBERS; i++) {
            unsigned child = id + i * FAMILIES;
            task_assert(distributor_spawn(self, &type, &child, sizeof(child)) == 0);
        }
    }
    return distributor_emit(self, &id, sizeof(id));
}

struct adder {
    distributor_t *d;
    unsigned first;
};

static void *add_range(void *argument)
{
    static const distributor_task_type_t type = {.name = "member", .run = member};
    struct adder *a = argument;
    for (unsigned i = 0; i < TASKS_EACH; i++) {
        unsigned id = a->first + i;
        task_assert(distributor_add_task(a->d, &type, &id, sizeof(id)) == 0);
    }
    return NULL;
}

static void *close_after_adders(void *argument)
{
    distributor_t *d = argument;
    pthread_t thread[ADDERS];
    struct adder adder[ADDERS];
    for (unsigned i = 0; i < ADDERS; i++) {
        adder[i] = (struct adder){d, i * TASKS_EACH};
        task_assert(pthread_create(&thread[i], NULL, add_range, &adder[i]) == 0);
    }
    for (unsigned i = 0; i < ADDERS; i++)
        pthread_join(thread[i], NULL);
    task_assert(distributor_close(d) == 0);
    return NULL;
}

static void one_full_run(distributor_t *d)
{
    static unsigned char read[IDS];
    memset(began, 0, sizeof(began));
    memset(read, 0, sizeof(read));
    expect(distributor_start(d), 0);
    pthread_t closer = begin_thread(close_after_adders, d);
    distributor_result_t r;
    int rc;
    unsigned count = 0;
    for (; (rc = distributor_next_result(d, &r)) == 1; count++) {
        unsigned id = *(const unsigned *)r.data;
        expect(r.error, 0);
        ensure(id < IDS);
        expect(read[id]++, 0);
    }
    /* STOP: nothing may come after it. */
    expect(rc, 0);
    expect(count, IDS);
    expect(distributor_try_next_result(d, &r), 0);
    for (unsigned i = 0; i < IDS; i++)
        expect(atomic_load(&began[i]), 1);
    end_thread(closer);
    distributor_summary_t s = sum_up(d);
    expect(s.added, IDS);
    expect(s.completed, IDS);
    expect(s.results, IDS);
}

Test(accounting, nothing_is_lost_or_doubled)
{
    distributor_t *d = make(OPTIONS(.workers = 4));
    one_full_run(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(accounting, nor_with_both_ends_bounded)
{
    distributor_t *d = make(OPTIONS(.workers = 4, .input_limit = 5, .output_limit = 3));
    one_full_run(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(accounting, nor_in_ten_runs_of_one_distributor)
{
    distributor_t *d = make(OPTIONS(.workers = 3));
    for (int i = 0; i < 10; i++)
        one_full_run(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- The summary ---- */

static int fail_odd(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    int n = *(const int *)input;
    task_assert(distributor_emit(self, &n, sizeof(n)) == 0);
    return n % 2 == 0 ? 0 : -ENOENT;
}

Test(accounting, the_summary_covers_one_run)
{
    static const distributor_task_type_t type = {.name = "odd", .run = fail_odd};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int n = 0; n < 101; n++)
        expect(distributor_add_task(d, &type, &n, sizeof(n)), 0);
    int64_t before = distributor_now();
    distributor_summary_t s = run(d);
    ensure(s.duration_ns <= distributor_now() - before);
    expect(s.added, 101);
    expect(s.completed, 51);
    expect(s.failed, 50);
    expect(s.cancelled, 0);
    expect(s.discarded, 0);
    expect(s.results, 101); /* failures are not among them */
    expect(drain(d), 151);

    expect(distributor_add_task(d, &nothing, NULL, 0), 0);
    s = run(d);
    expect(s.added, 1);
    expect(s.completed, 1);
    expect(s.results, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* What is added between two runs belongs to the second one. */
Test(accounting, tasks_added_after_join_belong_to_the_next_run)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_task(d, &echo, "a", 1), 0);
    expect(run(d).added, 1);
    expect(distributor_add_task(d, &echo, "b", 1), 0);
    expect(distributor_add_task(d, &echo, "b", 1), 0);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    ensure(memcmp(r.data, "a", 1) == 0);
    expect(distributor_next_result(d, &r), 0);
    expect(run(d).added, 2);
    expect(drain(d), 2);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Serials ---- */

static int spawn_two(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_spawn(self, &echo, "spawned", 7) == 0);
    task_assert(distributor_spawn(self, &echo, "spawned", 7) == 0);
    return distributor_emit(self, input, size);
}

/* Mostly its input; of some tasks nothing, of some twice, and some fail. */
static int emit_unevenly(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = *(const uint64_t *)input;

    if (number % 1007 == 0)
        return -EIO;
    if (number % 509 == 0)
        return 0;
    if (number % 211 == 0 && distributor_emit(self, input, size) != 0)
        return -EINVAL;
    return distributor_emit(self, input, size);
}

/* All are words of one type, so that their serials stand in runs; reads take one or many. */
Test(accounting, each_result_has_the_serial_of_its_task)
{
    enum { COUNT = 100000, ARRAY = 100 };
    static const distributor_task_type_t type = {.name = "uneven", .run = emit_unevenly};
    static distributor_result_t results[ARRAY];
    distributor_t *d = make(OPTIONS(.workers = 3));
    uint64_t first = UINT64_MAX, seen = 0, expected = 0;
    expect(distributor_start(d), 0);
    for (uint64_t n = 0; n < COUNT;) {
        uint64_t array[ARRAY];
        for (uint64_t i = 0; i < ARRAY; i++)
            array[i] = n + i;
        if (n / ARRAY % 2)
            expect(distributor_add_tasks(d, &type, array, sizeof(*array), ARRAY), ARRAY);
        else
            for (uint64_t i = 0; i < ARRAY; i++)
                expect(distributor_add_task(d, &type, &array[i], sizeof(array[i])), 0);
        n += ARRAY;
    }
    for (uint64_t n = 0; n < COUNT; n++)
        expected += n % 1007 == 0 ? 1 : n % 509 == 0 ? 0 : n % 211 == 0 ? 2 : 1;
    while (seen < expected) {
        ptrdiff_t taken = seen / 1000 % 2 ? distributor_next_results(d, results, ARRAY)
                                          : distributor_next_result(d, results);
        ensure(taken > 0);
        for (ptrdiff_t i = 0; i < taken; i++) {
            uint64_t number = *(const uint64_t *)results[i].data;
            if (first == UINT64_MAX)
                first = results[i].serial - number;
            expect(results[i].serial, first + number);
            expect(results[i].error, number % 1007 == 0 ? -EIO : 0);
        }
        seen += (uint64_t)taken;
    }
    expect(seen, expected);
    expect(distributor_destroy(d), 0);
    finish();
}

/* Unique within the run, and growing in the order of adding for the tasks of this thread. */
Test(accounting, serials_are_unique_and_grow)
{
    enum { COUNT = 500 };
    static const distributor_task_type_t type = {.name = "two", .run = spawn_two};
    static uint64_t serials[3 * COUNT];
    static uint64_t by_input[COUNT];
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (int i = 0; i < COUNT; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    run(d);
    distributor_result_t r;
    unsigned n = 0;
    for (; distributor_next_result(d, &r) == 1; n++) {
        ensure(n < 3 * COUNT);
        serials[n] = r.serial;
        for (unsigned i = 0; i < n; i++)
            ensure(serials[i] != r.serial);
        if (r.size == sizeof(int))
            by_input[*(const int *)r.data] = r.serial;
    }
    expect(n, 3 * COUNT);
    for (int i = 1; i < COUNT; i++)
        ensure(by_input[i] > by_input[i - 1]);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Serials, however tasks are added ---- */

static atomic_uchar serial_was[1 << 20];

struct added_by {
    distributor_t *d;
    uint64_t next; /* the number of its next task, above its own name */
    unsigned random;
};

static int spawn_row(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t first = *(const uint64_t *)input << 32;
    (void)size;
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t number = first + i;
        task_assert(distributor_spawn(self, &echo, &number, sizeof(number)) == 0);
    }
    return 0;
}

/* Quick ones, an array, one that is not of a word, an array that goes on where others ended. */
static void *add_some(void *argument)
{
    struct added_by *by = argument;
    uint64_t row[300][2], words[300];
    for (unsigned part = 0; part < 4; part++) {
        by->random = by->random * 1103515245u + 12345u;
        unsigned count = 1 + (by->random >> 16) % 300;
        for (unsigned i = 0; i < count; i++)
            words[i] = row[i][0] = by->next++;
        if (part == 1)
            task_assert(distributor_add_tasks(by->d, &echo, row, sizeof(row[0]), count) ==
                        (ptrdiff_t)count);
        else if (part == 3)
            task_assert(distributor_add_tasks(by->d, &echo, words, sizeof(words[0]), count) ==
                        (ptrdiff_t)count);
        else
            for (unsigned i = 0; i < count; i++)
                task_assert(distributor_add_task(by->d, &echo, &words[i], sizeof(words[i])) ==
                            0);
    }
    return NULL;
}

/* All that was added by outside threads, each in its order, and by 2 workers. */
static uint64_t read_serials(distributor_t *d, uint64_t last[2])
{
    distributor_result_t r;
    uint64_t n = 0;
    for (; distributor_next_result(d, &r) == 1; n++) {
        uint64_t name = *(const uint64_t *)r.data >> 32;
        uint64_t number = *(const uint64_t *)r.data & UINT32_MAX;
        static uint64_t serial_of[2][1 << 17];
        ensure(r.serial < sizeof(serial_was) && serial_was[r.serial]++ == 0);
        if (name >= 2)
            continue;
        ensure(number < 1 << 17);
        uint64_t *serials = serial_of[name];
        serials[number] = r.serial + 1;
        for (uint64_t i = last[name]; serials[i + 1] != 0; last[name] = ++i)
            ensure(serials[i + 1] > serials[i]);
    }
    return n;
}

Test(accounting, serials_are_unique_where_threads_take_turns)
{
    static const distributor_task_type_t rows = {.name = "rows", .run = spawn_row};
    distributor_t *d = make(OPTIONS(.workers = 2));
    struct added_by by[2] = {{d, 1, 1}, {d, (uint64_t)1 << 32 | 1, 2}};
    uint64_t last[2] = {0, 0}, seen = 0, spawned = 0;
    for (uint64_t turn = 0; turn < 60; turn++) {
        add_some(&by[0]);
        end_thread(begin_thread(add_some, &by[1])); /* each is a new thread with the same record */
        if (turn % 20 != 19)
            continue;
        for (uint64_t i = 2; i < 6; i++, spawned += 3000)
            expect(distributor_add_task(d, &rows, &i, sizeof(i)), 0);
        expect(distributor_start(d), 0);
        expect(distributor_close(d), 0);
        expect(distributor_add_task(d, &echo, &turn, sizeof(turn)), -ESHUTDOWN);
        expect(distributor_add_task(d, &echo, by, sizeof(by)), -ESHUTDOWN);
        seen += read_serials(d, last);
        expect(distributor_join(d, NULL), 0);
    }
    expect(last[0], by[0].next - 1);
    expect(last[1], (by[1].next & UINT32_MAX) - 1);
    expect(seen, last[0] + last[1] + spawned);
    expect(distributor_destroy(d), 0);
    finish();
}
