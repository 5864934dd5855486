/* SPDX-License-Identifier: BSD-2-Clause */
/* membarrier(2), the rare side of asymmetric fences; see fence.h. */
#include "base/fence.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

bool distr_has_membarrier;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    long rc = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    distr_has_membarrier = rc == 0;
}

void distr_fence_init(void)
{
    pthread_once(&once, init);
}

void distr_heavy_fence(void)
{
    /* Registered: the kernel documents no failure that could happen later. */
    if (distr_has_membarrier)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    distr_full_fence();
}
