/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout: fields that different threads write stand on different cache lines, and what is rare
 * stands apart from what is frequent. */
#ifndef DISTR_BASE_CACHELINE_H
#define DISTR_BASE_CACHELINE_H

#include <ck_md.h>

#define DISTR_CACHELINE CK_MD_CACHELINE
#define DISTR_CACHE_ALIGNED _Alignas(DISTR_CACHELINE)

#define distr_likely(x) __builtin_expect(!!(x), 1)
#define distr_unlikely(x) __builtin_expect(!!(x), 0)

/* A short way, in each of its few places; compilers would make one function of it. */
#define distr_inlined static inline __attribute__((always_inline))

/* The rest of a call whose common case is short: inlined there, it would cost the common case its
 * registers. */
#define distr_apart __attribute__((noinline))

/* A second name of a public function, which is declared elsewhere. */
#define distr_also(function, name) \
    extern __typeof__(function) name __attribute__((alias(#function)))

/* Asks for the line of an address that will be written after some other work.  Before a row of
 * stores it is no help: distr_queue_fetch. */
static inline void distr_prefetch_write(const void *address)
{
#if defined(__x86_64__)
    /* Compilers give the builtin's instruction only to those who name a processor. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

#endif
