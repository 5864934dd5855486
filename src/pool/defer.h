/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred tasks: their callback has returned, and they end when somebody completes them.  What
 * they emit and spawn from then on, and their end, goes into the queues and the counts of one
 * worker without a thread, under a lock; events of "Deferred tasks" in src/queue/README.md.
 */
#ifndef DISTR_POOL_DEFER_H
#define DISTR_POOL_DEFER_H

#include "pool/state.h"

/* The callback of a task that was deferred returned *rc.  True: the task ends now, as the worker's
 * task again, with *rc. */
bool distr_deferred_returned(struct distr_worker *worker, int *rc);

/* distributor_emit and distributor_spawn of a deferred task. */
int distr_emit_late(struct distributor_task *task, const void *result, size_t size);
int distr_spawn_late(struct distributor_task *task, const distributor_task_type_t *type,
                     const void *input, size_t size);

/* Counts those that nobody has completed as cancelled. */
void distr_deferred_cancel(struct distributor *d);

/* How many wait for their completion. */
unsigned distr_deferred_count(struct distributor *d);

void distr_deferred_free(struct distributor *d);

#endif
