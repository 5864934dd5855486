/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of a lazy map: the items between what was read and what the source gave, in slots that
 * are used again and again.  Items are filled in, claimed and run by the part, a few that follow
 * one another.  Events L1 to L6 of "Lazy map" in README.md.
 *
 *     ... read [ done | running | done | running | filled, unclaimed ] free ...
 *              ^ read                            ^ next              ^ filled
 *
 * | who            | does                                                  | together with      |
 * |----------------|-------------------------------------------------------|--------------------|
 * | the reader     | distr_window_publish, _await, _end; reads what is done| work of others     |
 * | any user       | distr_window_claim, then distr_window_work            | anything           |
 *
 * Progress: a claim fails only because another one succeeded; only the reader sleeps.
 */
#ifndef DISTR_FLOW_WINDOW_H
#define DISTR_FLOW_WINDOW_H

#include <distributor/map.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"

enum distr_part_state { DISTR_PART_OPEN, DISTR_PART_AWAITED, DISTR_PART_DONE };

/* A part that somebody has claimed. */
struct distr_part {
    uint64_t item; /* the first one */
    uint32_t count;
};

/* A slot of an item.  What is about a part stands in the slot of its first item. */
struct distr_slot {
    _Atomic uint32_t state; /* of the part: OPEN by the reader, who may change it to AWAITED and
                               sleeps on it; DONE by who ran it */
    _Atomic uint32_t count; /* of the part's items; the reader writes it before L2, and others may
                               still look at it when they lost a claim */
    uint32_t reached;       /* of them: so many were run; who ran them, before L4 */
    int error;              /* of the item; who ran it, before L4 */
    int64_t took_ns;        /* the part; who ran it, before L4 */
};

struct distr_window {
    /* Constant. */
    distributor_map_fn *fn;
    void *context;
    struct distr_slot *slots;
    char *inputs;
    char *outputs;
    size_t input_size;
    size_t output_size;
    size_t size; /* how many items it may have */
    size_t mask; /* of the places of slots: their number is a power of two */

    /* Items are counted from 0 and never wrap.  Up to here they are filled in; the reader writes,
     * who claims reads. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t filled;

    /* The first item that nobody has claimed, the first one of a part; any thread moves it up.
     * UINT64_MAX: the map is over. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t next;

    /* The map itself, and each helper that was added and has neither returned nor been discarded:
     * who takes itself off last frees the window. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t users;
    _Atomic uint32_t expected; /* 1: a helper was added and has not begun; who adds one sets it, the
                                  helper clears it */
};

/* NULL: no memory, or sizes beyond it. */
struct distr_window *distr_window_make(size_t input_size, size_t output_size, size_t size);

/* L6: one user less. */
void distr_window_leave(struct distr_window *w);

static inline struct distr_slot *distr_window_slot(struct distr_window *w, uint64_t item)
{
    return &w->slots[item & w->mask];
}

static inline void *distr_window_input(struct distr_window *w, uint64_t item)
{
    return w->input_size > 0 ? w->inputs + (item & w->mask) * w->input_size : NULL;
}

static inline void *distr_window_output(struct distr_window *w, uint64_t item)
{
    return w->output_size > 0 ? w->outputs + (item & w->mask) * w->output_size : NULL;
}

/* L2: the next `count` items are filled in, and are one part. */
void distr_window_publish(struct distr_window *w, size_t count);

/* Whether a part waits for who claims it. */
bool distr_window_has_more(struct distr_window *w);

/* L3: takes the oldest part.  False: there is none. */
bool distr_window_claim(struct distr_window *w, struct distr_part *part);

/* Runs it, and L4. */
void distr_window_work(struct distr_window *w, const struct distr_part *part);

/* Runs one item; its error is in its slot. */
void distr_window_run(struct distr_window *w, uint64_t item);

/* Whether the part that begins with this item is done. */
bool distr_window_is_done(struct distr_window *w, uint64_t item);

/* L5: sleeps until it is. */
void distr_window_await(struct distr_window *w, uint64_t item);

/* Nothing is claimed any more.  Returns the first item that nobody has claimed. */
uint64_t distr_window_end(struct distr_window *w);

#endif
