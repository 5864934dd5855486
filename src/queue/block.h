/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of slots, and the pool that they come from and go back to.
 *
 * Memory of a block is never given back while the pool lives, so a late taker can always read it;
 * the generation in the block's word tells it that the block was reused (README.md, "Recycling").
 *
 * | operation | by                                            |
 * |-----------|-----------------------------------------------|
 * | get, put  | any thread, any number at once; lock-free but for the first use of a block  |
 * | at        | any thread                                    |
 */
#ifndef DISTR_QUEUE_BLOCK_H
#define DISTR_QUEUE_BLOCK_H

#include <ck_stack.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/cacheline.h"
#include "queue/slot.h"

/* What may be done with the slots of a block. */
enum distr_block_state {
    DISTR_OPEN = 0,    /* one appends, all claim: [lo, bottom) */
    DISTR_PRIVATE = 1, /* the owner pushes and pops [lo, bottom); others must freeze it first */
    DISTR_FROZEN = 2,  /* a taker has asked for it; hi is about to be fixed */
    DISTR_SHARED = 3   /* all claim: [lo, hi) */
};

/* generation : 38 | hi : 12 | lo : 12 | state : 2.  The generation moves whenever a block enters
 * OPEN or PRIVATE; 2^38 of them while one taker sleeps take more than a day. */
typedef uint64_t distr_word_t;

static inline distr_word_t distr_word(uint64_t generation, unsigned hi, unsigned lo,
                                      enum distr_block_state state)
{
    return generation << 26 | (uint64_t)hi << 14 | (uint64_t)lo << 2 | (uint64_t)state;
}

/* Moves lo by one, added to a word. */
#define DISTR_WORD_STEP ((distr_word_t)1 << 2)

static inline uint64_t distr_word_generation(distr_word_t word)
{
    return word >> 26;
}

static inline unsigned distr_word_hi(distr_word_t word)
{
    return (unsigned)(word >> 14) & 4095;
}

static inline unsigned distr_word_lo(distr_word_t word)
{
    return (unsigned)(word >> 2) & 4095;
}

static inline enum distr_block_state distr_word_state(distr_word_t word)
{
    return (enum distr_block_state)(word & 3);
}

struct distr_block {
    /* Takers swap it; the owner too when it seals, settles or takes back. */
    DISTR_CACHE_ALIGNED _Atomic distr_word_t word;
    /* Constant in a generation. */
    _Atomic(const struct distributor_task_type *) type; /* of its items; NULL: it is wide */
    _Atomic uint64_t base; /* how many slots of the queue stand before it */
    _Atomic uint32_t maker; /* whose items they are, if the queue says so */
    _Atomic uint32_t slot_words; /* 4, or 2 of a narrow one, 1 of a dense one */

    /* The owner writes, takers read. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t bottom; /* slots written */
    _Atomic uint32_t runs;                       /* of a dense block */
    /* The block after it, index : 24, and this block's generation when it was set : 38; no other
     * generation has it. */
    _Atomic uint64_t next;

    /* Constant. */
    uint32_t index;    /* what distr_pools_at finds it by; never 0 */
    uint32_t capacity; /* wide slots; see distr_block_slots */

    /* The owner alone. */
    struct distr_block *previous; /* the block before it, if previous_generation is still its own */
    uint64_t previous_generation;

    /* The pool alone, while the block is free. */
    ck_stack_entry_t free;

    DISTR_CACHE_ALIGNED _Atomic uint64_t words[];
};

_Static_assert(sizeof(struct distr_block) == 2 * DISTR_CACHELINE,
               "takers' line and owner's line, then the slots");

#define DISTR_POOL_SLABS 22u

/* Positions of blocks in a pool start at `first` and stay below this: an index, which has one bit
 * more, fits into 24 bits of a queue's head. */
#define DISTR_POSITION_MAX (1u << 23)

/*
 * Free blocks rest before they are used again.  One that was just read by a taker is in the caches
 * of two cores, and each line that is written then has to be taken away from the other first, one
 * after the other; after a rest it comes from the shared cache.
 */
#define DISTR_POOL_SHELVES 32u
#define DISTR_SHELF_BLOCKS 8u

struct distr_pool {
    _Alignas(16) ck_stack_t shelves[DISTR_POOL_SHELVES]; /* of free blocks */
    _Atomic uint32_t puts; /* every DISTR_SHELF_BLOCKS of them go on the next shelf */
    uint32_t kind;         /* constant */
    uint32_t capacity;     /* slots of a block; constant */
    uint32_t first;        /* blocks in slab 0, a power of two; slab k has first << k; constant */
    size_t block_size;     /* bytes; constant */
    pthread_mutex_t lock;  /* guards carved and the making of slabs */
    uint32_t carved;       /* blocks that have ever been used */
    _Atomic(char *) slabs[DISTR_POOL_SLABS];
};

