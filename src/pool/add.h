/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in the input, and the patience of those who wait for it. */
#ifndef DISTR_POOL_ADD_H
#define DISTR_POOL_ADD_H

#include "pool/order.h"
#include "pool/state.h"

/* 0, or why a task type cannot be used. */
int distr_type_check(const distributor_task_type_t *type);

/* Takes the next range. */
void distr_more_serials(struct distributor *d, struct distr_serials *serials);

/* Of whom the numbers belong to. */
static inline uint64_t distr_next_serial(struct distributor *d, struct distr_serials *serials)
{
    if (distr_unlikely(serials->next == serials->end))
        distr_more_serials(d, serials);
    return serials->next++;
}

/* Takes up to `wanted` of the input's room; 0: it is full. */
uint64_t distr_take_room(struct distributor *d, uint64_t wanted);

/* Whether tasks are counted against a limit. */
static inline bool distr_input_limited(const struct distributor *d)
{
    return d->input_limit < DISTR_NO_INPUT_LIMIT;
}

/* `count` tasks have begun, or were not added after all. */
void distr_give_room(struct distributor *d, uint64_t count);

/*
 * A wait that could be a deadlock of the caller with itself.  Only the thread that called start
 * (or, before a start, any thread) can be in one: every worker that has a task waits for room in
 * the output, no other thread has ever read, and nothing has moved for deadlock_ns.
 */
struct distr_patience {
    int64_t deadline; /* of the caller */
    int64_t until;    /* sleep until then, then check */
    int64_t judge;    /* when it is a deadlock if nothing moves before; INT64_MAX: never */
    uint64_t moved;   /* what had moved when it was looked at last */
};

void distr_patience_begin(struct distributor *d, struct distr_patience *patience, int64_t deadline);

/* 0: go on waiting until patience->until; -ETIMEDOUT; -EDEADLK. */
int distr_patience_check(struct distributor *d, struct distr_patience *patience);

#endif
