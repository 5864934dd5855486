/* SPDX-License-Identifier: BSD-2-Clause */
/* The owner's end of a deque; events and proofs in README.md, "The deque". */
#include "queue/deque.h"

/* Words that are taken along from a dense block. */
#ifndef DISTR_ALONG
#define DISTR_ALONG 64u
#endif

/*
 * The tail is no longer as the owner left it: a taker froze it.  Makes it SHARED if the taker has
 * not yet, and returns hi, which is `before` or the present bottom: the owner's last step is the
 * only one whose store the taker may or may not have seen.
 */
static unsigned settle(struct distr_queue *queue, unsigned before)
{
    struct distr_block *tail = queue->tail;
    distr_word_t word = atomic_load_explicit(&tail->word, memory_order_acquire);

    if (distr_word_state(word) == DISTR_FROZEN) {
        unsigned hi = before < queue->bottom ? before : queue->bottom;
        distr_word_t shared =
            distr_word(distr_word_generation(word), hi, distr_word_lo(word), DISTR_SHARED);
        /* D2 acq_rel: pairs with C1; either this or a taker's F4 succeeds. */
        if (atomic_compare_exchange_strong_explicit(&tail->word, &word, shared,
                                                    memory_order_acq_rel, memory_order_acquire))
            return hi;
    }
    return distr_word_hi(word);
}

/* The owner may use [lo, bottom) of the tail, whose word it has just set. */
static void own(struct distr_queue *queue, struct distr_block *tail, distr_word_t word,
                unsigned bottom)
{
    queue->word = word;
    queue->lo = (uint16_t)distr_word_lo(word);
    distr_queue_set_tail(queue, tail, bottom);
    if (queue->dense && bottom > queue->lo)
        queue->first = distr_run_first(distr_read(distr_block_run(tail, 0)));
}

/* Whether the owner has pushed the tail full, which it leaves, with one word of that type after the
 * other: then the next block is dense. */
static bool is_streak(const struct distr_queue *queue, const struct distributor_task_type *type)
{
    const struct distr_block *left = queue->tail;

    if (!type || queue->type != type || queue->bottom != queue->limit ||
        queue->narrow == DISTR_ALL_NARROW)
        return false;
    if (queue->dense)
        return true;
    uint64_t first = distr_read(&left->words[1]);
    uint64_t last = distr_read(&left->words[(queue->limit - 1) * DISTR_NARROW_WORDS + 1]);
    return distr_meta_is_word(first) && last - first == (uint64_t)(queue->limit - 1) << 20;
}

/* Links the spare as a new PRIVATE tail behind the SHARED one, for items of that format. */
static void open_tail(struct distr_queue *queue, const struct distributor_task_type *format)
{
    struct distr_block *shared = queue->tail;
    struct distr_block *tail = queue->spare;
    distr_word_t word = atomic_load_explicit(&shared->word, memory_order_relaxed);
    uint64_t base = atomic_load_explicit(&queue->count, memory_order_relaxed) + distr_word_hi(word);

    const struct distributor_task_type *type = distr_queue_next_type(queue, format);
    uint32_t words = is_streak(queue, type) ? DISTR_DENSE_WORDS : distr_slot_words(type);

    distr_block_renew(tail, DISTR_PRIVATE, type, words);
    tail->previous = shared;
    tail->previous_generation = distr_word_generation(word);
    atomic_store_explicit(&tail->base, base, memory_order_relaxed);
    atomic_store_explicit(&queue->count, base, memory_order_relaxed);
    queue->spare = NULL;
    own(queue, tail, atomic_load_explicit(&tail->word, memory_order_relaxed), 0);
    /* A2 release: pairs with C3.  From here on takers may drain and reuse `shared`. */
    atomic_store_explicit(&shared->next, distr_next(word, tail->index), memory_order_release);
}

/* The tail, up to hi, is used up and nothing is linked behind it: nobody else changes it.  Empties
 * it. */
