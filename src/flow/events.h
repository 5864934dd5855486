/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What workers tell the thread that called run.  Each node has a slot for each thing that can be
 * told of it, so that telling takes no memory and never waits.  A slot is pushed onto a stack, and
 * the caller takes the whole stack and turns it round: the order is that of the pushes, so that a
 * node's done is told before the start of what waited for it.
 *
 *   U0  push: a release swap of `newest`
 *   U1  who pushed onto an empty stack emits a result, which wakes the caller
 *   U2  take: an acquire swap with NULL, pairs with U0
 *
 * A push after U2 finds the stack empty and wakes again: nothing stays untold.
 */
#ifndef DISTR_FLOW_EVENTS_H
#define DISTR_FLOW_EVENTS_H

#include <distributor/graph.h>

#include <stdatomic.h>

struct distr_run;

enum distr_event { DISTR_EVENT_START, DISTR_EVENT_RUN, DISTR_EVENT_DONE, DISTR_EVENTS };

struct distr_slot {
    struct distr_slot *next;
};

struct distr_events {
    struct distr_slot *slots; /* DISTR_EVENTS for each node; NULL: nobody listens */
    _Atomic(struct distr_slot *) newest;
};

/* 0 or -ENOMEM. */
int distr_events_make(struct distr_events *events, size_t nodes);
void distr_events_free(struct distr_events *events);

/* Tells; from a task of the pool, or with self NULL from the caller itself.  Without slots nothing
 * happens. */
void distr_events_push(struct distr_events *events, distributor_task_t *self, uint32_t node,
                       enum distr_event event);

/* Calls back for all that was pushed. */
void distr_events_deliver(struct distr_run *run);

#endif
