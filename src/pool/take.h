/* SPDX-License-Identifier: BSD-2-Clause */
/* One look around for tasks: which queue a worker takes from, and how many. */
#ifndef DISTR_POOL_TAKE_H
#define DISTR_POOL_TAKE_H

#include "pool/state.h"
#include "queue/deque.h"

#define DISTR_FAIR_EVERY 64u

/* How often a worker that searches looks before it takes what another worker holds, which costs
 * that one an interruption, */
#define DISTR_LOOKS_TO_FREEZE 8u
/* and before it is in the way of the others, where each CPU has a worker awake. */
#define DISTR_LOOKS_TO_YIELD 16u
/* How often an adder looks for a worker that searches before it wakes one; a stall each. */
#define DISTR_LOOKS_TO_WAKE 40u

/* Takes a task of another queue into worker->task, and more of the same into the worker's deque.
 * With freeze also from what other workers hold.  *more: others can find something too. */
bool distr_take(struct distr_worker *worker, bool freeze, bool *more);

/* The worker's turn to look where it otherwise would not: the oldest task of the next queue. */
bool distr_take_fair(struct distr_worker *worker);

/* Whether a queue whose hint is set holds a task. */
bool distr_hinted_task(struct distributor *d);

#endif
