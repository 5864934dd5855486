/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structs of the pool.  Who writes what stands at each group of fields; the protocols that
 * they serve are in src/queue/README.md.
 */
#ifndef DISTR_POOL_STATE_H
#define DISTR_POOL_STATE_H

#include <distributor/pool.h>
#include <distributor/short.h>

#include <ck_stack.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/cacheline.h"
#include "base/fence.h"
#include "base/gate.h"
#include "queue/queue.h"

struct distr_worker;
struct distr_group;
struct distr_source;
struct distr_deferred;
struct distr_late;
struct distr_source_group;
struct distr_pipe;
struct distr_order;
struct distr_ordered;

/* Flags of distributor.state; set by fetch_or, cleared by start and join under the lock. */
enum distr_state {
    DISTR_CLOSED = 1,     /* outside adds are refused */
    DISTR_STOPPING = 2,   /* spawns too */
    DISTR_CANCELLED = 4,  /* what has not begun is discarded */
    DISTR_DOOR_SHUT = 8,  /* CLOSED, and every adder has seen it or has counted */
    DISTR_STARTED = 16,   /* from start to the end of join */
    DISTR_ENDED = 32,     /* STOP; stays until the next start */
    DISTR_DESTROYED = 64, /* destroy has begun */
    DISTR_LIMITED = 128   /* there is an input limit, or an order; constant */
};

/* What a record's `inside` is.  The last two are over soon, they do not wait. */
enum distr_inside {
    DISTR_OUTSIDE = 0,
    DISTR_INSIDE = 1,
    DISTR_TAKING = 2,   /* a lone reader takes a result */
    DISTR_APPENDING = 3 /* ordered: the thread has the input as the favoured one */
};

/* Numbers for tasks, taken from the distributor's a range at a time. */
struct distr_serials {
    uint64_t next;
    uint64_t end;
};

/* What one reading thread holds between its reads. */
struct distr_reader {
    struct distr_cursor cursor; /* in the output of the worker it read from last */
    struct distr_item *items;
    uint32_t *workers; /* the worker that made items[i] */
    size_t capacity;
    size_t count;              /* of the last read, to be freed by the next */
    struct distr_group *group; /* where it goes on looking */
    unsigned bit;
    unsigned stayed;   /* looks that began there and found something */
    int64_t napped_at; /* when its last nap began, */
    uint64_t came;     /* and the results that it has found since */
    size_t found;      /* by its last look, if these were all; 0: there may have been more */
    int64_t looked_at; /* when it let results come last, */
    uint64_t added;    /* and the tasks that its thread had added then */
};

/*
 * The record of a thread that adds, completes or reads: one per worker and one per outside thread
 * (passed on to the next new thread when that one ends).  Linked before its first count, never
 * unlinked.  Counts are written by the record's thread alone, only grow, and are compared between
 * runs by difference.
 */
struct distr_record {
    struct distr_queue input; /* the tasks it added: OPEN of outside threads, a deque of workers */

    /* What short ways need, in one line: as in struct distributor_short_record. */
    DISTR_CACHE_ALIGNED struct distributor *owner; /* constant */
    _Atomic uint64_t added;
    struct distr_serials serials; /* outside: behind, while adds to a dense block are quick */
    _Atomic uint32_t inside; /* its thread is inside a call of this distributor: distr_inside */
    _Alignas(16) uint64_t word[2]; /* the result that its last short read returned */

    struct distr_reader reader;

    _Atomic uint64_t refused; /* added, and then found the door shut */
    _Atomic uint64_t completed;
    _Atomic uint64_t failed;
    _Atomic uint64_t cancelled;
    _Atomic uint64_t discarded;
    _Atomic uint64_t unqueued; /* results that cancel dropped, failures without memory */

    uint32_t until_note; /* calls until its thread says on which CPU it is (crowd.h) */
    uint32_t met;      /* adds that met a search, since the last one that met none */
    uint32_t patience; /* of those, how many before it wakes another worker */
    const distributor_task_type_t *checked; /* the last type that was found valid */

    struct distr_worker *worker;    /* constant: NULL for outside threads */
    struct distr_group *group;      /* constant: where it is linked, */
    uint64_t mask;                  /* and its bit there */
    struct distr_record *next_free; /* guarded by the registry's lock */

    /* Fair workers: the ended tasks at the last visit; relaxed, a guess is enough. */
    _Atomic uint64_t seen;
};

/* 64 records, and a bit for each in four words that others look at. */
struct distr_group {
    /* Hints.  Its thread sets the bit before it relies on being found; a taker clears it when the
     * queue is empty, looks again, and sets it if it is not. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t tasks;   /* the record's input may hold tasks */
    DISTR_CACHE_ALIGNED _Atomic uint64_t results; /* the worker's output may hold results */
    /* Set by a worker that goes to sleep, cleared by who wakes it. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t sleeping;

    DISTR_CACHE_ALIGNED _Atomic(struct distr_record *) records[64];
    _Atomic(struct distr_group *) next;
    unsigned count; /* guarded by the owner's lock */
};

