/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer of schedules, as scenarios and the shimmed sources see it; see README.md.
 *
 * A scenario is a function that runs as thread 0.  It makes threads with pthread_create, calls what
 * it examines, and ends when all of them have ended.  Between schedule_begin and schedule_end each
 * atomic step, lock, sleep and wake-up is a place where the search may let another thread go on;
 * everything else is one step, so that a scenario's own plain variables need no protection.
 */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_scenario {
    const char *name;
    void (*body)(void);
    unsigned cpus;        /* what distr_cpu_count says; 0: 2 */
    unsigned preemptions; /* in `make check`; 0: 2 */
    int64_t look_ns;      /* what a look at the clock takes; 0: so long that spins end soon */
    bool fallback;        /* the system has no membarrier: light fences are full ones */
};

/* The main of a program of scenarios: reads the options, searches, says what it found. */
int schedule_main(int argc, char **argv, const struct schedule_scenario *scenarios, size_t count);

/* The interesting part: what comes before and after runs without preemption. */
void schedule_begin(void);
void schedule_end(void);

/* Waits until no other thread can go on. */
void schedule_settle(void);

/* From here on who is about to write a word waits, until schedule_unbar: so another thread can be
 * stopped between two steps, without a preemption. */
void schedule_bar(const volatile void *word);
void schedule_unbar(void);

/* Says what went wrong and how to see it again; does not return. */
void schedule_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define schedule_check(condition) \
    do { \
        if (!(condition)) \
            schedule_fail("%s:%d: not true: %s", __FILE__, __LINE__, #condition); \
    } while (0)

/* A word as a thread sees it: others may not, yet. */
uint32_t schedule_peek(pthread_t thread, const _Atomic uint32_t *word);

/* Waits until a descriptor is readable, as an event loop does. */
void schedule_poll(int fd);

/* How often, since schedule_begin, nobody went on before a time-out: who sleeps was not woken. */
unsigned schedule_idled(void);

/* Lets another thread run, if one can: for a loop that waits for a plain variable. */
void schedule_yield(void);

/* ---- for shim.h ---- */

void schedule_load(const volatile void *from, void *value, size_t size, const char *here);
void schedule_store(volatile void *to, const void *value, size_t size, bool seq_cst,
                    const char *here);
/* A read-modify-write, which empties the store buffer first; the caller changes the memory between
 * the two. */
void schedule_swap_begin(const volatile void *object, const char *here);
void schedule_swap_end(const volatile void *object, size_t size);
void schedule_fence(const char *here);
void schedule_stall(void);

struct schedule_cleanup {
    void (*routine)(void *argument);
    void *argument;
    struct schedule_cleanup *before;
};
void schedule_cleanup_push(struct schedule_cleanup *cleanup);
void schedule_cleanup_pop(struct schedule_cleanup *cleanup, bool execute);

#endif
