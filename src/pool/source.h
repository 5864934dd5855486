/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources: lazy input.  A worker that finds no task asks one for its next input; the events Y1 to
 * Y12 are those of "Sources" in src/queue/README.md.
 *
 * Who has set a source's state to ASKED owns it.  Sources stand in groups of 64 that live as long
 * as the distributor; the place of one that has ended is used for the next that is added.
 *
 * | who              | calls                                                           |
 * |------------------|-----------------------------------------------------------------|
 * | a worker         | distr_source_take, then distr_ask, which does the rest          |
 * | who owns one     | distr_source_give_back, _put_aside or _end                      |
 * | any thread       | distr_has_sources, distr_askable, distr_sources_stop            |
 */
#ifndef DISTR_POOL_SOURCE_H
#define DISTR_POOL_SOURCE_H

#include "pool/state.h"

enum distr_source_state {
    DISTR_SOURCE_ENDED = 0,
    DISTR_SOURCE_READY = 1,  /* may be asked */
    DISTR_SOURCE_ASKED = 2,  /* a worker owns it */
    DISTR_SOURCE_AGAIN = 3,  /* the same, and it was said to be ready meanwhile */
    DISTR_SOURCE_WAITING = 4, /* said "not now", and nobody has said that it is ready */
    /* With the keeper's index above the kind, see keep.h. */
    DISTR_SOURCE_KEPT = 5,  /* a worker keeps it from one call to the next */
    DISTR_SOURCE_WANTED = 6 /* the same, and another one wants it */
};

#define DISTR_SOURCE_INDEX_BIT 3
#define DISTR_NOBODY UINT32_MAX

static inline uint32_t distr_source_kind(uint32_t state)
{
    return state & ((1u << DISTR_SOURCE_INDEX_BIT) - 1);
}

static inline uint32_t distr_source_kept_by(const struct distr_worker *worker)
{
    return worker->index << DISTR_SOURCE_INDEX_BIT | DISTR_SOURCE_KEPT;
}

/* The index of the worker that keeps it. */
static inline uint32_t distr_source_keeper(uint32_t state)
{
    uint32_t kind = distr_source_kind(state);

    return kind == DISTR_SOURCE_KEPT || kind == DISTR_SOURCE_WANTED
               ? state >> DISTR_SOURCE_INDEX_BIT
               : DISTR_NOBODY;
}

/* What the callback fills: the worker's next task. */
struct distributor_input {
    struct distr_item item;
};

/* What is needed to ask it stands in one line, which goes from worker to worker. */
struct distr_source {
    DISTR_CACHE_ALIGNED _Atomic uint32_t state; /* enum distr_source_state */
    _Atomic bool said;                          /* to be ready, while it was kept */

    /* The owner. */
    uint16_t row;        /* how many inputs it is asked for if others are free */
    uint32_t until_keep; /* rows until it is kept for a try */
    uint32_t keep_every; /* the same after a try that failed */
    struct distr_serials serials;

    /* Written while it has ended, under the distributor's lock. */
    const distributor_task_type_t *type;
    distributor_source_fn *ask;
    void *context;

    DISTR_CACHE_ALIGNED struct distr_source_group *group; /* constant */
    int64_t shared_since;   /* when others could ask it as well, and what all had added */
    uint64_t shared_moves;  /* and ended then; the owner */
    struct distr_source *next_free;   /* guarded by the distributor's lock; where there is an order,
                                         the circle of those that have not ended (order_source.c) */
};

struct distr_source_group {
    /* Which ones may be asked: set by who makes one READY, cleared by who puts one aside. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t hints;
    _Atomic(struct distr_source_group *) next;
    struct distr_source sources[64];
};

_Static_assert(offsetof(struct distr_source, group) == DISTR_CACHELINE, "it is one line");

/* Whether there is a source that has not ended. */
static inline bool distr_has_sources(const struct distributor *d)
{
    /* relaxed: a worker that overlooks a new one is told by Y6. */
    return distr_unlikely(atomic_load_explicit(&d->open_sources, memory_order_relaxed) != 0);
}

/* Whether a source can be asked, and there is room for its input. */
bool distr_askable(struct distributor *d);

/* Whether there is a source that is READY. */
bool distr_source_is_ready(struct distributor *d);

/* The source that is KEPT; NULL: none is. */
struct distr_source *distr_source_kept(struct distributor *d);

/* Y1: the caller owns it, if it is in the state that is expected. */
static inline bool distr_source_own(struct distr_source *source, uint32_t expected)
{
    /* Y1 acq_rel: pairs with Y2, Y4, Y5 and Y6. */
    return atomic_load_explicit(&source->state, memory_order_relaxed) == expected &&
           atomic_compare_exchange_strong_explicit(&source->state, &expected, DISTR_SOURCE_ASKED,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* The rest of take where there are several, or a limit. */
struct distr_source *distr_source_take_slow(struct distr_worker *worker);

/* A source that the worker owns now, with room for one input; or NULL. */
static inline struct distr_source *distr_source_take(struct distr_worker *worker)
{
    const struct distributor *d = worker->record.owner;

    if (worker->source && d->input_limit == UINT64_MAX &&
        atomic_load_explicit(&d->open_sources, memory_order_relaxed) == 1 &&
        distr_source_own(worker->source, DISTR_SOURCE_READY))
        return worker->source;
    return distr_source_take_slow(worker);
}

/* Asks it.  True: the worker's task is filled. */
bool distr_ask(struct distr_worker *worker, struct distr_source *source);

/* The same for worker->kept.  False: the worker keeps it no more. */
bool distr_ask_kept(struct distr_worker *worker);

/* The same for a source of distr_order_ticket. */
bool distr_ask_in_turn(struct distr_worker *worker, struct distr_source *source);

/* The callback of worker->asked ended its thread. */
void distr_source_lost(struct distr_worker *worker);

/* After Y2 or Y9: if STOP was asked for meanwhile, nobody else may have ended it. */
void distr_source_end_if_stopped(struct distributor *d, struct distr_source *source,
                                 uint32_t state);

/* Y2: others may ask it; one of them is woken for it. */
void distr_source_give_back(struct distr_worker *worker, struct distr_source *source);

/* Y4: it said "not now". */
void distr_source_put_aside(struct distr_worker *worker, struct distr_source *source);

/* Y7: it is asked no more. */
void distr_source_end(struct distributor *d, struct distr_source *source);

/* No source is asked any more: ends those that nobody owns right now. */
void distr_sources_stop(struct distributor *d);

/* Frees the groups. */
void distr_sources_free(struct distributor *d);

#endif
