/* SPDX-License-Identifier: BSD-2-Clause */
/* src/queue/deque.c on one thread: both ends, and every way in which a freeze can meet a step. */
#include "queue_support.h"

TestSuite(deque, .timeout = 240);

static const struct distr_share one = {.max = 1, .divisor = 1, .freeze = true};
static const struct distr_share half = {.max = DISTR_CLAIM_MAX, .divisor = 2, .freeze = true};

struct fixture {
    struct distr_pools pools;
    struct distr_queue queue;
};

static void open_deque(struct fixture *fixture)
{
    distr_fence_init();
    distr_pools_init(&fixture->pools);
    cr_assert_eq(distr_queue_init(&fixture->queue, &fixture->pools, DISTR_LARGE, DISTR_PRIVATE), 0);
    if (mix_may_be_dense())
        distr_queue_allow_dense(&fixture->queue);
}

static void push(struct distr_queue *queue, uint64_t number)
{
    struct distr_item item = numbered(number);

    cr_assert_eq(distr_deque_reserve(queue), 0);
    struct distributor_short_end *end = distr_queue_end(queue);
    struct distributor_short_place place = distributor_short_place(end);
    if (number % 2 && distr_format(&item) &&
        distributor_short_write_any(end, place, item.type, number, serial_of(number))) {
        if (!distributor_short_push(end, place))
            distr_deque_push_again(queue, queue->bottom - 1);
    } else {
        distr_deque_push_one(queue, &item);
    }
}

static uint64_t pop(struct distr_queue *queue)
{
    struct distr_item item;

    return distr_deque_pop(queue, &item) ? number_of(&item) : UINT64_MAX;
}

static uint64_t take(struct distr_queue *queue)
{
    struct distr_item item;

    return distr_queue_claim(queue, &one, &item) == 1 ? number_of(&item) : UINT64_MAX;
}

Test(deque, the_owner_pops_the_newest)
{
    struct fixture fixture;

    mix = NARROW;
    open_deque(&fixture);
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    for (uint64_t i = 0; i < 2000; i++)
        push(&fixture.queue, i);
    for (uint64_t i = 2000; i-- > 0;)
        cr_assert_eq(pop(&fixture.queue), i);
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    cr_assert_leq(fixture.pools.kind[DISTR_LARGE].carved, 10);
    distr_pools_free(&fixture.pools);
    finish();
}

static uint32_t blocks_for(enum mix of, uint64_t count)
{
    struct fixture fixture;

    mix = of;
    open_deque(&fixture);
    for (uint64_t i = 0; i < count; i++)
        push(&fixture.queue, i);
    uint32_t blocks = fixture.pools.kind[DISTR_LARGE].carved;
    for (uint64_t i = count; i-- > 0;)
        cr_assert_eq(pop(&fixture.queue), i);
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    distr_pools_free(&fixture.pools);
    return blocks;
}

Test(deque, words_pushed_one_after_the_other_take_half_the_memory)
{
    const uint64_t count = 100000;
    uint32_t narrow = (uint32_t)(count / (2 * DISTR_LARGE_SLOTS));

    cr_assert_leq(blocks_for(DENSE, count), narrow * 51 / 100 + 4);
    cr_assert_geq(blocks_for(SCATTERED, count), narrow);
    cr_assert_leq(blocks_for(SCATTERED, count), narrow + 4);
    struct fixture fixture;
    open_deque(&fixture);
    for (uint64_t i = 0; i < 2000; i++) {
        push(&fixture.queue, i);
        cr_assert_not(fixture.queue.dense, "as if they followed each other");
    }
    distr_pools_free(&fixture.pools);
    finish();
}

/* The deque's tail is dense; it and the blocks before have the numbers up to *pushed. */
static void make_dense(struct fixture *fixture, uint64_t *pushed)
{
    mix = DENSE;
    open_deque(fixture);
    for (*pushed = 0; *pushed < 1000; ++*pushed)
        push(&fixture->queue, *pushed);
    cr_assert(fixture->queue.dense);
}