static void reset(struct distr_queue *queue, unsigned hi,
                  const struct distributor_task_type *format)
{
    struct distr_block *tail = queue->tail;
    distr_word_t word = atomic_load_explicit(&tail->word, memory_order_relaxed);
    /* If no taker ever got anything from it, its lines are still here. */
    unsigned words = hi == 0 ? queue->fetched * distr_block_slot_words(tail) : 0;

    word = distr_word(distr_word_generation(word) + 1, 0, 0, DISTR_PRIVATE);
    atomic_store_explicit(&tail->bottom, 0, memory_order_relaxed);
    atomic_store_explicit(&tail->type, format, memory_order_relaxed);
    atomic_store_explicit(&tail->slot_words, distr_slot_words(format), memory_order_relaxed);
    /* R1 release: pairs with C1. */
    atomic_store_explicit(&tail->word, word, memory_order_release);
    own(queue, tail, word, 0);
    queue->fetched = (uint16_t)(words / distr_slot_words(format));
    distr_queue_quicken(queue);
}

/* D3: makes a SHARED block PRIVATE again, whose bottom is its hi.  False: it is used up, or it is
 * no longer of that generation. */
static bool take_back(struct distr_queue *queue, struct distr_block *block, uint64_t generation)
{
    distr_word_t word = atomic_load_explicit(&block->word, memory_order_acquire);

    while (distr_word_generation(word) == generation && distr_word_state(word) == DISTR_SHARED &&
           distr_word_lo(word) < distr_word_hi(word)) {
        distr_word_t mine = distr_word(generation + 1, 0, distr_word_lo(word), DISTR_PRIVATE);
        unsigned hi = distr_word_hi(word);
        /* D3 acq_rel: pairs with C1; from here on claims of that word fail. */
        if (atomic_compare_exchange_strong_explicit(&block->word, &word, mine, memory_order_acq_rel,
                                                    memory_order_acquire)) {
            own(queue, block, mine, hi);
            return true;
        }
    }
    return false;
}

/*
 * The tail is SHARED, up to hi: gives the owner a PRIVATE one.  What is left in it stays with the
 * takers who asked for it, unless there is no spare block to go on in.
 */
static void go_on(struct distr_queue *queue, unsigned hi,
                  const struct distributor_task_type *format)
{
    struct distr_block *tail = queue->tail;
    distr_word_t word = atomic_load_explicit(&tail->word, memory_order_acquire);

    /* While a block is SHARED, its bottom is its hi: take_back relies on it. */
    atomic_store_explicit(&tail->bottom, hi, memory_order_relaxed);
    if (distr_word_lo(word) < hi && queue->spare) {
        open_tail(queue, format);
        return;
    }
    if (!take_back(queue, tail, distr_word_generation(word)))
        reset(queue, hi, format);
}

/* The tail is full, or has no slots of that format: shares it. */
static void seal(struct distr_queue *queue, const struct distributor_task_type *format)
{
    distr_word_t word = queue->word;
    distr_word_t shared =
        distr_word(distr_word_generation(word), queue->bottom, queue->lo, DISTR_SHARED);

    /* S1 release: pairs with C1. */
    if (!atomic_compare_exchange_strong_explicit(&queue->tail->word, &word, shared,
                                                 memory_order_acq_rel, memory_order_relaxed))
        settle(queue, queue->bottom);
    go_on(queue, queue->bottom, format);
}

void distr_deque_push_again(struct distr_queue *queue, unsigned before)
{
    struct distr_item item;
    unsigned hi = settle(queue, before);

    distr_deque_read(queue, before, &item); /* as it was written */
    go_on(queue, hi, distr_format(&item));
    if (hi == before)
        distr_deque_push(queue, &item, 1);
}

