/* SPDX-License-Identifier: BSD-2-Clause */
/* src/queue: slots, blocks, and the oldest end of a queue, on one thread. */
#include "queue_support.h"

TestSuite(queue, .timeout = 240);

static const struct distr_share all = {.max = DISTR_CLAIM_MAX, .divisor = 1};
static const struct distr_share one = {.max = 1, .divisor = 1};

struct fixture {
    struct distr_pools pools;
    struct distr_queue queue;
};

static void open_queue(struct fixture *fixture)
{
    distr_fence_init();
    distr_pools_init(&fixture->pools);
    cr_assert_eq(distr_queue_init(&fixture->queue, &fixture->pools, DISTR_SMALL, DISTR_OPEN), 0);
    if (mix_may_be_dense())
        distr_queue_allow_dense(&fixture->queue);
}

static bool is_quick(struct distr_queue *queue, const distributor_task_type_t *type)
{
    return distributor_short_is_quick(distr_queue_end(queue), type);
}

static void append(struct distr_queue *queue, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++) {
        struct distr_item item = numbered(i);
        cr_assert_eq(distr_queue_reserve(queue, distr_format(&item)), 0);
        struct distributor_short_end *end = distr_queue_end(queue);
        struct distributor_short_place place = distributor_short_place(end);
        if (i % 2 && distr_format(&item) &&
            distributor_short_write_any(end, place, item.type, i, serial_of(i))) {
            distributor_short_publish(end, place);
        } else {
            distr_queue_put(queue, &item);
            distr_queue_publish(queue);
        }
    }
}

static uint64_t claim_all(struct distr_queue *queue, uint64_t expected)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    uint64_t first = expected;
    unsigned n;

    while ((n = distr_queue_claim(queue, &all, items)) > 0)
        for (unsigned i = 0; i < n; i++)
            cr_assert_eq(number_of(&items[i]), expected++);
    return expected - first;
}

Test(queue, meta_keeps_its_parts)
{
    uint64_t serial = ((uint64_t)1 << DISTR_SERIAL_BITS) - 1;
    uint64_t meta = distr_meta(serial, DISTR_HEAP, 16);

    cr_assert_eq(distr_meta_error(meta), 0);
    meta = distr_meta_with_error(meta, -DISTR_ERROR_MAX);
    cr_assert_eq(distr_meta_serial(meta), serial);
    cr_assert_eq(distr_meta_error(meta), -DISTR_ERROR_MAX);
    cr_assert_eq(distr_meta_kind(meta), DISTR_HEAP);
    cr_assert_eq(distr_meta_inline_size(meta), 16);
    meta = distr_meta_with_error(meta, -5);
    cr_assert_eq(distr_meta_error(meta), -5);
    finish();
}

Test(queue, word_keeps_its_parts)
{
    uint64_t generation = ((uint64_t)1 << 38) - 1;
    distr_word_t word = distr_word(generation, 4095, 4094, DISTR_SHARED);

    cr_assert_eq(distr_word_generation(word), generation);
    cr_assert_eq(distr_word_hi(word), 4095);
    cr_assert_eq(distr_word_lo(word), 4094);
    cr_assert_eq(distr_word_state(word), DISTR_SHARED);
    finish();
}

Test(queue, pools_hand_out_blocks_that_their_index_finds)
{
    static struct distr_block *blocks[5000];
    struct distr_pools pools;

    distr_pools_init(&pools);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t kind = i % 7 == 0 ? DISTR_SMALL : DISTR_LARGE;
        blocks[i] = distr_pools_get(&pools, kind);
        cr_assert_not_null(blocks[i]);
        cr_assert_eq(distr_pools_at(&pools, blocks[i]->index), blocks[i]);
        cr_assert_eq(blocks[i]->capacity,
                     kind == DISTR_SMALL ? DISTR_SMALL_SLOTS : DISTR_LARGE_SLOTS);
        cr_assert_eq((uintptr_t)blocks[i] % DISTR_CACHELINE, 0);
        blocks[i]->words[blocks[i]->capacity * DISTR_WIDE_WORDS - 1] = i; /* the memory is there */
    }
    for (unsigned i = 0; i < 5000; i++)
        cr_assert_eq(blocks[i]->words[blocks[i]->capacity * DISTR_WIDE_WORDS - 1], i,
                     "blocks overlap");
    distr_pools_free(&pools);
    finish();
}

