/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordered mode: sources.  They stand in a circle and are asked in turn; each time somebody asks
 * takes a ticket, which is the place of the input among those of sources, whenever it comes.
 * Events U1 to U6: src/queue/README.md, "Order and sources".
 */
#include "pool/add.h"
#include "pool/order.h"
#include "pool/source.h"

/* ---- the circle, under the distributor's lock ---- */

void distr_order_add_source(struct distributor *d, struct distr_source *source)
{
    struct distr_order *order = d->order;
    struct distr_source *last = order->last_asked;

    source->next_free = last ? last->next_free : source;
    if (last)
        last->next_free = source;
    order->last_asked = source;
}

/* Takes one that has ended, which stands behind `before`, out of the circle. */
static void take_out(struct distributor *d, struct distr_source *before,
                     struct distr_source *source)
{
    struct distr_order *order = d->order;

    before->next_free = source->next_free;
    if (source == order->last_asked)
        order->last_asked = before == source ? NULL : before;
    source->next_free = d->free_sources;
    d->free_sources = source;
}

/* The one that is asked next; NULL: it is being asked, or there is none that has an input now.  One
 * that said "not now" is passed over. */
static struct distr_source *next_in_turn(struct distributor *d)
{
    struct distr_source *last = d->order->last_asked;
    struct distr_source *before = last;
    struct distr_source *source = NULL;

    while (last && source != last) {
        source = before->next_free;
        /* seq_cst: pairs with Y2, Y4 and Y5, as in distr_askable. */
        uint32_t state = atomic_load_explicit(&source->state, memory_order_seq_cst);

        if (state == DISTR_SOURCE_READY)
            return source;
        if (state == DISTR_SOURCE_ASKED || state == DISTR_SOURCE_AGAIN)
            return NULL;
        if (state == DISTR_SOURCE_ENDED)
            take_out(d, before, source);
        else
            before = source;
    }
    return NULL;
}

/* ---- asking ---- */

/* Whether the next input would be begun at the right moment: the turn is not parked (U6), no task
 * is in the input, which would stand before it, and it stands within the window. */
static bool is_due(const struct distr_order *order)
{
    uint64_t count;

    /* U6 seq_cst: both before the look at the input. */
    if (atomic_load_explicit(&order->parked, memory_order_seq_cst) != 0 ||
        atomic_load_explicit(&order->resuming, memory_order_seq_cst) != 0)
        return false;
    /* acquire: pairs with V6; the entries before them have been reset. */
    uint64_t head = atomic_load_explicit(&order->head, memory_order_acquire);
    uint64_t ticket = atomic_load_explicit(&order->ticket_head, memory_order_acquire);
    if (distr_queue_peek_at(&order->lane->record.input, &count) != DISTR_EMPTY)
        return false;
    return count - head + (order->next_ticket - ticket) < order->window;
}

bool distr_order_askable(struct distributor *d)
{
    pthread_mutex_lock(&d->lock);
    bool askable = is_due(d->order) && next_in_turn(d);
    pthread_mutex_unlock(&d->lock);
    return askable;
}

/* Under the lock, so that nobody else owns it meanwhile. */
static struct distr_source *take_turn(struct distributor *d)
{
    struct distr_source *source = is_due(d->order) ? next_in_turn(d) : NULL;

    if (!source || (distr_input_limited(d) && distr_take_room(d, 1) == 0))
        return NULL;
    atomic_store_explicit(&source->state, DISTR_SOURCE_ASKED, memory_order_seq_cst); /* Y1 */
    d->order->last_asked = source;
    return source;
}

struct distr_source *distr_order_ticket(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;

    distr_order_close(worker);
    if (!distr_source_is_ready(d))
        return NULL;
    pthread_mutex_lock(&d->lock);
    struct distr_source *source = take_turn(d);
    if (source)
        worker->order->ticket = d->order->next_ticket++; /* U1 */
    pthread_mutex_unlock(&d->lock);
    return source;
}

void distr_order_no_input(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    uint64_t ticket = worker->order->ticket;
    struct distr_segment *segment = distr_segment_at(d->order, ticket);
    uint64_t word = DISTR_OPENED | DISTR_DONE;

    segment->worker = worker;
    segment->end = ticket + 1;
    segment->charged = 0;
    segment->results = NULL;
    segment->children.first = NULL;
    if (distr_state(d) & DISTR_CANCELLED)
        word |= DISTR_CUT;
    /* U3 seq_cst: pairs with U5. */
    atomic_fetch_or_explicit(&segment->word, word, memory_order_seq_cst);
    if (!distr_order_take_idle(d->order, ticket))
        return;
    distr_order_pass(d);
    distr_order_announce(d, &worker->record);
}
