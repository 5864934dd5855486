/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_pack.h - a function and a number in one pointer that is never NULL, for peers whose items
 * are pointers: allocating an item for each task would be slower.  The number must be below 2^61 on
 * a machine of 64 bits.
 */
#ifndef BENCH_PEER_PACK_H
#define BENCH_PEER_PACK_H

#include "peer.h"

#define PEER_FUNCTIONS 8u

/* An entry is written before its first task is handed over, by which others see it. */
static peer_fn *peer_functions[PEER_FUNCTIONS];

static inline void *peer_pack(peer_fn *function, uint64_t number)
{
    unsigned i = 0;

    while (peer_functions[i] != function && peer_functions[i] != NULL)
        i++;
    if (peer_functions[i] == NULL)
        peer_functions[i] = function;
    return (void *)(uintptr_t)(number * PEER_FUNCTIONS + i + 1);
}

static inline void peer_run_packed(const void *item)
{
    uintptr_t bits = (uintptr_t)item - 1;

    peer_functions[bits % PEER_FUNCTIONS](bits / PEER_FUNCTIONS);
}

#endif
