/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers that give way to the threads that add and read; see crowd.h. */
#include "pool/crowd.h"

#include <sched.h>

#include "base/clock.h"
#include "pool/idle.h"
#include "pool/quiesce.h"

#define ASK_NS 1000000   /* so old, what a worker knows of the others is asked again */
#define NOTE_NS 20000000 /* so old, a note is forgotten: the thread does something else */

void distr_crowd_note(struct distr_record *record)
{
    struct distributor *d = record->owner;

    record->until_note = DISTR_CALLS_TO_NOTE - 1;
    atomic_store_explicit(&d->outside_cpu, sched_getcpu(), memory_order_relaxed);
    atomic_store_explicit(&d->outside_at, distr_now(), memory_order_relaxed);
}

static bool add_ended(struct distr_record *record, void *context)
{
    uint64_t *ended = context;

    *ended += distr_record_done(record);
    return true;
}

/* Whether other workers end tasks: if not, they are in long ones, and nobody else does what this
 * one leaves. */
static bool others_move(struct distr_worker *worker, int64_t now)
{
    struct distr_way *way = &worker->way;
    uint64_t others = 0;

    if (now - way->asked_at < ASK_NS)
        return way->others_move;
    distr_for_each_record(worker->record.owner, add_ended, &others);
    others -= distr_record_done(&worker->record);
    way->others_move = others != way->others;
    way->others = others;
    way->asked_at = now;
    return way->others_move;
}

void distr_give_way(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    int cpu = atomic_load_explicit(&d->outside_cpu, memory_order_relaxed);

    if (cpu == DISTR_NO_CPU || !distr_cpus_are_taken(d) || cpu != sched_getcpu())
        return;
    int64_t now = distr_now();
    if (now - atomic_load_explicit(&d->outside_at, memory_order_relaxed) < NOTE_NS &&
        others_move(worker, now))
        sched_yield();
}
