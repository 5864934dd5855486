/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every count that runs free, begun shortly before its end: it wraps while the queues and the pool
 * work, and nothing is lost.
 */
#include "pool/registry.h"
#include "pool/state.h"
#include "queue_support.h"

TestSuite(wrap, .timeout = 240);

/* The last generations of a block, and the last changes of a queue's head. */
#define GENERATIONS ((uint64_t)1 << 38)
#define CHANGES ((uint64_t)1 << 40)

/* Lets the first blocks that the pools hand out begin a few generations before the wrap. */
static void age_blocks(struct distr_pools *pools, unsigned count)
{
    for (uint32_t kind = 0; kind < DISTR_POOL_KINDS; kind++) {
        struct distr_block *block[64];
        ensure(count <= 64);
        for (unsigned i = 0; i < count; i++) {
            block[i] = distr_pools_get(pools, kind);
            ensure(block[i] != NULL);
            atomic_store(&block[i]->word, distr_word(GENERATIONS - 3, 0, 0, DISTR_OPEN));
        }
        for (unsigned i = 0; i < count; i++)
            distr_pools_put(pools, block[i]);
    }
}

static void age_head(struct distr_queue *queue)
{
    uint64_t head = atomic_load(&queue->head);
    atomic_store(&queue->head, (CHANGES - 3) << 24 | distr_head_index(head));
}

static const struct distr_share some = {.max = DISTR_CLAIM_MAX, .divisor = 2, .freeze = true};

static void expect_in_order(struct distr_queue *queue, uint64_t *next)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    unsigned n = distr_queue_claim(queue, &some, items);
    for (unsigned i = 0; i < n; i++)
        expect(number_of(&items[i]), (*next)++);
}

Test(wrap, generations_and_changes_of_a_queue)
{
    static const uint32_t kinds[] = {DISTR_SMALL, DISTR_LARGE};
    for (int turn = 0; turn < 2 * MIXES; turn++) {
        struct distr_pools pools;
        struct distr_queue queue = {0};
        uint64_t next = 0;
        mix = (enum mix)(turn / 2);
        distr_pools_init(&pools);
        age_blocks(&pools, 8);
        expect(distr_queue_init(&queue, &pools, kinds[turn % 2], DISTR_OPEN), 0);
        if (mix_may_be_dense())
            distr_queue_allow_dense(&queue);
        age_head(&queue);
        for (uint64_t i = 0; i < 50000; i++) {
            struct distr_item item = numbered(i);
            expect(distr_queue_reserve(&queue, distr_format(&item)), 0);
            distr_queue_put(&queue, &item);
            distr_queue_publish(&queue);
            if (i % 3 == 0)
                expect_in_order(&queue, &next);
        }
        while (next < 50000)
            expect_in_order(&queue, &next);
        ensure(atomic_load(&queue.head) >> 24 < CHANGES / 2);
        distr_pools_free(&pools);
    }
    finish();
}

/* Pushes, pops and freezes at random; each number comes once. */
static void walk(struct distr_queue *queue)
{
    static bool seen[60000];
    struct distr_item items[DISTR_CLAIM_MAX];
    uint64_t pushed = 0, taken = 0;
    unsigned random = 7;
    memset(seen, 0, sizeof(seen));
    while (taken < 60000) {
        random = random * 1103515245u + 12345u;
        unsigned what = random >> 16 & 7, n = 0;
        if (what < 4 && pushed < 60000) {
            struct distr_item item = numbered(pushed++);
            expect(distr_deque_reserve(queue), 0);
            distr_deque_push_one(queue, &item);
        } else if (what < 6) {
            n = distr_deque_pop(queue, items) ? 1 : 0;
        } else {
            n = distr_queue_claim(queue, &some, items);
        }
        for (taken += n; n > 0; n--) {
            ensure(!seen[number_of(&items[n - 1])]);
            seen[number_of(&items[n - 1])] = true;
        }
    }
}

Test(wrap, generations_and_changes_of_a_deque)
{
    for (mix = NARROW; mix < MIXES; mix++) {
        struct distr_pools pools;
        struct distr_queue queue = {0};
        distr_fence_init();
        distr_pools_init(&pools);
        age_blocks(&pools, 8);
        expect(distr_queue_init(&queue, &pools, DISTR_LARGE, DISTR_PRIVATE), 0);
        age_head(&queue);
        walk(&queue);
        ensure(atomic_load(&queue.head) >> 24 < CHANGES / 2);
        distr_pools_free(&pools);
    }
    finish();
}

/* ---- The pool ---- */

/* The gates' sequences are two steps before 2^32, the next serials before 2^44; tasks and results
 * were so many that their counts wrap at 2^32, or at 2^64.  Nothing runs meanwhile. */
