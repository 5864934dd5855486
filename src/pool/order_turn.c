/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordered mode: the turn, from segment to segment.  Who is in one of these functions has it, until
 * the swap of V5 gives it to a worker or V8 parks it.  Events: src/queue/README.md, "Order".
 */
#include "pool/emit.h"
#include "pool/fd.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/pipe.h"
#include "pool/quiesce.h"
#include "pool/reader.h"

/* Whether what the next segment holds back must wait for readers. */
static bool is_full(struct distributor *d)
{
    return d->output_limit != UINT64_MAX && !(distr_state(d) & DISTR_CANCELLED) &&
           atomic_load_explicit(&d->unread, memory_order_seq_cst) >= d->output_limit;
}

/* E2, E3: results were linked, by the turn's holder or one that has just given it. */
static void tell_readers(struct distributor *d, bool holder)
{
    distr_light_fence(); /* E2: pairs with T2 */
    if (distr_likely(atomic_load_explicit(&d->readers.waiters, memory_order_relaxed) == 0))
        return;
    if (distr_fd_state(d) == DISTR_FD_CLEAR)
        distr_fd_signal(d);
    distr_full_fence(); /* E3 */
    if (!distr_tell_reader(d) && (!holder || ++d->order->unheard % 32 == 0))
        distr_tell_another_reader(d);
}

/* ---- V6 ---- */

/* What stands behind a task that cancel has cut short. */
static void drop_results(struct distributor *d, struct distr_segment *segment)
{
    struct distr_chain chain = {.first = segment->results};
    struct distr_item item;

    while (distr_chain_drain(&d->pools, &chain, &item))
        distr_result_discard(&item);
}

static void retire_results(struct distributor *d, struct distr_segment *segment, uint64_t word)
{
    struct distr_order *order = d->order;

    if (!(word & DISTR_RESULTS))
        return;
    if (order->cut) {
        drop_results(d, segment);
        return;
    }
    if (!(word & DISTR_TURN)) /* else it was linked when the turn came, or by its worker */
        distr_chain_link(order->tail, segment->results);
    order->tail = segment->last;
    tell_readers(d, true);
}

static void append_children(struct distributor *d, const struct distr_chain *chain)
{
    distr_chain_append(distr_order_lock_input(d, NULL), chain);
    distr_order_unlock_input(d, NULL);
}

/* `word` is that of V4, without what this holder has set. */
static void retire(struct distributor *d, struct distr_segment *segment, uint64_t word)
{
    struct distr_order *order = d->order;
    struct distr_ordered *worker = segment->worker->order;
    uint64_t end = segment->end;
    bool ticket = end & DISTR_TICKETS;

    retire_results(d, segment, word);
    if (word & DISTR_CUT)
        order->cut = true;
    if (segment->children.first)
        append_children(d, &segment->children);
    if (segment->charged != 0) {
        /* M1 seq_cst: pairs with G1 in wait_for_turn. */
        atomic_fetch_add_explicit(&worker->released, segment->charged, memory_order_seq_cst);
        distr_gate_open(&worker->gate, 1);
    }
    /* relaxed: head hands it over. */
    atomic_store_explicit(&segment->word, 0, memory_order_relaxed);
    if (distr_unlikely(ticket))
        atomic_store_explicit(&order->ticket_first, 0, memory_order_relaxed);
    /* V6: pairs with V1 and U1. */
    atomic_store_explicit(ticket ? &order->ticket_head : &order->head, end, memory_order_release);
}

/* ---- V5 ---- */

/* The results of an open segment become readable: they count from here on. */
static void count_unread(struct distributor *d, uint64_t results)
{
    if (results != 0)
        atomic_fetch_add_explicit(&d->unread, results, memory_order_seq_cst);
}

