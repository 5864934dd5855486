/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptor; see fd.h. */
#include "pool/fd.h"

#include <errno.h>

#include "pool/reader.h"
#include "pool/registry.h"

void distr_fd_signal(struct distributor *d)
{
    uint32_t word = atomic_load_explicit(&d->fd_word, memory_order_relaxed);
    uint32_t mine = (word & ~(uint32_t)3) | DISTR_FD_SIGNALLING;

    /* J1 seq_cst: pairs with J3. */
    if ((word & 3) != DISTR_FD_CLEAR ||
        !atomic_compare_exchange_strong_explicit(&d->fd_word, &word, mine, memory_order_seq_cst,
                                                 memory_order_relaxed))
        return;
    distr_gate_leave(&d->readers);
    /* preempted here: whoever polls sleeps on */
    distr_event_set(d->fd); /* J2 */
    /* preempted here: a reader that finds nothing sees that it was written, and clears it */
    word = mine;
    /* J2 release: pairs with J3, which comes after the write.  Fails if J3 has come. */
    atomic_compare_exchange_strong_explicit(&d->fd_word, &word, word - 1, memory_order_release,
                                            memory_order_relaxed);
}

bool distr_fd_clear(struct distributor *d)
{
    const uint32_t over = DISTR_ENDED | DISTR_DESTROYED;
    uint32_t word = atomic_load_explicit(&d->fd_word, memory_order_acquire);

    if ((word & 3) == DISTR_FD_NONE || (word & 3) == DISTR_FD_CLEAR || (distr_state(d) & over))
        return false;
    if (!distr_event_clear(d->fd))
        return false;              /* J2 is still to come */
    distr_gate_enter(&d->readers); /* before the word: who takes it off has one to take */
    /* J3 seq_cst: pairs with J1 and with the look in E3 and at STOP. */
    atomic_store_explicit(&d->fd_word, (word & ~(uint32_t)3) + 4 + DISTR_FD_CLEAR,
                          memory_order_seq_cst);
    distr_heavy_fence();                                  /* pairs with E2 */
    if (!distr_any_result(d) && !(distr_state(d) & over)) /* J4 */
        return false;
    distr_fd_signal(d);
    return true;
}

bool distr_fd_found_nothing(struct distributor *d)
{
    enum distr_fd_state state = distr_fd_state(d);

    if (distr_likely(state == DISTR_FD_NONE || state == DISTR_FD_CLEAR))
        return false;
    pthread_mutex_lock(&d->lock);
    bool again = distr_fd_clear(d);
    pthread_mutex_unlock(&d->lock);
    return again;
}

/* It is made readable, and stays so if there is something.  Under the lock. */
static int make(struct distributor *d)
{
    int fd = distr_event_make();

    if (fd < 0)
        return fd;
    d->fd = fd;
    /* release: who sees the word sees the descriptor. */
    atomic_store_explicit(&d->fd_word, DISTR_FD_SIGNALLED, memory_order_release);
    if (!distr_any_result(d))
        distr_fd_clear(d);
    return 0;
}

int distributor_fd(distributor_t *d)
{
    if (!d)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    if (distr_fd_state(d) == DISTR_FD_NONE)
        rc = make(d);
    if (rc == 0)
        rc = d->fd;
    pthread_mutex_unlock(&d->lock);
    distr_call_end(d);
    return rc;
}
