/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for results. */
#ifndef DISTR_POOL_AWAIT_H
#define DISTR_POOL_AWAIT_H

#include "pool/state.h"

/* T0: takes 1 to `count` results into the record's reader, waiting for the first until the
 * deadline; 0: not at all.  How many, 0 after STOP, -EAGAIN, -ETIMEDOUT or -ESHUTDOWN. */
ptrdiff_t distr_await_results(struct distributor *d, struct distr_record *record, size_t count,
                              int64_t deadline);

#endif
