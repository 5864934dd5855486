/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reading thread holds, where it finds results, and telling readers that sleep; events T1
 * and E3 in src/queue/README.md, "Emit and read".
 */
#include "pool/reader.h"

#include "pool/fd.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/pipe.h"
#include "pool/quiesce.h"

#define STAY_MAX 16u /* looks in a row that begin at one worker which has more and more */

/* ---- what a reader holds ---- */

void distr_result_discard(const struct distr_item *item)
{
    size_t size;

    if (distr_meta_error(item->meta) == 0 && item->type->discard_result) {
        const void *result = distr_item_bytes(item, &size);
        item->type->discard_result((void *)(uintptr_t)result, size);
    }
    distr_item_free(item);
}

void distr_reader_release(struct distr_record *record)
{
    for (size_t i = 0; i < record->reader.count; i++)
        if (distr_unlikely(distr_meta_kind(record->reader.items[i].meta) != DISTR_INLINE))
            distr_item_free(&record->reader.items[i]);
    record->reader.count = 0;
}

void distr_reader_free(struct distr_record *record)
{
    distr_reader_release(record);
    free(record->reader.items);
    free(record->reader.workers);
    record->reader.items = NULL;
    record->reader.cursor.block = NULL;
    record->reader.workers = NULL;
    record->reader.capacity = 0;
}

/* The count is READ_MAX at most. */
int distr_reader_grow(struct distr_reader *reader, size_t count)
{
    size_t capacity = count < 8 ? 8 : count;
    struct distr_item *items = aligned_alloc(_Alignof(struct distr_item), capacity * sizeof *items);
    uint32_t *workers = malloc(capacity * sizeof *workers);
    if (!items || !workers) {
        free(items);
        free(workers);
        return -ENOMEM;
    }
    free(reader->items);
    free(reader->workers);
    reader->items = items;
    reader->workers = workers;
    reader->capacity = capacity;
    return 0;
}

/* ---- taking what is there ---- */

/* T1: one result of a worker, and the cursor behind it. */
static size_t take_one(struct distr_reader *reader, struct distr_worker *worker)
{
    struct distr_cursor cursor;

    if (!distr_queue_claim_one(&worker->output, &cursor, &reader->items[reader->count]))
        return 0;
    reader->cursor = cursor;
    reader->came++;
    reader->found = cursor.last ? 1 + distr_cursor_left(&cursor) : 0;
    /* relaxed: it is this reader, or there is none any more. */
    if (atomic_load_explicit(&worker->record.owner->lone_reader, memory_order_relaxed))
        reader->came += distr_cursor_left(&cursor); /* it takes the rest by T5 */
    reader->workers[reader->count++] = cursor.maker;
    return 1;
}

/* T1: up to `count` results of one worker. */
static size_t take_from(struct distr_reader *reader, struct distr_worker *worker, size_t count)
{
    size_t taken = 0;

    if (count == 1)
        return take_one(reader, worker);
    while (taken < count) {
        struct distr_place place;
        struct distr_share share = {
            .max = (unsigned)(count - taken), .divisor = 1, .place = &place};
        unsigned n = distr_queue_claim(&worker->output, &share, &reader->items[reader->count]);
        if (n == 0)
            break;
        for (unsigned i = 0; i < n; i++)
            reader->workers[reader->count + i] = place.maker;
        reader->count += n;
        reader->came += n;
        taken += n;
    }
    return taken;
}

static void hint_results(struct distr_worker *worker)
{
    atomic_fetch_or_explicit(&worker->record.group->results, worker->record.mask,
                             memory_order_seq_cst);
}

/* H1 to H3 of results: the output was found empty; clears its hint, looks again. */
static void clear_hint(struct distr_worker *worker)
{
    atomic_fetch_and_explicit(&worker->record.group->results, ~worker->record.mask,
                              memory_order_seq_cst);
    atomic_store_explicit(&worker->output.unhinted, true, memory_order_seq_cst); /* H2 */
    distr_full_fence();
    if (distr_queue_peek(&worker->output) != DISTR_EMPTY)
        hint_results(worker);
}

/* The next look begins at that worker again, whose lines are here; now and then at the next one,
 * lest it waits for ever beside one that emits faster than is read.  bits: of others, hinted. */
static void go_on(struct distr_reader *reader, struct distr_group *group, uint64_t bits,
                  unsigned bit, bool apart)
{
    bool on = ++reader->stayed >= STAY_MAX || apart;

    reader->group = group;
    reader->bit = bit;
    if (!on)
        return;
    bool above = bits >> bit != 0;
    reader->stayed = 0;
    reader->bit = above ? bit + 1 : 0;
    if (!above)
        reader->group = atomic_load_explicit(&group->next, memory_order_acquire);
}

