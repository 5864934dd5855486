/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oldest end of a queue, where all take, and the owner's end of an OPEN one.  The owner's end
 * of a deque is deque.c.  The protocols and their proofs: README.md.
 */
#include "queue/queue.h"

#include <ck_pr.h>
#include <errno.h>
#include <string.h>

#define WIDE_BLOCKS 16
#define NARROW_BLOCKS 16
#define FETCH_LINES 32u

int distr_queue_init(struct distr_queue *queue, struct distr_pools *pools, uint32_t kind,
                     enum distr_block_state state)
{
    struct distr_block *block = distr_pools_get(pools, kind);

    if (!block)
        return -ENOMEM;
    distr_block_renew(block, state, NULL, DISTR_WIDE_WORDS);
    atomic_store_explicit(&block->base, 0, memory_order_relaxed);
    queue->spare = NULL;
    queue->pools = pools;
    queue->word = atomic_load_explicit(&block->word, memory_order_relaxed);
    queue->lo = 0;
    queue->wide = 0;
    queue->narrow = DISTR_ALL_NARROW;
    queue->numbered = false;
    queue->ahead = state == DISTR_PRIVATE;
    queue->guarded = false;
    distr_queue_set_tail(queue, block, 0);
    queue->allowance = UINT32_MAX;
    queue->maker = 0;
    atomic_store_explicit(&block->maker, 0, memory_order_relaxed);
    atomic_store_explicit(&queue->count, 0, memory_order_relaxed);
    atomic_store_explicit(&queue->unhinted, true, memory_order_relaxed);
    /* relaxed: the queue itself is published by whoever made it. */
    atomic_store_explicit(&queue->head, block->index, memory_order_relaxed);
    return 0;
}

int distr_queue_reserve_slow(struct distr_queue *queue)
{
    queue->spare = distr_pools_get(queue->pools, DISTR_LARGE);
    distr_queue_quicken(queue);
    return queue->spare ? 0 : -ENOMEM;
}

int distr_queue_reserve_spare(struct distr_queue *queue, unsigned count)
{
    int rc = distr_queue_reserve_slow(queue);

    return rc == 0 || (!queue->type && queue->bottom + count <= queue->limit) ? 0 : rc;
}

const struct distributor_task_type *
distr_queue_next_type(struct distr_queue *queue, const struct distributor_task_type *format)
{
    /* A block of one type left with few items in it: the types alternate, wide ones take them
     * all. */
    if (queue->bottom < queue->limit / 8 && !distr_queue_fits(queue, format))
        queue->wide = WIDE_BLOCKS;
    if (queue->wide > 0) {
        queue->wide--;
        return NULL;
    }
    return format;
}

/* The zeros stand in slots that nobody looks at before A1 or D1. */
void distr_queue_fetch(struct distr_queue *queue)
{
    const unsigned words = queue->dense ? DISTR_DENSE_WORDS : distr_slot_words(queue->type);
    const unsigned slots = DISTR_LINE_WORDS / words; /* of a line */
    unsigned end = queue->bottom + FETCH_LINES * slots;

    if (end > queue->limit)
        end = queue->limit;
    /* From the first line on which no slot is in use. */
    for (unsigned i = (queue->bottom + slots - 1) / slots * slots; i < end; i += slots)
        distr_write(&queue->tail->words[i * words], 0);
    queue->fetched = (uint16_t)end;
    distr_queue_quicken(queue);
}

void distr_queue_put_words(struct distr_queue *queue, const void *words, uint32_t count,
                           uint64_t serial)
{
    const char *bytes = words;
    const uint32_t size = queue->dense ? DISTR_DENSE_WORDS : DISTR_NARROW_WORDS;
    _Atomic uint64_t *slot = &queue->tail->words[queue->bottom * size];

    for (uint32_t i = 0; i < count; i++, slot += size) {
        uint64_t word;
        memcpy(&word, bytes + i * sizeof word, sizeof word);
        distr_write(slot, word);
        if (size == DISTR_NARROW_WORDS)
            distr_write(slot + 1, distr_meta(serial + i, DISTR_INLINE, sizeof word));
    }
    queue->bottom += count;
}

