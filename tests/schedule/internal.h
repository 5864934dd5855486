/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the explorer share.
 *
 *     search.c    which thread goes on: depth first, at random, or as a replay says
 *     threads.c   threads as coroutines on one thread of the system, and their blocking
 *     memory.c    store buffers, which locations are shared, memory that starts anew each time
 *     system.c    what replaces pthread, futex, membarrier, clock and malloc
 */
#ifndef SCHEDULE_INTERNAL_H
#define SCHEDULE_INTERNAL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/registry.h"
#include "schedule/schedule.h"

#define THREADS_MAX 8u
#define STORES_MAX 64u
#define KEYS_MAX 4u

enum thread_state { THREAD_UNUSED, THREAD_RUNNABLE, THREAD_BLOCKED, THREAD_DONE };

/* A store that its thread has made and the others do not see yet. */
struct store {
    volatile void *to;
    uint64_t value;
    size_t size;
};

struct thread {
    enum thread_state state;
    jmp_buf context;  /* where it goes on, */
    jmp_buf top;      /* and where its coroutine begins a run */
    const char *here; /* its last step, for reports */

    const volatile void *waits_for; /* BLOCKED: an address or a thread */
    const char *waits_in;
    int64_t deadline; /* BLOCKED: when it wakes by itself; INT64_MAX: never */
    bool timed_out;
    bool stalled;    /* it has stalled since its last step */
    unsigned stalls; /* since it began to run, or gave way */

    struct store stores[STORES_MAX]; /* oldest first */
    unsigned stored;

    void *(*routine)(void *argument);
    void *argument;
    struct distr_thread own; /* its thread-local variables while another one runs */
    struct distributor_short_seat seat;
    struct schedule_cleanup *cleanups;
    void *specific[KEYS_MAX];
};

/* One run of a scenario. */
struct world {
    struct thread threads[THREADS_MAX];
    unsigned count;
    unsigned current;
    bool inside; /* a scenario runs */
    bool exploring;
    bool tracing;
    unsigned cpus;
    bool fallback;
    int64_t clock;
    int64_t look_ns;
    unsigned idled;  /* how often all slept until a deadline */
    uint64_t moment; /* counts the places where something else could go on */
    const volatile void *barred; /* who is about to write there waits */
};

extern struct world world;

static inline struct thread *self(void)
{
    return &world.threads[world.current];
}

/* ---- search.c ---- */

enum move_kind {
    MOVE_STAY,
    MOVE_SWITCH,  /* `thread` goes on; stores of the one that ran, from `keep` on, wait */
    MOVE_COMMIT,  /* the oldest store of `thread` becomes visible */
    MOVE_TIME_OUT /* the sleep of `thread` ends by its deadline */
};

#define KEEP_NONE 255u

struct move {
    enum move_kind kind;
    unsigned thread;
    unsigned keep;
};

/* Chooses one of the moves, of which the first costs nothing. */
const struct move *search_choose(const struct move *moves, unsigned count);

/* Whether moves that cost a preemption, or a delay of stores, can still be made. */
bool search_may_preempt(void);
bool search_may_delay(void);

/* Whether every step is a place for a preemption: as long as it is not known what is shared. */
bool search_counts_all(void);

/* ---- threads.c ---- */

void threads_init(void);
/* Runs the scenario as thread 0 until all threads have ended. */
void threads_run(const struct schedule_scenario *scenario);
unsigned threads_create(void *(*routine)(void *argument), void *argument);
void threads_exit(void) __attribute__((noreturn));

/* Counts a place where something else could go on; a run that has too many of them fails. */
void threads_count_moment(void);

/* A step that others can see is about to come. */
void threads_step(void);

/* Sleeps until woken or until the deadline.  True: it timed out. */
bool threads_block(const volatile void *address, const char *why, int64_t deadline);
/* Wakes up to count of those that sleep there, in the order of their threads. */
void threads_wake(const volatile void *address, int count);
void threads_yield(void);
void threads_sleep(int64_t deadline);

/* What each thread does, for a report. */
void threads_report(void);

/* ---- system.c ---- */

/* Between two runs. */
void system_reset(void);

/* The current thread ends: what pthread does then. */
void system_end_thread(void);

/* ---- memory.c ---- */

void memory_forget(void);  /* what is known to be shared */
void memory_reset(void);   /* between two runs */
bool memory_learned(void); /* since the last call: a location became a shared one */

/* The current thread is about to touch an address: maybe others go first. */
void memory_visit(const volatile void *address, bool writes, const char *here);
void memory_commit_first(struct thread *thread);
void memory_commit(struct thread *thread, unsigned count);
void memory_drain(void);
bool memory_is_shared(const volatile void *address);

void *memory_allocate(size_t alignment, size_t size);
/* False: it is not from here. */
bool memory_free(void *pointer);
size_t memory_size(const void *pointer);
bool memory_holds(const volatile void *pointer);

void trace(const char *what, const volatile void *address, uint64_t value, const char *here);

#endif
