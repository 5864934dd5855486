/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue of blocks with one owner and any number of takers; unbounded; the events in capitals are
 * those of README.md in this folder.
 *
 * An OPEN queue (what one outside thread added, what one worker emitted): the owner appends, takers
 * claim from the oldest end.  A deque (what one worker spawned): the owner pushes and pops the
 * newest block with plain loads and stores, takers claim from the oldest block, and from the
 * owner's own block only by freezing it.
 *
 * |                 | owner's reserve, put, publish, push, pop | claim, peek   | init, drain  |
 * |-----------------|------------------------------------------|---------------|--------------|
 * | owner's calls   | one thread at a time                     | any number    | alone        |
 * | claim, peek     | any number                               | any number    | alone        |
 *
 * Progress: owner's calls and peek are wait-free but for the memory of a new block; claim is
 * lock-free (a claim fails only because another one succeeded or the owner took its block back).
 * The owner may change its thread if the change is ordered (a lock, the end of a thread).
 */
#ifndef DISTR_QUEUE_QUEUE_H
#define DISTR_QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <distributor/short.h>

#include "base/fence.h"
#include "queue/block.h"

struct distr_queue {
    /* Takers: index of the oldest block and a count of changes, index : 24 | changes : 40. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t head;
    struct distr_pools *pools; /* constant */
    _Atomic uint64_t count;    /* slots before the tail's; the owner moves it once per block */
    uint32_t maker;            /* of its blocks; the owner's */
    uint32_t allowance;        /* blocks that a guarded one may yet get by itself; UINT32_MAX: any
                                  number */
    bool numbered;             /* constant: an item's number is its serial, whatever that says */

    /* The owner alone, at every step; the first ones as in struct distributor_short_end. */
    DISTR_CACHE_ALIGNED struct distr_block *tail; /* where it appends, pushes and pops */
    distr_word_t word;                            /* of the deque's PRIVATE tail, as it left it */
    const struct distributor_task_type *type;     /* of the tail; NULL: it is wide */
    uint64_t first;  /* of the dense tail: its serials without their slots; or DISTR_NO_RUN */
    uint32_t bottom; /* its own copy of tail->bottom, ahead of it until publish */
    uint32_t quick;  /* below it a word of `type` is put with no further look; 0: look */
    /* A taker that cleared the queue's hint says so here: the owner looks at its own line only. */
    _Atomic bool unhinted;
    bool dense;       /* the tail is */
    bool ahead;       /* it always keeps a spare, so that an item of any kind has its slot */
    bool guarded;     /* each put has more to do than the queue knows: quick stays 0 */
    uint16_t lo;      /* of the deque's PRIVATE tail */
    uint16_t limit;   /* slots of the tail */
    uint16_t fetched; /* of its slots: those below it are on lines that were got for writing */
    uint8_t runs;     /* of the dense tail */
    uint8_t wide;     /* blocks to come that are wide, since types alternate, */
    uint8_t narrow;   /* or not dense, since serials do not follow each other; */
#define DISTR_ALL_NARROW UINT8_MAX /* for good */
    struct distr_block *spare;     /* the block after, so that a push cannot fail */
};

/* No serial follows it. */
#define DISTR_NO_RUN DISTRIBUTOR_SHORT_NO_RUN

/* What a look at a queue found. */
enum distr_look {
    DISTR_EMPTY = 0,
    DISTR_READY = 1, /* something can be claimed */
    DISTR_HELD = 2   /* its owner holds it: can be claimed by freezing */
};

/* Gives the queue its first block, a wide one.  -ENOMEM: it has none. */
int distr_queue_init(struct distr_queue *queue, struct distr_pools *pools, uint32_t kind,
                     enum distr_block_state state);

/* ---- owner ---- */

/* The type of the block that an item fits into; NULL: it needs a wide one. */
static inline const struct distributor_task_type *distr_format(const struct distr_item *item)
{
    return distr_meta_is_narrow(item->meta) ? item->type : NULL;
}

/* After a change of fetched, spare or guarded.  What is quick has no fence of its own. */
static inline void distr_queue_quicken(struct distr_queue *queue)
{
    bool plain = queue->type && !queue->guarded && (queue->spare || !queue->ahead);

    queue->quick = plain && distr_has_membarrier ? queue->fetched : 0;
}

