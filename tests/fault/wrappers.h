/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wrappers of the calls that can fail, for a program linked with -Wl,--wrap=NAME for each name
 * in tests/fault/local.mk, and what they know.
 */
#ifndef FAULT_WRAPPERS_H
#define FAULT_WRAPPERS_H

#include <stdbool.h>
#include <stddef.h>

/* Begins a turn: nothing has failed yet, and nothing fails before wrappers_arm. */
void wrappers_begin(void);

/* From here on call number `failing` fails, and all after it if persistent; 0: none. */
void wrappers_arm(unsigned failing, bool persistent);
void wrappers_disarm(void);
bool wrappers_fired(void);
void wrappers_note(bool failed); /* what another process found */

/* For a wrapper: whether this call fails, and what it hands out, which somebody must free. */
bool wrappers_fails(const char *name, const void *place);
void wrappers_add_live(const void *memory, size_t size, const void *place);

/* What is alive now belongs to the process and counts no more. */
void wrappers_keep_rest(void);

/* Whether all memory of the turn is gone; else prints who asked for what is left. */
bool wrappers_nothing_left(void);

/* Prints the calls that failed last, as offsets for addr2line. */
void wrappers_print_failed(void);

/* From how many places of the program a call has failed. */
unsigned wrappers_places(void);

#endif
