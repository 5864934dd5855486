/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate: threads wait at it for a condition that others make true.
 *
 * | who            | does                                                                  |
 * |----------------|-----------------------------------------------------------------------|
 * | waiter         | enter, look at the condition again, wait, look again ..., leave       |
 * | maker          | makes the condition true, passes a full fence, open                   |
 * | any number of both at once; nothing else needs to be excluded                          |
 *
 * Events (src/queue/README.md, "Gates"): G1 the waiter counts itself, G2 it looks at the
 * condition, G3 it sleeps unless the sequence moved; M1 the maker changes the condition, M2 looks
 * for waiters, M3 moves the sequence, M4 wakes.
 * A gate that wakes one relies on this: who is woken looks at the condition before it leaves.
 */
#ifndef DISTR_BASE_GATE_H
#define DISTR_BASE_GATE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/os.h"

struct distr_gate {
    _Atomic uint32_t waiters;  /* waiters count themselves in and out */
    _Atomic uint32_t sequence; /* makers add; wraps, compared for equality only */
};

/* G1, a full fence: seq_cst pairs with M2's fence in the maker. */
static inline uint32_t distr_gate_enter(struct distr_gate *gate)
{
    atomic_fetch_add_explicit(&gate->waiters, 1, memory_order_seq_cst);
    return atomic_load_explicit(&gate->sequence, memory_order_seq_cst);
}

/* G3.  Returns 0 or -ETIMEDOUT; *sequence is brought up to date for the next round. */
static inline int distr_gate_wait(struct distr_gate *gate, uint32_t *sequence, int64_t deadline)
{
    int rc = distr_futex_wait(&gate->sequence, *sequence, deadline);

    *sequence = atomic_load_explicit(&gate->sequence, memory_order_seq_cst);
    return rc;
}

static inline void distr_gate_leave(struct distr_gate *gate)
{
    atomic_fetch_sub_explicit(&gate->waiters, 1, memory_order_relaxed);
}

/* M2 to M4, after M1 and a full fence (a seq_cst read-modify-write is one). */
static inline void distr_gate_open(struct distr_gate *gate, int count)
{
    if (atomic_load_explicit(&gate->waiters, memory_order_seq_cst) == 0)
        return;
    atomic_fetch_add_explicit(&gate->sequence, 1, memory_order_seq_cst);
    distr_futex_wake(&gate->sequence, count);
}

static inline void distr_gate_open_all(struct distr_gate *gate)
{
    distr_gate_open(gate, INT_MAX);
}

#endif
