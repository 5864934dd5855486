/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Six tasks that do nothing but take a while, in the order of their dependencies:
 *
 *     a --> b -----------> f          distributor run --log simple.c
 *       \-> c --> d -----/            distributor run --progress --nap=500 simple.c
 *             \-> e                   distributor graph simple.c
 *
 * --nap=MILLISECONDS is how long each takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <distributor/module.h>

static int64_t nap_ms = 10;

int setup_state(distributor_state_t *state);

int setup_state(distributor_state_t *state)
{
    distributor_value_t nap;

    if (distributor_state_get(state, "nap", &nap) != 0)
        return 0;
    bool is_good = nap.type == DISTRIBUTOR_INT && nap.as.integer >= 0;
    if (is_good)
        nap_ms = nap.as.integer;
    distributor_value_free(&nap);
    return is_good ? 0 : -EINVAL;
}

static int nap(distributor_call_t *call)
{
    struct timespec time = {nap_ms / 1000, nap_ms % 1000 * 1000000};

    nanosleep(&time, NULL);
    distributor_call_log(call, DISTRIBUTOR_LOG_INFO, "completed");
    return 0;
}

DISTRIBUTOR_TASK(a) { return nap(call); }
DISTRIBUTOR_TASK(b, .after = {"a"}) { return nap(call); }
DISTRIBUTOR_TASK(c, .after = {"a"}) { return nap(call); }
DISTRIBUTOR_TASK(d, .after = {"c"}) { return nap(call); }
DISTRIBUTOR_TASK(e, .after = {"c"}) { return nap(call); }
DISTRIBUTOR_TASK(f, .after = {"b", "d"}) { return nap(call); }
