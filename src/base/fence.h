/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fences of the two sides of a store-then-load race (Dekker's): each side stores its own word and
 * then loads the other's, and at least one must see the other's store.
 *
 * The frequent side runs distr_light_fence(), which only holds the compiler back; the rare side
 * runs distr_heavy_fence(), a membarrier(2) that makes every running thread of the process pass a
 * full fence.  Where the kernel has no membarrier both are full fences.  A pair is named in
 * src/queue/README.md and at both of its ends.
 */
#ifndef DISTR_BASE_FENCE_H
#define DISTR_BASE_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/cacheline.h"

#if defined(__SANITIZE_THREAD__)
#define DISTR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DISTR_TSAN 1
#endif
#endif

/* Written once before the first distributor exists, read by all. */
extern bool distr_has_membarrier;

/* Finds out whether the kernel has membarrier, and registers; any thread, any number of times. */
void distr_fence_init(void);
void distr_heavy_fence(void);

static inline void distr_full_fence(void)
{
#ifdef DISTR_TSAN
    /* TSan knows no fences; what it checks is carried by the atomics on both sides anyway.  A word
     * that threads share would order all that pass here, and hide what is not ordered. */
    static _Thread_local _Atomic int word;
    atomic_fetch_add_explicit(&word, 0, memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void distr_light_fence(void)
{
    if (distr_likely(distr_has_membarrier))
        atomic_signal_fence(memory_order_seq_cst);
    else
        distr_full_fence();
}

/* The light side on a short way that is open only where the kernel has membarrier. */
static inline void distr_light_fence_alone(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
