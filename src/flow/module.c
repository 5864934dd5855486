/* SPDX-License-Identifier: BSD-2-Clause */
/* The tasks of a loaded file, as nodes of a graph. */
#include "flow/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/state.h"

int distr_module_say(distributor_module_t *module, int error, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(module->message);
    module->message = text;
    return error;
}

int distributor_module_create(distributor_module_t **out)
{
    if (!out)
        return -EINVAL;
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

int distributor_module_destroy(distributor_module_t *module)
{
    if (!module)
        return 0;
    if (module->handle)
        dlclose(module->handle); /* it was opened so that it stays */
    free(module->lists);
    free(module->tasks);
    free(module->path);
    free(module->message);
    free(module);
    return 0;
}

size_t distributor_module_count(const distributor_module_t *module)
{
    return module ? module->count : 0;
}

int distributor_module_node(const distributor_module_t *module, size_t task,
                            distributor_node_t *node)
{
    if (!module || !node)
        return -EINVAL;
    if (task >= module->count)
        return -ENOENT;
    const distributor_module_task_t *record = module->tasks[task];
    const struct distr_task_lists *lists = &module->lists[task];
    memset(node, 0, sizeof *node);
    node->size = sizeof *node;
    node->name = record->name;
    node->run = record->run;
    node->after = lists->after;
    node->tags = lists->tags;
    node->inputs = lists->inputs;
    node->outputs = lists->outputs;
    return 0;
}

int distributor_module_add(distributor_module_t *module, distributor_graph_t *graph)
{
    distributor_node_t node;

    if (!module || !graph)
        return -EINVAL;
    for (size_t i = 0; i < module->count; i++) {
        distributor_module_node(module, i, &node);
        ptrdiff_t index = distributor_graph_add(graph, &node);
        if (index < 0)
            return distr_module_say(module, (int)index, "%s", distributor_graph_message(graph));
    }
    int rc = distributor_graph_check(graph);
    if (rc != 0)
        distr_module_say(module, rc, "%s", distributor_graph_message(graph));
    return rc;
}

static void forget_error(distributor_state_t *state)
{
    if (distributor_state_lock(state) != 0)
        return;
    state->error = 0;
    distributor_state_unlock(state);
}

/* The state's own words say more, if the error is one of its functions'. */
static int say_setup(distributor_module_t *module, distributor_state_t *state, int error)
{
    if (distributor_state_lock(state) != 0)
        return distr_module_say(module, error, "setup_state of %s failed", module->path);
    distr_module_say(module, error, "setup_state of %s failed: %s", module->path,
                     state->message && state->error == error ? state->message
                                                             : distributor_strerror(error));
    distributor_state_unlock(state);
    return error;
}

int distributor_module_setup(distributor_module_t *module, distributor_state_t *state)
{
    distributor_setup_fn *setup = NULL;

    if (!module || !state)
        return -EINVAL;
    void *symbol = module->handle ? dlsym(module->handle, "setup_state") : NULL;
    if (!symbol)
        return 0;
    memcpy(&setup, &symbol, sizeof setup); /* C knows no other way from one to the other */
    forget_error(state);
    int rc = setup(state);
    if (rc > 0)
        return distr_module_say(module, -EINVAL, "setup_state of %s returned %d, not 0 or less",
                                module->path, rc);
    return rc < 0 ? say_setup(module, state, rc) : 0;
}

const char *distributor_module_message(const distributor_module_t *module)
{
    return module && module->message ? module->message : "";
}
