/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of src/queue by itself: blocks of two slots, so that a handful of items recycles them.
 * Each item is a number; the book says who got it.
 */
#include "schedule/shim.h"

#include <string.h>

#include "queue/deque.h"

#define ITEMS_MAX 16u

static struct distr_pools pools;
static struct distr_queue queue;
static struct distr_queue other_queue;
static unsigned got[ITEMS_MAX];
static unsigned put;
static bool strangers; /* the other queue has items of the other type, which nobody may find */

static const struct distributor_task_type *const small_type = (const void *)&pools;
static const struct distributor_task_type *const other_type = (const void *)&queue;

static void take_note(const struct distr_item *item)
{
    uint64_t number = item->payload.words[0];

    schedule_check(!strangers || item->type == small_type);
    schedule_check(number < ITEMS_MAX);
    schedule_check(item->type == small_type || item->type == other_type);
    schedule_check(item->payload.words[0] == distr_meta_serial(item->meta));
    got[number]++;
    schedule_check(got[number] == 1);
}

static struct distr_item item_of_type(uint64_t number, const struct distributor_task_type *type,
                                      size_t size)
{
    struct distr_item item = {.payload.words = {number, number},
                              .type = type,
                              .meta = distr_meta(number, DISTR_INLINE, size)};

    return item;
}

static struct distr_item next_item(void)
{
    return item_of_type(put++, small_type, sizeof(uint64_t));
}

/* An item that needs a wide slot. */
static struct distr_item next_wide_item(void)
{
    return item_of_type(put++, small_type, 16);
}

static void set_up(enum distr_block_state state)
{
    memset(&queue, 0, sizeof queue);
    memset(&other_queue, 0, sizeof other_queue);
    memset(got, 0, sizeof got);
    put = 0;
    strangers = false;
    distr_fence_init();
    distr_pools_init(&pools);
    schedule_check(distr_queue_init(&queue, &pools, DISTR_LARGE, state) == 0);
}

static void start(pthread_t *thread, void *(*routine)(void *))
{
    schedule_check(pthread_create(thread, NULL, routine, NULL) == 0);
}

static unsigned count_chain(const struct distr_queue *of)
{
    const struct distr_block *block = distr_pools_at(&pools, distr_head_index(of->head));
    unsigned count = of->spare ? 2 : 1;

    while (block != of->tail) {
        block = distr_pools_at(&pools, (uint32_t)block->next & 0xffffff);
        count++;
    }
    return count;
}

/* Every block is in a queue or free, once. */
static void check_blocks(void)
{
    struct distr_pool *pool = &pools.kind[DISTR_LARGE];
    unsigned count = count_chain(&queue);

    if (other_queue.tail)
        count += count_chain(&other_queue);
    for (unsigned i = 0; i < DISTR_POOL_SHELVES; i++)
        for (ck_stack_entry_t *entry = pool->shelves[i].head; entry; entry = entry->next)
            schedule_check(++count <= pool->carved);
    schedule_check(count == pool->carved);
}

/* Takes what is left and checks that everything came out once. */
static void finish(void)
{
    struct distr_item item;

    schedule_end();
    while (distr_queue_drain(&queue, &item))
        take_note(&item);
    for (unsigned i = 0; i < put; i++)
        schedule_check(got[i] == 1);
    check_blocks();
    distr_pools_free(&pools);
}

/* ---- an OPEN queue ---- */

static void append(struct distr_queue *to, const struct distr_item *item)
{
    schedule_check(distr_queue_reserve(to, distr_format(item)) == 0);
    distr_queue_put(to, item);
    distr_queue_publish(to);
}

static void claim_from(struct distr_queue *from, unsigned times, unsigned max, bool freeze)
{
    struct distr_share share = {.max = max, .divisor = 1, .freeze = freeze};
    struct distr_item items[DISTR_CLAIM_MAX];

    while (times-- > 0) {
        unsigned count = distr_queue_claim(from, &share, items);
        for (unsigned i = 0; i < count; i++)
            take_note(&items[i]);
    }
}

static void *claim_twice(void *unused)
{
    (void)unused;
    claim_from(&queue, 2, 2, false);
    return NULL;
}

static void *claim_singly(void *unused)
{
    (void)unused;
    claim_from(&queue, 3, 1, false);
    return NULL;
}

