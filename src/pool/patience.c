/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that could be a deadlock of the caller with itself; see add.h. */
#include "pool/add.h"

#include <errno.h>

#include "base/clock.h"
#include "pool/quiesce.h"
#include "pool/idle.h"

/* A number that grows whenever a task ends. */
static uint64_t movement(struct distributor *d)
{
    distributor_summary_t total;
    uint64_t refused;

    distr_sum_ended(d, &total, &refused);
    return total.added;
}

static bool nobody_else_reads(struct distributor *d)
{
    uint32_t threads = atomic_load_explicit(&d->reading_threads, memory_order_acquire);

    return threads == 0 || (threads == 1 && pthread_equal(d->first_reader, pthread_self()));
}

static bool is_stuck(struct distributor *d)
{
    pthread_mutex_lock(&d->lock);
    bool started = distr_state(d) & DISTR_STARTED;
    bool starter = started && pthread_equal(d->starter, pthread_self());
    unsigned workers = atomic_load_explicit(&d->workers, memory_order_relaxed);
    pthread_mutex_unlock(&d->lock);
    unsigned waiting = atomic_load_explicit(&d->output_room.waiters, memory_order_seq_cst);
    bool full = waiting > 0;
    unsigned asleep = distr_sleeping(atomic_load_explicit(&d->search, memory_order_seq_cst));

    if (!started)
        return true;
    if (d->order) {
        full = full || atomic_load_explicit(&d->order->parked, memory_order_seq_cst) != 0;
        waiting += atomic_load_explicit(&d->order->waiting, memory_order_seq_cst);
    }
    return starter && nobody_else_reads(d) && full && waiting + asleep >= workers;
}

static void plan(struct distributor *d, struct distr_patience *patience)
{
    bool possible = d->output_limit != UINT64_MAX || !(distr_state(d) & DISTR_STARTED);

    patience->judge = possible ? distr_after(d->options.deadlock_ns) : INT64_MAX;
    patience->until = patience->deadline < patience->judge ? patience->deadline : patience->judge;
}

void distr_patience_begin(struct distributor *d, struct distr_patience *patience, int64_t deadline)
{
    patience->deadline = deadline;
    patience->moved = movement(d);
    plan(d, patience);
}

int distr_patience_check(struct distributor *d, struct distr_patience *patience)
{
    int64_t now = distr_now();

    if (now >= patience->deadline)
        return -ETIMEDOUT;
    if (now < patience->judge)
        return 0;
    uint64_t moved = movement(d);
    if (moved == patience->moved && is_stuck(d))
        return -EDEADLK;
    patience->moved = moved;
    plan(d, patience);
    return 0;
}