/* The format that all of them have in common. */
static const struct distributor_task_type *common_format(const struct distr_item *items,
                                                         unsigned count)
{
    const struct distributor_task_type *format = distr_format(&items[0]);

    for (unsigned i = 1; i < count && format; i++)
        if (distr_format(&items[i]) != format)
            format = NULL;
    return format;
}

/* A dense tail has one run. */
static bool goes_on(const struct distr_queue *queue, const struct distr_item *word)
{
    return queue->bottom == queue->lo ||
           distr_meta_serial(word->meta) == queue->first + queue->bottom;
}

/* Writes the next slot of the dense tail.  False: it has none for the item. */
static bool write_dense(struct distr_queue *queue, const struct distr_item *item)
{
    if (queue->bottom == queue->limit || item->type != queue->type ||
        !distr_meta_is_word(item->meta) || !goes_on(queue, item))
        return false;
    if (queue->bottom == queue->lo) {
        queue->runs = 0;
        distr_queue_begin_run(queue, distr_meta_serial(item->meta));
    }
    distr_queue_fetch_due(queue);
    distr_write(&queue->tail->words[queue->bottom], item->payload.words[0]);
    return true;
}

/* Writes them from slot `before` on, the last one first.  False: the tail has no slots for them. */
static bool write_all(struct distr_queue *queue, unsigned before, const struct distr_item *items,
                      unsigned count)
{
    const struct distributor_task_type *type = queue->type;

    if (queue->dense)
        return count == 1 && write_dense(queue, items);
    if (before + count > queue->limit)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const struct distr_item *item = &items[count - 1 - i];
        if (type && distr_format(item) != type)
            return false;
        distr_block_write(queue->tail, type, before + i, item);
    }
    return true;
}

/* Pops at most so many of the tail as one step, the newest first.  Returns how many; 0: the takers
 * have them. */
static unsigned pop_several(struct distr_queue *queue, struct distr_item *items, unsigned max)
{
    unsigned before = queue->bottom;
    unsigned count = before - queue->lo < max ? before - queue->lo : max;
    bool still = distr_deque_step(queue, before - count, memory_order_relaxed);
    unsigned hi = still ? queue->bottom : settle(queue, before);

    for (unsigned i = 0; i < count; i++)
        distr_deque_read(queue, before - 1 - i, &items[i]);
    if (!still)
        go_on(queue, hi, queue->type);
    return hi < before ? count : 0;
}

/*
 * A word is pushed that does not go on, since others were popped: the owner runs what stands in the
 * dense tail, and each of these spawns.  So it takes some dozens along to a narrow block, and comes
 * back once for so many.
 */
static distr_apart void leave_dense(struct distr_queue *queue, const struct distr_item *word)
{
    struct distr_item items[DISTR_ALONG + 1];

    items[0] = *word;
    distr_deque_push(queue, items, 1 + pop_several(queue, items + 1, DISTR_ALONG));
}

void distr_deque_push(struct distr_queue *queue, const struct distr_item *items, unsigned count)
{
    if (count == 1 && queue->dense && distr_format(items) == queue->type &&
        !goes_on(queue, items)) {
        leave_dense(queue, items);
        return;
    }
    /* An empty tail takes the form of what comes. */
    if (queue->bottom == queue->lo && queue->type != common_format(items, count))
        seal(queue, common_format(items, count));
    for (;;) {
        unsigned before = queue->bottom;
        if (!write_all(queue, before, items, count)) {
            seal(queue, common_format(items, count));
            continue;
        }
        if (distr_deque_step(queue, before + count, memory_order_release))
            return;
        unsigned hi = settle(queue, before);
        go_on(queue, hi, common_format(items, count));
        if (hi > before)
            return; /* the takers have them */
    }
}