static size_t take_in_group(struct distr_reader *reader, struct distr_group *group, size_t count)
{
    uint64_t bits = atomic_load_explicit(&group->results, memory_order_acquire);
    bool many = distr_many_hints(bits);
    unsigned first = group == reader->group ? reader->bit : 0;
    size_t taken = 0;

    while (bits != 0 && taken < count) {
        uint64_t from = bits >> first << first;
        unsigned bit = (unsigned)__builtin_ctzll(from != 0 ? from : bits);
        struct distr_worker *worker =
            atomic_load_explicit(&group->records[bit], memory_order_acquire)->worker;
        size_t n = take_from(reader, worker, count - taken);

        bits &= ~((uint64_t)1 << bit);
        taken += n;
        if (n > 0) {
            /* Readers that meet at one worker's output are better off apart. */
            go_on(reader, group, bits, bit, count == 1 && reader->cursor.met);
        } else if (many) {
            clear_hint(worker);
        }
    }
    return taken;
}

/* Takes up to `count` results where the hints say that there are some. */
size_t distr_reader_take(struct distributor *d, struct distr_reader *reader, size_t count)
{
    struct distr_group *start = reader->group ? reader->group : &d->first;
    struct distr_group *group = start;
    size_t taken = 0;

    do {
        taken += take_in_group(reader, group, count - taken);
        group = atomic_load_explicit(&group->next, memory_order_acquire);
        if (!group)
            group = &d->first;
    } while (taken < count && group != start);
    if (count > 1)
        reader->found = taken < count ? taken : 0;
    return taken;
}

static bool hint_what_it_holds(struct distr_record *record, void *context)
{
    bool *any = context;

    if (record->worker && distr_queue_peek(&record->worker->output) != DISTR_EMPTY) {
        hint_results(record->worker);
        *any = true;
    }
    return true;
}

/* Whether any worker has a result, hint or not; sets the hints of those that have. */
bool distr_any_result(struct distributor *d)
{
    bool any = false;

    distr_for_each_record(d, hint_what_it_holds, &any);
    return any;
}

/* Whether a hinted worker has a result. */
bool distr_hinted_result(struct distributor *d)
{
    for (struct distr_group *group = &d->first; group;
         group = atomic_load_explicit(&group->next, memory_order_acquire)) {
        uint64_t bits = atomic_load_explicit(&group->results, memory_order_seq_cst);

        for (; bits != 0; bits &= bits - 1) {
            struct distr_record *record =
                atomic_load_explicit(&group->records[__builtin_ctzll(bits)], memory_order_acquire);
            if (distr_queue_peek(&record->worker->output) != DISTR_EMPTY)
                return true;
        }
    }
    return false;
}

/* ---- waking readers ---- */

/* Tells one sleeping reader, unless one has been told and has not looked yet. */
bool distr_tell_reader(struct distributor *d)
{
    if (atomic_load_explicit(&d->readers.waiters, memory_order_seq_cst) == 0)
        return true;
    if (atomic_exchange_explicit(&d->reader_told, 1, memory_order_seq_cst) != 0)
        return false;
    distr_gate_open(&d->readers, 1);
    distr_pipe_tell(d);
    return true;
}

void distr_tell_another_reader(struct distributor *d)
{
    if (atomic_load_explicit(&d->readers.waiters, memory_order_seq_cst) == 0)
        return;
    distr_gate_open(&d->readers, 1);
    distr_pipe_tell(d);
}

/* The worker's results are hinted again.  Not hinted first: a reader that clears the hint in
 * between says so again. */
static void hint_own_results(struct distr_worker *worker)
{
    atomic_store_explicit(&worker->output.unhinted, false, memory_order_seq_cst);
    hint_results(worker);
}

/*
 * E3: full fence first, so that a reader that was told before sees this result, or its hint.  A
 * lone reader does so anyway: it was told, so it wakes, and before it sleeps again it runs T2.
 */
void distr_wake_reader_slow(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;

    if (worker->order && !distr_order_has_turn(worker))
        return; /* V5 comes later, and tells */
    if (distr_unlikely(distr_fd_state(d) == DISTR_FD_CLEAR))
        distr_fd_signal(d);
    if (!atomic_load_explicit(&worker->output.unhinted, memory_order_relaxed) &&
        atomic_load_explicit(&d->lone_reader, memory_order_relaxed) &&
        atomic_load_explicit(&d->reader_told, memory_order_relaxed) != 0)
        return;
    distr_full_fence();
    if (atomic_load_explicit(&worker->output.unhinted, memory_order_relaxed))
        hint_own_results(worker);
    if (!distr_tell_reader(d) && ++worker->unheard % 32 == 0)
        distr_tell_another_reader(d);
}
