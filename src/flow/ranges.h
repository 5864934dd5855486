/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranges of a map: who claims which, and how long they are.  Events V2 and V3 of "Map" in
 * README.md.
 */
#ifndef DISTR_FLOW_RANGES_H
#define DISTR_FLOW_RANGES_H

#include <distributor/map.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/cacheline.h"

struct distr_map {
    /* Constant. */
    distributor_map_fn *fn;
    void *context;
    const char *inputs;
    char *outputs;
    size_t input_size;
    size_t output_size;
    size_t count;

    /* Where the next range begins; any thread of the map moves it up.  It is `count` when nothing
     * is left to claim, also because the map failed. */
    DISTR_CACHE_ALIGNED _Atomic size_t next;

    /* Threads that take ranges: they count themselves in. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t hands;
    /* Helpers that were added and have neither returned nor been discarded; the caller sleeps on
     * it. */
    _Atomic uint32_t helpers;

    _Atomic size_t announced; /* items of an async map whose range was emitted; any helper */

    pthread_mutex_t lock; /* guards the rest */
    size_t failed_at;     /* where the first range in the array that failed begins */
    int error;            /* its error; 0: none has failed */
    bool lost;            /* a callback ended the thread of a helper */
};

/* What a thread does that takes ranges. */
struct distr_hand {
    struct distr_map *map;
    distributor_task_t *task; /* NULL: the calling thread */
    size_t at;                /* its range begins here */
    /* Called after each range that did not fail; NULL: nothing to do. */
    int (*done)(struct distr_hand *hand, size_t count);
};

/* A distributor of the map's own: with the calling thread, one worker for each CPU. */
int distr_map_distributor(distributor_t **d);

/* Whether the arguments of a map can be right. */
bool distr_map_fits(const void *array, size_t size, size_t count);

/* No range begins any more.  Returns whether one would have. */
bool distr_map_shut(struct distr_map *map);

/* V3: a range that begins at `at` failed. */
void distr_map_fail(struct distr_map *map, size_t at, int error);

/* Cancel is no failure of a range: it counts only if it came before the end. */
void distr_map_cancel(struct distr_map *map);

/* Runs ranges until nothing is left. */
void distr_map_work(struct distr_hand *hand);

#endif
