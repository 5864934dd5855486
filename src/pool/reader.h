/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reading thread holds, where it finds results, and telling readers that sleep. */
#ifndef DISTR_POOL_READER_H
#define DISTR_POOL_READER_H

#include "pool/state.h"

/* Frees what the thread's last read returned. */
void distr_reader_release(struct distr_record *record);

/* Frees all that the reader has. */
void distr_reader_free(struct distr_record *record);

/* Frees the memory that an item owns. */
void distr_item_free(const struct distr_item *item);

/* Hands a result that nobody reads to its type, and frees it. */
void distr_result_discard(const struct distr_item *item);

/* Makes room for `count` results of one read.  0 or -ENOMEM. */
int distr_reader_grow(struct distr_reader *reader, size_t count);

/* Takes up to `count` results where the hints say that there are some; behind those it holds. */
size_t distr_reader_take(struct distributor *d, struct distr_reader *reader, size_t count);

/* The next result itself, with what it owns, without waiting.  1, or as
 * distributor_try_next_result. */
int distr_read_item(struct distributor *d, struct distr_item *item);

/* Whether any worker has a result, hint or not; sets the hints of those that have. */
bool distr_any_result(struct distributor *d);

/* Whether a hinted worker has a result. */
bool distr_hinted_result(struct distributor *d);

/* Tells one sleeping reader.  False: one has been told and has not looked yet. */
bool distr_tell_reader(struct distributor *d);

/* Wakes one also where one has been told: that one may be frozen before it has looked. */
void distr_tell_another_reader(struct distributor *d);

/* E3: a result was published in the worker's output. */
void distr_wake_reader_slow(struct distr_worker *worker);

static inline void distr_announce_result_fenced(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;

    /* relaxed: the fence orders them. */
    if (distr_unlikely(atomic_load_explicit(&worker->output.unhinted, memory_order_relaxed)) ||
        distr_unlikely(atomic_load_explicit(&d->readers.waiters, memory_order_relaxed) != 0))
        distr_wake_reader_slow(worker);
}

static inline void distr_announce_result(struct distr_worker *worker)
{
    distr_light_fence(); /* E2: pairs with T2 */
    distr_announce_result_fenced(worker);
}

#endif