/* A queue that keeps a spare has used it: gets another. */
static bool refill(struct distr_queue *queue)
{
    if (queue->allowance == 0)
        return false;
    if (queue->allowance != UINT32_MAX)
        queue->allowance--;
    return distr_queue_reserve_slow(queue) == 0;
}

void distr_queue_begin_run(struct distr_queue *queue, uint64_t serial)
{
    struct distr_block *tail = queue->tail;

    queue->first = serial - queue->bottom;
    distr_write(distr_block_run(tail, queue->runs++), distr_run(serial, queue->bottom));
    /* A3 release: pairs with C8. */
    atomic_store_explicit(&tail->runs, queue->runs, memory_order_release);
}

/* A dense tail does not take an item that is no word, or one too many of those whose serials do not
 * follow: narrow blocks take all of them. */
static bool write_dense(struct distr_queue *queue, const struct distr_item *item)
{
    uint64_t serial = distr_meta_serial(item->meta);
    bool follows = distr_queue_goes_on(queue, serial);

    if (!distr_meta_is_word(item->meta) || (!follows && queue->runs == DISTR_RUNS)) {
        if (queue->narrow != DISTR_ALL_NARROW)
            queue->narrow = NARROW_BLOCKS;
        return false;
    }
    if (!follows)
        distr_queue_begin_run(queue, serial);
    distr_queue_fetch_due(queue);
    distr_write(&queue->tail->words[queue->bottom], item->payload.words[0]);
    return true;
}

/* Writes the next slot.  False: the tail has none for the item. */
static bool write_next(struct distr_queue *queue, const struct distr_item *item)
{
    if (queue->bottom == queue->limit || !distr_queue_fits(queue, distr_format(item)))
        return false;
    if (queue->dense)
        return write_dense(queue, item);
    distr_queue_fetch_due(queue);
    distr_block_write(queue->tail, queue->type, queue->bottom, item);
    return true;
}

/* How the slots of the next block are, which is of that type and takes the item first. */
static uint32_t next_words(struct distr_queue *queue, const struct distributor_task_type *type,
                           const struct distr_item *item)
{
    if (!type || !distr_meta_is_word(item->meta) || queue->narrow == DISTR_ALL_NARROW)
        return distr_slot_words(type);
    if (queue->narrow == 0)
        return DISTR_DENSE_WORDS;
    queue->narrow--;
    return DISTR_NARROW_WORDS;
}

/* Links the spare behind the tail, for that item. */
static void extend(struct distr_queue *queue, const struct distr_item *item)
{
    struct distr_block *left = queue->tail;
    struct distr_block *block = queue->spare;
    uint64_t base = atomic_load_explicit(&queue->count, memory_order_relaxed) + queue->bottom;
    const struct distributor_task_type *type = distr_queue_next_type(queue, distr_format(item));

    distr_queue_publish(queue);
    queue->spare = NULL;
    if (queue->ahead && !refill(queue))
        type = NULL; /* what comes next may be of any format */
    distr_block_renew(block, DISTR_OPEN, type, next_words(queue, type, item));
    atomic_store_explicit(&block->base, base, memory_order_relaxed);
    atomic_store_explicit(&block->maker, queue->maker, memory_order_relaxed);
    atomic_store_explicit(&queue->count, base, memory_order_relaxed);
    distr_queue_set_tail(queue, block, 0);
    /* A2 release: pairs with C3.  From here on takers may drain and reuse `left`. */
    atomic_store_explicit(
        &left->next,
        distr_next(atomic_load_explicit(&left->word, memory_order_relaxed), block->index),
        memory_order_release);
}

void distr_queue_put_rarely(struct distr_queue *queue, const struct distr_item *item)
{
    if (!write_next(queue, item)) {
        extend(queue, item);
        write_next(queue, item);
    }
    queue->bottom++;
}

/* ---- takers ---- */

/* One look at the oldest block. */
struct view {
    uint64_t head;
    struct distr_block *block;
    distr_word_t word;
    unsigned lo;
    unsigned hi; /* of OPEN and SHARED */
    uint64_t base;
    const struct distributor_task_type *type;
    uint32_t words; /* of a slot */
    uint64_t first; /* of the run that lo is in, if they are dense; */
    unsigned end;   /* it goes as far as this, otherwise up to hi */
};

