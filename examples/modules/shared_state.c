/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that share a state: each counts itself, `load` puts a number there, and `compute` makes
 * another one of it.
 *
 *     distributor run --verbose --state-file=/tmp/state.json examples/modules/shared_state.c
 */
#include <distributor/module.h>

/* One more, whoever else counts at the same time. */
static int add_one(void *unused, const distributor_value_t *before, distributor_value_t *value)
{
    (void)unused;
    *value = distributor_int(before->type == DISTRIBUTOR_INT ? before->as.integer + 1 : 1);
    return 0;
}

static int count(distributor_call_t *call)
{
    return distributor_state_update(distributor_call_state(call), "counter", add_one, NULL);
}

DISTRIBUTOR_TASK(load)
{
    const distributor_value_t ten = distributor_int(10);
    int rc = count(call);

    if (rc == 0)
        rc = distributor_state_set(distributor_call_state(call), "x", &ten);
    return rc != 0 ? rc : distributor_return_string(call, "loaded");
}

DISTRIBUTOR_TASK(behave)
{
    int rc = count(call);

    return rc != 0 ? rc : distributor_return_string(call, "behaved");
}

/* The lock makes the two steps one. */
DISTRIBUTOR_TASK(compute, .after = {"load"})
{
    distributor_state_t *state = distributor_call_state(call);
    distributor_value_t x;
    int rc = count(call);

    if (rc != 0)
        return rc;
    distributor_state_lock(state);
    rc = distributor_state_get(state, "x", &x);
    if (rc == 0) {
        x.as.integer += 5;
        rc = distributor_state_set(state, "x", &x);
    }
    distributor_state_unlock(state);
    return rc != 0 ? rc : distributor_return_int(call, x.as.integer);
}
