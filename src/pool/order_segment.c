/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordered mode: a worker's segment; what its tasks emit and spawn.  Events: src/queue/README.md,
 * "Order".
 */
#include "pool/add.h"
#include "pool/emit.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/reader.h"
#include "pool/registry.h"

/* What all workers together may hold back beside each segment's first blocks: so much for each
 * place of the window, at least so much, and so much for each worker. */
#define HELD_PER_PLACE ((uint64_t)4096)
#define HELD_MIN ((uint64_t)1 << 20)
#define HELD_PER_WORKER ((uint64_t)1 << 16)

/* Blocks that a worker gets at a time while its turn has not come. */
#define BLOCKS_AHEAD 3u
#define BLOCKS_BYTES (sizeof(struct distr_item) * BLOCKS_AHEAD * DISTR_LARGE_SLOTS)

bool distr_order_has_turn(const struct distr_worker *worker)
{
    const struct distr_segment *segment = worker->order->segment;

    /* acquire: pairs with V5. */
    return segment && (atomic_load_explicit(&segment->word, memory_order_acquire) & DISTR_TURN);
}

/* ---- begin and end ---- */

/* V2, U2: from here on the turn that is given to the segment stays with it. */
static void keep_turn(struct distr_worker *worker, struct distr_segment *segment, uint64_t place)
{
    /* acquire: pairs with V5. */
    uint64_t word = atomic_load_explicit(&segment->word, memory_order_acquire);

    /* A turn that is not idle stays anyway.  V2, U2 seq_cst: pair with U4 and U5. */
    if ((word & (DISTR_TURN | DISTR_IDLE)) != DISTR_TURN)
        atomic_fetch_or_explicit(&segment->word, DISTR_OPENED, memory_order_seq_cst);
    if ((place & DISTR_TICKETS) && distr_order_take_idle(worker->record.owner->order, place))
        distr_order_give_own(worker, segment);
}

static void open_segment(struct distr_worker *worker, uint64_t place)
{
    struct distr_ordered *self = worker->order;
    struct distr_segment *segment = distr_segment_at(worker->record.owner->order, place);

    distr_count(&worker->record.added, 1); /* V2 */
    segment->worker = worker;
    segment->charged = 0;
    segment->results = NULL;
    segment->children.first = NULL;
    self->segment = segment;
    self->begin = place;
    self->holding = false;
    self->direct = false;
    self->dropping = false;
    keep_turn(worker, segment, place);
}

/* A block for the next segment's first results, whose first lines are asked for already.  A small
 * one holds a result of each of so many tasks. */
static void get_first_block(struct distr_worker *worker)
{
    bool few = worker->order->claimed <= 2 * DISTR_SMALL_SLOTS;
    struct distr_block *block =
        distr_pools_get(&worker->record.owner->pools, few ? DISTR_SMALL : DISTR_LARGE);

    for (size_t i = 0; block && i < sizeof *block + DISTR_SMALL_SLOTS * sizeof(struct distr_item);
         i += DISTR_CACHELINE)
        distr_prefetch_write((char *)block + i);
    worker->order->first = block;
}

void distr_order_open(struct distr_worker *worker)
{
    struct distr_ordered *self = worker->order;
    uint64_t place = distr_meta_serial(worker->task.item.meta);

    if (!self->segment || place != self->expected) {
        distr_order_close(worker);
        open_segment(worker, place);
    }
    if (!self->first)
        get_first_block(worker);
}

void distr_order_window_moved(struct distr_worker *worker)
{
    if (!distr_order_has_turn(worker)) {
        /* V10: the turn may come now.  Pairs with V5, and with the look behind it in limit_now. */
        distr_full_fence();
        if (!distr_order_has_turn(worker))
            return;
    }
    distr_order_announce(worker->record.owner, &worker->record);
}

