/* SPDX-License-Identifier: BSD-2-Clause */
/* Between a node and the state of its run: declared inputs come, declared outputs go. */
#ifndef DISTR_FLOW_BIND_H
#define DISTR_FLOW_BIND_H

#include "flow/run.h"

/* Whether each key that a node of the plan names is known to the state: 0, or an error with its
 * message. */
int distr_bind_check(distributor_graph_t *graph, const struct distr_plan *plan,
                     distributor_state_t *state);

/* Copies the inputs of the node; 0, or what the node fails with. */
int distr_bind(distributor_call_t *call);

/* Gives the state the outputs of the node, all or none; 0, or what the node fails with. */
int distr_bind_outputs(distributor_call_t *call);

/* Frees what both of them hold. */
void distr_unbind(distributor_call_t *call);

#endif
