/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a distributor, and the threads of a run. */
#ifndef DISTR_POOL_LIFECYCLE_H
#define DISTR_POOL_LIFECYCLE_H

#include "pool/state.h"

/* Sets flags of enum distr_state, shuts the door, wakes all whom it may concern. */
void distr_set_state(struct distributor *d, uint32_t flags);

/* Waits for STOP and for the threads of a run, if there is one. */
void distr_end_threads(struct distributor *d);

#endif
