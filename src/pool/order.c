/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordered mode: its memory, and the one input; see order.h. */
#include "pool/order.h"

#include "base/clock.h"
#include "base/os.h"
#include "pool/item.h"
#include "pool/registry.h"
#include "pool/source.h"

#define NEEDED_MIN 64u
#define NEEDED_MAX (1u << 20)
#define PACE_FIRST (DISTR_SEGMENT_MAX < 32 ? DISTR_SEGMENT_MAX : 32)

/* ---- memory ---- */

/* The record of the one input and the one output, linked as if it were a worker's. */
static struct distr_worker *make_lane(struct distributor *d)
{
    struct distr_worker *lane = aligned_alloc(_Alignof(struct distr_worker), sizeof *lane);

    if (!lane)
        return NULL;
    memset(lane, 0, sizeof *lane);
    lane->record.worker = lane;
    ck_stack_init(&lane->mailbox);
    int rc = distr_queue_init(&lane->record.input, &d->pools, DISTR_SMALL, DISTR_OPEN);
    distr_queue_allow_dense(&lane->record.input);
    lane->record.input.numbered = true;
    if (rc == 0)
        rc = distr_queue_init(&lane->claims, &d->pools, DISTR_SMALL, DISTR_PRIVATE);
    if (rc == 0)
        rc = distr_queue_init(&lane->output, &d->pools, DISTR_SMALL, DISTR_OPEN);
    if (rc == 0)
        rc = distr_record_link(d, &lane->record);
    if (rc != 0) {
        free(lane);
        return NULL;
    }
    /* It is the only output, so its hint is never worth clearing. */
    atomic_store_explicit(&lane->output.unhinted, false, memory_order_relaxed);
    atomic_fetch_or_explicit(&lane->record.group->results, lane->record.mask, memory_order_seq_cst);
    return lane;
}

/* V1 may count from the task that runs at the head, which stands less than two claims behind it. */
static uint64_t ring_size(uint64_t window)
{
    uint64_t size = 1;

    while (size < window + (uint64_t)2 * DISTR_SEGMENT_MAX)
        size *= 2;
    return size;
}

static size_t rings_bytes(const struct distr_order *order)
{
    return 2 * (order->mask + 1) * sizeof *order->ring;
}

int distr_order_make(struct distributor *d)
{
    struct distr_order *order = aligned_alloc(_Alignof(struct distr_order), sizeof *order);

    if (!order)
        return -ENOMEM;
    memset(order, 0, sizeof *order);
    order->window = d->options.window;
    order->mask = ring_size(order->window) - 1;
    order->ring = distr_pages_map(rings_bytes(order));
    order->lane = order->ring ? make_lane(d) : NULL;
    if (!order->lane) {
        if (order->ring)
            distr_pages_unmap(order->ring, rings_bytes(order));
        free(order);
        return -ENOMEM;
    }
    order->tickets = order->ring + order->mask + 1;
    order->next_ticket = DISTR_TICKETS;
    atomic_store_explicit(&order->ticket_head, DISTR_TICKETS, memory_order_relaxed);
    order->tail = order->lane->output.tail;
    pthread_mutex_init(&order->input_lock, NULL);
    /* The turn stands before the first task. */
    atomic_store_explicit(&order->ring[0].word, DISTR_TURN | DISTR_IDLE, memory_order_relaxed);
    d->order = order;
    return 0;
}

void distr_order_free(struct distributor *d)
{
    struct distr_order *order = d->order;

    if (!order)
        return;
    pthread_mutex_destroy(&order->input_lock);
    distr_pages_unmap(order->ring, rings_bytes(order));
    free(order);
}

void distr_order_begin_run(struct distributor *d)
{
    struct distr_order *order = d->order;
    uint64_t head = atomic_load_explicit(&order->head, memory_order_relaxed);

    order->cut = false;
    /* What was added before start stands before what a source gives.  relaxed: no worker runs. */
    if (distr_order_reaches(order, head))
        atomic_store_explicit(&distr_segment_at(order, head)->word, DISTR_TURN,
                              memory_order_relaxed);
}

int distr_order_seat(struct distributor *d, struct distr_worker *worker)
{
    struct distr_ordered *self = aligned_alloc(_Alignof(struct distr_ordered), sizeof *self);

    if (!self)
        return -ENOMEM;
    memset(self, 0, sizeof *self);
    if (distr_queue_init(&self->children, &d->pools, DISTR_SMALL, DISTR_OPEN) != 0) {
        free(self);
        return -ENOMEM;
    }
    pthread_mutex_init(&self->lock, NULL);
    self->pace = PACE_FIRST;
    self->child_stub = self->children.tail;
    distr_chain_cut(&self->children, self->child_stub, NULL);
    self->stub = worker->output.tail;
    distr_chain_cut(&worker->output, self->stub, NULL);
    self->spare = worker->output.spare;
    worker->output.spare = NULL;
    worker->output.maker = worker->index;
    worker->output.allowance = 0;
    distr_queue_quicken(&worker->output);
    atomic_store_explicit(&worker->output.unhinted, false, memory_order_relaxed);
    worker->order = self;
    return 0;
}

void distr_order_unseat(struct distr_worker *worker)
{
    if (!worker->order)
        return;
    pthread_mutex_destroy(&worker->order->lock);
    free(worker->order);
}

/* ---- the input ---- */