/*
 * Hints are worth clearing where many are set: where few are, looking at an empty queue is cheaper
 * than clearing its hint and setting it again.
 */
static inline bool distr_many_hints(uint64_t bits)
{
    for (unsigned i = 0; i < 4; i++)
        bits &= bits - 1;
    return bits != 0;
}

/* A message in a mailbox, and the node it is linked by. */
struct distr_mail {
    ck_stack_entry_t entry;
    struct distr_mail *next; /* oldest first, once the worker has taken it */
    size_t size;
    _Alignas(max_align_t) unsigned char data[];
};

struct distributor_task {
    struct distr_worker *worker; /* up to the item as in struct distributor_short_task */
    struct distributor_short_end *output; /* of its worker's output */
    struct distr_item item;        /* the task; its input lives here or is owned from here */
    bool rare; /* it does not end as tasks commonly do, even if it returns 0 */
    struct distr_failure *failure; /* what distributor_fail kept */
    struct distr_deferred *deferred; /* if the item is of the kind DISTR_DEFERRED */
};

/* A failure that does not fit into an item: it has a message, or an error beyond 4095. */
struct distr_failure {
    struct distr_item input; /* the task */
    int error;
    char message[];
};

/* How fast the inputs of a kept source are, with their tasks: measured again and again. */
struct distr_pace {
    int64_t since;
    int64_t enough;      /* nanoseconds for each */
    unsigned count, left; /* inputs from one measurement to the next */
    unsigned times;
    bool slow; /* the last time */
};

/* What a worker knows that may have to give way (crowd.c). */
struct distr_way {
    uint64_t others;  /* how many tasks the others had ended when it asked last */
    bool others_move; /* more than the time before */
    int64_t asked_at;
};

/* One worker: the record of its thread, its results, and what it is doing. */
struct distr_worker {
    struct distr_record record;
    struct distr_queue claims; /* a deque: claimed from an outside thread's queue, oldest on top */
    struct distr_queue output; /* OPEN: what its tasks emitted; ordered: a chain is filled here */

    DISTR_CACHE_ALIGNED struct distributor_task task; /* the one that runs */
    struct distr_ordered *order; /* constant; NULL: results come as they are made */
    unsigned unheard;    /* results that met a reader which was told and had not looked */
    unsigned until_fair; /* tasks until it looks for the oldest one elsewhere */
    unsigned fair_missed; /* looks in a row that met what it had claimed */
    struct distr_group *fair_group; /* the record it looks at then */
    unsigned fair_bit;
    struct distr_group *scan_group; /* where it found tasks last */
    unsigned scan_bit;
    uint64_t watched; /* what all had added and ended when it looked last */
    struct distr_way way;
    struct distr_source *source; /* which one it asked last */
    struct distr_source *kept;   /* which one it keeps, if nobody has taken it away (keep.h) */
    struct distr_pace pace;      /* of what it keeps */
    uint64_t watched_moves;      /* those of another keeper, when it looked last, */
    int64_t visit_at;            /* and when it looks again; 0: it has found none */

    /* The one whose callback is on the stack. */
    _Atomic(struct distr_source *) asked;
    void *value;
    void (*destroy_value)(void *value);
    struct distr_mail *mail; /* taken from the mailbox, oldest first */
    struct distr_mail *read; /* the message that the task looks at */

    /* The type of the callback that is on the stack.  relaxed: only this worker judges by it, a
     * timed join merely names it. */
    _Atomic(const distributor_task_type_t *) busy;

    /* 1 while a thread works as this worker. */
    _Atomic uint32_t occupied;

    /* 0 awake or told to wake, 1 asleep: the word it sleeps on. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t asleep;
    _Alignas(16) ck_stack_t mailbox; /* any thread pushes, the worker takes all */

    /* Constant while it runs; guarded by the owner's lock. */
    pthread_t thread;
    unsigned index;
    char *name;
};

struct distributor {
    /* Read by all at every step, written rarely; the first ones, `search` and `readers` as in
     * struct distributor_short. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t state;
    uint32_t generation; /* constant: forks before create */
    uint64_t id;         /* constant: unlike any other distributor of this process */
    /* The record of who reads, while no other thread does, then NULL for good (T5); NULL with a
     * limit, or without membarrier. */
    _Atomic(struct distr_record *) lone_reader;
    uint64_t input_limit;          /* constant; UINT64_MAX: none */
    uint64_t output_limit;         /* constant; UINT64_MAX: none; 0 in a forked child */
    struct distr_order *order;     /* constant; NULL: results come as they are made */
    unsigned cpus;                 /* constant */
    _Atomic uint32_t open_sources; /* sources_opened - sources_ended; a hint that there are some */
    _Atomic unsigned workers;      /* how many there are; guarded by the lock */
    _Atomic bool has_watcher;      /* a worker watches a kept source; swapped by workers */

