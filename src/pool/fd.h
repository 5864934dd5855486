/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptor of a distributor, readable while a result waits and from STOP on; events J1 to J4
 * of "The descriptor" in src/queue/README.md.  Who never asks for it pays a load where nothing was
 * found anyway.
 */
#ifndef DISTR_POOL_FD_H
#define DISTR_POOL_FD_H

#include "pool/state.h"

/* The word is how often it was cleared, which wraps, times 4, and one of these. */
enum distr_fd_state {
    DISTR_FD_NONE = 0,       /* nobody has asked for it */
    DISTR_FD_SIGNALLED = 1,  /* readable */
    DISTR_FD_SIGNALLING = 2, /* readable, or about to be by one thread */
    DISTR_FD_CLEAR = 3       /* not readable, and counted at the readers' gate */
};

/* J1, J2: it was CLEAR a moment ago. */
void distr_fd_signal(struct distributor *d);

/* J3, J4.  Under the lock.  True: there is something again. */
bool distr_fd_clear(struct distributor *d);

/* The same by a reader that found nothing. */
bool distr_fd_found_nothing(struct distributor *d);

static inline enum distr_fd_state distr_fd_state(const struct distributor *d)
{
    /* seq_cst: looked at after the result or the state that it is about; pairs with J3. */
    return atomic_load_explicit(&d->fd_word, memory_order_seq_cst) & 3;
}

#endif
