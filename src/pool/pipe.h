/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes: the results of one distributor are the tasks of another.  A pipe is a source of the second
 * that reads the first; while there is nothing to read it is counted at the first one's gate of
 * readers, and is told like a reader.  Events I1 to I5 in src/queue/README.md, "Pipes".
 */
#ifndef DISTR_POOL_PIPE_H
#define DISTR_POOL_PIPE_H

#include "pool/state.h"

/* What a source returns if the worker's task is a failure that was handed to it. */
#define DISTR_INPUT_FAILED INT32_MIN

/* The callback of a pipe's source. */
distributor_source_fn distr_pipe_ask;

/* I4: the source has ended.  Under its distributor's lock. */
void distr_pipe_ended(void *context);

/* I5: the distributor that is read from is being destroyed. */
void distr_pipe_cut(struct distributor *from);

void distr_pipe_tell_slow(struct distributor *from);

/* I3: after a result was published, and at STOP: as E3 tells a reader that sleeps. */
static inline void distr_pipe_tell(struct distributor *from)
{
    /* relaxed: the caller saw that somebody waits, or passed a full fence. */
    if (distr_unlikely(atomic_load_explicit(&from->watch, memory_order_relaxed) != NULL))
        distr_pipe_tell_slow(from);
}

#endif
