/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups: a graph without edges, and results in the order of registration. */
#include <distributor/group.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/graph.h"

struct distributor_group {
    char *name;
    distributor_graph_t *graph;
    bool executed;
};

int distributor_group_create(distributor_group_t **out, const char *name)
{
    if (!out)
        return -EINVAL;
    *out = NULL;
    distributor_group_t *group = calloc(1, sizeof *group);
    if (!group)
        return -ENOMEM;
    group->name = strdup(name ? name : "");
    int rc = group->name ? distributor_graph_create(&group->graph) : -ENOMEM;
    if (rc != 0) {
        free(group->name);
        free(group);
        return rc;
    }
    *out = group;
    return 0;
}

int distributor_group_destroy(distributor_group_t *group)
{
    int rc = group ? distributor_graph_destroy(group->graph) : 0;

    if (!group || rc != 0)
        return rc;
    free(group->name);
    free(group);
    return 0;
}

ptrdiff_t distributor_group_add(distributor_group_t *group, const distributor_node_t *function)
{
    if (!group)
        return -EINVAL;
    if (function && function->size == sizeof *function && !function->name)
        return distr_graph_say(group->graph, -EINVAL, "a function of a group has no name");
    if (function && function->size == sizeof *function && function->after)
        return distr_graph_say(group->graph, -EINVAL, "%s comes after others, in a group",
                               function->name);
    return distributor_graph_add(group->graph, function);
}

int distributor_group_set_arguments(distributor_group_t *group, const char *name,
                                    const distributor_value_t *arguments, size_t count)
{
    if (!group || !name)
        return -EINVAL;
    ptrdiff_t place = distributor_graph_find(group->graph, name);
    if (place < 0)
        return distr_graph_say(group->graph, (int)place, "no function has the name %s", name);
    return distributor_graph_set_arguments(group->graph, (size_t)place, arguments, count);
}

int distributor_group_execute(distributor_group_t *group,
                              const distributor_graph_options_t *options)
{
    distributor_graph_options_t own = {.size = sizeof own};
    size_t count = distributor_group_count(group);

    if (!group)
        return -EINVAL;
    if (options && options->size == sizeof own)
        own = *options;
    else if (options)
        own.size = options->size; /* which the graph refuses */
    if (own.workers == 0)
        own.workers = count < 1                         ? 1
                      : count < DISTRIBUTOR_MAX_WORKERS ? (unsigned)count
                                                        : DISTRIBUTOR_MAX_WORKERS;
    int rc = distributor_graph_run(group->graph, &own, NULL);
    group->executed = group->executed || rc == 0;
    return rc;
}

bool distributor_group_executed(const distributor_group_t *group)
{
    return group && group->executed;
}

/* A name that need not be the only one: it is shown, and found if it is the first. */
static int add_again(distributor_group_t *group, const distributor_node_t *function)
{
    distributor_node_t nameless = *function;

    nameless.name = NULL;
    ptrdiff_t place = distributor_graph_add(group->graph, &nameless);
    if (place < 0)
        return (int)place;
    return function->name ? distr_graph_label(group->graph, (size_t)place, function->name) : 0;
}

static int add_any(distributor_group_t *group, const distributor_node_t *function)
{
    if (function->size != sizeof *function || !function->name ||
        distributor_graph_find(group->graph, function->name) >= 0)
        return add_again(group, function);
    ptrdiff_t place = distributor_group_add(group, function);
    return place < 0 ? (int)place : 0;
}

int distributor_execute(distributor_group_t **out, const distributor_node_t *functions,
                        size_t count, const distributor_graph_options_t *options)
{
    if (!out || (count != 0 && !functions))
        return -EINVAL;
    int rc = distributor_group_create(out, NULL);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_any(*out, &functions[i]);
    if (rc == 0)
        rc = distributor_group_execute(*out, options);
    if (rc != 0) {
        distributor_group_destroy(*out);
        *out = NULL;
    }
    return rc;
}

int distributor_group_result(distributor_group_t *group, size_t place,
                             distributor_group_result_t *result)
{
    distributor_report_t report;

    if (!group || !result)
        return -EINVAL;
    int rc = distributor_graph_report(group->graph, place, &report);
    if (rc != 0)
        return rc;
    const char *name = distributor_graph_name(group->graph, place);
    memset(result, 0, sizeof *result);
    result->function = name ? name : "";
    result->outcome = report.outcome;
    result->error = report.error;
    result->message = report.message;
    if (report.outcome != DISTRIBUTOR_PASSED ||
        distributor_graph_result(group->graph, place, &result->value) != 0)
        result->value = distributor_none();
    return 0;
}

ptrdiff_t distributor_group_find(const distributor_group_t *group, const char *name)
{
    return group ? distributor_graph_find(group->graph, name) : -EINVAL;
}

size_t distributor_group_count(const distributor_group_t *group)
{
    return group ? distributor_graph_count(group->graph) : 0;
}

const char *distributor_group_name(const distributor_group_t *group)
{
    return group ? group->name : "";
}

const char *distributor_group_message(const distributor_group_t *group)
{
    return group ? distributor_graph_message(group->graph) : "";
}

/* ---- The text ---- */

static int print_value(FILE *out, const distributor_value_t *value)
{
    int length = distributor_value_format(value, NULL, 0);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);

    if (!text)
        return length < 0 ? length : -ENOMEM;
    length = distributor_value_format(value, text, (size_t)length + 1);
    if (length >= 0)
        fputs(text, out);
    free(text);
    return length < 0 ? length : 0;
}

static int print_result(FILE *out, const distributor_group_result_t *result)
{
    int rc = 0;

    fprintf(out, "(function=%s; ", result->function);
    if (result->outcome == DISTRIBUTOR_PASSED) {
        fputs("result=", out);
        rc = print_value(out, &result->value);
    } else if (result->outcome == DISTRIBUTOR_NOT_RUN) {
        fputs("not executed", out);
    } else {
        fprintf(out, "error=%s", result->message);
    }
    fputs(")", out);
    return rc;
}

static int print_all(FILE *out, distributor_group_t *group)
{
    distributor_group_result_t result;
    int rc = 0;

    fputs("[", out);
    for (size_t i = 0; rc == 0 && i < distributor_group_count(group); i++) {
        fputs(i > 0 ? ", " : "", out);
        rc = distributor_group_result(group, i, &result);
        if (rc == 0)
            rc = print_result(out, &result);
    }
    fputs("]", out);
    return rc;
}

int distributor_group_format(distributor_group_t *group, char *text, size_t size)
{
    char *whole = NULL;
    size_t length;

    if (!group || (!text && size != 0))
        return -EINVAL;
    FILE *out = open_memstream(&whole, &length);
    if (!out)
        return -ENOMEM;
    int rc = print_all(out, group);
    if (fclose(out) != 0 && rc == 0)
        rc = -ENOMEM;
    if (rc == 0)
        rc = length > INT_MAX ? -EOVERFLOW : snprintf(text, size, "%s", whole);
    free(whole);
    return rc;
}