Test(queue, a_block_that_was_put_back_is_got_again)
{
    struct distr_pools pools;

    distr_pools_init(&pools);
    struct distr_block *block = distr_pools_get(&pools, DISTR_LARGE);
    distr_block_renew(block, DISTR_OPEN, NULL, DISTR_WIDE_WORDS);
    uint64_t generation = distr_word_generation(block->word);
    distr_pools_put(&pools, block);
    cr_assert_eq(distr_pools_get(&pools, DISTR_LARGE), block);
    distr_block_renew(block, DISTR_PRIVATE, NULL, DISTR_WIDE_WORDS);
    cr_assert_gt(distr_word_generation(block->word), generation);
    distr_pools_free(&pools);
    finish();
}

Test(queue, what_is_appended_is_claimed_in_order)
{
    struct fixture fixture;

    for (mix = NARROW; mix < MIXES; mix++) {
        open_queue(&fixture);
        cr_assert_eq(distr_queue_peek(&fixture.queue), DISTR_EMPTY);
        append(&fixture.queue, 0, 10000);
        cr_assert_eq(distr_queue_peek(&fixture.queue), DISTR_READY);
        cr_assert_eq(claim_all(&fixture.queue, 0), 10000);
        cr_assert_eq(distr_queue_peek(&fixture.queue), DISTR_EMPTY);
        distr_pools_free(&fixture.pools);
    }
    finish();
}

Test(queue, narrow_blocks_take_half_the_memory_and_dense_ones_a_quarter)
{
    struct fixture fixture;
    uint32_t blocks[MIXES];

    for (mix = NARROW; mix < MIXES; mix++) {
        open_queue(&fixture);
        append(&fixture.queue, 0, 100000);
        blocks[mix] = fixture.pools.kind[DISTR_LARGE].carved;
        distr_pools_free(&fixture.pools);
    }
    cr_assert_leq(blocks[NARROW], 100000 / (2 * DISTR_LARGE_SLOTS) + 1);
    uint32_t dense = 100000 / (4 * DISTR_LARGE_SLOTS - DISTR_RUNS) + 2; /* and a spare */
    cr_assert_leq(blocks[DENSE], dense);
    cr_assert_leq(blocks[GAPS], dense, "runs waste blocks");
    cr_assert_leq(blocks[SCATTERED], blocks[NARROW] * 5 / 4, "serials in disorder waste blocks");
    cr_assert_leq(blocks[WIDE], 100000 / DISTR_LARGE_SLOTS + 1);
    cr_assert_leq(blocks[ALTERNATING], blocks[WIDE] * 5 / 4, "alternating types waste blocks");
    cr_assert_leq(blocks[RANDOM], blocks[WIDE] * 5 / 4, "mixed types waste blocks");
    finish();
}

/* A spare and a look at each item are no price for a put that is never quick. */
/* As in an ordered distributor, whose tasks have no serials before they are claimed. */
Test(queue, numbers_are_serials_where_these_say_nothing)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    struct fixture fixture;
    struct distr_queue *queue = &fixture.queue;
    uint64_t seen = 0;

    mix = DENSE;
    open_queue(&fixture);
    queue->numbered = true;
    for (uint64_t i = 0; i < 5000; i++) {
        struct distr_item item = numbered(i);
        item.meta = distr_meta_with_serial(item.meta, i * 7 % 11);
        cr_assert_eq(distr_queue_reserve(queue, distr_format(&item)), 0);
        distr_queue_put(queue, &item);
        distr_queue_publish(queue);
        cr_assert(queue->dense || i < DISTR_SMALL_SLOTS);
        cr_assert_leq(queue->runs, 1);
    }
    for (unsigned n; (n = distr_queue_claim(queue, &all, items)) > 0; seen += n)
        for (unsigned i = 0; i < n; i++)
            cr_assert_eq(items[i].payload.words[0], seen + i);
    cr_assert_eq(seen, 5000);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(queue, a_guarded_queue_has_no_dense_blocks)
{
    struct fixture fixture;

    mix = DENSE;
    for (unsigned turn = 0; turn < 2; turn++) {
        open_queue(&fixture);
        distr_queue_guard(&fixture.queue);
        if (turn == 1)
            distr_queue_allow_dense(&fixture.queue);
        append(&fixture.queue, 0, 1000);
        cr_assert_not(fixture.queue.dense, "allowed %u times", turn + 1);
        cr_assert_eq(claim_all(&fixture.queue, 0), 1000);
        distr_pools_free(&fixture.pools);
    }
    finish();
}

