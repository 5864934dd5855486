/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam to Concurrency Kit for ThreadSanitizer, which cannot see CK's atomics.  Who hands an
 * item over through a CK structure says so before, who got one says so after; and what CK itself
 * reads and writes in between is none of TSan's business.
 */
#ifndef DISTR_BASE_HANDOVER_H
#define DISTR_BASE_HANDOVER_H

#include "base/fence.h"

#ifdef DISTR_TSAN
#include <sanitizer/tsan_interface.h>
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define distr_handover_give(item) __tsan_release(item)
#define distr_handover_take(item) __tsan_acquire(item)
#define distr_handover_begin() \
    (AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__))
#define distr_handover_end() \
    (AnnotateIgnoreWritesEnd(__FILE__, __LINE__), AnnotateIgnoreReadsEnd(__FILE__, __LINE__))
#else
#define distr_handover_give(item) ((void)(item))
#define distr_handover_take(item) ((void)(item))
#define distr_handover_begin() ((void)0)
#define distr_handover_end() ((void)0)
#endif

#endif
