/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking tasks; see take.h. */
#include "pool/take.h"

#include "pool/idle.h"
#include "pool/order.h"
#include "pool/quiesce.h"

#define FAIR_RECORDS 4u /* of others, that a look goes to */
#define FAIR_MISSED 8u  /* looks that meet a claim in a row, until one comes behind it */

/* What a record holds: tasks it added, and of a worker also tasks it has claimed. */
static bool holds_task(struct distr_record *record)
{
    const struct distr_order *order = record->owner->order;

    /* A task beyond the window is not there yet. */
    if (order && record == &order->lane->record)
        return distr_order_has_task(record->owner);
    return distr_queue_peek(&record->input) != DISTR_EMPTY ||
           (record->worker && distr_queue_peek(&record->worker->claims) != DISTR_EMPTY);
}

/* H1 to H3: nothing was found there; clears the hint, looks again. */
static void clear_hint(struct distr_record *record)
{
    /* H1 seq_cst: pairs with the fence between publish and the look at the hint in N1 and N3. */
    atomic_fetch_and_explicit(&record->group->tasks, ~record->mask, memory_order_seq_cst);
    atomic_store_explicit(&record->input.unhinted, true, memory_order_seq_cst); /* H2 */
    distr_full_fence();
    if (holds_task(record))
        distr_hint_tasks(record);
}

/* Keeps items[0] as the task to run and the rest in a deque of the worker's, to be popped in the
 * same order. */
static void keep(struct distr_worker *worker, struct distr_queue *deque,
                 const struct distr_item *items, unsigned count)
{
    worker->task.item = items[0];
    if (count == 1)
        return;
    distr_deque_push(deque, items + 1, count - 1);
    distr_hint_own_tasks(&worker->record);
}

/* Tasks that the record's thread added or spawned: its share of them. */
static unsigned take_added(struct distr_worker *worker, struct distr_record *record, bool freeze)
{
    struct distr_queue *deque = record->worker ? &worker->record.input : &worker->claims;
    unsigned workers = atomic_load_explicit(&record->owner->workers, memory_order_relaxed);
    bool room = distr_deque_reserve(deque) == 0;
    struct distr_share share = {
        .max = room ? DISTR_CLAIM_MAX : 1, .divisor = 2 * workers, .freeze = freeze};
    unsigned count = distr_deque_claim(deque, &record->input, &share, &worker->task.item);

    if (count > 1)
        distr_hint_own_tasks(&worker->record);
    return count;
}

/* Tasks that another worker has claimed and not begun: all of them, so that they stay in the order
 * of adding.  The oldest is on top of that worker's deque, so it is the last one taken. */
static unsigned take_claimed(struct distr_worker *worker, struct distr_worker *other)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    bool room = distr_deque_reserve(&worker->claims) == 0;
    struct distr_share share = {.max = room ? DISTR_CLAIM_MAX : 1, .divisor = 1, .freeze = true};
    unsigned count = distr_queue_claim(&other->claims, &share, items);

    /* Of a source that is just asked the newest is on top. */
    bool turn = count > 1 && distr_meta_serial(items[0].meta) > distr_meta_serial(items[1].meta);
    for (unsigned i = 0; turn && i < count / 2; i++) {
        struct distr_item swapped = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = swapped;
    }
    if (count > 0)
        keep(worker, &worker->claims, items, count);
    return count;
}

/* Tasks of the one input of an ordered distributor. */
static unsigned take_ordered(struct distr_worker *worker)
{
    struct distr_item items[DISTR_SEGMENT_MAX];
    bool room = distr_deque_reserve(&worker->claims) == 0;
    unsigned count = distr_order_claim(worker, room ? DISTR_SEGMENT_MAX : 1, items);

    if (count > 0)
        keep(worker, &worker->claims, items, count);
    return count;
}

static unsigned take_from(struct distr_worker *worker, struct distr_record *record, bool freeze)
{
    unsigned count = worker->order ? 0 : take_added(worker, record, freeze);

    if (count == 0 && freeze && record->worker)
        count = take_claimed(worker, record->worker);
    return count;
}

static unsigned take_in_group(struct distr_worker *worker, struct distr_group *group, bool freeze)
{
    uint64_t bits = atomic_load_explicit(&group->tasks, memory_order_acquire);
    bool many = distr_many_hints(bits);
    unsigned first = group == worker->scan_group ? worker->scan_bit : 0;

    if (group == worker->record.group)
        bits &= ~worker->record.mask;
    while (bits != 0) {
        uint64_t from = bits >> first << first;
        unsigned bit = (unsigned)__builtin_ctzll(from != 0 ? from : bits);
        struct distr_record *record =
            atomic_load_explicit(&group->records[bit], memory_order_acquire);
        unsigned count = take_from(worker, record, freeze);

        if (count > 0) {
            worker->scan_group = group;
            worker->scan_bit = bit;
            return count;
        }
        /* A keeper asks on a shorter way where nothing is hinted. */
        if ((many || worker->kept) && !holds_task(record))
            clear_hint(record);
        bits &= ~((uint64_t)1 << bit);
    }
    return 0;
}

