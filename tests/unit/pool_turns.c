/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is: one thread's tasks begin in the order it added them, a tree is walked
 * depth-first, and every accepted task begins after a bounded number of others.  A pool that
 * starves one hangs.
 */
#include "support.h"

TestSuite(turns, .timeout = 240);

/* ---- Order ---- */

enum { ADDERS = 4, EACH = 5000 };

struct ticket {
    unsigned adder, number;
};

static int emit_ticket(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t ticket_type = {.name = "ticket", .run = emit_ticket};

struct adder {
    distributor_t *d;
    unsigned id;
};

static void *add_tickets(void *argument)
{
    struct adder *a = argument;
    for (unsigned i = 0; i < EACH; i++) {
        struct ticket t = {a->id, i};
        task_assert(distributor_add_task(a->d, &ticket_type, &t, sizeof(t)) == 0);
    }
    return NULL;
}

static void expect_order(distributor_t *d, unsigned adders)
{
    unsigned next[ADDERS] = {0};
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1) {
        const struct ticket *t = r.data;
        ensure(t->adder < adders);
        expect(t->number, next[t->adder]++);
    }
    for (unsigned i = 0; i < adders; i++)
        expect(next[i], EACH);
}

/* With one worker the order of the results is that of the beginnings. */
Test(turns, one_threads_tasks_begin_in_order)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int round = 0; round < 3; round++) {
        struct adder a = {d, 0};
        add_tickets(&a);
        run(d);
        expect_order(d, 1);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

Test(turns, each_threads_tasks_begin_in_order)
{
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 500));
    expect(distributor_start(d), 0);
    pthread_t thread[ADDERS];
    struct adder adder[ADDERS];
    for (unsigned i = 0; i < ADDERS; i++) {
        adder[i] = (struct adder){d, i};
        thread[i] = begin_thread(add_tickets, &adder[i]);
    }
    for (int i = 0; i < ADDERS; i++)
        end_thread(thread[i]);
    sum_up(d);
    expect_order(d, ADDERS);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Depth first ---- */

enum { DEPTH = 16 };

static unsigned pending, most_pending;

static int walk(distributor_task_t *self, const void *input, size_t size)
{
    static const distributor_task_type_t type = {.name = "walk", .run = walk};
    unsigned depth = *(const unsigned *)input;
    pending--;
    for (int i = 0; i < 2 && depth < DEPTH; i++) {
        unsigned child = depth + 1;
        task_assert(distributor_spawn(self, &type, &child, size) == 0);
        pending++;
    }
    most_pending = pending > most_pending ? pending : most_pending;
    return 0;
}

/* Unfolded level by level the tree would have 65,536 tasks pending; depth-first it has a task a
 * level, and some more since every now and then the oldest is taken. */
Test(turns, a_tree_is_walked_depth_first)
{
    static const distributor_task_type_t type = {.name = "walk", .run = walk};
    distributor_t *d = make(OPTIONS(.workers = 1));
    unsigned root = 0;
    pending = 1;
    expect(distributor_add_task(d, &type, &root, sizeof(root)), 0);
    expect(run(d).completed, (1 << (DEPTH + 1)) - 1);
    expect(pending, 0);
    if (most_pending > 4096)
        cr_assert_fail("%u tasks were pending at once", most_pending);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Nobody starves ---- */

static atomic_bool had_its_turn;

static int take_turn(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    atomic_store(&had_its_turn, true);
    return 0;
}

static const distributor_task_type_t patient = {.name = "patient", .run = take_turn};

/* Goes on spawning itself until the patient one has run. */
static int spawn_itself(distributor_task_t *self, const void *input, size_t size)
{
    static const distributor_task_type_t type = {.name = "itself", .run = spawn_itself};
    return atomic_load(&had_its_turn) ? 0 : distributor_spawn(self, &type, input, size);
}

static const distributor_task_type_t selfish = {.name = "selfish", .run = spawn_itself};

Test(turns, an_added_task_beside_one_that_spawns_itself)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int round = 0; round < 20; round++) {
        atomic_store(&had_its_turn, false);
        expect(distributor_add_task(d, &selfish, NULL, 0), 0);
        if (round % 2 == 0) {
            expect(distributor_add_task(d, &patient, NULL, 0), 0);
            run(d);
        } else {
            expect(distributor_start(d), 0);
            nap(MILLISECONDS(1));
            expect(distributor_add_task(d, &patient, NULL, 0), 0);
            sum_up(d);
        }
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int spawn_both(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_spawn(self, &patient, input, size) == 0);
    return distributor_spawn(self, &selfish, input, size);
}

/* The newest of a worker's own tasks come first, but not for ever. */
Test(turns, a_spawned_task_below_one_that_spawns_itself)
{
    static const distributor_task_type_t type = {.name = "both", .run = spawn_both};
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int round = 0; round < 20; round++) {
        atomic_store(&had_its_turn, false);
        expect(distributor_add_task(d, &type, NULL, 0), 0);
        run(d);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static void *flood(void *argument)
{
    while (!atomic_load(&had_its_turn))
        task_assert(distributor_add_task(argument, &nothing, NULL, 0) == 0);
    return NULL;
}

/* Neither a flood from other threads nor all workers that spawn keep one task away. */
Test(turns, one_task_in_a_flood)
{
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 100));
    for (int round = 0; round < 20; round++) {
        atomic_store(&had_its_turn, false);
        expect(distributor_start(d), 0);
        for (int i = 0; i < 4 && round % 2 == 0; i++)
            expect(distributor_add_task(d, &selfish, NULL, 0), 0);
        pthread_t thread[3];
        for (int i = 0; i < 3; i++)
            thread[i] = begin_thread(flood, d);
        expect(distributor_add_task(d, &patient, NULL, 0), 0);
        for (int i = 0; i < 3; i++)
            end_thread(thread[i]);
        sum_up(d);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static atomic_uint others;

static int count_others(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    if (!atomic_load(&had_its_turn))
        atomic_fetch_add(&others, 1);
    return 0;
}

static void *add_patient(void *argument)
{
    task_assert(distributor_add_task(argument, &patient, NULL, 0) == 0);
    return NULL;
}

/* The only worker always finds more from the first thread, a whole claim each time. */
Test(turns, one_task_beside_many_of_another_thread)
{
    static const distributor_task_type_t type = {.name = "other", .run = count_others};
    static const uint64_t input[2];
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (size_t size = 0; size <= sizeof(input); size += 8) {
        atomic_store(&had_its_turn, false);
        atomic_store(&others, 0);
        for (unsigned i = 0; i < 100000; i++)
            expect(distributor_add_task(d, &type, input, size), 0);
        end_thread(begin_thread(add_patient, d));
        expect(run(d).completed, 100001);
        cr_assert_leq(atomic_load(&others), 5000);
    }
    expect(distributor_destroy(d), 0);
    finish();
}
