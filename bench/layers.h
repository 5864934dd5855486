/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layers.h - the graph that all peers run: layers of 100 nodes, each after three different ones of
 * the layer before, drawn by the same pseudo-random numbers everywhere.
 */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#define LAYERS_WIDTH 100
#define LAYERS_COUNT 1000
#define LAYERS_PARENTS 3
#define LAYERS_SEED UINT64_C(88172645463325252)

/* The parents of the next node, as places in their layer. */
static inline void layers_draw(uint64_t *seed, size_t parents[LAYERS_PARENTS])
{
    for (unsigned i = 0; i < LAYERS_PARENTS; i++) {
        unsigned again = 0;

        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        parents[i] = *seed % LAYERS_WIDTH;
        for (unsigned j = 0; j < i; j++)
            again |= parents[j] == parents[i];
        i -= again;
    }
}

#endif
