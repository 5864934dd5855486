/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.h - what the programs share that square an array in parallel: the array, whose pages are
 * there before the clock starts, the passes over it, and the check.
 */
#ifndef BENCH_MAP_H
#define BENCH_MAP_H

#include "harness.h"

#define BENCH_MAP_ITEMS ((size_t)10000000)
#define BENCH_MAP_PASSES 15

/* Squares the whole array once, on as many threads as the program was told. */
typedef void bench_map_fn(const uint64_t *numbers, uint64_t *squares);

#ifdef __cplusplus
extern "C" {
#endif

/* Times the first pass of the pool, and the median of those that follow. */
void bench_map(unsigned workers, bench_map_fn *pass);

#ifdef __cplusplus
}
#endif

#endif