/* Each that is popped is followed by two, each of which is popped next. */
Test(deque, a_dense_block_is_left_once_for_many_pops)
{
    struct fixture fixture;
    uint64_t pushed;
    unsigned times = 0;

    make_dense(&fixture, &pushed);
    for (uint64_t i = 1000; i-- > 0;) {
        cr_assert_eq(pop(&fixture.queue), i);
        times += fixture.queue.dense;
        for (unsigned twice = 0; twice < 2; twice++) {
            push(&fixture.queue, pushed);
            cr_assert_eq(pop(&fixture.queue), pushed++);
        }
    }
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    cr_assert_leq(times, 1 + 250 / 64, "at the dense one %u times", times);
    cr_assert_leq(fixture.pools.kind[DISTR_LARGE].carved, 6);
    distr_pools_free(&fixture.pools);
    finish();
}

/* One of two is left each time, as where a tree is walked. */
Test(deque, what_is_left_above_a_dense_block_is_popped_in_order)
{
    struct fixture fixture;
    uint64_t pushed, left[100];

    make_dense(&fixture, &pushed);
    for (unsigned i = 0; i < 100; i++) {
        left[i] = pushed;
        push(&fixture.queue, pushed++);
        push(&fixture.queue, pushed++);
        cr_assert_eq(pop(&fixture.queue), pushed - 1);
        cr_assert_eq(fixture.queue.dense, i == 0);
    }
    for (unsigned i = 100; i-- > 0;)
        cr_assert_eq(pop(&fixture.queue), left[i]);
    for (uint64_t i = 1000; i-- > 0;)
        cr_assert_eq(pop(&fixture.queue), i);
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, an_empty_dense_block_begins_its_run_anew)
{
    struct fixture fixture;
    struct distr_item item;
    uint64_t pushed;

    make_dense(&fixture, &pushed);
    for (uint64_t i = 0; i < 900; i++)
        cr_assert_eq(take(&fixture.queue), i);
    for (uint64_t i = 1000; i-- > 900;)
        cr_assert_eq(pop(&fixture.queue), i);
    for (unsigned i = 0; i < 3 * DISTR_RUNS; i++, pushed += 5) {
        push(&fixture.queue, pushed);
        push(&fixture.queue, pushed + 1);
        cr_assert(fixture.queue.dense);
        cr_assert_eq(fixture.queue.runs, 1);
        cr_assert(distr_deque_take_oldest(&fixture.queue, &item));
        cr_assert_eq(number_of(&item), pushed);
        cr_assert_eq(pop(&fixture.queue), pushed + 1);
    }
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, a_guarded_one_has_no_dense_blocks)
{
    struct fixture fixture;

    mix = DENSE;
    open_deque(&fixture);
    distr_queue_guard(&fixture.queue);
    for (uint64_t i = 0; i < 2000; i++) {
        push(&fixture.queue, i);
        cr_assert_not(fixture.queue.dense);
    }
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, takers_take_the_oldest)
{
    struct fixture fixture;

    open_deque(&fixture);
    for (uint64_t i = 0; i < 2000; i++)
        push(&fixture.queue, i);
    for (uint64_t i = 0; i < 2000; i++)
        cr_assert_eq(take(&fixture.queue), i);
    cr_assert_eq(take(&fixture.queue), UINT64_MAX);
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, without_freeze_the_owners_block_is_left_alone)
{
    struct distr_share gentle = {.max = 1, .divisor = 1};
    struct fixture fixture;
    struct distr_item item;

    open_deque(&fixture);
    push(&fixture.queue, 1);
    cr_assert_eq(distr_queue_peek(&fixture.queue), DISTR_HELD);
    cr_assert_eq(distr_queue_claim(&fixture.queue, &gentle, &item), 0);
    cr_assert_eq(pop(&fixture.queue), 1);
    cr_assert_eq(distr_queue_peek(&fixture.queue), DISTR_EMPTY);
    distr_pools_free(&fixture.pools);
    finish();
}

