/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of what nodes wait for.  As long as one worker is alone with them, a step down is a load
 * and a store; once others may come it is a swap.  Knows neither nodes nor runs.
 *
 * | who          | does                                                             |
 * |--------------|------------------------------------------------------------------|
 * | first worker | W0: says that it counts, then looks whether others may be there  |
 * | caller       | W1: says that others may be there, then waits until the first    |
 * |              | worker does not count; only then do others come                  |
 *
 * The two are a race of store and load on both sides: the first worker passes a light fence, the
 * caller a heavy one, so that one of them sees the other (src/flow/README.md).
 */
#ifndef DISTR_FLOW_COUNTS_H
#define DISTR_FLOW_COUNTS_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fence.h"

struct distr_counts {
    _Atomic bool shared;   /* W1: written by the caller, once; read by all workers */
    _Atomic bool counting; /* W0: written by the first worker; read by the caller in W1 */
};

/* W0: whether nobody else can touch a count until distr_counts_leave. */
static inline bool distr_counts_enter(struct distr_counts *counts)
{
    /* relaxed: it is set once and for all; who reads false looks again behind the fence. */
    if (atomic_load_explicit(&counts->shared, memory_order_relaxed))
        return false;
    atomic_store_explicit(&counts->counting, true, memory_order_relaxed);
    distr_light_fence(); /* pairs with the heavy one in distr_counts_share */
    /* preempted here: the caller waits for this worker, or its store is seen by the next load. */
    if (!atomic_load_explicit(&counts->shared, memory_order_relaxed))
        return true;
    atomic_store_explicit(&counts->counting, false, memory_order_relaxed);
    return false;
}

static inline void distr_counts_leave(struct distr_counts *counts)
{
    /* W0 release: pairs with W1's acquire, so that the steps of other workers come after these. */
    atomic_store_explicit(&counts->counting, false, memory_order_release);
}

/* One step down; true: it was the last one. */
static inline bool distr_count_down(_Atomic uint32_t *count, bool alone)
{
    if (!alone)
        /* K3 release: hands over what this node did; acquire: what the others before it did. */
        return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
    /* relaxed: this thread wrote it.  release: another worker may take the next step. */
    uint32_t rest = atomic_load_explicit(count, memory_order_relaxed) - 1;
    atomic_store_explicit(count, rest, memory_order_release);
    return rest == 0;
}

/* W1: whoever comes after this call may count. */
static inline void distr_counts_share(struct distr_counts *counts)
{
    /* relaxed: the fence puts it before the load below. */
    atomic_store_explicit(&counts->shared, true, memory_order_relaxed);
    distr_heavy_fence();
    /* acquire: pairs with W0's release. */
    while (atomic_load_explicit(&counts->counting, memory_order_acquire))
        sched_yield(); /* the dependents of one node */
}

#endif
