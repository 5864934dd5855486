/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of src/queue, one thread being owner and taker.  The general calls, which take any
 * item: what the pool does in its own common case is in the stretches of pool.c.
 */
#include "meter.h"

#include <stdlib.h>

#include "queue/deque.h"

static const struct distributor_task_type *const type =
    (const struct distributor_task_type *)(const void *)&type;

static struct distr_item item_of(uint64_t number)
{
    return (struct distr_item){.payload.words = {number},
                               .type = type,
                               .meta = distr_meta(number, DISTR_INLINE, sizeof number)};
}

static void must(int good)
{
    if (!good)
        abort();
}

static void append(struct distr_queue *queue)
{
    for (uint64_t i = 0; i < METER_EVENTS; i++) {
        struct distr_item item = item_of(i);

        must(distr_queue_reserve(queue, type) == 0);
        distr_queue_put(queue, &item);
        distr_queue_publish(queue);
    }
}

static void claim(struct distr_queue *queue)
{
    static const struct distr_share share = {.max = DISTR_CLAIM_MAX, .divisor = 1};
    struct distr_item items[DISTR_CLAIM_MAX];
    unsigned taken = 0;

    while (taken < METER_EVENTS) {
        unsigned n = distr_queue_claim(queue, &share, items);

        must(n > 0 && items[0].payload.words[0] == taken);
        taken += n;
    }
}

static void claim_one(struct distr_queue *queue)
{
    struct distr_cursor cursor = {.block = NULL};
    struct distr_item item;

    for (uint64_t i = 0; i < METER_EVENTS; i++) {
        must(distr_queue_claim_one(queue, &cursor, &item));
        must(item.payload.words[0] == i);
    }
}

static void push(struct distr_queue *deque)
{
    for (uint64_t i = 0; i < METER_EVENTS; i++) {
        struct distr_item item = item_of(i);

        must(distr_deque_reserve(deque) == 0);
        distr_deque_push_one(deque, &item);
    }
}

static void pop(struct distr_queue *deque)
{
    struct distr_item item;

    for (uint64_t i = METER_EVENTS; i-- > 0;) {
        must(distr_deque_pop(deque, &item));
        must(item.payload.words[0] == i);
    }
}

static void stretch(const char *event, void (*call)(struct distr_queue *queue),
                    struct distr_queue *queue)
{
    if (event)
        meter_begin();
    call(queue);
    if (event)
        meter_end(event);
}

void meter_queue(int metered)
{
    static struct distr_pools pools;
    static struct distr_queue queue, deque;

    if (!metered) {
        distr_fence_init();
        distr_pools_init(&pools);
        must(distr_queue_init(&queue, &pools, DISTR_LARGE, DISTR_OPEN) == 0);
        must(distr_queue_init(&deque, &pools, DISTR_LARGE, DISTR_PRIVATE) == 0);
    }
    stretch(metered ? "queue-append" : NULL, append, &queue);
    stretch(metered ? "queue-claim" : NULL, claim, &queue);
    append(&queue);
    stretch(metered ? "queue-claim-one" : NULL, claim_one, &queue);
    stretch(metered ? "deque-push" : NULL, push, &deque);
    stretch(metered ? "deque-pop" : NULL, pop, &deque);
    if (metered)
        distr_pools_free(&pools);
}