/* A push onto an empty deque of another format, which empties the block first. */
Test(deque, an_emptied_block_is_fetched_again_only_after_takers)
{
    struct fixture fixture;
    struct distr_queue *queue = &fixture.queue;
    struct distr_item first = numbered(0);

    mix = RUNS;
    open_deque(&fixture);
    distr_deque_push(queue, &first, 1);
    push(queue, 2);
    unsigned fetched = queue->fetched;
    cr_assert_gt(fetched, queue->bottom);
    cr_assert_eq(pop(queue), 2);
    cr_assert_eq(pop(queue), 0);
    push(queue, 700);
    cr_assert_eq(queue->fetched, fetched);
    push(queue, 701);
    cr_assert_eq(queue->fetched, fetched);
    cr_assert_eq(queue->quick, distr_has_membarrier ? fetched : 0);
    cr_assert_eq(pop(queue), 701);
    cr_assert_eq(pop(queue), 700);
    push(queue, 2100); /* wide */
    cr_assert_eq(queue->fetched, fetched / 2);
    cr_assert_eq(take(queue), 2100);
    push(queue, 2101);
    cr_assert_eq(queue->fetched, 0);
    cr_assert_eq(pop(queue), 2101);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, several_are_pushed_as_one_step_first_on_top)
{
    struct fixture fixture;
    struct distr_item items[DISTR_CLAIM_MAX];

    open_deque(&fixture);
    for (uint64_t round = 0; round < 100; round++) {
        for (uint64_t i = 0; i < DISTR_CLAIM_MAX; i++)
            items[i] = numbered(round * DISTR_CLAIM_MAX + i);
        cr_assert_eq(distr_deque_reserve(&fixture.queue), 0);
        distr_deque_push(&fixture.queue, items, DISTR_CLAIM_MAX);
    }
    for (uint64_t round = 100; round-- > 0;)
        for (uint64_t i = 0; i < DISTR_CLAIM_MAX; i++)
            cr_assert_eq(pop(&fixture.queue), round * DISTR_CLAIM_MAX + i);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(deque, the_owner_takes_the_oldest_too)
{
    struct fixture fixture;
    struct distr_item item;

    open_deque(&fixture);
    cr_assert_not(distr_deque_take_oldest(&fixture.queue, &item));
    for (uint64_t i = 0; i < 1000; i++)
        push(&fixture.queue, i);
    for (uint64_t i = 0; i < 500; i++) {
        cr_assert(distr_deque_take_oldest(&fixture.queue, &item));
        cr_assert_eq(number_of(&item), i);
        cr_assert_eq(pop(&fixture.queue), 999 - i);
    }
    cr_assert_not(distr_deque_take_oldest(&fixture.queue, &item));
    cr_assert_eq(pop(&fixture.queue), UINT64_MAX);
    distr_pools_free(&fixture.pools);
    finish();
}

/* A taker between F1 and F3: the tail is frozen, hi not yet fixed. */
static void freeze_only(struct distr_queue *queue)
{
    distr_word_t word = queue->tail->word;

    cr_assert_eq(distr_word_state(word), DISTR_PRIVATE);
    queue->tail->word =
        distr_word(distr_word_generation(word), 0, distr_word_lo(word), DISTR_FROZEN);
}

/* A taker's F3 and F4 that saw the bottom of before the owner's last step. */
static void fix(struct distr_queue *queue, unsigned hi)
{
    distr_word_t word = queue->tail->word;

    cr_assert_eq(distr_word_state(word), DISTR_FROZEN);
    queue->tail->word =
        distr_word(distr_word_generation(word), hi, distr_word_lo(word), DISTR_SHARED);
}

/* Everything that was pushed comes out once, whoever takes it. */
static void check_all(struct distr_queue *queue, bool *seen, uint64_t count)
{
    uint64_t number;

    for (unsigned turn = 0; (number = turn % 2 ? take(queue) : pop(queue)) != UINT64_MAX ||
                            distr_queue_peek(queue) != DISTR_EMPTY;
         turn++) {
        if (number == UINT64_MAX)
            continue;
        cr_assert_lt(number, count);
        cr_assert_not(seen[number], "%lu came twice", (unsigned long)number);
        seen[number] = true;
    }
    for (uint64_t i = 0; i < count; i++)
        cr_assert(seen[i], "%lu is lost", (unsigned long)i);
}

/* The owner's step meets a freeze whose taker saw bottom before the step (old), after it (now), or
 * has not fixed it (pending); with and without a spare block. */
enum when { OLD, NOW, PENDING };

static void step_meets_freeze(bool is_push, enum when when, bool spare, uint64_t count)
{
    static bool seen[2000];
    struct fixture fixture;
    struct distr_queue *queue = &fixture.queue;

    memset(seen, 0, sizeof seen);
    open_deque(&fixture);
    for (uint64_t i = 0; i < count; i++)
        push(queue, i);
    cr_assert_eq(distr_deque_reserve(queue), 0);
    unsigned old = queue->bottom;
    cr_assert_lt(old, queue->limit, "the step would be in another block");
    freeze_only(queue);
    if (when != PENDING)
        fix(queue, when == OLD ? old : is_push ? old + 1 : old - 1);
    struct distr_block *aside = queue->spare;
    if (!spare)
        queue->spare = NULL;
    if (is_push) {
        struct distr_item item = numbered(count);
        distr_deque_push_one(queue, &item);
    } else {
        uint64_t popped = pop(queue);
        cr_assert_neq(popped, UINT64_MAX);
        seen[popped] = true;
    }
    if (!spare)
        distr_pools_put(&fixture.pools, aside);
    check_all(queue, seen, is_push ? count + 1 : count);
    distr_pools_free(&fixture.pools);
}

Test(deque, no_step_loses_or_doubles_when_a_taker_freezes)
{
    for (int turn = 0; turn < 2 * MIXES; turn++)
        for (int when = OLD; when <= PENDING; when++)
            for (int spare = 0; spare < 2; spare++)
                for (uint64_t count = 1; count < 1100; count += count < 4 ? 1 : 53)
                    mix = (enum mix)(turn / 2),
                    step_meets_freeze(turn % 2, (enum when)when, spare, count);
    finish();
}

/* A push that leaves a dense block, and takes 64 along, meets a freeze. */
Test(deque, what_is_taken_along_is_not_lost_when_a_taker_freezes)
{
    for (int when = OLD; when <= PENDING; when++) {
        bool seen[1010] = {false};
        struct fixture fixture;
        uint64_t pushed;
        make_dense(&fixture, &pushed);
        cr_assert_eq(distr_deque_reserve(&fixture.queue), 0);
        unsigned old = fixture.queue.bottom;
        freeze_only(&fixture.queue);
        if (when != PENDING)
            fix(&fixture.queue, when == OLD ? old : old - 64);
        for (uint64_t i = pushed; i < pushed + 5; i++)
            seen[i] = true; /* these are not there */
        push(&fixture.queue, pushed + 5);
        check_all(&fixture.queue, seen, pushed + 6);
        distr_pools_free(&fixture.pools);
    }
    finish();
}

static void walk_randomly(void)
{
    static bool seen[200000];
    struct fixture fixture;
    struct distr_item items[DISTR_CLAIM_MAX];
    uint64_t pushed = 0;
    unsigned random = 1;

    memset(seen, 0, sizeof seen);
    open_deque(&fixture);
    for (unsigned i = 0; i < 300000; i++) {
        random = random * 1103515245u + 12345u;
        unsigned what = random >> 16 & 7;
        uint64_t number = UINT64_MAX;
        if (what < 4 && pushed < 190000)
            for (unsigned more = random % 1009 == 0 ? 1200 : 1; more-- > 0;) /* or a dense block */
                push(&fixture.queue, pushed++);
        else if (what < 6)
            number = pop(&fixture.queue);
        else if (what == 6 && distr_deque_take_oldest(&fixture.queue, items))
            number = number_of(items);
        else if (what == 7)
            for (unsigned n = distr_queue_claim(&fixture.queue, &half, items); n-- > 0;) {
                cr_assert_not(seen[number_of(&items[n])]);
                seen[number_of(&items[n])] = true;
            }
        if (number != UINT64_MAX) {
            cr_assert_not(seen[number], "%lu came twice", (unsigned long)number);
            seen[number] = true;
        }
    }
    check_all(&fixture.queue, seen, pushed);
    distr_pools_free(&fixture.pools);
}

Test(deque, random_walks_lose_nothing)
{
    for (mix = NARROW; mix < MIXES; mix++)
        walk_randomly();
    finish();
}