bool distr_order_goes_on(struct distr_worker *worker)
{
    struct distr_ordered *self = worker->order;
    struct distr_segment *segment = self->segment;
    uint64_t tasks = self->expected - self->begin;

    if (!segment || self->holding || (self->begin & DISTR_TICKETS) || tasks >= DISTR_SEGMENT_MAX ||
        tasks >= worker->record.owner->output_limit)
        return false;
    /* release: pairs with limit_now; the last one has ended. */
    atomic_store_explicit(&segment->running, self->expected, memory_order_release);
    return true;
}

/* Without a spare the next emit calls distr_order_reserve. */
static void set_spare_aside(struct distr_worker *worker)
{
    if (worker->output.spare)
        worker->order->spare = worker->output.spare;
    worker->output.spare = NULL;
    distr_queue_quicken(&worker->output);
}

/* A result was dropped for a cancel: so is all that comes after it, or there would be a gap. */
static int drop_rest(struct distr_worker *worker)
{
    worker->order->dropping = true;
    set_spare_aside(worker);
    return -ECANCELED;
}

static void leave_results(struct distr_worker *worker, struct distr_segment *segment)
{
    struct distr_ordered *self = worker->order;

    if (!self->started)
        return;
    struct distr_chain chain = distr_chain_cut(&worker->output, self->stub, segment->results);
    segment->last = chain.last;
    distr_count(&worker->record.unqueued, chain.count + chain.bottom);
    set_spare_aside(worker);
    self->started = false;
}

static struct distr_chain take_children(struct distr_ordered *self)
{
    struct distr_chain none = {.first = NULL};

    if (!self->child_first)
        return none;
    struct distr_chain chain =
        distr_chain_cut(&self->children, self->child_stub, self->child_first);
    self->child_first = NULL;
    return chain;
}

static void leave_children(struct distr_ordered *self, struct distr_segment *segment)
{
    if (!self->holding)
        return;
    pthread_mutex_lock(&self->lock);
    segment->children = take_children(self);
    pthread_mutex_unlock(&self->lock);
}

void distr_order_close(struct distr_worker *worker)
{
    struct distr_ordered *self = worker->order;
    struct distr_segment *segment = self->segment;
    uint64_t done = DISTR_DONE;

    if (!segment)
        return;
    leave_results(worker, segment);
    leave_children(self, segment);
    segment->end = self->expected;
    self->segment = NULL;
    /* A task that ended before it was set is whole. */
    if (distr_state(worker->record.owner) & DISTR_CANCELLED)
        done |= DISTR_CUT;
    /* V4 seq_cst: pairs with V5. */
    uint64_t word = atomic_fetch_or_explicit(&segment->word, done, memory_order_seq_cst);
    if (word & DISTR_TURN)
        distr_order_leave(worker, segment, word | done);
    distr_count(&worker->record.refused, 1); /* V7 */
}

/* ---- children ---- */

void distr_order_flush(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_chain chain = take_children(worker->order);

    if (!chain.first)
        return;
    distr_chain_append(distr_order_lock_input(d, NULL), &chain);
    distr_order_unlock_input(d, NULL);
}

/* V0 from a task that has the turn. */
static int put_direct(struct distr_worker *worker, const struct distr_item *item)
{
    struct distributor *d = worker->record.owner;
    struct distr_queue *input = distr_order_lock_input(d, &worker->record);
    int rc = distr_queue_reserve(input, distr_format(item));

    if (rc == 0) {
        distr_count(&worker->record.added, 1);
        distr_queue_put(input, item);
        distr_queue_publish(input); /* A1 */
    }
    distr_order_unlock_input(d, &worker->record);
    if (rc == 0)
        distr_order_announce(d, &worker->record);
    return rc;
}

/* Makes sure that the chain takes the item.  Under the worker's lock. */
static int reserve_child(struct distr_ordered *self, const struct distr_item *item)
{
    if (self->child_first)
        return distr_queue_reserve(&self->children, distr_format(item));
    self->child_first = distr_pools_get(self->children.pools, DISTR_SMALL);
    if (!self->child_first)
        return -ENOMEM;
    distr_chain_begin(&self->children, self->child_first, distr_format(item));
    return 0;
}