/* One appends, another claims; used blocks come back while the taker looks. */
static void open_recycling(void)
{
    pthread_t taker;

    set_up(DISTR_OPEN);
    struct distr_item item = next_wide_item();
    append(&queue, &item);
    start(&taker, claim_twice);
    schedule_begin();
    for (unsigned i = 0; i < 4; i++) {
        item = next_wide_item();
        append(&queue, &item);
        claim_from(&queue, 1, 1, false);
    }
    pthread_join(taker, NULL);
    finish();
}

/* Two take from three blocks that are there. */
static void open_two_takers(void)
{
    pthread_t takers[2];

    set_up(DISTR_OPEN);
    for (unsigned i = 0; i < 6; i++) {
        struct distr_item item = next_wide_item();
        append(&queue, &item);
    }
    start(&takers[0], claim_singly);
    start(&takers[1], claim_twice);
    schedule_begin();
    pthread_join(takers[0], NULL);
    pthread_join(takers[1], NULL);
    finish();
}

static void *read_alone(void *unused)
{
    struct distr_cursor cursor = {.block = NULL};
    uint64_t word, serial;
    uint32_t rest;

    (void)unused;
    for (unsigned i = 0; i < 5; i++) {
        struct distr_item item = {.type = small_type};
        if (distributor_short_take(distr_cursor_short(&cursor), &word, &serial, &rest)) {
            item.payload.words[0] = word;
            item.meta = serial << 20 | rest;
            take_note(&item);
        } else if (distr_queue_claim_one(&queue, &cursor, &item)) {
            take_note(&item);
        }
    }
    return NULL;
}

/* One reads with a cursor, alone, while the owner appends and blocks come back. */
static void open_cursor(void)
{
    pthread_t reader;

    set_up(DISTR_OPEN);
    struct distr_item item = next_item();
    append(&queue, &item);
    item = next_wide_item();
    append(&queue, &item);
    start(&reader, read_alone);
    schedule_begin();
    for (unsigned i = 0; i < 8; i++) {
        item = next_item();
        append(&queue, &item);
    }
    pthread_join(reader, NULL);
    finish();
}

/* Words whose serials follow each other, more or less: after two that fill a wide block, three runs
 * fill a dense one, and the others need a narrow one. */
static const uint64_t in_disorder[] = {0, 1, 2, 3, 5, 4, 7, 6, 8};

static void append_in_disorder(unsigned from, unsigned end)
{
    for (unsigned i = from; i < end; i++) {
        struct distr_item item = item_of_type(in_disorder[i], small_type, sizeof(uint64_t));
        append(&queue, &item);
    }
}

static void set_up_disorder(void)
{
    set_up(DISTR_OPEN);
    distr_queue_allow_dense(&queue);
    put = sizeof in_disorder / sizeof *in_disorder;
    append_in_disorder(0, 3);
}

/* One appends runs, another claims. */
static void open_runs(void)
{
    pthread_t taker;

    set_up_disorder();
    start(&taker, claim_twice);
    schedule_begin();
    append_in_disorder(3, 6);
    claim_from(&queue, 1, 2, false);
    append_in_disorder(6, put);
    pthread_join(taker, NULL);
    finish();
}

/* One appends runs, another one reads with a cursor, alone. */
static void open_cursor_runs(void)
{
    pthread_t reader;

    set_up_disorder();
    start(&reader, read_alone);
    schedule_begin();
    append_in_disorder(3, put);
    pthread_join(reader, NULL);
    finish();
}

/* A block that one queue gave back becomes another's, with as many slots, under a late taker. */
static void open_other_owner(void)
{
    struct distr_item item;
    pthread_t taker;

    set_up(DISTR_OPEN);
    schedule_check(distr_queue_init(&other_queue, &pools, DISTR_LARGE, DISTR_OPEN) == 0);
    strangers = true;
    item = next_wide_item();
    append(&queue, &item);
    start(&taker, claim_twice);
    schedule_begin();
    for (unsigned i = 0; i < 3; i++) {
        item = next_wide_item();
        append(&queue, &item);
        claim_from(&queue, 1, 2, false);
        item = item_of_type(put++, other_type, 16);
        append(&other_queue, &item);
    }
    pthread_join(taker, NULL);
    schedule_end();
    strangers = false;
    while (distr_queue_drain(&other_queue, &item))
        take_note(&item);
    finish();
}

