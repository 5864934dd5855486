/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner's end of a deque: a queue (queue.h) whose newest block its owner pushes and pops with
 * plain loads and stores.  Takers know nothing of this file.
 *
 * Blocks before the tail are SHARED; the tail is PRIVATE, until a taker freezes it.  The tail's
 * word is then settled by whoever comes first, and the owner goes on in another block.
 */
#ifndef DISTR_QUEUE_DEQUE_H
#define DISTR_QUEUE_DEQUE_H

#include "queue/queue.h"

/* A deque's blocks are large ones: an empty one has room for the largest push. */
_Static_assert(DISTR_CLAIM_MAX <= DISTR_LARGE_SLOTS, "a push is one step");

/* Makes sure that the next push succeeds.  0 or -ENOMEM. */
static inline int distr_deque_reserve(struct distr_queue *queue)
{
    return distr_likely(queue->spare != NULL) ? 0 : distr_queue_reserve_slow(queue);
}

/* Pushes items after a reserve, at most as many as an empty block of the deque holds; the first one
 * is popped first. */
void distr_deque_push(struct distr_queue *queue, const struct distr_item *items, unsigned count);

/* After a reserve: claims from a queue; the first is *item, the others are pushed, the second on
 * top.  Words of one type are copied once, from slot to slot.  Returns how many were claimed. */
unsigned distr_deque_claim(struct distr_queue *deque, struct distr_queue *from,
                           struct distr_share *share, struct distr_item *item);

/* The rest of push_one and pop, when a taker froze the tail or it is full or empty. */
void distr_deque_push_again(struct distr_queue *queue, unsigned before);
bool distr_deque_pop_settled(struct distr_queue *queue, unsigned before, struct distr_item *item);
bool distr_deque_pop_slow(struct distr_queue *queue, struct distr_item *item);

/* The first half of D1.  tail: of the queue. */
static inline void distr_deque_set_bottom(struct distr_queue *queue, struct distr_block *tail,
                                          unsigned bottom, memory_order order)
{
    queue->bottom = bottom;
    /* D1 store: pairs with F3; of a push it is a release that hands the slots over. */
    atomic_store_explicit(&tail->bottom, bottom, order);
}

/* The second half, after a fence that pairs with F2: whether the tail is as the owner left it. */
static inline bool distr_deque_is_ours(const struct distr_queue *queue,
                                       const struct distr_block *tail)
{
    /* D1 load acquire: pairs with F1 and F4. */
    return distr_likely(atomic_load_explicit(&tail->word, memory_order_acquire) == queue->word);
}

/* D1: stores bottom, then looks whether the tail is still as the owner left it. */
static inline bool distr_deque_step(struct distr_queue *queue, unsigned bottom, memory_order order)
{
    struct distr_block *tail = queue->tail;

    distr_deque_set_bottom(queue, tail, bottom, order);
    distr_light_fence(); /* pairs with F2 */
    return distr_deque_is_ours(queue, tail);
}

/* Pushes one item after a reserve. */
static inline void distr_deque_push_one(struct distr_queue *queue, const struct distr_item *item)
{
    unsigned before = queue->bottom;

    if (distr_unlikely(before == queue->limit || queue->dense ||
                       !distr_queue_fits(queue, distr_format(item)))) {
        distr_deque_push(queue, item, 1);
        return;
    }
    distr_queue_fetch_due(queue);
    distr_block_write(queue->tail, queue->type, before, item);
    if (distr_unlikely(!distr_deque_step(queue, before + 1, memory_order_release)))
        distr_deque_push_again(queue, before);
}

/* Copies a slot of the tail. */
static inline void distr_deque_read(const struct distr_queue *queue, unsigned slot,
                                    struct distr_item *item)
{
    if (queue->dense)
        distr_slot_read_dense(&queue->tail->words[slot], queue->type, queue->first + slot, item);
    else
        distr_block_read(queue->tail, queue->type, slot, item);
}

/* Takes the newest item.  False: there is none that the owner can have. */
distr_inlined bool distr_deque_pop(struct distr_queue *queue, struct distr_item *item)
{
    unsigned before = queue->bottom;

    if (before == queue->lo)
        /* The block before is forgotten once it was found used up. */
        return distr_unlikely(queue->tail->previous != NULL) && distr_deque_pop_slow(queue, item);
    if (distr_likely(distr_deque_step(queue, before - 1, memory_order_relaxed))) {
        distr_deque_read(queue, before - 1, item);
        return true;
    }
    return distr_deque_pop_settled(queue, before, item) || distr_deque_pop_slow(queue, item);
}

/* How many words a row has. */
static inline unsigned distr_deque_words(const struct distr_queue *queue)
{
    return queue->type ? queue->bottom - queue->lo : 0;
}

/* The words of the tail, newest first, for an owner that does nothing else with the deque as long
 * as it takes them: what stays the same need not be looked up for each. */
struct distr_row {
    struct distr_block *tail;
    distr_word_t word; /* of the tail */
    uint32_t bottom;
    const _Atomic uint64_t *slot; /* at bottom */
    uint64_t meta;                /* of that one, if the tail is dense */
};

static inline struct distr_row distr_deque_row(const struct distr_queue *queue)
{
    return (struct distr_row){
        .tail = queue->tail,
        .word = queue->word,
        .bottom = queue->bottom,
        .slot = &queue->tail->words[queue->bottom * (queue->dense ? DISTR_DENSE_WORDS
                                                                  : DISTR_NARROW_WORDS)],
        .meta = distr_meta(queue->first + queue->bottom, DISTR_INLINE, sizeof(uint64_t)),
    };
}

/* Where there is membarrier: takes the newest one, all of it but its type.  False: a taker froze
 * the tail, and distr_deque_pop_settled goes on. */
distr_inlined bool distr_deque_pop_word(struct distr_queue *queue, bool dense,
                                        struct distr_row *row, struct distr_item *item)
{
    row->bottom--;
    row->slot -= dense ? DISTR_DENSE_WORDS : DISTR_NARROW_WORDS;
    row->meta = distr_meta_of_last(row->meta);
    distr_deque_set_bottom(queue, row->tail, row->bottom, memory_order_relaxed);
    distr_light_fence_alone(); /* pairs with F2 */
    /* D1 load acquire: pairs with F1 and F4. */
    if (distr_unlikely(atomic_load_explicit(&row->tail->word, memory_order_acquire) != row->word))
        return false;
    item->payload.words[0] = distr_read(&row->slot[0]);
    item->meta = dense ? row->meta : distr_read(&row->slot[1]);
    return true;
}

/* Takes the oldest item, the owner's way: it need not freeze its own block. */
bool distr_deque_take_oldest(struct distr_queue *queue, struct distr_item *item);

#endif
