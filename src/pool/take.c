/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking tasks; see take.h. */
#include "pool/take.h"

#include "pool/search.h"

/* H1 to H3: the queue was found empty; clears its hint, looks again. */
static void clear_hint(struct distr_record *record)
{
    /* H1 seq_cst: pairs with the fence between publish and the look at the hint in N1 and N3. */
    atomic_fetch_and_explicit(&record->group->tasks, ~record->mask, memory_order_seq_cst);
    if (distr_queue_peek(&record->input) != DISTR_EMPTY)
        distr_hint_tasks(record);
}

/* Keeps items[0] as the task to run, the rest in the worker's own deque, in their order. */
static void keep(struct distr_worker *worker, const struct distr_item *items, unsigned count)
{
    worker->task.item = items[0];
    if (count == 1)
        return;
    distr_deque_push(&worker->record.input, items + 1, count - 1);
    if (!(atomic_load_explicit(&worker->record.group->tasks, memory_order_relaxed) &
          worker->record.mask))
        distr_hint_tasks(&worker->record);
}

static unsigned take_from(struct distr_worker *worker, struct distr_record *record, bool freeze)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    unsigned workers = atomic_load_explicit(&record->owner->workers, memory_order_relaxed);
    bool room = distr_deque_reserve(&worker->record.input) == 0;
    struct distr_share share = {
        .max = room ? DISTR_CLAIM_MAX : 1, .divisor = 2 * workers, .freeze = freeze};
    unsigned count = distr_queue_claim(&record->input, &share, items);

    if (count > 0)
        keep(worker, items, count);
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
        if (many && distr_queue_peek(&record->input) == DISTR_EMPTY)
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

bool distr_take_fair(struct distr_worker *worker)
{
    worker->until_fair = DISTR_FAIR_EVERY;
    for (unsigned looks = 0; looks < 4; looks++) {
        struct distr_record *record = next_record(worker);
        struct distr_share share = {.max = 1, .divisor = 1, .freeze = false};

        if (record == &worker->record) {
            if (distr_deque_take_oldest(&record->input, &worker->task.item))
                return true;
            continue;
        }
        enum distr_look look = distr_queue_peek(&record->input);
        share.freeze = look == DISTR_HELD && stands_still(record);
        if ((look == DISTR_READY || share.freeze) &&
            distr_queue_claim(&record->input, &share, &worker->task.item) == 1)
            return true;
    }
    return false;
}

static bool holds_task(struct distr_record *record)
{
    return distr_queue_peek(&record->input) != DISTR_EMPTY;
}

bool distr_hinted_task(struct distributor *d)
{
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

bool distr_any_task(struct distributor *d)
{
    bool any = false;

    for (struct distr_group *group = &d->first; group;
         group = atomic_load_explicit(&group->next, memory_order_acquire)) {
        for (unsigned i = 0; i < 64; i++) {
            struct distr_record *record =
                atomic_load_explicit(&group->records[i], memory_order_acquire);
            if (!record)
                break;
            if (!holds_task(record))
                continue;
            distr_hint_tasks(record);
            any = true;
        }
    }
    return any;
}
