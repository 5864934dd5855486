/* SPDX-License-Identifier: BSD-2-Clause */
/* What the whole library is, as opposed to one distributor. */
#include <distributor/pool.h>
#include <distributor/version.h>

#include "base/clock.h"

const char *distributor_version(void)
{
    return DISTRIBUTOR_VERSION;
}

int64_t distributor_now(void)
{
    return distr_now();
}
