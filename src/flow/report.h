/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run came to. */
#ifndef DISTR_FLOW_REPORT_H
#define DISTR_FLOW_REPORT_H

#include <distributor/graph.h>

#include "flow/history.h"

/* How a node ended: one that waits still was cancelled. */
distributor_outcome_t distr_outcome_of(const struct distr_history *history, uint32_t node);

/* Adds up the rows. */
void distr_count_outcomes(const struct distr_history *history,
                          distributor_graph_summary_t *summary);

#endif
