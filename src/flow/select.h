/* SPDX-License-Identifier: BSD-2-Clause */
/* Which nodes a run is about. */
#ifndef DISTR_FLOW_SELECT_H
#define DISTR_FLOW_SELECT_H

#include "flow/graph.h"

/* Makes the graph's own plan, or `some`, of the nodes that the options choose; some->count is 0 if
 * they choose all.  `some` is to be freed in any case.  As distributor_graph_run. */
int distr_select(distributor_graph_t *graph, const distributor_graph_options_t *options,
                 struct distr_plan *some);

#endif