/* The owner goes on in a block, of which so many slots are in use: none of a dense one. */
static inline void distr_queue_set_tail(struct distr_queue *queue, struct distr_block *block,
                                        uint32_t bottom)
{
    uint32_t words = distr_block_slot_words(block);

    queue->tail = block;
    queue->type = distr_block_type(block);
    queue->dense = words == DISTR_DENSE_WORDS;
    queue->first = DISTR_NO_RUN;
    queue->runs = 0;
    queue->limit = (uint16_t)distr_block_slots(block, words);
    queue->bottom = bottom;
    queue->fetched = 0;
    distr_queue_quicken(queue);
}

/* From here on it may have dense blocks, unless it is guarded, before or after. */
static inline void distr_queue_allow_dense(struct distr_queue *queue)
{
    if (!queue->guarded)
        queue->narrow = 0;
}

/* From here on each put takes the long way, and the blocks to come are not dense. */
static inline void distr_queue_guard(struct distr_queue *queue)
{
    queue->guarded = true;
    queue->quick = 0;
    queue->narrow = DISTR_ALL_NARROW;
}

/* The owner's end, as short ways see it. */
static inline struct distributor_short_end *distr_queue_end(struct distr_queue *queue)
{
    return (struct distributor_short_end *)(void *)&queue->tail;
}

/* Whether the tail takes an item of that format, if it is not dense. */
static inline bool distr_queue_fits(const struct distr_queue *queue,
                                    const struct distributor_task_type *format)
{
    return !queue->type || queue->type == format;
}

/* Gets a spare.  0; or -ENOMEM, also where the tail has room. */
int distr_queue_reserve_slow(struct distr_queue *queue);

/* Makes sure that one item of that format can be put.  0 or -ENOMEM. */
static inline int distr_queue_reserve(struct distr_queue *queue,
                                      const struct distributor_task_type *format)
{
    if (distr_likely(queue->bottom < queue->limit && distr_queue_fits(queue, format) &&
                     !queue->dense) ||
        queue->spare)
        return 0;
    return distr_queue_reserve_slow(queue);
}

/* The same for `count` items of any format, in a queue that keeps a spare.  Without memory the wide
 * block that is left must do. */
int distr_queue_reserve_spare(struct distr_queue *queue, unsigned count);

static inline int distr_queue_reserve_ahead(struct distr_queue *queue, unsigned count)
{
    return distr_likely(queue->spare != NULL) ? 0 : distr_queue_reserve_spare(queue, count);
}

/* The same as distr_queue_put, in a dense tail, or in the spare if the tail does not take it. */
void distr_queue_put_rarely(struct distr_queue *queue, const struct distr_item *item);

/* The type of the next block; remembers that types alternate if this one is left early. */
const struct distributor_task_type *
distr_queue_next_type(struct distr_queue *queue, const struct distributor_task_type *format);

/* Gets the lines of the next slots for writing, all at once. */
void distr_queue_fetch(struct distr_queue *queue);

static inline void distr_queue_fetch_due(struct distr_queue *queue)
{
    if (queue->bottom >= queue->fetched)
        distr_queue_fetch(queue);
}

/* A3: a run of the dense tail begins behind its bottom, with that serial. */
void distr_queue_begin_run(struct distr_queue *queue, uint64_t serial);

/* OPEN: writes a reserved slot; nobody sees it before publish. */
static inline void distr_queue_put(struct distr_queue *queue, const struct distr_item *item)
{
    if (distr_unlikely(queue->bottom == queue->limit || queue->dense ||
                       !distr_queue_fits(queue, distr_format(item)))) {
        distr_queue_put_rarely(queue, item);
        return;
    }
    distr_queue_fetch_due(queue);
    distr_block_write(queue->tail, queue->type, queue->bottom++, item);
}

/* OPEN: A1, hands the slots over.  release: pairs with C2 in distr_queue_claim. */
static inline void distr_queue_publish(struct distr_queue *queue)
{
    atomic_store_explicit(&queue->tail->bottom, queue->bottom, memory_order_release);
}

/* Whether a word of that serial needs no run of its own. */
static inline bool distr_queue_goes_on(const struct distr_queue *queue, uint64_t serial)
{
    return !queue->dense || serial == queue->first + queue->bottom ||
           (queue->numbered && queue->first != DISTR_NO_RUN);
}

