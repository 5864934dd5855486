/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordered mode (DISTRIBUTOR_AS_ADDED): segments, and the turn that goes from one to the next.
 * Events V0 to V10 and U1 to U6, and their proofs: src/queue/README.md, "Order" and "Order and
 * sources".
 *
 * | who               | calls                                                                 |
 * |-------------------|-----------------------------------------------------------------------|
 * | create            | distr_order_make, then distr_order_seat for each worker it makes      |
 * | an adder          | distr_order_lock_input, reserve, put, publish, _unlock_input, announce |
 * | a worker          | begin before each task, close before it looks for more                |
 * | its task          | reserve, hold, room before an emit; spawn                             |
 * | a worker          | ticket before it asks a source, no_input if that gave none            |
 * | who made room, or cancelled | resume, cancel                                              |
 *
 * Who does not use order has no distr_order and no distr_ordered, and comes here never.
 */
#ifndef DISTR_POOL_ORDER_H
#define DISTR_POOL_ORDER_H

#include "pool/idle.h"
#include "pool/state.h"
#include "queue/chain.h"

/* The most tasks that are claimed for a segment: what a segment costs, above all the lines that
 * cross between cores as the turn goes on, is shared by so many.  They fit into a deque's block. */
#define DISTR_SEGMENT_MAX DISTR_CLAIM_MAX

/* The input limit where there is none: adds and spawns leave their shortest path all the same. */
#define DISTR_NO_INPUT_LIMIT (UINT64_MAX - 1)

/* The places of a source's inputs are tickets, from this number on; those of all other tasks lie
 * below. */
#define DISTR_TICKETS ((uint64_t)1 << (DISTR_SERIAL_BITS - 1))

/* Flags of a segment's word; above them the number of results that it holds back, if there is an
 * output limit. */
enum distr_segment_flag {
    DISTR_TURN = 1,     /* V5 */
    DISTR_DROPPED = 2,  /* V5: what it emitted is behind a task that cancel has cut short */
    DISTR_RESULTS = 4,  /* V3: `results` is set */
    DISTR_CHILDREN = 8, /* V3: its worker holds children back, under its lock */
    DISTR_WAITS = 16,   /* V3: its worker may be at its gate */
    DISTR_DONE = 32,    /* V4: everything is set, the worker has left it */
    DISTR_CUT = 64,     /* V4: cancel may have cut a task of it short */
    DISTR_OPENED = 128, /* V2, U3: its task is there, and keeps the turn that it is given */
    DISTR_IDLE = 256    /* U5: the turn came here for want of a task; U4 may take it away */
};
#define DISTR_HELD_ONE ((uint64_t)1 << 9)

/* A segment: the ring's entry at its first place.  Its worker writes all but the word and reads
 * it; before the swap of V5, and after DONE, the turn's holder reads it. */
struct distr_segment {
    DISTR_CACHE_ALIGNED _Atomic uint64_t word;
    _Atomic uint64_t running; /* the task that runs, or ran last; all may read it */
    struct distr_worker *worker;
    uint64_t end;                /* the place after its last task */
    uint64_t charged;            /* bytes held back that count */
    struct distr_block *results; /* the first block of them, */
    struct distr_block *last;    /* and the last */
    struct distr_chain children;
};

/* What a worker has for it.  The worker alone, but for what says otherwise. */
struct distr_ordered {
    struct distr_segment *segment; /* NULL: none is open */
    uint64_t begin;                /* its first place */
    uint64_t expected;             /* the place after the task that runs */
    uint64_t ticket;               /* of the source that it asks */
    unsigned claimed;              /* tasks of its last claim */
    unsigned pace;                 /* tasks that it claims at once, if there are so many */
    int64_t claimed_at;            /* when it did; 0: there were not */
    bool started;                  /* it has results: the output is not at its stub */
    bool holding;                  /* CHILDREN was set, and TURN not there */
    bool direct;                   /* it has the turn: children go straight to the input */
    bool dropping;                 /* cancel took one of its results: no later one may be seen */
    struct distr_block *stub;      /* of the output */
    struct distr_block *first;     /* the block for the segment's first results, */
    struct distr_block *spare;     /* and the output's spare until then */
    uint64_t charged;              /* bytes that it ever held back, as far as they count */
    _Atomic uint64_t released;     /* of them, what has retired; the turn's holders add */
    struct distr_gate gate;        /* it waits here for its turn, or for bytes to be released */

    pthread_mutex_t lock;            /* guards the children held back */
    struct distr_queue children;     /* a chain is filled here */
    struct distr_block *child_stub;  /* constant */
    struct distr_block *child_first; /* the chain's first block; NULL: none is held */
};

