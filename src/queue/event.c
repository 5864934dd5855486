/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: one word, on which those that wait sleep.  Events Z1 to Z4 in README.md, "Events".
 *
 * | who           | progress                                            |
 * |---------------|-----------------------------------------------------|
 * | set, clear    | lock-free: a step that fails means another succeeded |
 * | wait          | sleeps until the word moves                          |
 */
#include <distributor/channel.h>

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/os.h"

#define SET 1u     /* it is set */
#define AWAITED 2u /* somebody sleeps, or is about to; never together with SET */
#define ONCE 4u    /* the rest counts how often it was set; wraps, compared for equality only */

struct distributor_event {
    _Atomic uint32_t word; /* any thread, by swaps */
};

int distributor_event_create(distributor_event_t **out)
{
    if (!out)
        return -EINVAL;
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

int distributor_event_destroy(distributor_event_t *e)
{
    free(e);
    return 0;
}

int distributor_event_set(distributor_event_t *e)
{
    if (!e)
        return -EINVAL;
    _Atomic uint32_t *word = &e->word;
    uint32_t before = atomic_load_explicit(word, memory_order_relaxed);
    uint32_t after;

    do {
        if (before & SET)
            after = before; /* swapped all the same: it publishes what the caller wrote */
        else
            after = ((before & ~(SET | AWAITED)) + ONCE) | SET;
        /* Z1 release: pairs with Z2 and Z3. */
    } while (!atomic_compare_exchange_weak_explicit(word, &before, after, memory_order_acq_rel,
                                                    memory_order_relaxed));
    if (before & AWAITED)
        distr_futex_wake(word, INT_MAX); /* the address alone counts: it may be destroyed by now */
    return 0;
}

int distributor_event_clear(distributor_event_t *e)
{
    if (!e)
        return -EINVAL;
    /* Z4 relaxed: it publishes nothing. */
    uint32_t before = atomic_load_explicit(&e->word, memory_order_relaxed);
    while ((before & SET) &&
           !atomic_compare_exchange_weak_explicit(&e->word, &before, before & ~SET,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    return 0;
}

bool distributor_event_is_set(const distributor_event_t *e)
{
    /* Z2 acquire: pairs with Z1. */
    return e && (atomic_load_explicit(&e->word, memory_order_acquire) & SET);
}

int distributor_event_wait_until(distributor_event_t *e, int64_t deadline)
{
    if (!e)
        return -EINVAL;
    /* Z2 acquire: pairs with Z1. */
    uint32_t first = atomic_load_explicit(&e->word, memory_order_acquire);
    uint32_t now = first;
    int rc = 0;

    deadline = deadline < 0 ? 0 : deadline;
    while (!(now & SET) && (now & ~AWAITED) == (first & ~(SET | AWAITED))) {
        if (rc != 0)
            return rc;
        if (!(now & AWAITED) &&
            !atomic_compare_exchange_weak_explicit(&e->word, &now, now | AWAITED,
                                                   memory_order_acquire, memory_order_acquire))
            continue;
        rc = distr_futex_wait(&e->word, now | AWAITED, deadline);
        now = atomic_load_explicit(&e->word, memory_order_acquire); /* Z3: pairs with Z1 */
    }
    return 0;
}

int distributor_event_wait(distributor_event_t *e)
{
    return distributor_event_wait_until(e, DISTRIBUTOR_FOREVER);
}
