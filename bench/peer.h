/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.h - what a peer's program provides so that peer.c can run the subjects on it.  The functions
 * are bound by the linker: a peer pays for no indirect call that its user would not make.
 *
 * A pool of a peer runs functions of one number, and has a queue of numbers for the results.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "harness.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void peer_fn(uint64_t number);

/* The name in the table. */
extern const char *const peer_name;

/* Starts the pool; it is never ended, the program leaves by exit. */
void peer_open(unsigned workers);

/* Adds a task, from outside or from inside a task. */
void peer_add(peer_fn *run, uint64_t number);

/* Puts a result, from inside a task. */
void peer_emit(uint64_t result);

/* Waits for a result, in the blocking call of the peer. */
uint64_t peer_read(void);

/* The rest are for peers that have them; what peer.c does without them stands there.
 *
 * How many tasks at most this peer gets at once: one whose time for a task grows with the number of
 * those that wait, or that is a thousand times slower than the others. */
uint64_t peer_most(void);

/* Whether a task can add tasks. */
bool peer_nests(void);

/* Many at once: peer_read_many() waits for the first only. */
void peer_add_many(peer_fn *run, const uint64_t *numbers, size_t count);
size_t peer_read_many(uint64_t *results, size_t count);

/* Runs the tree once in a way of the peer's own, as one that can wait for a group of tasks has, and
 * gives the number of leaves.  false: it has none. */
bool peer_tree(unsigned workers, unsigned depth, uint64_t *leaves);

/* Runs the graph of layers.h once and gives how long that took: nothing but the run is inside the
 * clock. */
int64_t peer_graph(unsigned workers, uint64_t *nodes);

/* Squares the array of map.h on `workers` threads, of which the calling one is one. */
void peer_map(unsigned workers, const uint64_t *numbers, uint64_t *squares);

/* Runs bench_ordered_body() of bodies.h for 0 to tasks - 1 on `workers` threads and gives what the
 * squares are folded into, in the order of the numbers.  No more than BODY_ORDERED_WINDOW tasks may
 * have begun from the oldest one that has not ended. */
uint64_t peer_ordered(unsigned workers, uint64_t tasks);

#ifdef __cplusplus
}
#endif

#endif
