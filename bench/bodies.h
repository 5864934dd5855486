/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bodies.h - the subjects whose tasks take a known time: how long, how many, the search for the
 * shortest that is worth while, and what shows that results came in order.  Ours, the limit's and
 * those of the peers share them; peer_go.go, peer_rayon.rs and peer_python.py repeat the numbers.
 */
#ifndef BENCH_BODIES_H
#define BENCH_BODIES_H

#include "harness.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BODY_1US_NS 1000
#define BODY_1US_TASKS UINT64_C(100000)
#define BODY_5US_NS 5000
#define BODY_5US_TASKS UINT64_C(50000)
#define BODY_CROWD_TASKS UINT64_C(20000) /* of 5 us, on many more workers than cores */

/* The time of one of `tasks` tasks, each of that many nanoseconds, in nanoseconds. */
typedef double bench_grain_fn(void *context, int64_t grain_ns, uint64_t tasks);

/*
 * The shortest task that a pool runs half as fast as bare threads would: from 16 us downwards, each
 * half as long as the one before, until the efficiency falls below 50 %, and between the last two
 * by interpolation.  Efficiency is the time of the body over cores and the time that a task took.
 * A pool that is below 50 % at 16 us is asked for longer ones.
 */
double bench_metg(bench_grain_fn *run, void *context, unsigned workers);

/*
 * The ordered stream: tasks of 500 ns, each hundredth of 50 us, which all behind it wait for.  The
 * reader folds the squares into one word, which any other order would make a different one.
 */
#define BODY_ORDERED_TASKS UINT64_C(200000)
#define BODY_ORDERED_NS 500
#define BODY_ORDERED_LONG_NS 50000
#define BODY_ORDERED_EVERY 100
#define BODY_ORDERED_WINDOW 1024

/* To be called before the first body, since it may have to measure how fast the machine is. */
void bench_ordered_prepare(void);

/* Works, and gives the square. */
uint64_t bench_ordered_body(uint64_t number);

static inline uint64_t bench_ordered_fold(uint64_t before, uint64_t square)
{
    return before * 1000003 + square;
}

/* What the squares of 0 to tasks - 1 are folded into, begun with 0. */
uint64_t bench_ordered_result(uint64_t tasks);

#ifdef __cplusplus
}
#endif

#endif
