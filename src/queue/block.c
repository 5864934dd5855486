/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of blocks: free ones on Concurrency Kit's lock-free stacks (which count their own
 * generations), new ones from slabs that double in size and are touched block by block.
 */
#include "queue/block.h"

#include <stdbool.h>
#include <string.h>

#include "base/handover.h"
#include "base/os.h"

static void pool_init(struct distr_pool *pool, uint32_t kind, uint32_t capacity, uint32_t first)
{
    memset(pool, 0, sizeof *pool);
    for (unsigned i = 0; i < DISTR_POOL_SHELVES; i++)
        ck_stack_init(&pool->shelves[i]);
    pool->kind = kind;
    pool->capacity = capacity;
    pool->first = first;
    pool->block_size = sizeof(struct distr_block) + capacity * sizeof(struct distr_item);
    /* Where lines have more than 64 bytes, too, each block begins one. */
    pool->block_size += (DISTR_CACHELINE - pool->block_size % DISTR_CACHELINE) % DISTR_CACHELINE;
    pthread_mutex_init(&pool->lock, NULL);
}

void distr_pools_init(struct distr_pools *pools)
{
    pool_init(&pools->kind[DISTR_SMALL], DISTR_SMALL, DISTR_SMALL_SLOTS, 64);
    pool_init(&pools->kind[DISTR_LARGE], DISTR_LARGE, DISTR_LARGE_SLOTS, 8);
}

static size_t slab_size(const struct distr_pool *pool, unsigned slab)
{
    return ((size_t)pool->first << slab) * pool->block_size;
}

static void pool_free(struct distr_pool *pool)
{
    for (unsigned slab = 0; slab < DISTR_POOL_SLABS; slab++) {
        char *pages = atomic_load_explicit(&pool->slabs[slab], memory_order_relaxed);
        if (pages)
            distr_pages_unmap(pages, slab_size(pool, slab));
    }
    pthread_mutex_destroy(&pool->lock);
}

void distr_pools_free(struct distr_pools *pools)
{
    for (unsigned kind = 0; kind < DISTR_POOL_KINDS; kind++)
        pool_free(&pools->kind[kind]);
}

/* Makes sure that the slab of a position exists.  Under the lock. */
static bool ensure_slab(struct distr_pool *pool, uint32_t position)
{
    unsigned slab = 31u - (unsigned)__builtin_clz(position) - (unsigned)__builtin_ctz(pool->first);

    if (slab >= DISTR_POOL_SLABS || position >= DISTR_POSITION_MAX)
        return false;
    if (atomic_load_explicit(&pool->slabs[slab], memory_order_relaxed))
        return true;
    char *pages = distr_pages_map(slab_size(pool, slab));
    if (!pages)
        return false;
    /* relaxed: see distr_pools_at. */
    atomic_store_explicit(&pool->slabs[slab], pages, memory_order_relaxed);
    return true;
}

static struct distr_block *carve(struct distr_pools *pools, struct distr_pool *pool)
{
    struct distr_block *block = NULL;

    pthread_mutex_lock(&pool->lock);
    uint32_t position = pool->carved + pool->first;
    if (ensure_slab(pool, position)) {
        pool->carved++;
        block = distr_pools_at(pools, position << 1 | pool->kind);
        block->index = position << 1 | pool->kind;
        block->capacity = pool->capacity;
    }
    pthread_mutex_unlock(&pool->lock);
    return block;
}

/* The shelf that free blocks go on at present. */
static unsigned shelf_of(uint32_t puts)
{
    return puts / DISTR_SHELF_BLOCKS % DISTR_POOL_SHELVES;
}

/* From the shelf that has rested longest.  NULL: all are empty. */
static ck_stack_entry_t *pop_rested(struct distr_pool *pool)
{
    /* relaxed: any shelf will do. */
    unsigned newest = shelf_of(atomic_load_explicit(&pool->puts, memory_order_relaxed));
    ck_stack_entry_t *entry = NULL;

    for (unsigned i = 1; i <= DISTR_POOL_SHELVES && !entry; i++) {
        ck_stack_t *shelf = &pool->shelves[(newest + i) % DISTR_POOL_SHELVES];
        if (!CK_STACK_ISEMPTY(shelf))
            entry = ck_stack_pop_mpmc(shelf);
    }
    return entry;
}

struct distr_block *distr_pools_get(struct distr_pools *pools, uint32_t kind)
{
    struct distr_pool *pool = &pools->kind[kind];

    distr_handover_begin();
    ck_stack_entry_t *entry = pop_rested(pool);
    distr_handover_end();
    if (!entry)
        return carve(pools, pool);
    struct distr_block *block =
        (struct distr_block *)(void *)((char *)entry - offsetof(struct distr_block, free));
    distr_handover_take(block);
    return block;
}

void distr_pools_put(struct distr_pools *pools, struct distr_block *block)
{
    struct distr_pool *pool = &pools->kind[block->index & 1];
    uint32_t puts = atomic_fetch_add_explicit(&pool->puts, 1, memory_order_relaxed);

    distr_handover_give(block);
    distr_handover_begin();
    ck_stack_push_mpmc(&pool->shelves[shelf_of(puts)], &block->free);
    distr_handover_end();
}

void distr_block_renew(struct distr_block *block, enum distr_block_state state,
                       const struct distributor_task_type *type, uint32_t words)
{
    distr_word_t word = atomic_load_explicit(&block->word, memory_order_relaxed);

    block->previous = NULL;
    atomic_store_explicit(&block->type, type, memory_order_relaxed);
    atomic_store_explicit(&block->slot_words, words, memory_order_relaxed);
    atomic_store_explicit(&block->next, 0, memory_order_relaxed);
    atomic_store_explicit(&block->bottom, 0, memory_order_relaxed);
    /* R1: pairs with C1, so that who sees the new generation sees bottom and next reset. */
    atomic_store_explicit(&block->word, distr_word(distr_word_generation(word) + 1, 0, 0, state),
                          memory_order_release);
}
