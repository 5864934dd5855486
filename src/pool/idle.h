/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding work, sleeping when there is none, and waking who sleeps; the events in capitals are
 * those of "Park and wake" in src/queue/README.md.
 *
 * | who                 | calls                                                        |
 * |---------------------|--------------------------------------------------------------|
 * | who added tasks     | distr_announce, after publishing and before anything else    |
 * | a worker            | distr_next_task                                              |
 * | any thread          | distr_wake_all_workers, distr_any_task                       |
 */
#ifndef DISTR_POOL_IDLE_H
#define DISTR_POOL_IDLE_H

#include "pool/registry.h"
#include "pool/source.h"
#include "pool/state.h"
#include "pool/take.h"
#include "queue/deque.h"

#define DISTR_SEARCHING ((uint64_t)1)
#define DISTR_UNCHECKED ((uint64_t)1 << 32)
#define DISTR_SLEEPING ((uint64_t)1 << 33)

static inline uint32_t distr_searching(uint64_t search)
{
    return (uint32_t)search;
}

static inline uint32_t distr_sleeping(uint64_t search)
{
    return (uint32_t)(search >> 33);
}

/* Whether so many workers are awake that a reader which is would take a CPU from one. */
static inline bool distr_cpus_are_taken(struct distributor *d)
{
    /* seq_cst: pairs with T7. */
    uint64_t search = atomic_load_explicit(&d->search, memory_order_seq_cst);
    unsigned workers = atomic_load_explicit(&d->workers, memory_order_relaxed);

    return workers - distr_sleeping(search) >= d->cpus;
}

/* N2, N3: the rest of an announcement that is due. */
void distr_announce_slow(struct distributor *d, struct distr_record *record);

/* The record's thread: sets its hint again, if a taker has cleared it. */
void distr_hint_own_tasks(struct distr_record *record);

/* Anybody: sets the hint of a record that holds tasks. */
void distr_hint_tasks(struct distr_record *record);

/* N2, after a publish and a light fence. */
static inline void distr_announce_fenced(struct distributor *d, struct distr_record *record)
{
    if (distributor_short_is_due(distr_short(d), distr_record_short(record)))
        distr_announce_slow(d, record);
}

/* N1 to N3: tasks were published in the record's input; makes sure that somebody looks. */
static inline void distr_announce(struct distributor *d, struct distr_record *record)
{
    distr_light_fence(); /* N1: pairs with P3 */
    distr_announce_fenced(d, record);
}

/* Y3: a source can be asked, or asked again. */
void distr_announce_source(struct distributor *d);

/* Whether no hint is set but the worker's own: there is nothing to take. */
static inline bool distr_nothing_is_hinted(const struct distr_worker *worker)
{
    const struct distr_group *group = &worker->record.owner->first;
    uint64_t bits = atomic_load_explicit(&group->tasks, memory_order_acquire);

    return worker->record.group == group && (bits & ~worker->record.mask) == 0 &&
           !atomic_load_explicit(&group->next, memory_order_relaxed);
}

/* Its own tasks have run out: looks around, sleeps, looks again.  False: STOP. */
bool distr_search(struct distr_worker *worker);

/* Fills the worker's task with the next one.  False: STOP. */
static inline bool distr_next_task(struct distr_worker *worker)
{
    if (distr_unlikely(--worker->until_fair == 0) && distr_take_fair(worker))
        return true;
    /* What its tasks spawned comes before what it claimed: a tree is walked, not unfolded. */
    if (distr_likely(distr_deque_pop(&worker->record.input, &worker->task.item)))
        return true;
    if (distr_likely(distr_deque_pop(&worker->claims, &worker->task.item)))
        return true;
    if (worker->kept && distr_nothing_is_hinted(worker) && distr_ask_kept(worker))
        return true;
    return distr_search(worker);
}

/* Whether any queue holds a task; sets the hints of those that do. */
bool distr_any_task(struct distributor *d);

void distr_wake_all_workers(struct distributor *d);

#endif