static void age_pool(struct distributor *d, uint64_t counts)
{
    struct distr_gate *gates[] = {&d->readers, &d->input_room, &d->output_room, &d->ended, &d->go};
    for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
        atomic_store(&gates[i]->sequence, UINT32_MAX - 1);
    atomic_store(&d->serial, ((uint64_t)1 << DISTR_SERIAL_BITS) - 2000);
    struct distr_record *record = atomic_load(&d->first.records[0]);
    ensure(record->worker != NULL);
    atomic_store(&record->added, atomic_load(&record->added) + counts);
    atomic_store(&record->completed, atomic_load(&record->completed) + counts);
    d->base.added += counts;
    d->base.completed += counts;
    atomic_store(&record->worker->output.count,
                 atomic_load(&record->worker->output.count) + counts);
    d->base.results += counts;
}

static void *add_4000(void *d)
{
    for (unsigned i = 0; i < 4000; i++)
        task_assert(distributor_add_task(d, &echo, &i, sizeof(i)) == 0);
    task_assert(distributor_close(d) == 0);
    return NULL;
}

Test(wrap, counts_serials_and_gates_of_a_pool)
{
    static const uint64_t counts[] = {((uint64_t)1 << 32) - 2000, ((uint64_t)1 << 31) - 2000,
                                      UINT64_MAX - 2000};
    static const unsigned limits[] = {0, 1, 64};
    for (unsigned turn = 0; turn < 9; turn++) {
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = limits[turn % 3],
                                        .output_limit = limits[turn % 3]));
        run(d);
        age_pool(d, counts[turn / 3]);
        for (int again = 0; again < 2; again++) {
            expect(distributor_start(d), 0);
            pthread_t adder = begin_thread(add_4000, d);
            expect(drain(d), 4000);
            end_thread(adder);
            distributor_summary_t s = sum_up(d);
            expect(s.added, 4000);
            expect(s.completed, 4000);
            expect(s.results, 4000);
        }
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* A run of words goes on from serial to serial, so both have to have as many bits. */
Test(wrap, words_are_quick_behind_the_last_serial)
{
    static const uint64_t word = 1;
    distributor_t *d = make(OPTIONS(.workers = 1));
    atomic_store(&d->serial, (uint64_t)1 << DISTR_SERIAL_BITS);
    for (int i = 0; i < 500; i++)
        expect(distributor_add_task(d, &echo, &word, sizeof(word)), 0);
    struct distr_record *record = distr_thread_last();
    ensure(record->input.dense);
    ensure(!distr_has_membarrier || record->input.bottom < record->input.quick);
    expect(run(d).completed, 500);
    expect(drain(d), 500);
    expect(distributor_destroy(d), 0);
    finish();
}

static void refuse_one(distributor_t *d)
{
    static const char bytes[16];
    expect(distributor_add_task(d, &echo, bytes, sizeof(bytes)), -ESHUTDOWN);
}

static void *add_five_words(void *d)
{
    for (uint64_t i = 0; i < 5; i++)
        task_assert(distributor_add_task(d, &echo, &i, sizeof(i)) == 0);
    return NULL;
}

static bool serial_was[1 << 17];

/* A run of what was added; behind its door a task is refused, if the test wants it. */
static void run_unique(distributor_t *d, bool refuse)
{
    distributor_result_t r;
    expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
    if (refuse)
        refuse_one(d);
    while (distributor_next_result(d, &r) == 1) {
        ensure(r.serial < sizeof(serial_was) && !serial_was[r.serial]);
        serial_was[r.serial] = true;
    }
    expect(distributor_join(d, NULL), 0);
}

/* Adds words until the range of this thread's serials has so many left. */
static void come_to_the_end(distributor_t *d, uint64_t left)
{
    static const uint64_t word;
    add_five_words(d);
    const struct distr_record *record = distr_thread_last();
    while (!record->input.dense ||
           record->input.first + record->input.bottom + left != record->serials.end)
        expect(distributor_add_task(d, &echo, &word, sizeof(word)), 0);
}

/* What comes next is of another range: the one behind is another thread's. */
Test(wrap, no_quick_add_leaves_its_range)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    come_to_the_end(d, 3);
    end_thread(begin_thread(add_five_words, d));
    add_five_words(d);
    run_unique(d, false);
    expect(distributor_destroy(d), 0);
    finish();
}

