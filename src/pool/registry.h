/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which record a thread has in which distributor.
 *
 * A thread's first call to a distributor attaches it: it gets a record that an ended thread has
 * left, or a new one.  The end of the thread gives its records back to those distributors that
 * still live, which the registry knows.  It is the library's only global state but for the fork
 * count, and no call after a thread's first takes its lock.
 */
#ifndef DISTR_POOL_REGISTRY_H
#define DISTR_POOL_REGISTRY_H

#include <errno.h>

#include "pool/state.h"

struct distr_seat {
    uint64_t id; /* of a distributor, which may be gone */
    struct distr_record *record;
};

/* The one that an outside thread used last is distributor_short_seat. */
struct distr_thread {
    struct distr_seat own;    /* of a worker's thread: in the distributor that it works for */
    struct distr_seat *seats; /* all */
    unsigned count;
    unsigned capacity;
};

extern _Thread_local struct distr_thread distr_thread __attribute__((tls_model("initial-exec")));

/* A record, as short ways see it. */
static inline struct distributor_short_record *distr_record_short(struct distr_record *record)
{
    return (struct distributor_short_record *)(void *)record;
}

/* The record that an outside thread used last, if distributor_short_seat has one. */
static inline struct distr_record *distr_thread_last(void)
{
    return (struct distr_record *)(void *)distributor_short_seat.record;
}

/* How often this process is a child of a fork, as far as the library saw it. */
extern uint32_t distr_forks;

/* Before any distributor; does what is left to do.  0 or -ENOMEM. */
int distr_registry_init(void);

/* From enter on threads can attach, from leave on they cannot. */
void distr_registry_enter(struct distributor *d);
void distr_registry_leave(struct distributor *d);

/* Links a record into the distributor's list of groups, under its lock.  0 or -ENOMEM. */
int distr_record_link(struct distributor *d, struct distr_record *record);

/* Makes the calling thread the one of a worker's record. */
void distr_thread_sit(struct distributor *d, struct distr_record *record);

/* The calling thread has nothing to do with d any more. */
void distr_thread_rise(struct distributor *d);

/* The calling thread's record, attaching it if need be.  0, -ENOMEM, -ECHILD or -ESHUTDOWN. */
int distr_record_attach(struct distributor *d, struct distr_record **record);

static inline int distr_record_self(struct distributor *d, struct distr_record **record)
{
    if (distr_likely(distributor_short_seat.id == d->id)) {
        *record = distr_thread_last();
        return 0;
    }
    return distr_record_attach(d, record);
}

/* Whether the calling thread is a worker of d: in a task, or in a hook. */
bool distr_is_worker(const struct distributor *d);

/* Whether the calling thread is in the callback of a source of d. */
static inline bool distr_in_source(const struct distributor *d)
{
    return distr_thread.own.id == d->id && distr_is_asking(distr_thread.own.record->worker);
}

/* A call of an outside thread begins: X1, the flag before the look at the state. */
static inline void distr_inside(struct distr_record *record, enum distr_inside inside)
{
    /* relaxed: the light fence after it pairs with the heavy one of destroy, and with T6's. */
    atomic_store_explicit(&record->inside, (uint32_t)inside, memory_order_relaxed);
    distr_light_fence();
}

/* The call ends; the distributor may be gone at once after the store. */
static inline void distr_outside(struct distributor *d, struct distr_record *record)
{
    uint32_t state = distr_state(d);

    /* release: pairs with the load in destroy, and with T6. */
    atomic_store_explicit(&record->inside, DISTR_OUTSIDE, memory_order_release);
    if (distr_unlikely(state & DISTR_DESTROYED))
        distr_futex_wake(&record->inside, 1); /* the address alone counts, nothing is read */
}

/*
 * A rare call begins and ends: like distr_inside, for those that need no record of their thread.
 * 0, -ECHILD, -EDEADLK in the callback of a source, or -ESHUTDOWN: then the call must not go on,
 * and must not end either.
 */
int distr_call_begin(struct distributor *d);
void distr_call_end(struct distributor *d);

static inline int distr_usable(const struct distributor *d)
{
    return distr_likely(d->generation == distr_forks) ? 0 : -ECHILD;
}

#endif