/* V5 from that word, U5 if that is none: there is no task.  False: the word has changed. */
static bool swap_turn(struct distributor *d, struct distr_segment *segment, uint64_t word,
                      uint64_t idle)
{
    struct distr_order *order = d->order;
    uint64_t held = order->cut ? 0 : word / DISTR_HELD_ONE;
    uint64_t given =
        word | DISTR_TURN | (order->cut ? DISTR_DROPPED : 0) | (word == 0 ? idle : 0);
    /* What an open segment's worker may change once it has the turn is read before. */
    struct distr_block *tail = word & DISTR_RESULTS && !order->cut ? order->tail : NULL;
    struct distr_block *results = tail ? segment->results : NULL;
    struct distr_gate *gate = word & DISTR_WAITS ? &segment->worker->order->gate : NULL;

    count_unread(d, held);
    /* V5 seq_cst: pairs with V3 and V4; M1 of the gate. */
    if (!atomic_compare_exchange_strong_explicit(&segment->word, &word, given, memory_order_seq_cst,
                                                 memory_order_relaxed)) {
        count_unread(d, -held);
        return false;
    }
    if (word & DISTR_DONE)
        return true; /* retire does the rest */
    if (tail) {
        distr_chain_link(tail, results);
        tell_readers(d, false);
    }
    if (gate)
        distr_gate_open(gate, 1);
    return true;
}

/* V5 where the worker holds children back: under its lock, so that they are this segment's. */
static bool swap_turn_locked(struct distributor *d, struct distr_segment *segment, uint64_t word)
{
    struct distr_worker *worker = segment->worker;

    pthread_mutex_lock(&worker->order->lock);
    bool given = swap_turn(d, segment, word, 0);
    if (given)
        distr_order_flush(worker);
    pthread_mutex_unlock(&worker->order->lock);
    return given;
}

/* V8.  False: there is room by now, and the caller has the turn again.  That may be a turn which
 * another one has parked since, further on: nothing that was read before holds. */
static bool park(struct distributor *d)
{
    struct distr_order *order = d->order;

    /* Work has not run out while the turn is parked.  seq_cst: pairs with M1 of the room. */
    atomic_fetch_add_explicit(&order->lane->record.added, 1, memory_order_release);
    atomic_store_explicit(&order->parked, 1, memory_order_seq_cst);
    /* preempted here: others take the turn, go on with it, and park it again */
    if (is_full(d) || atomic_exchange_explicit(&order->parked, 0, memory_order_seq_cst) == 0) {
        distr_tell_another_reader(d);
        return true;
    }
    atomic_fetch_add_explicit(&order->lane->record.refused, 1, memory_order_release);
    return false;
}

/* ---- which segment is next ---- */

static bool is_open(const struct distr_segment *segment)
{
    /* seq_cst: pairs with U2 and U3; acquire: with V3 and V4. */
    return atomic_load_explicit(&segment->word, memory_order_seq_cst) != 0;
}

/* The segment of the ticket that is next; the holder alone. */
static struct distr_segment *next_ticket(const struct distr_order *order)
{
    return distr_segment_at(order, atomic_load_explicit(&order->ticket_head, memory_order_relaxed));
}

/* The input's tasks come first.  *idle: DISTR_IDLE if there is no task at all. */
static struct distr_segment *choose(struct distr_order *order, uint64_t *idle)
{
    uint64_t head = atomic_load_explicit(&order->head, memory_order_relaxed);
    struct distr_segment *segment = distr_segment_at(order, head);
    struct distr_segment *ticket = next_ticket(order);

    bool queued = is_open(segment) || distr_order_reaches(order, head);
    bool first = !queued && is_open(ticket);

    *idle = queued || first ? 0 : DISTR_IDLE;
    /* relaxed: as head, which it belongs to.  One that was next and has not got the turn, as it was
     * parked, may be so no more. */
    if (first != atomic_load_explicit(&order->ticket_first, memory_order_relaxed))
        atomic_store_explicit(&order->ticket_first, first, memory_order_relaxed);
    return first ? ticket : segment;
}

