/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping a source.  To let a source go after each input, for another worker to ask it, costs more
 * than a short task takes.  So a worker keeps the source that it has asked, and runs each input
 * before it asks for the next, while that is faster than several workers were.  Another worker
 * watches: if the keeper stays in one task, the source is taken away from it.  Events Y9 to Y12:
 * src/queue/README.md, "Sources".
 *
 * | who                               | calls                                             |
 * |-----------------------------------|---------------------------------------------------|
 * | who owns a source, a worker       | distr_keep_is_due, distr_keep, distr_keep_shared  |
 * | its keeper                        | distr_keep_begins, _ends, _owns, distr_let_go     |
 * | a worker that has found nothing   | distr_watch, distr_watch_ends, distr_take_over    |
 * | any thread, under the lock        | distr_take_away                                   |
 */
#ifndef DISTR_POOL_KEEP_H
#define DISTR_POOL_KEEP_H

#include "pool/pipe.h"
#include "pool/source.h"

/* Whether the worker, which has an input of the source, is to keep it: nobody else could ask it, or
 * this is the row in which a try is due. */
static inline bool distr_keep_is_due(const struct distr_worker *worker,
                                     struct distr_source *source, bool others)
{
    const struct distributor *d = worker->record.owner;

    if (d->input_limit != UINT64_MAX || source->ask == distr_pipe_ask ||
        atomic_load_explicit(&d->open_sources, memory_order_relaxed) != 1)
        return false;
    if (atomic_load_explicit(&d->workers, memory_order_relaxed) == 1)
        return true;
    return others && source->row > 1 && --source->until_keep == 0;
}

/* The owner: from now on others can ask it as well. */
void distr_keep_shared(struct distributor *d, struct distr_source *source);

/* Y9: the owner of a source keeps it. */
void distr_keep(struct distr_worker *worker, struct distr_source *source);

/* The pace is to be measured, by the owner.  False: the tasks are long, and others are there. */
bool distr_keeps_pace(struct distr_worker *worker);

/* Y10: the keeper is about to call, and owns the source until Y11.  False: it has to let go. */
static inline bool distr_keep_begins(struct distr_worker *worker)
{
    struct distr_source *source = worker->kept;

    /* Y10 relaxed: the light fence orders them, and pairs with Y12. */
    atomic_store_explicit(&worker->asked, source, memory_order_relaxed);
    distr_light_fence();
    return distr_likely(atomic_load_explicit(&source->state, memory_order_relaxed) ==
                        distr_source_kept_by(worker)) &&
           (distr_likely(--worker->pace.left != 0) || distr_keeps_pace(worker));
}

/* Y11: the call gave an input, which was counted.  False: another wants the source. */
static inline bool distr_keep_ends(struct distr_worker *worker)
{
    /* Y11 release: pairs with Y12, as does the light fence. */
    atomic_store_explicit(&worker->asked, NULL, memory_order_release);
    distr_light_fence();
    return distr_likely(atomic_load_explicit(&worker->kept->state, memory_order_relaxed) ==
                        distr_source_kept_by(worker));
}

/* The keeper is in the call, or has just left it without an input: owns the source again. */
void distr_keep_owns(struct distr_worker *worker);

/* Y2 for what the worker keeps, unless it was taken away. */
void distr_let_go(struct distr_worker *worker);

/* Y5 for a kept source in the given state.  False: it is in another one, which is filled in. */
bool distr_keep_says(struct distr_source *source, uint32_t *state);

/* Y12, under the lock.  True: the caller owns it. */
bool distr_take_away(struct distributor *d, struct distr_source *source);

/* How long a keeper has between two looks of a worker that finds nothing. */
#define DISTR_NAP_NS 500000

/* Whether a source is kept, and nobody watches it. */
bool distr_watch_is_free(struct distributor *d);

/* True: the caller is to sleep until distr_watch_until at most, then distr_watch_ends, and to look
 * for work. */
bool distr_watch(struct distributor *d);
int64_t distr_watch_until(const struct distr_worker *worker);
void distr_watch_ends(struct distributor *d);

/* A kept source whose keeper has hardly moved since the worker looked at it, a nap ago or more: the
 * caller owns it now.  NULL: there is none, or it is not time yet. */
struct distr_source *distr_take_over(struct distr_worker *worker);

#endif