Test(queue, a_queue_that_is_guarded_in_a_dense_block_has_no_more_of_them)
{
    struct fixture fixture;

    mix = SCATTERED;
    open_queue(&fixture);
    append(&fixture.queue, 0, DISTR_SMALL_SLOTS + 1);
    cr_assert(fixture.queue.dense);
    distr_queue_guard(&fixture.queue);
    for (uint64_t i = DISTR_SMALL_SLOTS + 1; i < 20000; i++) {
        bool dense = fixture.queue.dense;
        append(&fixture.queue, i, 1);
        cr_assert(dense || !fixture.queue.dense, "dense again");
    }
    cr_assert_not(fixture.queue.dense);
    cr_assert_eq(claim_all(&fixture.queue, 0), 20000);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(queue, blocks_are_reused)
{
    struct fixture fixture;

    open_queue(&fixture);
    for (uint64_t round = 0; round < 1000; round++) {
        append(&fixture.queue, round * 300, 300);
        cr_assert_eq(claim_all(&fixture.queue, round * 300), 300);
    }
    cr_assert_leq(fixture.pools.kind[DISTR_LARGE].carved, 4);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(queue, lines_are_fetched_as_far_as_the_block_goes)
{
    struct fixture fixture;
    struct distr_pool *pool = &fixture.pools.kind[DISTR_LARGE];

    distr_fence_init();
    distr_pools_init(&fixture.pools);
    cr_assert_eq(distr_queue_init(&fixture.queue, &fixture.pools, DISTR_LARGE, DISTR_OPEN), 0);
    char *behind = (char *)distr_pools_get(&fixture.pools, DISTR_LARGE);
    cr_assert_eq(behind, (char *)fixture.queue.tail + pool->block_size);
    memset(behind, 1, pool->block_size);
    append(&fixture.queue, 0, fixture.queue.limit);
    cr_assert_eq(fixture.queue.bottom, fixture.queue.limit);
    cr_assert_eq(fixture.queue.fetched, fixture.queue.limit);
    for (size_t i = 0; i < pool->block_size; i++)
        cr_assert_eq(behind[i], 1, "byte %zu of the block behind", i);
    cr_assert_eq(claim_all(&fixture.queue, 0), DISTR_LARGE_SLOTS);
    distr_pools_free(&fixture.pools);
}

Test(queue, what_is_put_is_not_seen_before_publish)
{
    struct fixture fixture;
    struct distr_item item = numbered(7);

    open_queue(&fixture);
    cr_assert_eq(distr_queue_reserve(&fixture.queue, distr_format(&item)), 0);
    distr_queue_put(&fixture.queue, &item);
    cr_assert_eq(distr_queue_claim(&fixture.queue, &one, &item), 0);
    distr_queue_publish(&fixture.queue);
    cr_assert_eq(distr_queue_claim(&fixture.queue, &one, &item), 1);
    cr_assert_eq(number_of(&item), 7);
    distr_pools_free(&fixture.pools);
    finish();
}

Test(queue, a_claim_takes_its_share)
{
    struct fixture fixture;
    struct distr_item items[DISTR_CLAIM_MAX];
    struct distr_share quarter = {.max = DISTR_CLAIM_MAX, .divisor = 4};

    open_queue(&fixture);
    append(&fixture.queue, 0, 12);
    cr_assert_eq(distr_queue_claim(&fixture.queue, &quarter, items), 3);
    cr_assert_eq(distr_queue_claim(&fixture.queue, &quarter, items), 2);
    quarter.divisor = 1000;
    cr_assert_eq(distr_queue_claim(&fixture.queue, &quarter, items), 1, "at least one");
    append(&fixture.queue, 12, 100000);
    claim_all(&fixture.queue, 6);
    append(&fixture.queue, 0, 100000);
    quarter.divisor = 100;
    cr_assert_eq(distr_queue_claim(&fixture.queue, &quarter, items), DISTR_CLAIM_MAX,
                 "what stands in later blocks counts");
    distr_pools_free(&fixture.pools);
    finish();
}

/* The next item at the cursor, or the oldest one.  UINT64_MAX: there is none. */
static uint64_t take_at(struct distr_cursor *cursor, struct distr_queue *queue)
{
    struct distr_item item = {.type = cursor->type};
    uint64_t serial;
    uint32_t rest;

    if (distributor_short_take(distr_cursor_short(cursor), &item.payload.words[0], &serial, &rest))
        item.meta = serial << 20 | rest;
    else if (!distr_queue_claim_one(queue, cursor, &item))
        return UINT64_MAX;
    return number_of(&item);
}

Test(queue, a_cursor_goes_on_and_survives_reuse)
{
    struct fixture fixture;
    struct distr_cursor cursor = {.block = NULL};
    uint64_t expected = 0;
    uint64_t number;

    for (mix = NARROW; mix < MIXES; mix++) {
        open_queue(&fixture);
        cursor.block = NULL;
        expected = 0;
        for (uint64_t round = 0; round < 200; round++) {
            append(&fixture.queue, round * 50, 50);
            /* some are claimed elsewhere: the cursor falls behind, its block is reused */
            if (round % 3 == 2)
                expected += claim_all(&fixture.queue, expected);
            while ((number = take_at(&cursor, &fixture.queue)) != UINT64_MAX)
                cr_assert_eq(number, expected++);
        }
        cr_assert_eq(expected, 200 * 50);
        distr_pools_free(&fixture.pools);
    }
    finish();
}

/* Appends and claims until the block is used again and has come as far as it was at `word`. */
static void use_again(struct distr_queue *queue, struct distr_block *block, distr_word_t word)
{
    for (unsigned tries = 0; tries < 10000; tries++) {
        distr_word_t now = atomic_load(&block->word);
        if (distr_word_generation(now) > distr_word_generation(word) &&
            distr_word_lo(now) > distr_word_lo(word))
            return;
        append(queue, tries, 1);
        cr_assert_eq(claim_all(queue, tries), 1);
    }
    cr_assert_fail("the block does not come back");
}

Test(queue, a_cursor_of_an_older_generation_takes_nothing)
{
    struct fixture fixture;
    struct distr_cursor cursor = {.block = NULL};
    uint64_t word, serial;
    uint32_t rest;

    mix = NARROW;
    open_queue(&fixture);
    while (!cursor.block) { /* the first block is a wide one */
        append(&fixture.queue, 0, 100);
        take_at(&cursor, &fixture.queue);
    }
    struct distr_cursor older = cursor;
    cr_assert_gt(distr_cursor_left(&older), 10);
    while (take_at(&cursor, &fixture.queue) != UINT64_MAX)
        ;
    use_again(&fixture.queue, older.block, older.word);
    append(&fixture.queue, 0, 1);
    cr_assert_not(distributor_short_take(distr_cursor_short(&older), &word, &serial, &rest));
    distr_pools_free(&fixture.pools);
    finish();
}

Test(queue, a_guarded_queue_is_never_quick)
{
    struct fixture fixture;

    mix = NARROW;
    open_queue(&fixture);
    append(&fixture.queue, 0, 100);
    cr_assert(is_quick(&fixture.queue, &mixed_types[0]));
    cr_assert_not(is_quick(&fixture.queue, &mixed_types[1]), "another type");
    distr_queue_guard(&fixture.queue);
    for (uint64_t i = 100; i < 2000; i++) {
        cr_assert_not(is_quick(&fixture.queue, &mixed_types[0]));
        append(&fixture.queue, i, 1);
    }
    cr_assert_eq(claim_all(&fixture.queue, 0), 2000);
    distr_pools_free(&fixture.pools);
    finish();
}