struct distr_order {
    /* Constant. */
    uint64_t window;
    uint64_t mask; /* of each ring */
    struct distr_segment *ring;
    struct distr_segment *tickets; /* the ring of the sources' inputs */
    struct distr_worker *lane; /* not a worker: its record's input and its output are the one
                                   input and the one output, in their places for all to see */

    /* The owner's end of the input: the favoured record's thread has it by saying so in its record,
     * everybody else by the lock, after there is no favoured one any more. */
    _Atomic(struct distr_record *) favoured;
    pthread_mutex_t input_lock;
    struct distr_record *last_adder; /* under the lock: who had it last, */
    uint32_t in_a_row;               /* how often in a row, */
    uint32_t needed;                 /* and how often before it is favoured */

    /* Where the turn is; its holder moves it, all read it. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t head;
    _Atomic uint64_t ticket_head;    /* the same of the tickets */
    _Atomic uint32_t ticket_first;   /* 1: the oldest unfinished task has a ticket */
    _Atomic uint32_t resuming;       /* threads that may pass the turn on and are no free worker */

    /* The turn's holder alone. */
    DISTR_CACHE_ALIGNED struct distr_block *tail; /* the output's last block */
    bool cut;                                     /* what follows is dropped */
    unsigned unheard;                             /* see struct distr_worker */
    _Atomic uint32_t parked;  /* 1: nobody has the turn; swapped to 0 by who takes it (V8, V9) */
    _Atomic uint32_t waiting; /* workers that wait for their turn; they count themselves */

    /* Guarded by the distributor's lock. */
    uint64_t next_ticket;
    struct distr_source *last_asked; /* in the circle of sources, which next_free links */
};

/* 0 or -ENOMEM; what was made is freed by distr_order_free. */
int distr_order_make(struct distributor *d);
void distr_order_free(struct distributor *d);
int distr_order_seat(struct distributor *d, struct distr_worker *worker);
void distr_order_unseat(struct distr_worker *worker);

/* A run begins.  Under the lock. */
void distr_order_begin_run(struct distributor *d);

/* ---- the input ---- */

void distr_order_lock_input_slow(struct distr_order *order, struct distr_record *record);

/* V0: the one input, of which the caller is the owner until it unlocks; its record says APPENDING,
 * and a light fence came after that, which pairs with the heavy one in lock_input_slow. */
static inline struct distr_queue *distr_order_own_input(struct distr_order *order,
                                                        struct distr_record *record)
{
    /* relaxed: the fence orders it. */
    if (distr_unlikely(atomic_load_explicit(&order->favoured, memory_order_relaxed) != record))
        distr_order_lock_input_slow(order, record);
    return &order->lane->record.input;
}

/* The same.  record: of the calling thread, which may become favoured; NULL: it comes rarely. */
static inline struct distr_queue *distr_order_lock_input(struct distributor *d,
                                                         struct distr_record *record)
{
    if (record) {
        atomic_store_explicit(&record->inside, DISTR_APPENDING, memory_order_relaxed);
        distr_light_fence();
        return distr_order_own_input(d->order, record);
    }
    distr_order_lock_input_slow(d->order, NULL);
    return &d->order->lane->record.input;
}

/* What a record says that does not append. */
static inline enum distr_inside distr_order_apart(const struct distr_record *record)
{
    return record->worker ? DISTR_OUTSIDE : DISTR_INSIDE;
}

static inline void distr_order_unlock_input(struct distributor *d, struct distr_record *record)
{
    if (distr_likely(record && atomic_load_explicit(&record->inside, memory_order_relaxed) ==
                                   DISTR_APPENDING))
        /* release: pairs with lock_input_slow. */
        atomic_store_explicit(&record->inside, (uint32_t)distr_order_apart(record),
                              memory_order_release);
    else
        pthread_mutex_unlock(&d->order->input_lock);
}

/* Appends an item.  0 or -ENOMEM. */
static inline int distr_order_put(struct distr_queue *input, const struct distr_item *item)
{
    int rc = distr_queue_reserve(input, distr_format(item));

    if (rc != 0)
        return rc;
    distr_queue_put(input, item);
    distr_queue_publish(input); /* A1 */
    return 0;
}

void distr_order_announce_slow(struct distributor *d, struct distr_record *record);

/* N1 to N3: tasks were added, or the window has moved; the record is that of the calling thread,
 * NULL: it has none. */
static inline void distr_order_announce(struct distributor *d, struct distr_record *record)
{
    distr_light_fence(); /* N1: pairs with P3 */
    /* N2 relaxed: the fence orders it. */
    if (distr_unlikely(distr_sleeping(atomic_load_explicit(&d->search, memory_order_relaxed)) != 0))
        distr_order_announce_slow(d, record);
}

/* Whether there is a task that may be claimed now. */
bool distr_order_has_task(struct distributor *d);

