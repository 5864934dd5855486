/* SPDX-License-Identifier: BSD-2-Clause */
/* DISTRIBUTOR_AS_ADDED: what a task has to hold back until those before it have ended. */
#include "support.h"

TestSuite(order_held, .timeout = 240);

#define ORDERED(...) OPTIONS(.order = DISTRIBUTOR_AS_ADDED, __VA_ARGS__)

static sem_t gate, done;
static atomic_int second; /* the thread of the second task */

static void open_gates(void)
{
    sem_init(&gate, 0, 0);
    sem_init(&done, 0, 0);
    atomic_store(&second, 0);
}

static void remove_gates(void)
{
    sem_destroy(&gate);
    sem_destroy(&done);
}

/* ---- Children ---- */

enum { CHILDREN = 5000 }; /* several blocks of them */

/* The first task ends when the second one has spawned all its children. */
static int spawn_many(distributor_task_t *self, const void *input, size_t size)
{
    unsigned number = *(const unsigned *)input;
    task_assert(distributor_emit(self, input, size) == 0);
    if (number == 0)
        await(&gate);
    for (unsigned i = 0; number == 1 && i < CHILDREN; i++) {
        unsigned child = 2 + i;
        task_assert(distributor_spawn(self, &echo, &child, sizeof(child)) == 0);
    }
    if (number == 1)
        sem_post(&gate);
    return 0;
}

static void run_with_children(unsigned input_limit)
{
    static const distributor_task_type_t type = {.name = "many", .run = spawn_many};
    distributor_result_t r;
    open_gates();
    distributor_t *d = make(ORDERED(.workers = 2, .input_limit = input_limit));
    for (unsigned i = 0; i < 2; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    expect(run(d).completed, 2 + CHILDREN);
    for (unsigned i = 0; i < 2 + CHILDREN; i++) {
        expect(distributor_next_result(d, &r), 1);
        expect(*(const unsigned *)r.data, i);
    }
    expect(distributor_next_result(d, &r), 0);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(order_held, children_of_many_blocks)
{
    run_with_children(0);
    run_with_children(2); /* which a spawn goes over */
    finish();
}

/* ---- Results ---- */

/* The first task runs on; the second one emits until it may hold no more, and is cancelled. */
static int emit_until_cancelled(distributor_task_t *self, const void *input, size_t size)
{
    static const char large[1000];
    unsigned number = *(const unsigned *)input;
    int rc = 0;
    (void)size;
    if (number == 0) {
        await(&gate);
        return 0;
    }
    atomic_store(&second, gettid());
    size_t each = number == 1 ? sizeof(uint64_t) : sizeof(large);
    while ((rc = distributor_emit(self, large, each)) == 0)
        continue;
    task_assert(rc == -ECANCELED);
    task_assert(distributor_emit(self, large, each) == -ECANCELED);
    sem_post(&gate);
    return rc;
}

static void cancel_emitter(unsigned number, unsigned workers)
{
    static const distributor_task_type_t type = {.name = "emit", .run = emit_until_cancelled};
    const unsigned numbers[] = {0, number};
    open_gates();
    distributor_t *d = make(ORDERED(.workers = workers, .window = 2));
    for (unsigned i = 0; i < 2; i++)
        expect(distributor_add_task(d, &type, &numbers[i], sizeof(numbers[i])), 0);
    expect(distributor_start(d), 0);
    while (atomic_load(&second) == 0 || !sleeps(atomic_load(&second)))
        nap(100000);
    expect(distributor_cancel(d), 0);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, 1);
    expect(s.cancelled, 1);
    distributor_drop_results(d);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(order_held, a_wait_ends_with_the_cancellation)
{
    for (unsigned number = 1; number <= 2; number++) {
        cancel_emitter(number, 2);
        cancel_emitter(number, 20); /* each has the least share */
    }
    finish();
}