/* C1, C2 and the second look at head: `view` is of a block that was the oldest one then. */
static void look(struct distr_queue *queue, struct view *view)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_acquire);

    for (;;) {
        view->head = head;
        view->block = distr_pools_at(queue->pools, distr_head_index(head));
        /* C1 acquire: pairs with R1, S1 and D2. */
        view->word = atomic_load_explicit(&view->block->word, memory_order_acquire);
        view->lo = distr_word_lo(view->word);
        view->hi = distr_word_hi(view->word);
        view->type = distr_block_type(view->block);
        view->words = distr_block_slot_words(view->block);
        /* relaxed: it was set before the block was linked. */
        view->base = atomic_load_explicit(&view->block->base, memory_order_relaxed);
        if (distr_word_state(view->word) == DISTR_OPEN)
            /* C2 acquire: pairs with A1. */
            view->hi = atomic_load_explicit(&view->block->bottom, memory_order_acquire);
        head = atomic_load_explicit(&queue->head, memory_order_acquire);
        if (head == view->head)
            return;
    }
}

/* Something can be claimed: finds the run that it is in. */
static void find_run(struct view *view)
{
    view->first = 0;
    view->end = view->hi;
    if (view->words != DISTR_DENSE_WORDS)
        return;
    /* C8 acquire: pairs with A3. */
    uint32_t runs = atomic_load_explicit(&view->block->runs, memory_order_acquire);
    while (runs-- > 0) {
        uint64_t run = distr_read(distr_block_run(view->block, runs));
        if (distr_run_slot(run) <= view->lo) {
            view->first = distr_run_first(run);
            return;
        }
        if (distr_run_slot(run) < view->end)
            view->end = distr_run_slot(run);
    }
}

/*
 * The oldest block has nothing to claim.  If it is used up and left by its owner, moves head to the
 * block after it.  False: there is nothing behind it either.
 */
static bool advance(struct distr_queue *queue, const struct view *view)
{
    /* C3 acquire: pairs with A2. */
    uint64_t next = atomic_load_explicit(&view->block->next, memory_order_acquire);
    uint64_t head = view->head;

    /* A link of an older generation is of an owner that went back (D3): it counts no more. */
    if (next == 0 || next >> 24 != distr_word_generation(view->word))
        return atomic_load_explicit(&queue->head, memory_order_acquire) != head;
    /* The owner has left the block, so the bottom of an OPEN one is final now. */
    if (distr_word_state(view->word) == DISTR_OPEN &&
        atomic_load_explicit(&view->block->bottom, memory_order_acquire) != view->lo)
        return true;
    /* C4 acq_rel: who moves head off a block is the one that gives it back.  What was read of a
     * block after it was reused belongs to an older head, and the swap fails. */
    if (atomic_compare_exchange_strong_explicit(&queue->head, &head,
                                                distr_head(head, (uint32_t)next & 0xffffff),
                                                memory_order_acq_rel, memory_order_relaxed))
        distr_pools_put(queue->pools, view->block);
    return true;
}

static unsigned share_of(struct distr_queue *queue, const struct distr_share *share,
                         const struct view *view)
{
    unsigned here = view->hi - view->lo;
    uint64_t count = atomic_load_explicit(&queue->count, memory_order_relaxed);
    uint64_t last = view->base + view->hi;
    uint64_t all = count > last ? here + (count - last) : here;
    uint64_t part = all / share->divisor;

    if (part > share->max)
        part = share->max;
    if (part > view->end - view->lo)
        part = view->end - view->lo;
    return part > 0 ? (unsigned)part : 1;
}

/* The share of an OPEN block, as far as it may be taken; 0: nothing of it. */
static unsigned allowed_share(struct distr_queue *queue, const struct distr_share *share,
                              const struct view *view)
{
    uint64_t number = view->base + view->lo;
    unsigned n = share_of(queue, share, view);

    if (distr_likely(share->before == 0))
        return n;
    if (number >= share->before)
        return 0;
    return n < share->before - number ? n : (unsigned)(share->before - number);
}

