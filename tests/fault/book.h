/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The book of a scenario: which tasks were accepted, and what became of each.  It allocates
 * nothing, so that all calls that fail are the library's.
 */
#ifndef FAULT_BOOK_H
#define FAULT_BOOK_H

#include <distributor/pool.h>

#include <stdbool.h>
#include <stddef.h>

#define BOOK_TASKS 16384
#define BOOK_INLINE 8  /* bytes that fit into a slot of a queue */
#define BOOK_LARGE 200 /* bytes that do not */

/* A scenario once more, SCENARIO_ordered, with a program's own `order` in what it makes. */
#define BOOK_ORDERED(scenario)                                                                     \
    static void scenario##_ordered(void)                                                           \
    {                                                                                              \
        order = DISTRIBUTOR_AS_ADDED;                                                              \
        scenario();                                                                                \
        order = DISTRIBUTOR_AS_COMPLETED;                                                          \
    }

/* What a task does besides being counted; NULL: emits its own bytes.  Its return is the task's. */
typedef int book_body_fn(distributor_task_t *self, unsigned id, size_t size);

void book_reset(book_body_fn *body);

/* From here to book_reset the ids of results never fall, as one thread reads them. */
void book_expect_order(void);

/* Adds or spawns task `id`; notes it if it was accepted; returns what the call returned. */
int book_add(distributor_t *d, unsigned id, size_t size);
int book_try_add(distributor_t *d, unsigned id, size_t size);
int book_add_until(distributor_t *d, unsigned id, size_t size);
ptrdiff_t book_add_several(distributor_t *d, unsigned first, size_t size, unsigned count);
int book_spawn(distributor_task_t *self, unsigned id, size_t size);

/* Emits the bytes of task `id`. */
int book_emit(distributor_task_t *self, unsigned id, size_t size);

/* Checks a result and notes it. */
void book_take(const distributor_result_t *result);

/* Reads until STOP; while calls fail, -ENOMEM is tried again. */
void book_read_all(distributor_t *d);

unsigned book_accepted(void);
unsigned book_begun(void);
unsigned book_emitted(void);
unsigned book_read(void);

/* Closes, reads, joins: every accepted task has begun and ended or was discarded, everything
 * emitted was read, and the summary says the same. */
void book_finish(distributor_t *d);

/* The same for what is left after destroy: read or discarded. */
void book_close(void);

#endif
