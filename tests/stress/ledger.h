/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: proves that nothing was lost, nothing doubled and nothing invented.
 *
 * Every task and every result carries a word: an owner (the adder, or the worker that spawned it),
 * a number of that owner, a part, and a magic number that depends on the rest.  Every thread
 * writes what it does into a log of its own, without an atomic operation that could hide a
 * missing fence of the library.  After the run the logs are replayed: what was accepted must have
 * begun or have been discarded, once; what was emitted must have been read or discarded, once;
 * and the summary must add up to the same numbers.
 *
 * Inputs and results of less than 8 bytes cannot carry a word; of them only the number counts.
 */
#ifndef STRESS_LEDGER_H
#define STRESS_LEDGER_H

#include <distributor/pool.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_MAX_SIZE 80         /* of an input or a result, in bytes */
#define LEDGER_PARTS 4             /* results that one task can tell apart */
#define LEDGER_ANONYMOUS 4095      /* the owner of what is too small for a word */

enum ledger_kind { LEDGER_TASK, LEDGER_RESULT };

struct ledger_item {
    unsigned owner;    /* below LEDGER_ANONYMOUS */
    uint32_t sequence; /* 24 bits, of the owner */
    unsigned part;     /* 4 bits; of a task: its depth, of a result: which one of its task */
};

enum ledger_event {
    LEDGER_ADDED,            /* an add or a spawn returned 0 */
    LEDGER_BEGUN,            /* run was called */
    LEDGER_COMPLETED,        /* run is about to return 0 */
    LEDGER_FAILED,           /* run is about to end in another way */
    LEDGER_EMITTED,          /* an emit returned 0, or -ECANCELED */
    LEDGER_READ,             /* a reader got the result */
    LEDGER_FAILURE_READ,     /* a reader got the failure record */
    LEDGER_INPUT_DISCARDED,  /* discard_input was called */
    LEDGER_RESULT_DISCARDED, /* discard_result was called */
    LEDGER_EVENTS
};

/* What one thread did: written by that thread alone, replayed after the run. */
struct ledger_log;

/* How many of each event, anonymous ones included. */
struct ledger_totals {
    uint64_t count[LEDGER_EVENTS];
};

/* What the round allows. */
struct ledger_rules {
    bool cancelled;      /* tasks that were running and failed have no record */
    bool dropped;        /* failure records may have been dropped unread */
    bool several;        /* more than one distributor or run: serials may repeat */
    bool threads_change; /* an owner is several threads in turn: no order among its serials */
    unsigned in_order;   /* owners below this one: their tasks begin in the order of adding */
    unsigned blind;      /* results that a reader got but could not look at */
};

/* Forgets everything; `logs` threads will write. */
void ledger_reset(unsigned logs);

/* After it: results are ordered, so serials are places in a serial run.  What one reader gets has
 * them in order; what one thread adds, if it is an outside one, with a number below `owners`. */
void ledger_order(unsigned owners);

struct ledger_log *ledger_log(unsigned index);

/* Puts the word and a pattern into `size` bytes; less than 8 get a pattern alone. */
void ledger_fill(enum ledger_kind kind, struct ledger_item item, void *bytes, size_t size);

/* Reads it back; a wrong magic, pattern or alignment is a failure. */
struct ledger_item ledger_parse(enum ledger_kind kind, const void *bytes, size_t size);

void ledger_write(struct ledger_log *log, enum ledger_event event, struct ledger_item item);

/* What a reader got, with its serial and worker. */
void ledger_write_result(struct ledger_log *log, const distributor_result_t *result);

/* What run was called with: it remembers the worker, which the results must repeat. */
struct ledger_item ledger_write_begun(struct ledger_log *log, const distributor_task_t *self,
                                      const void *input, size_t size);

/* The callbacks of every task type. */
void ledger_discard_input(void *input, size_t size);
void ledger_discard_result(void *result, size_t size);

/* Replays the logs, checks every item, and the summary unless it is NULL. */
struct ledger_totals ledger_check(const distributor_summary_t *summary,
                                  const struct ledger_rules *rules);

#endif
