/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.h - what all programs of the bench share, those of the peers included: the clock, what
 * the process uses, the task body that takes a known time, and the line that reports a figure.
 *
 * A program prints one line for each figure that it measured, and bench/report reads them:
 *     {"subject":"squares","peer":"glib","workers":2,"unit":"ns/task","value":241.5}
 * A program that got a wrong checksum prints no figure: bench_check() ends it with status 1.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_SECOND INT64_C(1000000000)
#define BENCH_MILLISECOND INT64_C(1000000)

/* Statuses of a program beside 0. */
#define BENCH_FAILED 1
#define BENCH_USAGE 2
#define BENCH_NO_SUBJECT 3 /* this peer has nothing that does it */

/* Whose figures this program prints; "distributor" until a peer says otherwise. */
extern const char *bench_peer;

/* ---- arguments and figures ---- */

/* The last word of the command line `PROGRAM [SUBJECT] WORKERS`; ends the program if that is no
 * number of workers. */
unsigned bench_workers(int argc, char **argv);

/* Prints a figure.  The subject of a second figure of a program has a suffix: "tree-rss". */
void bench_say(const char *subject, unsigned workers, const char *unit, double value);

/* bench_say() for the first run and the second run of the same pool: the first one gets the suffix
 * "-cold". */
void bench_say_warm(const char *subject, unsigned workers, const char *unit, int warm,
                    double value);

/* The median of the times, and what 99 of 100 stay below as SUBJECT-p99; sorts them. */
void bench_say_latency(const char *subject, unsigned workers, double *times, size_t count);

/* Say what went wrong and end the program. */
void bench_wrong(const char *what, uint64_t got, uint64_t expected) __attribute__((noreturn, cold));
void bench_failed(const char *what, int error) __attribute__((noreturn, cold));

/* Ends the program unless the value is the one that proves that no task was lost.  Inline, as the
 * next one: both stand in timed loops. */
static inline void bench_check(const char *what, uint64_t got, uint64_t expected)
{
    if (got != expected)
        bench_wrong(what, got, expected);
}

/* Ends the program if a call returned a negative errno. */
static inline int bench_must(const char *what, int result)
{
    if (result < 0)
        bench_failed(what, result);
    return result;
}

/* The sum of i * i for i below n, modulo 2^64. */
uint64_t bench_squares(uint64_t n);

/* ---- time ---- */

int64_t bench_now(void);        /* nanoseconds of CLOCK_MONOTONIC */
int64_t bench_thread_cpu(void); /* CPU time of the calling thread, nanoseconds */
void bench_sleep(int64_t ns);

/* ---- what the process uses ---- */

double bench_rss(void);      /* bytes now */
double bench_peak_rss(void); /* bytes at most so far */

/* All threads but the one that calls, which must be the main thread. */
typedef struct bench_threads {
    int64_t cpu_ns;   /* time on a CPU */
    int64_t switches; /* how often they were switched out, on their own or not */
    unsigned count;
} bench_threads_t;

bench_threads_t bench_other_threads(void);

/* Moves the calling thread to one of the CPUs that the process may use; false: it has no such. */
bool bench_pin(unsigned index);

/* ---- a body of a known amount of work ---- */

/*
 * Work is counted in steps of a loop and not in time, so that a thread that was switched out in the
 * middle has not done more for it.  bench_steps() says how many steps a time has on this machine:
 * from BENCH_STEPS (steps a millisecond), which run.sh sets for all programs of a run, else
 * measured.
 */
uint64_t bench_steps(int64_t ns);
void bench_work(uint64_t steps);

/* ---- statistics ---- */

void bench_sort(double *values, size_t count);

/* Of sorted values; between two of them it is their mean. */
double bench_percentile(const double *sorted, size_t count, double percent);

/* CPU, cores, kernel and compiler in one line, static. */
const char *bench_machine(void);

#ifdef __cplusplus
}
#endif

#endif
