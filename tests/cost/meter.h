/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the instructions of a stretch of one thread under callgrind, which is asked to write them
 * down under the event's name.  Without the headers of valgrind nothing is counted.
 */
#ifndef TESTS_COST_METER_H
#define TESTS_COST_METER_H

#if defined __has_include
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define METER_WORKS 1
#endif
#endif

#ifdef METER_WORKS

/* Callgrind keeps for each thread whether it counts: other threads do not disturb. */
static inline void meter_begin(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}

static inline void meter_end(const char *event)
{
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(event);
}

static inline int meter_runs(void)
{
    return (int)RUNNING_ON_VALGRIND;
}

#else

static inline void meter_begin(void)
{
}

static inline void meter_end(const char *event)
{
    (void)event;
}

static inline int meter_runs(void)
{
    return 0;
}

#endif

/* How often each event happens in one stretch: 16 large blocks of narrow slots, of 504 each. */
#define METER_EVENTS 8064u

/* The stretches of src/queue, and those of the public calls; `metered` is false while everything is
 * warmed up, so that no page and no block is new when it counts. */
void meter_queue(int metered);
void meter_pool(int metered);

#endif