/* A thread's first block is small, so that a thousand threads that add little cost little. */
enum { DISTR_SMALL = 0, DISTR_LARGE = 1, DISTR_POOL_KINDS = 2 };
#define DISTR_SMALL_SLOTS 14u
#define DISTR_LARGE_SLOTS 252u

struct distr_pools {
    struct distr_pool kind[DISTR_POOL_KINDS];
};

void distr_pools_init(struct distr_pools *pools);
void distr_pools_free(struct distr_pools *pools);

/* A block whose owner the caller is; NULL: no memory.  Its word is that of its last use. */
struct distr_block *distr_pools_get(struct distr_pools *pools, uint32_t kind);

/* The block may be got by others at once; late takers may still read it. */
void distr_pools_put(struct distr_pools *pools, struct distr_block *block);

/* The block of an index that get has handed out: position * 2 + kind. */
static inline struct distr_block *distr_pools_at(struct distr_pools *pools, uint32_t index)
{
    struct distr_pool *pool = &pools->kind[index & 1];
    uint32_t position = index >> 1;
    unsigned top = 31u - (unsigned)__builtin_clz(position);
    unsigned slab = top - (unsigned)__builtin_ctz(pool->first);
    /* relaxed: the index was read by acquire from where the block was linked, after this store. */
    char *pages = atomic_load_explicit(&pool->slabs[slab], memory_order_relaxed);

    return (struct distr_block *)(void *)(pages + (position - (1u << top)) * pool->block_size);
}

static inline uint64_t distr_next(distr_word_t word, uint32_t index)
{
    return distr_word_generation(word) << 24 | index;
}

/* Makes the block an empty one of a new generation (R1: bottom first, then the word): of that type,
 * or a wide one, with slots of so many words. */
void distr_block_renew(struct distr_block *block, enum distr_block_state state,
                       const struct distributor_task_type *type, uint32_t words);

/* relaxed, twice: the block's word was read by acquire before, and is swapped after. */
static inline uint32_t distr_block_slot_words(const struct distr_block *block)
{
    return atomic_load_explicit(&block->slot_words, memory_order_relaxed);
}

static inline const struct distributor_task_type *distr_block_type(const struct distr_block *block)
{
    return atomic_load_explicit(&block->type, memory_order_relaxed);
}

/*
 * A run of a dense block: items whose serials follow each other.  It is named by its first slot and
 * that one's serial, behind the slots, in a word of its own.
 */
#ifndef DISTR_RUNS
#define DISTR_RUNS 16u
#endif

static inline _Atomic uint64_t *distr_block_run(struct distr_block *block, uint32_t run)
{
    return &block->words[block->capacity * DISTR_WIDE_WORDS - DISTR_RUNS + run];
}

static inline uint64_t distr_run(uint64_t serial, uint32_t slot)
{
    return serial << 20 | slot;
}

static inline uint32_t distr_run_slot(uint64_t run)
{
    return (uint32_t)run & 0xfffff;
}

/* The serial that slot 0 would have; modulo 2^64. */
static inline uint64_t distr_run_first(uint64_t run)
{
    return (run >> 20) - distr_run_slot(run);
}

/* Its slots, if they have so many words. */
static inline uint32_t distr_block_slots(const struct distr_block *block, uint32_t words)
{
    switch (words) {
    case DISTR_WIDE_WORDS:
        return block->capacity;
    case DISTR_NARROW_WORDS:
        return 2 * block->capacity;
    default:
        return 4 * block->capacity - DISTR_RUNS;
    }
}

static inline void distr_block_read(const struct distr_block *block,
                                    const struct distributor_task_type *type, unsigned slot,
                                    struct distr_item *item)
{
    if (distr_likely(type != NULL))
        distr_slot_read_narrow(&block->words[slot * DISTR_NARROW_WORDS], type, item);
    else
        distr_slot_read_wide(&block->words[slot * DISTR_WIDE_WORDS], item);
}

static inline void distr_block_write(struct distr_block *block,
                                     const struct distributor_task_type *type, unsigned slot,
                                     const struct distr_item *item)
{
    if (distr_likely(type != NULL))
        distr_slot_write_narrow(&block->words[slot * DISTR_NARROW_WORDS], item->payload.words[0],
                                item->meta);
    else
        distr_slot_write(&block->words[slot * DISTR_WIDE_WORDS], item);
}

#endif
