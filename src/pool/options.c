/* SPDX-License-Identifier: BSD-2-Clause */
/* Options; see options.h. */
#include "pool/options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The struct of the first release. */
#define SIZE_MIN (offsetof(distributor_options_t, reserved) + 8 * sizeof(void *))
/* More than any release will have; what claims to be larger is no options struct. */
#define SIZE_MAX_SANE 65536u

#define DEADLOCK_NS 1000000000
#define WINDOW 1024

static bool all_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Copies what both sides know; what only a newer caller knows must be zero. */
static int copy(distributor_options_t *chosen, const distributor_options_t *options)
{
    size_t size = options->size;

    memset(chosen, 0, sizeof *chosen);
    if (size < SIZE_MIN || size > SIZE_MAX_SANE)
        return -EINVAL;
    if (size > sizeof *chosen) {
        const unsigned char *bytes = (const unsigned char *)options;
        if (!all_zero(bytes + sizeof *chosen, size - sizeof *chosen))
            return -ENOTSUP;
        size = sizeof *chosen;
    }
    memcpy(chosen, options, size);
    return 0;
}

static int check(const distributor_options_t *chosen)
{
    if (chosen->workers > DISTRIBUTOR_MAX_WORKERS || chosen->deadlock_ns < 0)
        return -EINVAL;
    long least = sysconf(_SC_THREAD_STACK_MIN);
    if (chosen->stack_size != 0 && least > 0 && chosen->stack_size < (size_t)least)
        return -EINVAL;
    if (chosen->order != DISTRIBUTOR_AS_COMPLETED && chosen->order != DISTRIBUTOR_AS_ADDED)
        return -EINVAL;
    if (chosen->order == DISTRIBUTOR_AS_COMPLETED && chosen->window != 0)
        return -EINVAL;
    if (chosen->window > DISTRIBUTOR_MAX_WINDOW)
        return -EINVAL;
    /* Parts that this release does not have. */
    if (chosen->engine)
        return -ENOTSUP;
    if (!all_zero((const unsigned char *)chosen->reserved, sizeof chosen->reserved))
        return -ENOTSUP;
    return 0;
}

int distr_options_read(distributor_options_t *chosen, const distributor_options_t *options)
{
    int rc = 0;

    memset(chosen, 0, sizeof *chosen);
    if (options)
        rc = copy(chosen, options);
    if (rc == 0)
        rc = check(chosen);
    if (rc == 0 && chosen->deadlock_ns == 0)
        chosen->deadlock_ns = DEADLOCK_NS;
    if (rc == 0 && chosen->order == DISTRIBUTOR_AS_ADDED && chosen->window == 0)
        chosen->window = WINDOW;
    return rc;
}