/* Narrow and wide items in turn. */
static void open_formats(void)
{
    pthread_t taker;

    set_up(DISTR_OPEN);
    start(&taker, claim_twice);
    schedule_begin();
    for (unsigned i = 0; i < 4; i++) {
        struct distr_item item = i % 2 == 0 ? next_item() : next_wide_item();
        append(&queue, &item);
    }
    struct distr_item item = item_of_type(put++, other_type, 8);
    append(&queue, &item);
    pthread_join(taker, NULL);
    finish();
}

/* ---- a deque ---- */

static void push(unsigned count)
{
    while (count-- > 0) {
        struct distr_item item = next_item();
        schedule_check(distr_deque_reserve(&queue) == 0);
        distr_deque_push_one(&queue, &item);
    }
}

static void push_wide(unsigned count)
{
    while (count-- > 0) {
        struct distr_item item = next_wide_item();
        schedule_check(distr_deque_reserve(&queue) == 0);
        distr_deque_push(&queue, &item, 1);
    }
}

static void pop(unsigned times)
{
    struct distr_item item;

    while (times-- > 0)
        if (distr_deque_pop(&queue, &item))
            take_note(&item);
}

/* The owner's pop finds everything that nobody else has. */
static void pop_all(void)
{
    struct distr_item item;

    while (distr_deque_pop(&queue, &item))
        take_note(&item);
}

static void *freeze_once(void *unused)
{
    (void)unused;
    claim_from(&queue, 1, 2, true);
    return NULL;
}

static void *freeze_twice(void *unused)
{
    (void)unused;
    claim_from(&queue, 2, 1, true);
    return NULL;
}