/* The tail was frozen before they were pushed that stand behind the bottom. */
static distr_apart void push_landed_again(struct distr_queue *queue, unsigned before,
                                          unsigned count)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    unsigned hi = settle(queue, before);

    for (unsigned i = 0; i < count; i++)
        distr_block_read(queue->tail, queue->type, before + count - 1 - i, &items[i]);
    go_on(queue, hi, queue->type);
    if (hi == before)
        distr_deque_push(queue, items, count); /* else the takers have them */
}

/* A claim has put them behind the bottom: they are pushed. */
static void push_landed(struct distr_queue *queue, unsigned count)
{
    unsigned before = queue->bottom;

    if (distr_unlikely(!distr_deque_step(queue, before + count, memory_order_release)))
        push_landed_again(queue, before, count);
}

unsigned distr_deque_claim(struct distr_queue *deque, struct distr_queue *from,
                           struct distr_share *share, struct distr_item *item)
{
    struct distr_landing landing = {.deque = deque};
    struct distr_item items[DISTR_CLAIM_MAX];

    share->landing = &landing;
    unsigned count = distr_queue_claim(from, share, items);
    if (count == 0)
        return 0;
    *item = items[0];
    if (count > 1 && landing.used)
        push_landed(deque, count - 1);
    else if (count > 1)
        distr_deque_push(deque, items + 1, count - 1);
    return count;
}

/* The PRIVATE tail is empty: goes back to the block before it.  False: that one is used up too. */
static bool step_back(struct distr_queue *queue)
{
    struct distr_block *empty = queue->tail;
    struct distr_block *previous = empty->previous;

    if (previous && take_back(queue, previous, empty->previous_generation)) {
        /* `previous` was not used up, so no taker has come as far as `empty`; and none will, since
         * the link to it is of the generation before D3. */
        atomic_store_explicit(&queue->count,
                              atomic_load_explicit(&previous->base, memory_order_relaxed),
                              memory_order_relaxed);
        if (queue->spare)
            distr_pools_put(queue->pools, empty);
        else
            queue->spare = empty;
        distr_queue_quicken(queue);
        return true;
    }
    empty->previous = NULL;
    return false;
}

bool distr_deque_pop_settled(struct distr_queue *queue, unsigned before, struct distr_item *item)
{
    unsigned hi = settle(queue, before);
    bool ours = hi < before; /* beyond hi: nobody else has it */

    if (ours)
        distr_deque_read(queue, before - 1, item);
    go_on(queue, hi, queue->type);
    return ours;
}

bool distr_deque_pop_slow(struct distr_queue *queue, struct distr_item *item)
{
    for (;;) {
        if (queue->bottom == queue->lo) {
            if (!step_back(queue))
                return false;
            continue;
        }
        unsigned before = queue->bottom;
        if (distr_deque_step(queue, before - 1, memory_order_relaxed)) {
            distr_deque_read(queue, before - 1, item);
            return true;
        }
        if (distr_deque_pop_settled(queue, before, item))
            return true;
    }
}

/* D4: takes the oldest slot of the PRIVATE tail, which is the queue's oldest block. */
static bool take_lowest(struct distr_queue *queue, struct distr_item *item)
{
    distr_word_t word = queue->word;
    distr_word_t claimed = word + DISTR_WORD_STEP;

    distr_deque_read(queue, queue->lo, item);
    /* D4 acq_rel: pairs with F1; if a taker froze the block, it is settled instead. */
    if (atomic_compare_exchange_strong_explicit(&queue->tail->word, &word, claimed,
                                                memory_order_acq_rel, memory_order_relaxed)) {
        queue->word = claimed;
        queue->lo++;
        return true;
    }
    go_on(queue, settle(queue, queue->bottom), queue->type);
    return false;
}

bool distr_deque_take_oldest(struct distr_queue *queue, struct distr_item *item)
{
    static const struct distr_share one = {.max = 1, .divisor = 1, .freeze = false};

    if (distr_queue_claim(queue, &one, item) == 1)
        return true;
    if (queue->bottom == queue->lo)
        return false;
    return take_lowest(queue, item);
}
