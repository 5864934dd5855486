/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in the output. */
#ifndef DISTR_POOL_EMIT_H
#define DISTR_POOL_EMIT_H

#include "pool/state.h"

int distr_output_room_slow(struct distributor *d);

/* A result that finds no room any more: discards and counts it.  -ECANCELED. */
int distr_drop_result(struct distr_worker *worker, const struct distr_item *item);

/* Gives a place back that was taken for nothing. */
void distr_output_room_back(struct distributor *d);

/* E0: takes a place in the output, waiting while there is none.  0, -ECANCELED or -ECHILD. */
static inline int distr_output_room(struct distributor *d)
{
    return distr_likely(d->output_limit == UINT64_MAX) ? 0 : distr_output_room_slow(d);
}

#endif