/* OPEN: how many words of that type, with serials from that one on, have a slot with no further
 * look. */
static inline uint32_t distr_queue_quick_slots(struct distr_queue *queue,
                                               const struct distributor_task_type *type,
                                               uint64_t serial)
{
    bool quick = distributor_short_is_quick(distr_queue_end(queue), type);

    return quick && distr_queue_goes_on(queue, serial) ? queue->quick - queue->bottom : 0;
}

/* OPEN: puts so many of them; nobody sees them before publish. */
void distr_queue_put_words(struct distr_queue *queue, const void *words, uint32_t count,
                           uint64_t serial);

/* ---- takers ---- */

/* Where items stood: the number of the first in its queue, and who made their block. */
struct distr_place {
    uint64_t number;
    uint32_t maker;
};

/* Where a claim puts all items but the first: see distr_deque_claim. */
struct distr_landing {
    struct distr_queue *deque; /* of the taker */
    bool used;                 /* they stand there, behind its bottom, the last one first */
};

/* How much a claim may take: the share of what is there, 1/divisor, at least 1, at most max. */
struct distr_share {
    unsigned max; /* at least 1; the array of items has so many */
    unsigned divisor;
    bool freeze;     /* also take from a block that its owner holds */
    uint64_t before; /* only items with a lower number; 0: all */
    struct distr_place *place; /* not NULL: is told where the items stood */
    struct distr_landing *landing; /* not NULL: is used for words of the deque's type */
};

#define DISTR_CLAIM_MAX 128u

/* Claims the oldest items, in order.  Returns how many; 0 if nothing could be claimed. */
unsigned distr_queue_claim(struct distr_queue *queue, const struct distr_share *share,
                           struct distr_item *items);

/*
 * Where a taker that is alone with an OPEN queue goes on: behind its claim of one item, in that
 * block, if it is no wide one, as far as it was written then, and as far as the run goes.  The
 * owner's line is looked at only when these are used up.  How far the taker has come the block's
 * word says, and nothing else.
 */
struct distr_cursor {
    struct distr_block *block;                /* NULL: nowhere; these as in
                                                 struct distributor_short_cursor */
    const _Atomic uint64_t *slot;             /* behind the claim, */
    distr_word_t word;                        /* the block's word then, */
    distr_word_t span;                        /* and how far it can be moved */
    const struct distributor_task_type *type; /* of the block */
    uint32_t attempt;                         /* 1 */
    uint32_t maker;                           /* of the block */
    uint64_t serial; /* of the slot, if the block is dense; or DISTR_NO_RUN */
    bool met;                                 /* the last claim met another taker */
    bool last;                                /* nothing was written behind its span */
};

/* As short ways see it. */
static inline const struct distributor_short_cursor *
distr_cursor_short(const struct distr_cursor *cursor)
{
    return (const struct distributor_short_cursor *)(const void *)cursor;
}

/* How many items stand behind its claim, if nobody else takes them. */
static inline unsigned distr_cursor_left(const struct distr_cursor *cursor)
{
    return cursor->block ? (unsigned)(cursor->span / DISTR_WORD_STEP) : 0;
}

/* Claims one item and leaves the cursor behind it.  False: nothing could be claimed. */
bool distr_queue_claim_one(struct distr_queue *queue, struct distr_cursor *cursor,
                           struct distr_item *item);

/* What is there; exact at some instant during the call.  *number: of the oldest item. */
enum distr_look distr_queue_peek_at(struct distr_queue *queue, uint64_t *number);

static inline enum distr_look distr_queue_peek(struct distr_queue *queue)
{
    uint64_t number;

    return distr_queue_peek_at(queue, &number);
}

/* ---- nobody else uses the queue any more ---- */

/* Takes the oldest item that is left, also from the owner's block. */
bool distr_queue_drain(struct distr_queue *queue, struct distr_item *item);

/* ---- for deque.c ---- */

static inline uint64_t distr_head(uint64_t before, uint32_t index)
{
    return ((before >> 24) + 1) << 24 | index;
}

static inline uint32_t distr_head_index(uint64_t head)
{
    return (uint32_t)(head & 0xffffff);
}

#endif
