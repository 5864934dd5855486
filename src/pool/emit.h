/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in the output. */
#ifndef DISTR_POOL_EMIT_H
#define DISTR_POOL_EMIT_H

#include "pool/state.h"

/* E0: takes a place in the output, waiting while there is none.  0 or -ECANCELED. */
int distr_output_room(struct distributor *d);

#endif