/* Whether the input has, or had, a task of that place or behind it. */
bool distr_order_reaches(const struct distr_order *order, uint64_t place);

/* V1: claims up to `max` tasks into items.  Returns how many. */
unsigned distr_order_claim(struct distr_worker *worker, unsigned max, struct distr_item *items);

/* A spawn, of a type that was checked, while spawns are allowed. */
int distr_order_spawn(struct distr_worker *worker, const distributor_task_type_t *type,
                      const void *input, size_t size);

/* Appends the children that the worker holds back; under its lock. */
void distr_order_flush(struct distr_worker *worker);

/* ---- a worker's segment ---- */

/* V2: the worker's task begins a segment, or its output has no block yet. */
void distr_order_open(struct distr_worker *worker);

/* V10: some worker sleeps, and if this one's segment has the turn, there may be a task to claim
 * now. */
void distr_order_window_moved(struct distr_worker *worker);

/* V2: the worker's task is about to begin. */
static inline void distr_order_begin(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_ordered *self = worker->order;
    uint64_t place = distr_meta_serial(worker->task.item.meta);

    if (distr_unlikely(place != self->expected || !self->segment) ||
        distr_unlikely(!self->started && !self->first))
        distr_order_open(worker);
    self->expected = place + 1;
    /* release: pairs with limit_now. */
    atomic_store_explicit(&self->segment->running, place, memory_order_release);
    distr_light_fence(); /* N1: pairs with P3 */
    /* N2 relaxed: the fence orders it. */
    if (distr_unlikely(distr_sleeping(atomic_load_explicit(&d->search, memory_order_relaxed)) != 0))
        distr_order_window_moved(worker);
}

/* Whether what the worker claims next may go on its segment, if it stands behind it. */
bool distr_order_goes_on(struct distr_worker *worker);

/* V4: nothing is left of the worker's segment, if one is open. */
void distr_order_close(struct distr_worker *worker);

/* Whether its results are for readers already: it has the turn. */
bool distr_order_has_turn(const struct distr_worker *worker);

/* ---- the turn ---- */

/* V6, V5 for the worker's own segment, which has become DONE after it got the turn. */
void distr_order_leave(struct distr_worker *worker, struct distr_segment *segment, uint64_t word);

/* V5, by U4: the worker that has just opened that ticket's segment took the turn for it. */
void distr_order_give_own(struct distr_worker *worker, struct distr_segment *segment);

/* U4: takes the turn that stands idle, if that ticket is the next one. */
bool distr_order_take_idle(struct distr_order *order, uint64_t ticket);

/* Gives the turn, which the caller has, to the next segment; retires those that are done. */
void distr_order_pass(struct distributor *d);

/* V9: there is room, or cancel. */
void distr_order_resume(struct distributor *d, struct distr_record *record);

/* Cancel was set: nobody waits for a turn or for room any more. */
void distr_order_cancel(struct distributor *d);

/* ---- sources ---- */

/* Puts a new source at the end of those that take turns.  Under the distributor's lock. */
void distr_order_add_source(struct distributor *d, struct distr_source *source);

/* Whether distr_order_ticket would find one. */
bool distr_order_askable(struct distributor *d);

/* U1: the source whose turn it is, which the worker owns now, with a ticket and with room for one
 * input; NULL: none can be asked now.  Ends the worker's segment. */
struct distr_source *distr_order_ticket(struct distr_worker *worker);

/* U3: the ticket's source gave no input. */
void distr_order_no_input(struct distr_worker *worker);

/* ---- results ---- */

/* Makes sure that two items can be put into the worker's output, which has no spare; waits if too
 * much is held back.  0, -ENOMEM, -ECANCELED or -ECHILD. */
int distr_order_reserve(struct distr_worker *worker, const distributor_task_type_t *format);

/* The same for one item of any kind, before a task runs or for its failure, without waiting. */
int distr_order_reserve_failure(struct distr_worker *worker);

/* Whether that has nothing to do. */
static inline bool distr_order_has_slot(const struct distr_worker *worker)
{
    const struct distr_queue *output = &worker->output;

    if (!worker->order->started)
        return worker->order->first != NULL;
    return output->spare || (!output->type && output->bottom < output->limit);
}

/* The failure for which that was done is about to be put. */
void distr_order_start_failure(struct distr_worker *worker);

/* A place in the output, or among what is held back.  0, -ECANCELED or -ECHILD. */
int distr_order_room(struct distr_worker *worker);

/* Counts bytes that are held back beside the blocks; waits if they are too many. */
int distr_order_hold(struct distr_worker *worker, uint64_t bytes);

static inline struct distr_segment *distr_segment_at(const struct distr_order *order,
                                                     uint64_t place)
{
    return &(place & DISTR_TICKETS ? order->tickets : order->ring)[place & order->mask];
}

#endif
