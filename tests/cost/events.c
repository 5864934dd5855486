/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs each event of a task's way METER_EVENTS times, always in the same order and with one thread
 * at work: under callgrind the instructions of an event are the same in every run, to the last one.
 * instructions.sh compares them with the bounds.  The one line that is printed says what was
 * compiled, so that bounds of one compiler judge no other one's code.
 */
#include "meter.h"

#include <stdio.h>

#if defined __clang__
#define COMPILER "clang"
#define MAJOR __clang_major__
#else
#define COMPILER "gcc"
#define MAJOR __GNUC__
#endif

#if defined __x86_64__
#define MACHINE "x86_64"
#elif defined __aarch64__
#define MACHINE "aarch64"
#else
#define MACHINE "unknown"
#endif

#if !defined __OPTIMIZE__
#define SPEED "unoptimized"
#elif defined __OPTIMIZE_SIZE__
#define SPEED "small"
#else
#define SPEED "optimized"
#endif

int main(void)
{
#ifdef METER_WORKS
    printf("%s-%d-%s-%s %u\n", COMPILER, MAJOR, MACHINE, SPEED, METER_EVENTS);
    fflush(stdout);
#else
    printf("no-valgrind-headers 0\n");
#endif
    if (!meter_runs())
        return 0;
    for (int metered = 0; metered < 2; metered++) {
        meter_queue(metered);
        meter_pool(metered);
    }
    return 0;
}
