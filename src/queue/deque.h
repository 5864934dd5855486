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

/* Makes sure that the next push succeeds.  0 or -ENOMEM. */
static inline int distr_deque_reserve(struct distr_queue *queue)
{
    return distr_likely(queue->spare != NULL) ? 0 : distr_queue_reserve_slow(queue);
}

/* Pushes count (1 to DISTR_CLAIM_MAX) items after a reserve; the last one is popped first. */
void distr_deque_push(struct distr_queue *queue, const struct distr_item *items, unsigned count);

/* Takes the newest item.  False: there is none that the owner can have. */
bool distr_deque_pop(struct distr_queue *queue, struct distr_item *item);

/* Takes the oldest item, the owner's way: it need not freeze its own block. */
bool distr_deque_take_oldest(struct distr_queue *queue, struct distr_item *item);

#endif