/* The same where the first task of that other range is refused. */
Test(wrap, no_quick_add_follows_one_that_was_refused)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    come_to_the_end(d, 0);
    serial_was[atomic_fetch_add(&d->serial, 1024)] = true; /* another thread's */
    run_unique(d, true);
    add_five_words(d);
    run_unique(d, false);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(wrap, sequence_of_a_gate)
{
    enum { TURNS = 1000 };
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (unsigned n = 0; n < TURNS; n++) {
        atomic_store(&d->readers.sequence, UINT32_MAX - n % 3);
        atomic_store(&d->ended.sequence, UINT32_MAX - n % 3);
        expect(distributor_start(d), 0);
        expect(distributor_add_task(d, &echo, &n, sizeof(n)), 0);
        distributor_result_t r;
        expect(distributor_next_result(d, &r), 1);
        expect(sum_up(d).completed, 1);
        expect(distributor_next_result(d, &r), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- What a thread knows of distributors, and of blocks that there can be ---- */

static void *destroy_it(void *d)
{
    task_assert(distributor_destroy(d) == 0);
    return NULL;
}

/* Room for four at first; those that are gone make room for others, before it grows. */
Test(wrap, seats_of_distributors_that_are_gone)
{
    enum { MANY = 6 };
    distributor_t *d[MANY];
    for (int i = 0; i < MANY; i++) {
        d[i] = make(OPTIONS(.workers = 1));
        if (i < 4)
            expect(distributor_add_task(d[i], &nothing, NULL, 0), 0);
    }
    expect(distr_thread.count, 4);
    for (int i = 0; i < 3; i++)
        end_thread(begin_thread(destroy_it, d[i])); /* this thread is not told */
    expect(distr_thread.count, 4);
    expect(distributor_add_task(d[4], &nothing, NULL, 0), 0);
    expect(distr_thread.count, 2);
    expect(distr_thread.capacity, 4);
    struct distr_record *record = distr_thread.seats[0].record;
    expect(distributor_add_task(d[3], &nothing, NULL, 0), 0);
    ensure(distr_thread_last() == record && record->owner == d[3]);
    for (int i = 3; i < MANY; i++) {
        expect(run(d[i]).completed, i == 3 ? 2 : i == 4 ? 1 : 0);
        expect(distributor_destroy(d[i]), 0);
    }
    finish();
}

Test(wrap, the_last_block_of_a_pool)
{
    struct distr_pools pools;
    distr_pools_init(&pools);
    struct distr_pool *pool = &pools.kind[DISTR_SMALL];
    pool->carved = DISTR_POSITION_MAX - pool->first;
    ensure(distr_pools_get(&pools, DISTR_SMALL) == NULL);
    pool->carved = 0;
    ensure(distr_pools_get(&pools, DISTR_SMALL) != NULL);
    distr_pools_free(&pools);
    finish();
}

/* All small blocks of a pool are out, and no more can be. */
static struct distr_block *out[4096];
static unsigned out_count;
static uint32_t carved;

static void take_all_blocks(struct distributor *d)
{
    struct distr_pool *pool = &d->pools.kind[DISTR_SMALL];
    struct distr_block *block;
    pthread_mutex_lock(&pool->lock);
    carved = pool->carved;
    pool->carved = DISTR_POSITION_MAX - pool->first;
    pthread_mutex_unlock(&pool->lock);
    while (out_count < 4096 && (block = distr_pools_get(&d->pools, DISTR_SMALL)) != NULL)
        out[out_count++] = block;
    task_assert(out_count < 4096);
}

static void give_all_blocks(struct distributor *d)
{
    struct distr_pool *pool = &d->pools.kind[DISTR_SMALL];
    while (out_count > 0)
        distr_pools_put(&d->pools, out[--out_count]);
    pthread_mutex_lock(&pool->lock);
    pool->carved = carved;
    pthread_mutex_unlock(&pool->lock);
}

static sem_t gate;

/* The first task has the turn, so that the second one has to hold its child back. */
static int spawn_without_block(distributor_task_t *self, const void *input, size_t size)
{
    struct distributor *d = distributor_of(self);
    (void)size;
    if (*(const unsigned *)input == 0) {
        await(&gate);
        return 0;
    }
    take_all_blocks(d);
    task_assert(distributor_spawn(self, &nothing, NULL, 0) == -ENOMEM);
    give_all_blocks(d);
    task_assert(distributor_spawn(self, &nothing, NULL, 0) == 0);
    sem_post(&gate);
    return 0;
}

Test(wrap, a_child_without_a_block)
{
    static const distributor_task_type_t type = {.name = "spawns", .run = spawn_without_block};
    distributor_t *d = make(OPTIONS(.workers = 2, .order = DISTRIBUTOR_AS_ADDED));
    sem_init(&gate, 0, 0);
    for (unsigned i = 0; i < 2; i++)
        expect(distributor_add_task(d, &type, &i, sizeof(i)), 0);
    expect(run(d).completed, 3);
    expect(distributor_destroy(d), 0);
    sem_destroy(&gate);
    finish();
}