/* Holds a child back, unless the turn has come; then -EAGAIN. */
static int hold_child(struct distr_worker *worker, const struct distr_item *item)
{
    struct distr_ordered *self = worker->order;
    int rc = -EAGAIN;

    pthread_mutex_lock(&self->lock);
    if (!distr_order_has_turn(worker))
        rc = reserve_child(self, item);
    if (rc == 0) {
        distr_count(&worker->record.added, 1);
        distr_queue_put(&self->children, item);
        distr_queue_publish(&self->children);
    }
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static int put_child(struct distr_worker *worker, const struct distr_item *item)
{
    struct distr_ordered *self = worker->order;

    if (!self->direct && !self->holding) {
        /* V3 seq_cst: pairs with V5. */
        uint64_t word =
            atomic_fetch_or_explicit(&self->segment->word, DISTR_CHILDREN, memory_order_seq_cst);
        self->direct = word & DISTR_TURN;
        self->holding = !self->direct;
    }
    if (!self->direct) {
        int rc = hold_child(worker, item);
        if (rc != -EAGAIN)
            return rc;
        self->direct = true;
    }
    return put_direct(worker, item);
}

int distr_order_spawn(struct distr_worker *worker, const distributor_task_type_t *type,
                      const void *input, size_t size)
{
    struct distributor *d = worker->record.owner;
    bool limited = distr_input_limited(d);
    struct distr_item item;
    int rc = distr_item_make(&item, type, 0, input, size);

    if (rc != 0)
        return rc;
    if (limited)
        atomic_fetch_add_explicit(&d->pending, 1, memory_order_seq_cst);
    rc = put_child(worker, &item);
    if (rc == 0)
        return 0;
    if (limited)
        distr_give_room(d, 1);
    distr_item_free(&item);
    return rc;
}

/* ---- what is held back ---- */

static bool may_hold(const struct distr_worker *worker, uint64_t bytes)
{
    const struct distributor *d = worker->record.owner;
    const struct distr_ordered *self = worker->order;
    uint64_t workers = atomic_load_explicit(&d->workers, memory_order_relaxed);
    uint64_t all = d->order->window * HELD_PER_PLACE;
    uint64_t share = (all > HELD_MIN ? all : HELD_MIN) / workers;
    /* seq_cst: pairs with M1 in retire. */
    uint64_t held = self->charged - atomic_load_explicit(&self->released, memory_order_seq_cst);

    if (share < HELD_PER_WORKER)
        share = HELD_PER_WORKER;
    return held <= share && bytes <= share - held;
}

/* Until the turn comes, or older segments of the worker have retired.  0 or -ECANCELED. */
static int wait_for_turn(struct distr_worker *worker, uint64_t bytes)
{
    struct distributor *d = worker->record.owner;
    struct distr_ordered *self = worker->order;
    int rc = 0;

    /* V3 seq_cst: pairs with V5. */
    if (atomic_fetch_or_explicit(&self->segment->word, DISTR_WAITS, memory_order_seq_cst) &
        DISTR_TURN)
        return 0;
    atomic_fetch_add_explicit(&d->order->waiting, 1, memory_order_seq_cst);
    uint32_t sequence = distr_gate_enter(&self->gate);
    while (rc == 0 && !distr_order_has_turn(worker) && !may_hold(worker, bytes)) {
        if (distr_state(d) & DISTR_CANCELLED)
            rc = -ECANCELED;
        else
            distr_gate_wait(&self->gate, &sequence, INT64_MAX);
    }
    distr_gate_leave(&self->gate);
    atomic_fetch_sub_explicit(&d->order->waiting, 1, memory_order_seq_cst);
    return rc == 0 ? 0 : drop_rest(worker);
}

int distr_order_hold(struct distr_worker *worker, uint64_t bytes)
{
    struct distr_ordered *self = worker->order;
    int rc = 0;

    if (bytes == 0 || distr_order_has_turn(worker))
        return 0;
    if (!may_hold(worker, bytes))
        rc = wait_for_turn(worker, bytes);
    if (rc == 0 && !distr_order_has_turn(worker)) {
        self->charged += bytes;
        self->segment->charged += bytes;
    }
    return rc;
}

/* ---- results ---- */

/* V3: the segment's first result is about to be put. */
static void start_results(struct distr_worker *worker, const distributor_task_type_t *format)
{
    struct distr_order *order = worker->record.owner->order;
    struct distr_ordered *self = worker->order;
    struct distr_segment *segment = self->segment;

    distr_chain_begin(&worker->output, self->first, format);
    segment->results = self->first;
    self->first = NULL;
    worker->output.spare = self->spare;
    worker->output.allowance = 0;
    distr_queue_quicken(&worker->output);
    self->spare = NULL;
    self->started = true;
    /* V3 seq_cst: pairs with V5. */
    uint64_t word = atomic_fetch_or_explicit(&segment->word, DISTR_RESULTS, memory_order_seq_cst);
    if ((word & (DISTR_TURN | DISTR_DROPPED)) == DISTR_TURN)
        distr_chain_link(order->tail, segment->results);
    get_first_block(worker);
}

static bool has_room(const struct distr_queue *output, unsigned count)
{
    return output->spare || (!output->type && output->bottom + count <= output->limit);
}

int distr_order_reserve_failure(struct distr_worker *worker)
{
    struct distr_ordered *self = worker->order;

    if (self->started)
        return has_room(&worker->output, 1) ? 0 : distr_queue_reserve_slow(&worker->output);
    if (!self->first)
        get_first_block(worker);
    return self->first ? 0 : -ENOMEM;
}

void distr_order_start_failure(struct distr_worker *worker)
{
    if (!worker->order->started)
        start_results(worker, NULL);
}

int distr_order_reserve(struct distr_worker *worker, const distributor_task_type_t *format)
{
    struct distr_queue *output = &worker->output;
    int rc = distr_usable(worker->record.owner);

    if (rc != 0)
        return rc;
    if (worker->order->dropping)
        return -ECANCELED;
    if (!worker->order->started) {
        rc = distr_order_reserve_failure(worker);
        if (rc != 0)
            return rc;
        start_results(worker, format);
        if (!output->type) /* else a failure may not fit behind the result */
            return 0;
    }
    if (output->spare)
        return 0;
    /* The first blocks are free; more are held back as far as it may, or it has the turn. */
    if (has_room(output, 2) && !distr_order_has_turn(worker) && !may_hold(worker, BLOCKS_BYTES))
        return 0;
    rc = distr_order_hold(worker, BLOCKS_BYTES);
    if (rc != 0)
        return rc;
    output->allowance = BLOCKS_AHEAD - 1;
    return distr_queue_reserve_spare(output, 2);
}

int distr_order_room(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_segment *segment = worker->order->segment;
    int rc = distr_usable(d);

    if (rc != 0 || d->output_limit == UINT64_MAX)
        return rc;
    /* acquire: pairs with V5. */
    uint64_t word = atomic_load_explicit(&segment->word, memory_order_acquire);
    while (!(word & DISTR_TURN))
        /* V3 seq_cst: pairs with V5, which counts it as unread. */
        if (atomic_compare_exchange_weak_explicit(&segment->word, &word, word + DISTR_HELD_ONE,
                                                  memory_order_seq_cst, memory_order_acquire))
            return 0;
    rc = word & DISTR_DROPPED ? -ECANCELED : distr_output_room_slow(d);
    return rc == -ECANCELED ? drop_rest(worker) : rc;
}
