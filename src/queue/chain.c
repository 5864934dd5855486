/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of blocks that are handed over whole; see chain.h. */
#include "queue/chain.h"

void distr_chain_begin(struct distr_queue *queue, struct distr_block *block,
                       const struct distributor_task_type *format)
{
    const struct distributor_task_type *type = distr_queue_next_type(queue, format);

    distr_block_renew(block, DISTR_OPEN, type, distr_slot_words(type));
    atomic_store_explicit(&block->base, 0, memory_order_relaxed);
    atomic_store_explicit(&block->maker, queue->maker, memory_order_relaxed);
    distr_queue_set_tail(queue, block, 0);
}

struct distr_chain distr_chain_cut(struct distr_queue *queue, struct distr_block *stub,
                                   struct distr_block *first)
{
    struct distr_chain chain = {
        .first = first,
        .last = queue->tail,
        .count = atomic_load_explicit(&queue->count, memory_order_relaxed),
        .bottom = queue->bottom,
    };

    distr_queue_set_tail(queue, stub, 0);
    queue->limit = 0; /* the stub takes nothing */
    atomic_store_explicit(&queue->count, 0, memory_order_relaxed);
    return chain;
}

void distr_chain_link(struct distr_block *last, const struct distr_block *first)
{
    distr_word_t word = atomic_load_explicit(&last->word, memory_order_relaxed);

    /* A2 release: pairs with C3.  From here on takers may drain and reuse `last`. */
    atomic_store_explicit(&last->next, distr_next(word, first->index), memory_order_release);
}

static struct distr_block *next_block(struct distr_pools *pools, const struct distr_block *block)
{
    uint64_t next = atomic_load_explicit(&block->next, memory_order_relaxed);

    return distr_pools_at(pools, (uint32_t)next & 0xffffff);
}

void distr_chain_append(struct distr_queue *queue, const struct distr_chain *chain)
{
    uint64_t before = atomic_load_explicit(&queue->count, memory_order_relaxed) + queue->bottom;
    struct distr_block *left = queue->tail;

    for (struct distr_block *block = chain->first;; block = next_block(queue->pools, block)) {
        uint64_t base = atomic_load_explicit(&block->base, memory_order_relaxed);
        /* relaxed: no taker sees the block before the link. */
        atomic_store_explicit(&block->base, base + before, memory_order_relaxed);
        if (block == chain->last)
            break;
    }
    distr_queue_set_tail(queue, chain->last, chain->bottom);
    atomic_store_explicit(&queue->count, before + chain->count, memory_order_relaxed);
    distr_chain_link(left, chain->first);
}

bool distr_chain_drain(struct distr_pools *pools, struct distr_chain *chain,
                       struct distr_item *item)
{
    struct distr_queue queue = {.head = chain->first->index, .pools = pools};
    bool any = distr_queue_drain(&queue, item);

    chain->first = distr_pools_at(
        pools, distr_head_index(atomic_load_explicit(&queue.head, memory_order_relaxed)));
    if (!any)
        distr_pools_put(pools, chain->first);
    return any;
}
