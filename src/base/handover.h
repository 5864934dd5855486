/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam to Concurrency Kit for ThreadSanitizer, which cannot see CK's atomics: who hands an
 * item over through a CK structure says so before, who got one says so after.
 */
#ifndef DISTR_BASE_HANDOVER_H
#define DISTR_BASE_HANDOVER_H

#include "base/fence.h"

#ifdef DISTR_TSAN
#include <sanitizer/tsan_interface.h>
#define distr_handover_give(item) __tsan_release(item)
#define distr_handover_take(item) __tsan_acquire(item)
#else
#define distr_handover_give(item) ((void)(item))
#define distr_handover_take(item) ((void)(item))
#endif

#endif
