/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library asks of the operating system beyond POSIX: a word to sleep on, memory in large
 * pieces, the number of CPUs, a random number.  A port to another system replaces os.c and fence.c.
 */
#ifndef DISTR_BASE_OS_H
#define DISTR_BASE_OS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* Sleeps while *word is `expected`, at most until deadline (distributor_now(); INT64_MAX: for
 * ever).  Returns 0 after a wake-up, also a spurious one, or -ETIMEDOUT. */
int distr_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);

/* Sleeps until then. */
void distr_sleep_until(int64_t deadline);

/* Wakes up to `count` sleepers of the word. */
void distr_futex_wake(_Atomic uint32_t *word, int count);

/* Zeroed memory whose pages cost nothing until they are touched; NULL: there is none. */
void *distr_pages_map(size_t size);
void distr_pages_unmap(void *pages, size_t size);

/* CPUs this process may use, the quota of its cgroup included; at least 1. */
unsigned distr_cpu_count(void);

/* A number that nobody outside can foresee. */
uint64_t distr_random(void);

/* A descriptor that can be polled; readable at first.  A negative errno: there is none. */
int distr_event_make(void);
void distr_event_set(int fd);   /* readable; any thread */
bool distr_event_clear(int fd); /* not readable; false: it was not */
void distr_event_close(int fd); /* -1: nothing */

#endif
