/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains: blocks that one thread fills for itself and then hands over whole, linked behind the
 * last block of an OPEN queue.  Handing over needs no memory and copies nothing.
 *
 * The thread fills a queue whose takers never find anything: the queue's head stays at its first
 * block, the stub, and a chain begins in a block that is not linked to it.
 *
 * | operation   | by                                                                      |
 * |-------------|-------------------------------------------------------------------------|
 * | begin, cut  | the owner of the queue that is filled                                   |
 * | append      | the owner of the queue that gets the chain; the chain is left by then   |
 * | link        | who alone may link behind `last`; `first` may still be filled           |
 * | drain       | who alone has the chain                                                 |
 */
#ifndef DISTR_QUEUE_CHAIN_H
#define DISTR_QUEUE_CHAIN_H

#include "queue/queue.h"

struct distr_chain {
    struct distr_block *first; /* NULL: there is none */
    struct distr_block *last;
    uint64_t count;                           /* items in the blocks before the last */
    uint32_t bottom;                          /* items in the last */
};

/* The queue's next items go into `block`, unlinked, the first of them of that format. */
void distr_chain_begin(struct distr_queue *queue, struct distr_block *block,
                       const struct distributor_task_type *format);

/* What was put since begin, which began with `first`; the queue is at its stub again. */
struct distr_chain distr_chain_cut(struct distr_queue *queue, struct distr_block *stub,
                                   struct distr_block *first);

/* A2 for a block of another thread: takers who have used `last` up go on in `first`. */
void distr_chain_link(struct distr_block *last, const struct distr_block *first);

/* Appends the chain to an OPEN queue, whose owner goes on in the chain's last block. */
void distr_chain_append(struct distr_queue *queue, const struct distr_chain *chain);

/* Takes the oldest item that is left; the last one gives the blocks back. */
bool distr_chain_drain(struct distr_pools *pools, struct distr_chain *chain,
                       struct distr_item *item);

#endif
