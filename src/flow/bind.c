/* SPDX-License-Identifier: BSD-2-Clause */
/* See bind.h. */
#include "flow/bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/lists.h"
#include "flow/state.h"
#include "flow/value.h"

/* ---- Before a run ---- */

static int check_keys(distributor_graph_t *graph, size_t node, char *const *keys,
                      distributor_state_t *state)
{
    char name[24];

    for (; keys && *keys; keys++) {
        if (!state)
            return distr_graph_say(graph, -EINVAL, "%s names the key %s, and the run has no state",
                                   distr_graph_called(graph, node, name), *keys);
        if (!distr_state_knows(state, *keys))
            return distr_graph_say(graph, -ENOENT,
                                   "%s names the key %s, which the state does not have",
                                   distr_graph_called(graph, node, name), *keys);
    }
    return 0;
}

static int check_nodes(distributor_graph_t *graph, const struct distr_plan *plan,
                       distributor_state_t *state)
{
    int rc = 0;

    for (size_t n = 0; rc == 0 && n < plan->count && n < graph->extra_capacity; n++) {
        const struct distr_extra *extra = graph->extras[n];
        if (!extra || plan->needs[n] == DISTR_NOT_CHOSEN)
            continue;
        rc = check_keys(graph, n, extra->inputs, state);
        if (rc == 0)
            rc = check_keys(graph, n, extra->outputs, state);
    }
    return rc;
}

int distr_bind_check(distributor_graph_t *graph, const struct distr_plan *plan,
                     distributor_state_t *state)
{
    int rc = state ? distributor_state_lock(state) : 0;

    if (rc != 0)
        return distr_graph_say(graph, rc, "the lock of the state cannot be taken");
    rc = check_nodes(graph, plan, state);
    if (state)
        distributor_state_unlock(state);
    return rc;
}

/* ---- Inputs ---- */

static const char *called(const distributor_call_t *call, char buffer[24])
{
    return distr_graph_called(call->run->graph, call->node, buffer);
}

static int take_input(distributor_call_t *call, const char *key, distributor_value_t *value)
{
    char name[24];
    int rc = distributor_state_get(call->run->options.state, key, value);

    if (rc == -ENODATA || rc == -ENOENT)
        return distributor_call_fail(call, -ENODATA, "%s needs the input %s, which has no value",
                                     called(call, name), key);
    return rc;
}

int distr_bind(distributor_call_t *call)
{
    const struct distr_extra *extra = distr_extra_of(call->run->graph, call->node);
    size_t inputs = 0, outputs = 0;
    int rc = 0;

    while (extra && extra->inputs && extra->inputs[inputs])
        inputs++;
    while (extra && extra->outputs && extra->outputs[outputs])
        outputs++;
    if (inputs + outputs == 0)
        return 0;
    call->used = true;
    call->bound = calloc(inputs + outputs, sizeof *call->bound);
    if (!call->bound)
        return -ENOMEM;
    call->input_count = inputs;
    call->output_count = outputs;
    for (size_t i = 0; rc == 0 && i < inputs; i++)
        rc = take_input(call, extra->inputs[i], &call->bound[i]);
    return rc;
}

static size_t place_of(char *const *keys, const char *key, size_t count)
{
    size_t place = 0;

    while (place < count && strcmp(keys[place], key) != 0)
        place++;
    return place;
}

int distributor_call_get(const distributor_call_t *call, const char *key,
                         distributor_value_t *value)
{
    const struct distr_extra *extra = distr_extra_of(call->run->graph, call->node);

    if (!key || !value)
        return -EINVAL;
    if (call->part)
        return -EPERM;
    size_t place = call->bound ? place_of(extra->inputs, key, call->input_count) : 0;
    if (place >= call->input_count)
        return -ENOENT;
    *value = call->bound[place];
    return 0;
}

/* ---- Outputs ---- */

int distributor_call_set(distributor_call_t *call, const char *key,
                         const distributor_value_t *value)
{
    const struct distr_extra *extra = distr_extra_of(call->run->graph, call->node);
    distributor_value_t copy;

    if (!key || distr_value_check(value) != 0)
        return -EINVAL;
    if (call->part)
        return -EPERM;
    size_t place = call->bound ? place_of(extra->outputs, key, call->output_count) : 0;
    if (place >= call->output_count)
        return -ENOENT;
    int rc = distr_value_copy(&copy, value);
    if (rc != 0)
        return rc;
    distr_value_drop(&call->bound[call->input_count + place]);
    call->bound[call->input_count + place] = copy;
    return 0;
}

/* What the node gave for an output; NULL: nothing. */
static distributor_value_t *output_of(distributor_call_t *call, size_t place)
{
    distributor_value_t *value = &call->bound[call->input_count + place];

    if (value->type != DISTRIBUTOR_NONE)
        return value;
    return call->output_count == 1 && call->result.type != DISTRIBUTOR_NONE ? &call->result : NULL;
}

static int refused(distributor_call_t *call, int error)
{
    char why[256], name[24];

    distributor_state_message(call->run->options.state, why, sizeof why);
    return distributor_call_fail(call, error, "%s: %s", called(call, name), why);
}

/* The state is locked: what may be set before the first is set may be set after it. */
static int give_outputs(distributor_call_t *call, char *const *keys)
{
    distributor_state_t *state = call->run->options.state;
    char name[24];
    int rc = 0;

    for (size_t i = 0; i < call->output_count; i++) {
        const distributor_value_t *value = output_of(call, i);
        if (!value)
            return distributor_call_fail(call, -ENODATA, "%s gave no value for its output %s",
                                         called(call, name), keys[i]);
        rc = distr_state_may_set(state, keys[i], value);
        if (rc != 0)
            return refused(call, rc);
    }
    for (size_t i = 0; i < call->output_count; i++) {
        distributor_value_t *value = output_of(call, i);
        rc = distr_state_put(state, keys[i], value);
        if (rc != 0)
            return refused(call, rc);
        value->destroy = NULL; /* a pointer is the state's now */
    }
    return 0;
}

int distr_bind_outputs(distributor_call_t *call)
{
    const struct distr_extra *extra = distr_extra_of(call->run->graph, call->node);

    if (call->output_count == 0)
        return 0;
    int rc = distributor_state_lock(call->run->options.state);
    if (rc != 0)
        return rc;
    rc = give_outputs(call, extra->outputs);
    distributor_state_unlock(call->run->options.state);
    return rc;
}

void distr_unbind(distributor_call_t *call)
{
    for (size_t i = 0; i < call->input_count + call->output_count; i++)
        distr_value_drop(&call->bound[i]);
    free(call->bound);
}
