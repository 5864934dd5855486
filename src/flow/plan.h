/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan of a run: who waits for how many, who waits for whom, and who comes first.  It is made
 * from numbers alone, knows neither functions nor threads, and is read-only while a run goes on.
 */
#ifndef DISTR_FLOW_PLAN_H
#define DISTR_FLOW_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct distr_edge {
    uint32_t before;
    uint32_t after;
};

/* What a plan is made of. */
struct distr_plan_input {
    uint32_t count; /* nodes */
    const struct distr_edge *edges;
    size_t edge_count;
    const bool *chosen; /* of each node whether it takes part; NULL: all do */
};

/* In `needs`: the node takes no part. */
#define DISTR_NOT_CHOSEN UINT32_MAX

struct distr_plan {
    uint32_t count;
    uint32_t chosen;     /* nodes that take part */
    uint32_t root_count; /* of these, those that wait for nobody */
    uint32_t *first;     /* count + 1: where the dependents of a node begin in `target` */
    uint32_t *target;    /* of each node those with the longest chain last, equal ones so that
                            the lower index is last */
    uint32_t *needs;     /* edges that lead to a node */
    uint32_t *level;     /* edges on the longest way to a node; NULL: nobody asked yet */
    uint32_t *chain;     /* nodes on the longest way that begins with it, itself included */
    uint32_t *roots;     /* those with the longest chain first, equal ones by index */
    uint32_t *cycle;     /* after -ELOOP: the nodes of one cycle, in the order of its edges */
    uint32_t cycle_length;
};

/* 0; -ELOOP; -ENOSPC more edges than can be numbered; -ENOMEM.  The plan is to be freed in any
 * case. */
int distr_plan_make(struct distr_plan *plan, const struct distr_plan_input *input);

/* Fills in the levels.  0 or -ENOMEM. */
int distr_plan_levels(struct distr_plan *plan);

void distr_plan_free(struct distr_plan *plan);

#endif