static void tell_place(const struct view *view, const struct distr_share *share)
{
    if (!share->place)
        return;
    share->place->number = view->base + view->lo;
    /* relaxed: as the type. */
    share->place->maker = atomic_load_explicit(&view->block->maker, memory_order_relaxed);
}

/* Whether the slots can be copied as they are, to where nobody looks before the deque's bottom is
 * moved. */
static bool can_land(struct distr_landing *landing, const struct view *view, unsigned n)
{
    if (!landing || n == 0)
        return false;
    const struct distr_queue *deque = landing->deque;
    /* Type and words may be of two generations, see claim_slots. */
    landing->used = view->type && view->words != DISTR_WIDE_WORDS && deque->type == view->type &&
                    !deque->dense && deque->bottom + n <= deque->limit;
    return landing->used;
}

static void land(const struct view *view, unsigned n, const struct distr_queue *deque)
{
    const _Atomic uint64_t *from = &view->block->words[view->lo * view->words];
    const _Atomic uint64_t *end = from + n * view->words;
    _Atomic uint64_t *to = &deque->tail->words[(deque->bottom + n - 1) * DISTR_NARROW_WORDS];
    uint64_t meta = distr_meta(view->first + view->lo, DISTR_INLINE, sizeof(uint64_t));

    if (view->words == DISTR_DENSE_WORDS)
        while (++from != end) {
            meta = distr_meta_of_next(meta);
            distr_slot_write_narrow(to -= DISTR_NARROW_WORDS, distr_read(from), meta);
        }
    else
        while ((from += DISTR_NARROW_WORDS) != end)
            distr_slot_write_narrow(to -= DISTR_NARROW_WORDS, distr_read(&from[0]),
                                    distr_read(&from[1]));
}

/* C5 */
static void read_slots(const struct view *view, unsigned n, struct distr_item *items)
{
    const _Atomic uint64_t *words = view->block->words;

    if (view->words == DISTR_DENSE_WORDS)
        for (unsigned i = view->lo; i < view->lo + n; i++)
            distr_slot_read_dense(&words[i], view->type, view->first + i, &items[i - view->lo]);
    else if (view->words == DISTR_NARROW_WORDS)
        for (unsigned i = view->lo; i < view->lo + n; i++)
            distr_slot_read_narrow(&words[i * DISTR_NARROW_WORDS], view->type,
                                   &items[i - view->lo]);
    else
        for (unsigned i = view->lo; i < view->lo + n; i++)
            distr_slot_read_wide(&words[i * DISTR_WIDE_WORDS], &items[i - view->lo]);
}

/* C5, C6: reads n slots, then claims them; what was read counts only if the claim succeeds. */
static bool claim_slots(const struct view *view, unsigned n, distr_word_t claimed,
                        struct distr_item *items, struct distr_landing *landing)
{
    distr_word_t word = view->word;
    unsigned whole = n;

