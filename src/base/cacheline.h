/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout: fields that different threads write stand on different cache lines. */
#ifndef DISTR_BASE_CACHELINE_H
#define DISTR_BASE_CACHELINE_H

#include <ck_md.h>

#define DISTR_CACHELINE CK_MD_CACHELINE
#define DISTR_CACHE_ALIGNED _Alignas(DISTR_CACHELINE)

#define distr_likely(x) __builtin_expect(!!(x), 1)
#define distr_unlikely(x) __builtin_expect(!!(x), 0)

#endif