bool distr_order_take_idle(struct distr_order *order, uint64_t ticket)
{
    /* U4 seq_cst, both loads: after U2 or U3, so that one of them and the fence of U5 sees what the
     * other did. */
    if (atomic_load_explicit(&order->ticket_head, memory_order_seq_cst) != ticket)
        return false;
    uint64_t head = atomic_load_explicit(&order->head, memory_order_seq_cst);
    struct distr_segment *segment = distr_segment_at(order, head);
    /* U4 seq_cst: pairs with V2, and with U5. */
    uint64_t word = atomic_load_explicit(&segment->word, memory_order_seq_cst);
    uint64_t turn = word & ~(uint64_t)DISTR_DROPPED; /* after cancel it comes with that */

    return turn == (DISTR_TURN | DISTR_IDLE) &&
           atomic_compare_exchange_strong_explicit(&segment->word, &word, 0, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

/* U5: the turn stands idle.  True: a ticket was opened meanwhile, and the turn is back. */
static bool take_back(struct distr_order *order)
{
    uint64_t ticket = atomic_load_explicit(&order->ticket_head, memory_order_relaxed);

    distr_full_fence(); /* U5: heads and turn before the look; pairs with U4 */
    return is_open(distr_segment_at(order, ticket)) && distr_order_take_idle(order, ticket);
}

/* ---- passing it on ---- */

/* V5 for the next segment; *idle: there is none (U5).  NULL: the turn is parked. */
static struct distr_segment *give(struct distributor *d, uint64_t *idle, uint64_t *word)
{
    struct distr_order *order = d->order;

    for (;;) {
        /* Looked for again after each park. */
        struct distr_segment *segment = choose(order, idle);
        /* acquire: pairs with V3 and V4. */
        *word = atomic_load_explicit(&segment->word, memory_order_acquire);
        if (distr_unlikely(*word >= DISTR_HELD_ONE) && !order->cut && is_full(d)) {
            if (park(d))
                return NULL;
            continue;
        }
        bool open_children = (*word & (DISTR_CHILDREN | DISTR_DONE)) == DISTR_CHILDREN;
        if (open_children ? swap_turn_locked(d, segment, *word)
                          : swap_turn(d, segment, *word, *idle))
            return segment;
    }
}

void distr_order_pass(struct distributor *d)
{
    struct distr_segment *segment;
    uint64_t idle;
    uint64_t word;

    while ((segment = give(d, &idle, &word)) != NULL) {
        if (word & DISTR_DONE)
            retire(d, segment, word);
        else if (idle == 0 || word != 0 || !take_back(d->order))
            return;
    }
}

void distr_order_give_own(struct distr_worker *worker, struct distr_segment *segment)
{
    struct distr_order *order = worker->record.owner->order;

    atomic_store_explicit(&order->ticket_first, 1, memory_order_relaxed);
    /* V5: it has emitted nothing, and nobody else gives a turn. */
    atomic_fetch_or_explicit(&segment->word, DISTR_TURN | (order->cut ? DISTR_DROPPED : 0),
                             memory_order_seq_cst);
}

void distr_order_leave(struct distr_worker *worker, struct distr_segment *segment, uint64_t word)
{
    struct distributor *d = worker->record.owner;

    retire(d, segment, word);
    distr_order_pass(d);
    distr_order_announce(d, &worker->record);
}

/* ---- V9 ---- */

void distr_order_resume(struct distributor *d, struct distr_record *record)
{
    struct distr_order *order = d->order;

    /* seq_cst: after M1 of the room; pairs with V8. */
    if (atomic_load_explicit(&order->parked, memory_order_seq_cst) == 0 || is_full(d))
        return;
    atomic_fetch_add_explicit(&order->resuming, 1, memory_order_seq_cst); /* U6 */
    bool turn = atomic_exchange_explicit(&order->parked, 0, memory_order_seq_cst) != 0;
    if (turn)
        distr_order_pass(d);
    atomic_fetch_sub_explicit(&order->resuming, 1, memory_order_seq_cst);
    distr_order_announce(d, record);
    if (!turn)
        return;
    atomic_fetch_add_explicit(&order->lane->record.refused, 1, memory_order_release); /* Q0 */
    distr_try_end(d);
}

void distr_order_cancel(struct distributor *d)
{
    distr_order_resume(d, NULL);
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->made; i++)
        distr_gate_open_all(&d->all[i]->order->gate);
    pthread_mutex_unlock(&d->lock);
}
