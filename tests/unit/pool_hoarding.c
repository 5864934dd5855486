/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No hoarding: a task that blocks never delays one that has not begun while another worker is free,
 * wherever it stood in the queue, and two tasks that wait for each other both end on two workers.
 * Nothing here is timed: a pool that hoards hangs.
 */
#include "support.h"

TestSuite(hoarding, .timeout = 240);

#define TASKS 1000

static sem_t others_were_read;
static int blocker;

static int block_or_emit(distributor_task_t *self, const void *input, size_t size)
{
    if (*(const int *)input == blocker)
        await(&others_were_read);
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t task = {.name = "task", .run = block_or_emit};

static int spawn_all(distributor_task_t *self, const void *input, size_t size)
{
    const distributor_task_type_t *type = *(const distributor_task_type_t *const *)input;
    task_assert(size == sizeof(type));
    for (int i = 0; i < TASKS; i++)
        task_assert(distributor_spawn(self, type, &i, sizeof(i)) == 0);
    return 0;
}

static const distributor_task_type_t parent = {.name = "parent", .run = spawn_all};

/* How the thousand tasks come in. */
enum from { ONE_BY_ONE, AS_AN_ARRAY, WHILE_IT_RUNS, SPAWNED };

static void add_all(distributor_t *d, const distributor_task_type_t *type, enum from from)
{
    int all[TASKS];
    for (int i = 0; i < TASKS; i++)
        all[i] = i;
    if (from == WHILE_IT_RUNS)
        expect(distributor_start(d), 0);
    if (from == AS_AN_ARRAY)
        expect(distributor_add_tasks(d, type, all, sizeof(int), TASKS), TASKS);
    else if (from == SPAWNED)
        expect(distributor_add_task(d, &parent, &type, sizeof(type)), 0);
    else
        for (int i = 0; i < TASKS; i++)
            expect(distributor_add_task(d, type, &all[i], sizeof(int)), 0);
    if (from != WHILE_IT_RUNS)
        expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
}

/* The blocker goes on only when all others have been read. */
static void one_blocks(distributor_t *d, int position, enum from from)
{
    blocker = position;
    add_all(d, &task, from);
    distributor_result_t r;
    for (int i = 0; i < TASKS - 1; i++) {
        expect(distributor_next_result(d, &r), 1);
        ensure(*(const int *)r.data != blocker);
    }
    sem_post(&others_were_read);
    expect(distributor_next_result(d, &r), 1);
    expect(*(const int *)r.data, blocker);
    expect(distributor_next_result(d, &r), 0);
    expect(sum_up(d).completed, TASKS + (from == SPAWNED));
}

static void one_blocks_anywhere(enum from from)
{
    static const int positions[] = {0,   1,   2,   15,  16,  17,  30,  31,  32,
                                    33,  62,  63,  64,  65,  127, 128, 255, 256,
                                    499, 500, 511, 512, 750, 990, 997, 998, 999};
    sem_init(&others_were_read, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++)
        one_blocks(d, positions[i], from);
    expect(distributor_destroy(d), 0);
    sem_destroy(&others_were_read);
    finish();
}

Test(hoarding, one_of_a_thousand_blocks)
{
    one_blocks_anywhere(ONE_BY_ONE);
}

Test(hoarding, one_of_an_array_blocks)
{
    one_blocks_anywhere(AS_AN_ARRAY);
}

Test(hoarding, one_that_came_while_it_ran_blocks)
{
    one_blocks_anywhere(WHILE_IT_RUNS);
}

Test(hoarding, one_that_was_spawned_blocks)
{
    one_blocks_anywhere(SPAWNED);
}

/* ---- Two that wait for each other ---- */

static sem_t knock[2];
static int pair[2];

static int meet_or_emit(distributor_task_t *self, const void *input, size_t size)
{
    int id = *(const int *)input;
    for (int i = 0; i < 2; i++) {
        if (id == pair[i]) {
            sem_post(&knock[1 - i]);
            await(&knock[i]);
        }
    }
    return distributor_emit(self, input, size);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void two_wait_for_each_other(enum from from, unsigned seed)
{
    static const distributor_task_type_t type = {.name = "meet", .run = meet_or_emit};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int i = 0; i < 2; i++)
        sem_init(&knock[i], 0, 0);
    for (unsigned n = rounds(100); n > 0; n--) {
        pair[0] = (int)(next_random(&seed) % TASKS);
        pair[1] = (pair[0] + 1 + (int)(next_random(&seed) % (TASKS - 1))) % TASKS;
        if (n % 4 == 0) /* neighbours are claimed together */
            pair[1] = (pair[0] + 1) % TASKS;
        add_all(d, &type, from);
        expect(drain(d), TASKS);
        sum_up(d);
    }
    expect(distributor_destroy(d), 0);
    for (int i = 0; i < 2; i++)
        sem_destroy(&knock[i]);
    finish();
}

Test(hoarding, two_of_a_thousand_wait_for_each_other)
{
    two_wait_for_each_other(ONE_BY_ONE, 1);
}

Test(hoarding, two_that_were_spawned_wait_for_each_other)
{
    two_wait_for_each_other(SPAWNED, 2);
}

Test(hoarding, two_that_came_while_it_ran_wait_for_each_other)
{
    two_wait_for_each_other(WHILE_IT_RUNS, 3);
}

/* ---- A task that ends its thread hands on what its worker had claimed ---- */

static int first_exits(distributor_task_t *self, const void *input, size_t size)
{
    if (*(const int *)input == 0)
        pthread_exit(NULL);
    return distributor_emit(self, input, size);
}

Test(hoarding, a_thread_that_ends_keeps_nothing_back)
{
    static const distributor_task_type_t type = {.name = "exit", .run = first_exits};
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int n = 0; n < 20; n++) {
        add_all(d, &type, n % 2 == 0 ? ONE_BY_ONE : SPAWNED);
        expect(drain(d), TASKS);
        distributor_summary_t s = sum_up(d);
        expect(s.failed, 1);
        expect(s.results, TASKS - 1);
    }
    expect(distributor_destroy(d), 0);
    finish();
}
