/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every scenario over the whole pool counts, and what must hold at its end: each task that was
 * accepted ran once or was discarded once, each result was read once or discarded once, and the
 * summary says the same.
 */
#ifndef SCHEDULE_BOOK_H
#define SCHEDULE_BOOK_H

#include <distributor.h>
#include <pthread.h>

#include "schedule/schedule.h"

/* The present distributor.  A scenario has one at a time. */
extern distributor_t *book_pool;

/* A task is a number; these run it. */
extern const distributor_task_type_t book_emits;       /* emits its number */
extern const distributor_task_type_t book_quiet;       /* emits nothing */
extern const distributor_task_type_t book_thrice;      /* emits its number three times */
extern const distributor_task_type_t book_many;        /* emits its number seven times */
extern const distributor_task_type_t book_fails;       /* fails, which is a result */
extern const distributor_task_type_t book_spawns;      /* spawns two quiet tasks */
extern const distributor_task_type_t book_spawns_many; /* five, the last ones the short way */
extern const distributor_task_type_t book_waits;       /* returns when the next task has run */
extern const distributor_task_type_t book_sleeps;      /* the same, asleep; the last one does not */
extern const distributor_task_type_t book_waits_last;  /* emits, asleep until the last one of all
                                                          has run */
extern const distributor_task_type_t book_held;        /* emits, asleep until book_let_go */
extern const distributor_task_type_t book_as_told;     /* see book_add_roles */
extern const distributor_task_type_t book_answered;    /* emits, returns when that was read */
extern const distributor_task_type_t book_needs_child; /* returns when a task it spawns has run */
extern const distributor_task_type_t book_exits;       /* ends its thread, which is a failure */
extern const distributor_task_type_t book_parents;     /* emits, spawns one of the next number that
                                                          emits; not for book_add */
extern const distributor_task_type_t book_heirs;       /* the same when that of the one before has
                                                          begun */

/* Makes a distributor and its ledger; the rest of the options as given. */
void book_create(unsigned workers, uint64_t input_limit, uint64_t output_limit);
/* One with ordered results: they must come in the order of their tasks. */
void book_create_ordered(unsigned workers, uint64_t window, uint64_t output_limit);
void book_start(void);

/* Adds a task of the next number; 0 or what the call returned, which must be `refusal` then. */
int book_add(const distributor_task_type_t *type, int refusal);
/* The same without waiting. */
int book_try_add(const distributor_task_type_t *type, int refusal);

/* The first tasks of a distributor, which do what these types do (NULL: quiet ones) and have the
 * same type, so that they stand in the same blocks. */
void book_add_roles(const distributor_task_type_t *const *types, unsigned tasks);
void book_let_go(void);

/* A source of `inputs` tasks, whose numbers are `step` apart, and then of `end`, which it returns
 * when nothing is left: 0 or an error; or of -EAGAIN, before the last one, until it is ready. */
void book_add_source(const distributor_task_type_t *type, unsigned inputs, unsigned step, int end);
/* The callbacks of sources take a while from now on, in which others can run. */
void book_slow_sources(void);
/* From now on they are not called, but once, by who had begun to. */
void book_no_more_inputs(void);
/* Who asks the source that was added last waits in the callback, until the release. */
void book_hold_source(void);
void book_release_source(void);
/* Those which return -EAGAIN can go on, and it is said to them. */
void *book_source_ready(void *unused);

/* Reads one result and notes it; what the call returned. */
int book_read(void);
int book_try_read(void);
void book_note(const distributor_result_t *result);
/* Reads until STOP, or until the call returns something else. */
int book_read_all(void);

/* Joins, and compares the summary with what ran. */
void book_join(void);

/* After STOP and before a join: what was accepted has run. */
void book_all_ran(void);

/* Destroys the distributor and checks everything; other threads have returned from their calls. */
void book_destroy(void);
/* The checks alone. */
void book_check(void);

bool book_has_run(unsigned number);

/* Threads of scenarios; the two routines add quiet tasks, which a shut door may refuse. */
pthread_t book_thread(void *(*routine)(void *argument));
void book_wait_for(pthread_t thread);
void *book_add_one(void *unused);
void *book_add_two(void *unused);

#endif
