/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault injection: every call of the library that can fail is wrapped at link time, and the k-th
 * one of a scenario fails, k = 1, 2, ... until none is left; first that one alone, then that one
 * and all after it.  The wrappers know every piece of memory that is alive, so a leak is found and
 * named by the place that asked for it.
 *
 * A scenario prepares, arms, does what is tested, disarms, and then shows that nothing was lost
 * and that the object works again.
 */
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fault_scenario {
    const char *name;
    void (*run)(void);
};

/* Runs all scenarios, or those named in argv, in both modes; the exit code of main. */
int fault_main(const struct fault_scenario *scenarios, size_t count, int argc, char **argv);

/* From here to fault_disarm calls are counted, and fail.  Any thread's calls count. */
void fault_arm(void);
void fault_disarm(void);

/* Whether a call has failed since the scenario began. */
bool fault_fired(void);

/* For a scenario that is done by another process: whether a call failed there. */
void fault_note(bool failed);

/* What the scenario is doing: for a failure or a hang. */
void fault_say(const char *step);

void fault_fail(const char *file, int line) __attribute__((noreturn));

#define FAULT_CHECK(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fault_disarm();                                                                        \
            fprintf(stderr, "check failed: %s\n", #condition);                                     \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fault_fail(__FILE__, __LINE__);                                                        \
        }                                                                                          \
    } while (0)

/* The result of a call that may fail for want of `error`, and only if a call did fail. */
#define FAULT_MAY(rc, ok, error)                                                                   \
    FAULT_CHECK((rc) == (ok) || ((rc) == (error) && fault_fired()), "returned %lld\n",             \
                (long long)(rc))

#endif