/* The owner pops its last slots while a taker freezes the block. */
static void deque_pop_freeze(void)
{
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    push_wide(2);
    start(&taker, freeze_twice);
    schedule_begin();
    pop(2);
    push_wide(1);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

static void deque_push_freeze(void)
{
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    push(1);
    start(&taker, freeze_twice);
    schedule_begin();
    push(2);
    pop(1);
    push(2);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* Two freeze the same block. */
static void deque_two_freeze(void)
{
    pthread_t takers[2];

    set_up(DISTR_PRIVATE);
    push(3);
    start(&takers[0], freeze_once);
    start(&takers[1], freeze_twice);
    schedule_begin();
    pop(3);
    pthread_join(takers[0], NULL);
    pthread_join(takers[1], NULL);
    finish();
}

/* The owner goes back through blocks that takers take from. */
static void deque_go_back(void)
{
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    push_wide(5);
    start(&taker, claim_twice);
    schedule_begin();
    pop(3);
    push_wide(2);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

static void deque_go_back_freeze(void)
{
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    push_wide(3);
    start(&taker, freeze_twice);
    schedule_begin();
    pop(2);
    push_wide(2);
    pop(1);
    pthread_join(taker, NULL);
    finish();
}

/* The owner takes its oldest slot while others freeze the block. */
static void deque_oldest(void)
{
    struct distr_item item;
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    push(3);
    start(&taker, freeze_twice);
    schedule_begin();
    if (distr_deque_take_oldest(&queue, &item))
        take_note(&item);
    push(1);
    if (distr_deque_take_oldest(&queue, &item))
        take_note(&item);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* A push of two is one step: a taker has both, or none. */
static void deque_batch(void)
{
    struct distr_item items[2];
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    start(&taker, freeze_twice);
    schedule_begin();
    for (unsigned round = 0; round < 2; round++) {
        items[0] = next_item();
        items[1] = next_item();
        schedule_check(distr_deque_reserve(&queue) == 0);
        distr_deque_push(&queue, items, 2);
        pop(1);
    }
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* What is claimed is copied behind the bottom of a deque that a taker freezes meanwhile. */
static void claim_into_deque(bool dense)
{
    struct distr_share share = {.max = 2, .divisor = 1};
    struct distr_item item;
    pthread_t taker;

    set_up(DISTR_PRIVATE);
    schedule_check(distr_queue_init(&other_queue, &pools, DISTR_LARGE, DISTR_OPEN) == 0);
    if (dense)
        distr_queue_allow_dense(&other_queue);
    for (unsigned i = 0; i < 6; i++) {
        struct distr_item next = next_item();
        append(&other_queue, &next);
    }
    start(&taker, freeze_twice);
    schedule_begin();
    for (unsigned round = 0; round < 3; round++) {
        schedule_check(distr_deque_reserve(&queue) == 0);
        schedule_check(distr_deque_claim(&queue, &other_queue, &share, &item) == 2);
        take_note(&item);
    }
    pop_all();
    pthread_join(taker, NULL);
    schedule_end();
    while (distr_queue_drain(&other_queue, &item))
        take_note(&item);
    finish();
}

static void deque_claim(void)
{
    claim_into_deque(false);
}

static void deque_claim_dense(void)
{
    claim_into_deque(true);
}

/* A dense tail that holds one word; everything before it was taken. */
static void set_up_dense_tail(void)
{
    set_up(DISTR_PRIVATE);
    distr_queue_allow_dense(&queue);
    push(7); /* two fill the wide block, and four a narrow one */
    schedule_check(queue.dense);
    claim_from(&queue, 3, 2, false);
}

/* The owner leaves the dense tail for a narrow one, with two words, while a taker freezes it. */
static void deque_leave_dense(void)
{
    pthread_t taker;

    set_up_dense_tail();
    push(3);
    start(&taker, freeze_twice);
    schedule_begin();
    pop(1);
    push(2);
    pop_all();
    push(2);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* It goes back there, and leaves it again, while a taker takes from it. */
static void deque_go_back_dense(void)
{
    pthread_t taker;

    set_up_dense_tail();
    push(3);
    pop(1);
    push(1);
    schedule_check(!queue.dense);
    start(&taker, claim_twice);
    schedule_begin();
    pop(4);
    push(1);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* The owner takes its oldest word, and begins a run where nothing is left; another freezes. */
static void deque_oldest_dense(void)
{
    struct distr_item item;
    pthread_t taker;

    set_up_dense_tail();
    push(2);
    start(&taker, freeze_twice);
    schedule_begin();
    pop(1);
    for (unsigned i = 0; i < 2; i++)
        if (distr_deque_take_oldest(&queue, &item))
            take_note(&item);
    push(2);
    pop_all();
    pthread_join(taker, NULL);
    finish();
}

/* Uses up the first deque's oldest block, and gets it for a deque of its own. */
static void *take_and_own(void *unused)
{
    (void)unused;
    claim_from(&queue, 3, 2, false);
    for (unsigned i = 0; i < 5; i++) {
        struct distr_item item = next_wide_item();
        schedule_check(distr_deque_reserve(&other_queue) == 0);
        distr_deque_push(&other_queue, &item, 1);
    }
    return NULL;
}

/* The block before the owner's last one is another deque's by now. */
static void deque_other_owner(void)
{
    struct distr_item item;
    pthread_t other;

    set_up(DISTR_PRIVATE);
    schedule_check(distr_queue_init(&other_queue, &pools, DISTR_LARGE, DISTR_PRIVATE) == 0);
    push_wide(3);
    start(&other, take_and_own);
    schedule_begin();
    pop_all();
    push_wide(1);
    pop_all();
    pthread_join(other, NULL);
    schedule_end();
    while (distr_queue_drain(&other_queue, &item))
        take_note(&item);
    finish();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "open_recycling", .body = open_recycling},
    {.name = "open_two_takers", .body = open_two_takers},
    {.name = "open_two_takers_fallback", .body = open_two_takers, .fallback = true},
    {.name = "open_cursor", .body = open_cursor},
    {.name = "open_other_owner", .body = open_other_owner},
    {.name = "open_formats", .body = open_formats},
    {.name = "open_runs", .body = open_runs},
    {.name = "open_cursor_runs", .body = open_cursor_runs},
    {.name = "deque_pop_freeze", .body = deque_pop_freeze},
    {.name = "deque_pop_freeze_fallback", .body = deque_pop_freeze, .fallback = true},
    {.name = "deque_push_freeze", .body = deque_push_freeze},
    {.name = "deque_push_freeze_fallback", .body = deque_push_freeze, .fallback = true},
    {.name = "deque_two_freeze", .body = deque_two_freeze},
    {.name = "deque_go_back", .body = deque_go_back},
    {.name = "deque_go_back_freeze", .body = deque_go_back_freeze},
    {.name = "deque_other_owner", .body = deque_other_owner},
    {.name = "deque_oldest", .body = deque_oldest},
    {.name = "deque_batch", .body = deque_batch},
    {.name = "deque_claim", .body = deque_claim},
    {.name = "deque_claim_dense", .body = deque_claim_dense},
    {.name = "deque_leave_dense", .body = deque_leave_dense},
    {.name = "deque_go_back_dense", .body = deque_go_back_dense},
    {.name = "deque_oldest_dense", .body = deque_oldest_dense},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
