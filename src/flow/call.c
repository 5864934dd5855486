/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node's function can call, but for what concerns the state. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/run.h"
#include "flow/value.h"

distributor_graph_t *distributor_call_graph(const distributor_call_t *call)
{
    return call->run->graph;
}

size_t distributor_call_node(const distributor_call_t *call)
{
    return call->node;
}

const char *distributor_call_name(const distributor_call_t *call)
{
    const char *name = distr_name_of(call->run->graph, call->node);

    return name ? name : "";
}

void *distributor_call_context(const distributor_call_t *call)
{
    return call->run->bodies[call->node].context;
}

unsigned distributor_call_worker(const distributor_call_t *call)
{
    return call->seat->worker;
}

const char *distributor_call_worker_name(const distributor_call_t *call)
{
    return call->seat->name;
}

bool distributor_call_should_stop(const distributor_call_t *call)
{
    return distr_stopped(call->run);
}

distributor_state_t *distributor_call_state(const distributor_call_t *call)
{
    return call->run->options.state;
}

int distributor_call_argument(const distributor_call_t *call, size_t place,
                              distributor_value_t *value)
{
    const struct distr_extra *extra = distr_extra_of(call->run->graph, call->node);

    if (!value)
        return -EINVAL;
    if (!extra || place >= extra->argument_count)
        return -ENOENT;
    *value = extra->arguments[place];
    return 0;
}

int distributor_call_result(const distributor_call_t *call, const char *name,
                            distributor_value_t *value)
{
    const struct distr_history *h = call->run->history;

    if (!name || !value)
        return -EINVAL;
    ptrdiff_t node = distributor_graph_find(call->run->graph, name);
    if (node < 0)
        return (int)node;
    /* Y1 acquire: pairs with Y0. */
    if (!atomic_load_explicit(&h->has_value[node], memory_order_acquire))
        return -ENODATA;
    *value = h->value[node];
    return 0;
}

int distributor_return(distributor_call_t *call, const distributor_value_t *value)
{
    distributor_value_t copy;

    if (call->part)
        return -EPERM;
    if (distr_value_check(value) != 0)
        return -EINVAL;
    int rc = distr_value_copy(&copy, value);
    if (rc != 0)
        return rc;
    distr_value_drop(&call->result);
    call->result = copy;
    call->used = true;
    return 0;
}

int distributor_return_bool(distributor_call_t *call, bool boolean)
{
    const distributor_value_t value = distributor_bool(boolean);

    return distributor_return(call, &value);
}

int distributor_return_int(distributor_call_t *call, int64_t integer)
{
    const distributor_value_t value = distributor_int(integer);

    return distributor_return(call, &value);
}

int distributor_return_float(distributor_call_t *call, double number)
{
    const distributor_value_t value = distributor_float(number);

    return distributor_return(call, &value);
}

int distributor_return_string(distributor_call_t *call, const char *string)
{
    const distributor_value_t value = distributor_string(string);

    return distributor_return(call, &value);
}

int distributor_return_bytes(distributor_call_t *call, const void *bytes, size_t size)
{
    const distributor_value_t value = distributor_bytes(bytes, size);

    return distributor_return(call, &value);
}

int distributor_call_fail(distributor_call_t *call, int error, const char *format, ...)
{
    va_list arguments;
    char *text;

    if (!format)
        return -EINVAL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(call->message);
    call->message = text;
    call->used = true;
    return error < 0 ? error : -EINVAL;
}

void distr_fail_node(struct distr_seat *seat, uint32_t node, int error)
{
    struct distr_run *run = seat->run;
    struct distr_history *h = run->history;
    char name[24];
    int none = 0;

    if (error > 0 && !seat->call.message)
        distributor_call_fail(&seat->call, -EINVAL, "it returned %d, not 0 or a negative errno",
                              error);
    if (error > 0)
        error = -EINVAL;
    const char *message = seat->call.message ? seat->call.message : distributor_strerror(error);
    distr_run_log(run, DISTRIBUTOR_LOG_INFO, seat->name, "%s failed: %s",
                  distr_graph_called(run->graph, node, name), message);
    /* relaxed: K3 or the count of shares hands over the error, its text and both flags. */
    if (atomic_compare_exchange_strong_explicit(&h->error[node], &none, error,
                                                memory_order_relaxed, memory_order_relaxed)) {
        h->text[node] = seat->call.message;
        seat->call.message = NULL;
    }
    atomic_store_explicit(&h->any_failure, true, memory_order_relaxed);
    atomic_store_explicit(&run->trouble, true, memory_order_relaxed);
    if (run->options.fail_fast)
        atomic_store_explicit(&run->graph->stop, true, memory_order_relaxed);
}