    /* sleeping : 31 | unchecked : 1 | searching : 32, see idle.c. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t search;

    /* Readers that sleep, and whether one of them was told to wake. */
    DISTR_CACHE_ALIGNED struct distr_gate readers;
    _Atomic uint32_t reader_told;
    _Atomic(struct distr_pipe *) watch; /* waits to be told, like a reader; swapped by all */
    _Atomic int outside_cpu;    /* where an outside thread was seen in a call, */
    _Atomic int64_t outside_at; /* and when (crowd.h) */

    /* Who uses no limit never writes these. */
    DISTR_CACHE_ALIGNED _Atomic uint64_t pending; /* tasks accepted and not begun */
    struct distr_gate input_room;
    DISTR_CACHE_ALIGNED _Atomic uint64_t unread; /* results emitted and not read */
    struct distr_gate output_room;

    DISTR_CACHE_ALIGNED _Atomic uint64_t serial; /* the next range of serials */
    struct distr_gate ended;                     /* joiners wait for ENDED */
    struct distr_gate nappers;                   /* readers that nap (T7) */
    struct distr_gate go;                        /* workers wait for the end of start, */
    _Atomic uint32_t launch;                     /* which is one of enum distr_launch */

    /* The descriptor; constant once the word is not NONE. */
    _Atomic uint32_t fd_word; /* see fd.h */
    int fd;                   /* -1: none */

    /* Who reads: 0 nobody yet, 1 the thread of first_reader, 2 several threads did. */
    _Atomic uint32_t reading_threads;
    pthread_t first_reader;
    struct distr_record *first_reading; /* its record; guarded by the lock */

    /* Like added and ended of records: counted before a source can be asked, and after its last
     * input was counted. */
    _Atomic uint64_t sources_opened;
    _Atomic uint64_t sources_ended;

    _Atomic(struct distr_late *) late; /* of deferred tasks; made with the first one */
    _Atomic(struct distr_source_group *) source_groups; /* linked under the lock */
    struct distr_pools pools;
    distributor_options_t options; /* constant */
    struct distr_group first; /* the list of groups starts here */

    /* Guarded by lock. */
    pthread_mutex_t lock;
    struct distr_group *last;
    struct distr_worker **all; /* by index; from `workers` up to `made`: those of a failed start */
    unsigned made;
    unsigned capacity;
    bool named;        /* some worker has a name that add_worker gave it */
    pthread_t starter; /* the thread that called start */
    int64_t started_ns;
    int64_t ended_ns;
    distributor_summary_t total; /* of all that ended, written by who sets ENDED */
    distributor_summary_t base;  /* the total at the end of the last join */
    struct distr_pipe *pipe;     /* its last one, where it is the end that is read; or NULL */
    struct distr_source *free_sources; /* places of those that have ended */
    bool joining;
    pthread_cond_t joined;  /* joining became false */
    bool running;           /* the threads live */
    _Atomic uint32_t calls; /* rare calls that are inside (distr_call_begin); not under the lock */

    pthread_mutex_t user_lock; /* recursive; no part of the library holds it */

    /* Guarded by the registry's lock (registry.c). */
    struct distr_record *free_records;
    struct distributor *registry_next;
    struct distributor **registry_link;
};

enum distr_launch { DISTR_WAIT = 0, DISTR_GO = 1, DISTR_ABORT = 2 };

/* Tasks of this record that have ended, and refusals. */
static inline uint64_t distr_record_done(struct distr_record *record)
{
    /* Q1 acquire: pairs with Q0 in distr_count. */
    return atomic_load_explicit(&record->completed, memory_order_acquire) +
           atomic_load_explicit(&record->failed, memory_order_acquire) +
           atomic_load_explicit(&record->cancelled, memory_order_acquire) +
           atomic_load_explicit(&record->discarded, memory_order_acquire) +
           atomic_load_explicit(&record->refused, memory_order_acquire);
}

/* Q0 release: pairs with Q1.  Only the record's thread writes. */
static inline void distr_count(_Atomic uint64_t *count, uint64_t more)
{
    uint64_t before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before + more, memory_order_release);
}

/* Whether the callback of a source is on the stack: only this worker asks. */
static inline bool distr_is_asking(struct distr_worker *worker)
{
    return atomic_load_explicit(&worker->asked, memory_order_relaxed) != NULL;
}

static inline uint32_t distr_state(const struct distributor *d)
{
    /* seq_cst: often looked at right after a seq_cst step of our own (G1, P2, X1). */
    return atomic_load_explicit(&d->state, memory_order_seq_cst);
}

/* The distributor, as short ways see it. */
static inline const struct distributor_short *distr_short(const struct distributor *d)
{
    return (const struct distributor_short *)(const void *)d;
}

void distr_log(const struct distributor *d, distributor_log_level_t level, const char *worker,
               const char *format, ...) DISTRIBUTOR_PRINTF(4, 5);

#endif