    /* Word, type and size of slots may be of several generations, if the owner emptied its tail in
     * between: then the swap fails, but nothing is read outside the block. */
    if (view->lo + n > distr_block_slots(view->block, view->words))
        return false;
    if (can_land(landing, view, n)) {
        land(view, n, landing->deque);
        whole = 1;
    }
    read_slots(view, whole, items);
    /* C6 acq_rel: the reads of C5 stay before it, and its next generation's R1 after it. */
    return atomic_compare_exchange_strong_explicit(&view->block->word, &word, claimed,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* F1 to F4: asks for a block that its owner holds, fixes hi, and claims in the same step. */
static unsigned freeze(struct distr_queue *queue, const struct distr_share *share,
                       struct view *view, struct distr_item *items)
{
    uint64_t generation = distr_word_generation(view->word);
    distr_word_t frozen = distr_word(generation, 0, view->lo, DISTR_FROZEN);
    distr_word_t word = view->word;

    /* F1 acq_rel: pairs with D1's load. */
    if (distr_word_state(word) == DISTR_PRIVATE &&
        !atomic_compare_exchange_strong_explicit(&view->block->word, &word, frozen,
                                                 memory_order_acq_rel, memory_order_relaxed))
        return 0;
    /* F2: every owner's step that saw PRIVATE has its bottom visible now. */
    distr_heavy_fence();
    /* F3 acquire: pairs with D1's store. */
    view->hi = atomic_load_explicit(&view->block->bottom, memory_order_acquire);
    view->word = frozen;
    find_run(view);
    unsigned n = view->hi > view->lo ? share_of(queue, share, view) : 0;
    /* F4 */
    distr_word_t fixed = distr_word(generation, view->hi, view->lo + n, DISTR_SHARED);
    return claim_slots(view, n, fixed, items, share->landing) ? n : 0;
}

unsigned distr_queue_claim(struct distr_queue *queue, const struct distr_share *share,
                           struct distr_item *items)
{
    struct view view;
    unsigned n;

    for (;;) {
        look(queue, &view);
        enum distr_block_state state = distr_word_state(view.word);
        if (state == DISTR_PRIVATE || state == DISTR_FROZEN) {
            unsigned bottom = atomic_load_explicit(&view.block->bottom, memory_order_relaxed);
            if (!share->freeze || (state == DISTR_PRIVATE && bottom <= view.lo))
                return 0;
            n = freeze(queue, share, &view, items);
            if (n > 0)
                return n;
        } else if (view.lo < view.hi) {
            find_run(&view);
            n = allowed_share(queue, share, &view);
            tell_place(&view, share);
            if (n == 0 || claim_slots(&view, n, view.word + n * DISTR_WORD_STEP, items,
                                      share->landing))
                return n;
        } else if (!advance(queue, &view)) {
            return 0;
        }
        ck_pr_stall();
    }
}

/* Behind the oldest item that is there. */
static void set_cursor(struct distr_cursor *cursor, const struct view *view)
{
    bool dense = view->words == DISTR_DENSE_WORDS;

    cursor->block = view->type ? view->block : NULL;
    cursor->slot = &view->block->words[(view->lo + 1) * view->words];
    cursor->word = view->word + DISTR_WORD_STEP;
    cursor->span = (view->end - view->lo - 1) * DISTR_WORD_STEP;
    cursor->type = view->type;
    cursor->serial = dense ? view->first + view->lo + 1 : DISTR_NO_RUN;
    /* relaxed: a guess is enough. */
    cursor->last = view->end == view->hi &&
                   view->hi < distr_block_slots(view->block, view->words) &&
                   atomic_load_explicit(&view->block->next, memory_order_relaxed) == 0;
    /* relaxed: constant in a generation; a later one is another's. */
    cursor->attempt = 1;
    cursor->maker = atomic_load_explicit(&view->block->maker, memory_order_relaxed);
}

bool distr_queue_claim_one(struct distr_queue *queue, struct distr_cursor *cursor,
                           struct distr_item *item)
{
    struct view view;

    cursor->met = false;
    for (;;) {
        look(queue, &view);
        if (view.lo < view.hi) {
            find_run(&view);
            set_cursor(cursor, &view);
            if (claim_slots(&view, 1, cursor->word, item, NULL))
                return true;
            cursor->met = true;
        } else if (!advance(queue, &view)) {
            cursor->block = NULL;
            return false;
        }
        ck_pr_stall();
    }
}

enum distr_look distr_queue_peek_at(struct distr_queue *queue, uint64_t *number)
{
    struct view view;

    for (;;) {
        look(queue, &view);
        *number = view.base + view.lo;
        enum distr_block_state state = distr_word_state(view.word);
        if (state == DISTR_FROZEN)
            return DISTR_HELD;
        if (state == DISTR_PRIVATE) {
            unsigned bottom = atomic_load_explicit(&view.block->bottom, memory_order_acquire);
            return bottom > view.lo ? DISTR_HELD : DISTR_EMPTY;
        }
        if (view.lo < view.hi)
            return DISTR_READY;
        if (!advance(queue, &view))
            return DISTR_EMPTY;
    }
}

bool distr_queue_drain(struct distr_queue *queue, struct distr_item *item)
{
    static const struct distr_share one = {.max = 1, .divisor = 1, .freeze = true};

    return distr_queue_claim(queue, &one, item) == 1;
}