bool distr_take(struct distr_worker *worker, bool freeze, bool *more)
{
    struct distributor *d = worker->record.owner;
    struct distr_group *start = worker->scan_group;
    struct distr_group *group = start;

    if (worker->order) {
        unsigned count = take_ordered(worker);
        if (count > 0 || !freeze) {
            *more = count > 1;
            return count > 0;
        }
    }
    do {
        unsigned count = take_in_group(worker, group, freeze);
        if (count > 0) {
            *more = count > 1;
            return true;
        }
        group = atomic_load_explicit(&group->next, memory_order_acquire);
        if (!group)
            group = &d->first;
    } while (group != start);
    return false;
}

/* The record after the one that was looked at last; there is at least the worker's own. */
static struct distr_record *next_record(struct distr_worker *worker)
{
    for (;;) {
        struct distr_record *record = NULL;

        if (worker->fair_bit < 64)
            record = atomic_load_explicit(&worker->fair_group->records[worker->fair_bit],
                                          memory_order_acquire);
        if (record) {
            worker->fair_bit++;
            return record;
        }
        worker->fair_group = atomic_load_explicit(&worker->fair_group->next, memory_order_acquire);
        worker->fair_bit = 0;
        if (!worker->fair_group)
            worker->fair_group = &worker->record.owner->first;
    }
}

/* Whether the worker of the record has ended no task since the last visit of any fair worker. */
static bool stands_still(struct distr_record *record)
{
    uint64_t done = distr_record_done(record);
    uint64_t seen = atomic_load_explicit(&record->seen, memory_order_relaxed);

    atomic_store_explicit(&record->seen, done, memory_order_relaxed);
    return done == seen;
}

/* The oldest task of a record, if it may be taken out of turn. */
static bool take_oldest(struct distr_worker *worker, struct distr_record *record)
{
    struct distr_share share = {.max = 1, .divisor = 1};
    struct distr_item *item = &worker->task.item;

    if (record == &worker->record)
        return distr_deque_take_oldest(&record->input, item);
    enum distr_look look = distr_queue_peek(&record->input);
    if (look == DISTR_READY)
        return distr_queue_claim(&record->input, &share, item) == 1;
    if (!record->worker || !stands_still(record))
        return false;
    /* Its worker is in a long task: what it holds is for others. */
    share.freeze = true;
    if (distr_queue_claim(&record->input, &share, item) == 1)
        return true;
    unsigned count = take_claimed(worker, record->worker);
    if (count > 1)
        distr_announce(record->owner, &worker->record);
    return count > 0;
}

/* A look has met what is claimed.  Where one thread adds and adds, all of them may: after some that
 * did, one comes behind the claim. */
static unsigned fair_after_claim(struct distr_worker *worker)
{
    unsigned left = worker->claims.bottom - worker->claims.lo;
    bool behind = ++worker->fair_missed >= FAIR_MISSED && left < DISTR_FAIR_EVERY;

    return behind ? left + 1 : DISTR_FAIR_EVERY;
}

bool distr_take_fair(struct distr_worker *worker)
{
    worker->until_fair = DISTR_FAIR_EVERY;
    /* Claimed tasks are older than those of the same thread that nobody has claimed. */
    if (distr_deque_pop(&worker->claims, &worker->task.item)) {
        worker->until_fair = fair_after_claim(worker);
        return true;
    }
    unsigned looks = FAIR_RECORDS * (worker->fair_missed + 1); /* those that were missed, too */
    worker->fair_missed = 0;
    if (worker->order)
        return false; /* all is taken oldest first */
    while (looks-- > 0)
        if (take_oldest(worker, next_record(worker)))
            return true;
    return false;
}

bool distr_hinted_task(struct distributor *d)
{
    if (d->order && distr_order_has_task(d))
        return true;
    for (struct distr_group *group = &d->first; group;
         group = atomic_load_explicit(&group->next, memory_order_acquire)) {
        uint64_t bits = atomic_load_explicit(&group->tasks, memory_order_seq_cst);

        for (; bits != 0; bits &= bits - 1) {
            struct distr_record *record =
                atomic_load_explicit(&group->records[__builtin_ctzll(bits)], memory_order_acquire);
            if (holds_task(record))
                return true;
        }
    }
    return false;
}

static bool hint_what_it_holds(struct distr_record *record, void *context)
{
    bool *any = context;

    if (holds_task(record)) {
        distr_hint_tasks(record);
        *any = true;
    }
    return true;
}

bool distr_any_task(struct distributor *d)
{
    bool any = false;

    distr_for_each_record(d, hint_what_it_holds, &any);
    return any;
}
