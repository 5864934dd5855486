/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every stress program needs: the command line, a random source that a seed repeats, threads
 * on chosen cores, checks that name the seed, and a watchdog that turns a hang into a report.
 *
 * A program calls stress_begin, then does one round per stress_next, then returns stress_end.
 * Round r of seed S has the random source of round 0 of seed S + r, so a failure in any round is
 * repeated by the seed it prints, with --rounds 1.
 */
#ifndef STRESS_SUPPORT_H
#define STRESS_SUPPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Sanitizers cost 5 to 15 times: the defaults of a program shrink with them. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STRESS_SLOWDOWN 8u
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define STRESS_SLOWDOWN 8u
#endif
#endif
#ifndef STRESS_SLOWDOWN
#define STRESS_SLOWDOWN 1u
#endif

enum stress_placement {
    STRESS_APART,    /* thread i on core i modulo the number of cores */
    STRESS_ONE_CORE, /* all threads on one core: every switch is a preemption */
    STRESS_OVER,     /* no pinning, and the program makes many more threads than cores */
    STRESS_PLACEMENTS
};

/* The command line; 0 or -1 means that the program chooses, as a rule at random per round. */
struct stress_options {
    const char *name;   /* of the program */
    double seconds;     /* run rounds until they are over, instead of `rounds` */
    unsigned rounds;    /* how many rounds */
    unsigned tasks;     /* about how many tasks a round */
    unsigned workers;
    unsigned adders;
    unsigned readers;
    int placement;      /* enum stress_placement, or -1 */
    uint64_t seed;      /* 0: from the clock */
    unsigned watchdog;  /* seconds that a round may take; 0: far more than any needs */
};

extern struct stress_options stress;

/* In a program that preempt.c is part of: how much less it does. */
extern const unsigned stress_preempted __attribute__((weak));

struct stress_random {
    uint64_t state;
};

/* Reads the command line over the defaults and starts the watchdog.  `rounds` and `tasks` of the
 * defaults are divided by the slowdown of a sanitizer, `rounds` also by that of preempt.c; of a
 * program that runs for `seconds` the variable STRESS_SECONDS says others.  An argument is taken as
 * it is. */
void stress_begin(const struct stress_options *defaults, int argc, char **argv);

/* Begins a round; false when the last is over. */
bool stress_next(struct stress_random *random);

/* Says what was done; the exit code of main. */
int stress_end(void);

/* What the round is doing: the line that a failure or the watchdog prints. */
void stress_state(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the place, the seed and the state, and aborts. */
void stress_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#define STRESS_CHECK(condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "check failed: %s\n", #condition);                                     \
            stress_fail(__FILE__, __LINE__, __VA_ARGS__);                                          \
        }                                                                                          \
    } while (0)

uint64_t stress_random(struct stress_random *random);
uint64_t stress_mix(uint64_t value); /* a hash: equal seeds plan equal trees on any thread */
unsigned stress_below(struct stress_random *random, unsigned limit);
bool stress_chance(struct stress_random *random, unsigned percent);

/* A short pause of a random kind: nothing, a spin, a yield, a sleep of at most max_us. */
void stress_pause(struct stress_random *random, unsigned max_us);
void stress_sleep_us(unsigned us);

/* The placement of the round: set before its threads start.  Thread number i, counted over all
 * roles of the round, calls stress_place(i); workers do it by the hook. */
void stress_set_placement(enum stress_placement placement);
const char *stress_placement_name(enum stress_placement placement);
void stress_place(unsigned index);
void stress_worker_started(void *context, unsigned worker, const char *name);

void stress_thread(pthread_t *thread, void *(*function)(void *), void *argument);
void stress_join(pthread_t thread);

/* Of this process: what a round must leave as it was. */
unsigned stress_count_threads(void);
unsigned stress_count_descriptors(void);
long stress_resident_kb(void);

/* Of a run of a hundred rounds or more: that the memory grew by no more than so much since it was
 * `first_kb`.  A sanitizer has memory of its own, and keeps what is freed. */
void stress_check_growth(long first_kb, long allowed_kb);

/* Waits until that many threads are left: one that was joined stays listed for a moment. */
void stress_await_threads(unsigned count);

/* Whether a thread of this process sleeps in the kernel and has done so for a while; used to know
 * that a call is inside the library before the distributor is destroyed. */
bool stress_asleep(pid_t thread);
pid_t stress_thread_id(void);

#endif
