/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of each node of a run, while it goes on and until the next one.  Rows are written
 * by the worker that runs or ends the node; those that several can write are atomic.  Most rows of
 * most columns are never touched, so that they cost address space and no memory.
 */
#ifndef DISTR_FLOW_HISTORY_H
#define DISTR_FLOW_HISTORY_H

#include <distributor/value.h>

#include <stdatomic.h>

#include "flow/plan.h"

/* What `state` of a node that has ended holds, or DISTR_NOT_CHOSEN; below these are counts. */
#define DISTR_NODE_PASSED UINT32_C(0)
#define DISTR_NODE_FAILED (UINT32_MAX - 1)
#define DISTR_NODE_SKIPPED (UINT32_MAX - 2)
#define DISTR_NODE_CANCELLED (UINT32_MAX - 3)

struct distr_history {
    size_t count; /* rows */
    bool ran;     /* there was a run */

    /* How many nodes it still waits for; once it runs, how many of its shares (its function and
     * its parts) have not ended, 0 if it has one share only; once it has ended, how. */
    _Atomic uint32_t *state;
    _Atomic uint32_t *cause; /* of a node to be skipped: the failed one + 1; else 0 */
    _Atomic int *error;      /* the first error among its shares; 0: none */
    char **text;             /* the message of that error; NULL: that of the error */
    distributor_value_t *value;
    _Atomic bool *has_value;   /* value is set and the node has passed */
    _Atomic bool any_failure;  /* of this history: cause, error and text may be set */
    _Atomic bool any_value;

    /* With the option times or with events; else NULL. */
    int64_t *started;
    int64_t *ended;
    uint32_t *worker;
};

/* Makes at least so many rows, keeping those that are there; with `noted` also the last three
 * columns.  0 or -ENOMEM. */
int distr_history_fit(struct distr_history *history, size_t count, bool noted);

/* Forgets the last run, but for values of nodes that the plan leaves out. */
void distr_history_begin(struct distr_history *history, const struct distr_plan *plan);

/* Replaces a node's value; takes over `value`, a copy. */
void distr_history_set(struct distr_history *history, size_t node,
                       const distributor_value_t *value);

void distr_history_free(struct distr_history *history);

#endif