/* Nobody is favoured any more, and who was has left the input.  Under the lock. */
static void favour_nobody(struct distr_order *order)
{
    struct distr_record *record = atomic_load_explicit(&order->favoured, memory_order_relaxed);

    if (!record)
        return;
    atomic_store_explicit(&order->favoured, NULL, memory_order_relaxed);
    distr_heavy_fence(); /* pairs with distr_order_own_input: it sees NULL, or we what it says */
    /* acquire: pairs with distr_order_unlock_input.  Nobody wakes us: it is over soon. */
    while (atomic_load_explicit(&record->inside, memory_order_acquire) == DISTR_APPENDING)
        distr_futex_wait(&record->inside, DISTR_APPENDING, distr_after(1000000));
}

/* Taking favour away costs a heavy fence, so each time more adds in a row are needed for it. */
static void favour(struct distr_order *order, struct distr_record *record)
{
    if (record != order->last_adder)
        order->in_a_row = 0;
    order->last_adder = record;
    if (!record || ++order->in_a_row < order->needed)
        return;
    order->needed = order->needed < NEEDED_MIN ? NEEDED_MIN : order->needed * 2;
    if (order->needed > NEEDED_MAX)
        order->needed = NEEDED_MAX;
    atomic_store_explicit(&order->favoured, record, memory_order_relaxed);
}

void distr_order_lock_input_slow(struct distr_order *order, struct distr_record *record)
{
    if (record)
        atomic_store_explicit(&record->inside, (uint32_t)distr_order_apart(record),
                              memory_order_release);
    pthread_mutex_lock(&order->input_lock);
    favour_nobody(order);
    favour(order, record);
}

bool distr_order_reaches(const struct distr_order *order, uint64_t place)
{
    uint64_t oldest;

    return distr_queue_peek_at(&order->lane->record.input, &oldest) == DISTR_READY ||
           oldest > place;
}

/* The window as tasks of the input see it: a source's input may be older than all of them. */
static uint64_t window_of(const struct distr_order *order)
{
    return order->window - atomic_load_explicit(&order->ticket_first, memory_order_relaxed);
}

/* The place from which on no task may be claimed yet: V1. */
static uint64_t limit_now(const struct distr_order *order)
{
    for (;;) {
        /* acquire: pairs with V6; the entries before it have been reset. */
        uint64_t head = atomic_load_explicit(&order->head, memory_order_acquire);
        /* seq_cst: after V5; pairs with V10.  acquire: with distr_order_begin.  Of an older segment
         * it lies before head. */
        uint64_t running =
            atomic_load_explicit(&distr_segment_at(order, head)->running, memory_order_seq_cst);

        if (atomic_load_explicit(&order->head, memory_order_acquire) == head)
            return (running > head ? running : head) + window_of(order);
    }
}

bool distr_order_has_task(struct distributor *d)
{
    const struct distr_order *order = d->order;
    uint64_t place;

    return distr_queue_peek_at(&order->lane->record.input, &place) == DISTR_READY &&
           place < limit_now(order);
}

void distr_order_announce_slow(struct distributor *d, struct distr_record *record)
{
    if (!record)
        distr_wake_all_workers(d);
    else if (distr_order_has_task(d) || distr_askable(d))
        distr_announce_slow(d, record);
}

/* Tasks of one claim: so few that a small window has some for every worker, and that what a segment
 * hands over at once is no more than the output holds. */
static unsigned claim_max(const struct distributor *d, unsigned workers, unsigned max)
{
    uint64_t share = d->order->window / (4 * (uint64_t)workers);

    if (share > d->output_limit)
        share = d->output_limit;
    if (share < max)
        max = (unsigned)share;
    return max > 0 ? max : 1;
}

/* As many tasks as take about so long: what a claim costs is little then, and what stands behind
 * it, done by others, is not held back for long. */
#define CLAIM_MIN_NS 20000
#define CLAIM_MAX_NS 160000

/* How many tasks the worker claims now, by how long its last full claim took. */
static unsigned pace(struct distr_ordered *self, int64_t *now)
{
    if (self->claimed_at == 0)
        return self->pace;
    *now = distr_now();
    if (*now - self->claimed_at < CLAIM_MIN_NS)
        self->pace = 2 * self->pace < DISTR_SEGMENT_MAX ? 2 * self->pace : DISTR_SEGMENT_MAX;
    else if (*now - self->claimed_at > CLAIM_MAX_NS && self->pace > 1)
        self->pace /= 2;
    return self->pace;
}

/* Before place 0 there is nothing; to a claim, 0 would stand for all. */
static unsigned claim_before(struct distr_order *order, const struct distr_share *share,
                             struct distr_item *items)
{
    return share->before == 0 ? 0
                              : distr_queue_claim(&order->lane->record.input, share, items);
}

unsigned distr_order_claim(struct distr_worker *worker, unsigned max, struct distr_item *items)
{
    struct distributor *d = worker->record.owner;
    struct distr_ordered *self = worker->order;
    int64_t now = 0;
    struct distr_order *order = d->order;
    unsigned paced = pace(self, &now);
    unsigned workers = atomic_load_explicit(&d->workers, memory_order_relaxed);
    struct distr_place place;
    /* acquire: as in limit_now. */
    uint64_t head = atomic_load_explicit(&order->head, memory_order_acquire);
    struct distr_share share = {.max = claim_max(d, workers, paced < max ? paced : max),
                                .divisor = 2 * workers,
                                .before = head + window_of(order),
                                .place = &place};
    unsigned count = claim_before(order, &share, items);

    if (count == 0 && distr_order_has_task(d)) {
        share.before = limit_now(order);
        count = claim_before(order, &share, items);
    }
    for (unsigned i = 0; i < count; i++)
        items[i].meta = distr_meta_with_serial(items[i].meta, place.number + i);
    self->claimed = count;
    self->claimed_at = count < paced ? 0 : now != 0 ? now : distr_now();
    return count;
}
