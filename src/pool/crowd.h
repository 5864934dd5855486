/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers that give way.  Where a worker runs on each CPU, the thread that adds or reads shares one
 * with a worker, and the kernel gives it half of it for milliseconds; the workers then wait for its
 * tasks, or it for their results, which the other workers could have made.
 *
 * All of this is guesses: nothing depends on them but time.
 */
#ifndef DISTR_POOL_CROWD_H
#define DISTR_POOL_CROWD_H

#include "pool/state.h"

#define DISTR_NO_CPU (-1) /* also what sched_getcpu says where it does not know */
#define DISTR_CALLS_TO_NOTE 16u

/* The record's thread, an outside one, is here, and has a CPU. */
void distr_crowd_note(struct distr_record *record);

/* It is in a call that is not short. */
static inline void distr_crowd_come(struct distr_record *record)
{
    if (distr_unlikely(record->until_note-- == 0))
        distr_crowd_note(record);
}

/* It goes to sleep. */
static inline void distr_crowd_leave(struct distr_record *record)
{
    /* relaxed, here and in crowd.c: a guess. */
    atomic_store_explicit(&record->owner->outside_cpu, DISTR_NO_CPU, memory_order_relaxed);
    record->until_note = 0;
}

/* A worker that holds no task: lets an outside thread have the CPU that both are on. */
void distr_give_way(struct distr_worker *worker);

#endif
