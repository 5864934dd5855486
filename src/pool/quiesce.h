/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of work, exactly: the sums of what every record counted.  Events Q0 to Q5 in
 * src/queue/README.md, "Quiescence and STOP".
 */
#ifndef DISTR_POOL_QUIESCE_H
#define DISTR_POOL_QUIESCE_H

#include "pool/state.h"

/* Sets STOP if work has run out and the door is shut; any thread, any number at once.  Who makes a
 * count that may be the last one calls it afterwards. */
void distr_try_end(struct distributor *d);

/* The sums of what all records have counted as ended. */
void distr_sum_ended(struct distributor *d, distributor_summary_t *total, uint64_t *refused);

/* What a record, or all, have added and ended; while they run it is a guess. */
static inline uint64_t distr_record_moves(struct distr_record *record)
{
    return atomic_load_explicit(&record->added, memory_order_relaxed) + distr_record_done(record);
}

uint64_t distr_moves(struct distributor *d);

/* Whether there are results that nobody has read. */
bool distr_has_unread(struct distributor *d);

/* Calls visit for each record; stops early when it returns false. */
typedef bool distr_visit_fn(struct distr_record *record, void *context);
void distr_for_each_record(struct distributor *d, distr_visit_fn *visit, void *context);

#endif
