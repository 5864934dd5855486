/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers: making them, their threads, and running a task. */
#ifndef DISTR_POOL_WORKER_H
#define DISTR_POOL_WORKER_H

#include "pool/state.h"

/* Makes one worker more, without a thread.  Under the owner's lock.  The name is copied; NULL: it
 * gets one of its index.  0, -EEXIST, -ENOSPC or -ENOMEM. */
int distr_worker_make(struct distributor *d, const char *name, struct distr_worker **worker);

/* A worker without a thread that is none of the distributor's `all`.  Under the lock.  NULL: no
 * memory. */
struct distr_worker *distr_worker_make_apart(struct distributor *d);

/* Puts the last workers, which never ran, aside until `count` are left.  They stay linked, since
 * others may be looking at them, and the next distr_worker_make takes them.  Under the lock. */
void distr_worker_keep(struct distributor *d, unsigned count);

/* Frees a worker without its record's queues' items. */
void distr_worker_free(struct distr_worker *worker);

/* Starts its thread, which waits for the launch.  0, -EAGAIN or -ENOMEM. */
int distr_worker_start(struct distr_worker *worker);

/* Runs tasks until STOP: each is counted, its failure delivered. */
void distr_work(struct distr_worker *worker);

/* The task that was on the stack when its thread ended itself has failed. */
void distr_task_lost_its_thread(struct distr_worker *worker);

/* Room for the record of a failure, which is a result: waits for it, unless cancel comes. */
bool distr_failure_room(struct distr_worker *worker);

/* Makes sure of a slot for the task's failure; waits where there is no memory for it, which there
 * may be the next moment.  False: there was none for 0.1 s. */
bool distr_find_slot(struct distr_worker *worker);

/* Ends the worker's task; a failure without room for its record counts as cancelled. */
void distr_task_ends(struct distr_worker *worker, int rc, bool room);

/* The worker's task, which is counted as added and has not begun, fails. */
void distr_task_fails(struct distr_worker *worker, int error);

/* Counts worker->task as discarded. */
void distr_discard_task(struct distr_record *record, struct distr_item *item);

/* Frees the mailbox and what was taken from it. */
void distr_mail_drop(struct distr_worker *worker);

#endif
