/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A graph: the description, which its owner writes while nothing runs; the plan that was made of
 * it last; and what the last run left.  Nodes are rows of dense arrays.
 */
#ifndef DISTR_FLOW_GRAPH_H
#define DISTR_FLOW_GRAPH_H

#include <distributor/graph.h>

#include <stdatomic.h>

#include "flow/names.h"
#include "flow/plan.h"
#include "flow/history.h"

/* What a run needs of a node at every step. */
struct distr_body {
    distributor_call_fn *run;
    void *context;
};

/* What few nodes have. */
struct distr_extra {
    char **tags; /* these three end with NULL; NULL: none */
    char **inputs;
    char **outputs;
    distributor_value_t *arguments;
    size_t argument_count;
};

/* A name in an `after` that was not looked up yet. */
struct distr_wish {
    uint32_t node;
    char *before;
};

struct distributor_graph {
    /* By node. */
    struct distr_body *bodies;
    char **names;                /* owned; NULL: it has none, or none has, */
    struct distr_extra **extras; /* and likewise */
    size_t count;
    size_t capacity;
    size_t name_capacity; /* 0: the column does not exist */
    size_t extra_capacity;

    struct distr_edge *edges;
    size_t edge_count;
    size_t edge_capacity;
    struct distr_wish *wishes;
    size_t wish_count;
    size_t wish_capacity;
    struct distr_names index; /* to the place of a name in `names` + 1, as a number */

    struct distr_plan plan; /* of all nodes */
    bool planned;           /* and nothing was added since */
    struct distr_history history;
    char *message;     /* of the last error; NULL: "" */
    char *report_text; /* of the last report */

    _Atomic bool running; /* set and cleared by run, looked at by all who change something */
    _Atomic bool stop;    /* nothing more begins; set by any thread, cleared before a run */
};

/* Keeps a message and returns the error. */
int distr_graph_say(distributor_graph_t *graph, int error, const char *format, ...)
    DISTRIBUTOR_PRINTF(3, 4);

/* What messages call a node: its name, or "#INDEX" written to `buffer`. */
const char *distr_graph_called(const distributor_graph_t *graph, size_t node, char buffer[24]);

/* The name of a node, NULL: none; and what few have, NULL: it has nothing of it. */
static inline char *distr_name_of(const distributor_graph_t *graph, size_t node)
{
    return node < graph->name_capacity ? graph->names[node] : NULL;
}

static inline struct distr_extra *distr_extra_of(const distributor_graph_t *graph, size_t node)
{
    return node < graph->extra_capacity ? graph->extras[node] : NULL;
}

/* 0; -EINVAL; -EBUSY it runs. */
int distr_graph_usable(distributor_graph_t *graph);

/* Shows a node under a name by which it is not found.  0 or -ENOMEM. */
int distr_graph_label(distributor_graph_t *graph, size_t node, const char *name);

/* 0; -ENOENT with a message. */
int distr_graph_has(distributor_graph_t *graph, size_t node);

/* Makes the plan if there is none. As distributor_graph_check. */
int distr_graph_plan(distributor_graph_t *graph);

/* A plan of the chosen nodes alone, to be freed by the caller in any case. */
int distr_graph_plan_some(distributor_graph_t *graph, const bool *chosen, struct distr_plan *plan);

#endif
