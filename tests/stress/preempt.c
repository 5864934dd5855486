/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preemption where it hurts: the library is compiled with -finstrument-functions, so that these
 * hooks run at the begin and end of each of its functions, inlined ones too, which is between most
 * of its atomic steps.  Now and then they give the core away or sleep.  A window of a few
 * instructions, which a machine with two cores meets once in a million rounds, is met in seconds.
 *
 * These functions are linked into the programs, and not themselves instrumented.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

#define YIELD_ONE_IN 64
#define SLEEP_ONE_IN 1024
#define LONGEST_NS 50000

const unsigned stress_preempted = 2;

void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

static _Thread_local uint64_t state;

static void preempt(void)
{
    int saved = errno;
    if (state == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        state = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&state;
    }
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t chance = state >> 33;
    if (chance % YIELD_ONE_IN == 0) {
        sched_yield();
    } else if (chance % SLEEP_ONE_IN == 1) {
        struct timespec pause = {0, (long)(state >> 16 & 0xffff) % LONGEST_NS};
        nanosleep(&pause, NULL);
    }
    errno = saved;
}

void __cyg_profile_func_enter(void *function, void *caller)
{
    (void)function;
    (void)caller;
    preempt();
}

void __cyg_profile_func_exit(void *function, void *caller)
{
    (void)function;
    (void)caller;
    preempt();
}
