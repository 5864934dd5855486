/* SPDX-License-Identifier: BSD-2-Clause */
/* The description of a graph: nodes, edges, names. */
#include "flow/graph.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/lists.h"
#include "flow/value.h"

int distr_graph_say(distributor_graph_t *graph, int error, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(graph->message);
    graph->message = text;
    return error;
}

const char *distr_graph_called(const distributor_graph_t *graph, size_t node, char buffer[24])
{
    char *name = distr_name_of(graph, node);

    if (name)
        return name;
    snprintf(buffer, 24, "#%zu", node);
    return buffer;
}

int distr_graph_usable(distributor_graph_t *graph)
{
    if (!graph)
        return -EINVAL;
    /* relaxed: a wrong answer needs a second thread, which the contract forbids. */
    return atomic_load_explicit(&graph->running, memory_order_relaxed) ? -EBUSY : 0;
}

int distr_graph_has(distributor_graph_t *graph, size_t node)
{
    if (node < graph->count)
        return 0;
    return distr_graph_say(graph, -ENOENT, "there is no node #%zu, but %zu nodes from #0", node,
                           graph->count);
}

int distributor_graph_create(distributor_graph_t **out)
{
    if (!out)
        return -EINVAL;
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

static void free_arguments(struct distr_extra *extra)
{
    for (size_t i = 0; i < extra->argument_count; i++) {
        extra->arguments[i].destroy = NULL;
        distr_value_drop(&extra->arguments[i]);
    }
    free(extra->arguments);
    extra->arguments = NULL;
    extra->argument_count = 0;
}

static void free_extra(struct distr_extra *extra)
{
    if (!extra)
        return;
    distr_list_free(extra->tags);
    distr_list_free(extra->inputs);
    distr_list_free(extra->outputs);
    free_arguments(extra);
    free(extra);
}

int distributor_graph_destroy(distributor_graph_t *graph)
{
    int rc = graph ? distr_graph_usable(graph) : 0;

    if (!graph || rc != 0)
        return rc;
    for (size_t n = 0; n < graph->count; n++) {
        free(distr_name_of(graph, n));
        free_extra(distr_extra_of(graph, n));
    }
    for (size_t i = 0; i < graph->wish_count; i++)
        free(graph->wishes[i].before);
    distr_names_free(&graph->index);
    distr_history_free(&graph->history);
    distr_plan_free(&graph->plan);
    free(graph->bodies);
    free(graph->names);
    free(graph->extras);
    free(graph->edges);
    free(graph->wishes);
    free(graph->message);
    free(graph->report_text);
    free(graph);
    return 0;
}

static int copy_arguments(struct distr_extra *extra, const distributor_value_t *arguments,
                          size_t count)
{
    if (count == 0)
        return 0;
    extra->arguments = calloc(count, sizeof *arguments);
    if (!extra->arguments)
        return -ENOMEM;
    for (; extra->argument_count < count; extra->argument_count++)
        if (distr_value_copy(&extra->arguments[extra->argument_count],
                             &arguments[extra->argument_count]) != 0)
            return -ENOMEM;
    return 0;
}

static int check_arguments(distributor_graph_t *graph, const distributor_value_t *arguments,
                           size_t count)
{
    if (count != 0 && !arguments)
        return distr_graph_say(graph, -EINVAL, "%zu arguments, and no array of them", count);
    for (size_t i = 0; i < count; i++)
        if (distr_value_check(&arguments[i]) != 0)
            return distr_graph_say(graph, -EINVAL, "argument %zu has no valid type or no bytes",
                                   i);
    return 0;
}

static int fill_extra(struct distr_extra *extra, const distributor_node_t *node)
{
    int rc = distr_list_copy(&extra->tags, node->tags);

    if (rc == 0)
        rc = distr_list_copy(&extra->inputs, node->inputs);
    if (rc == 0)
        rc = distr_list_copy(&extra->outputs, node->outputs);
    return rc == 0 ? copy_arguments(extra, node->arguments, node->argument_count) : rc;
}

/* A node's extra, made if there is none.  NULL: no memory. */
static struct distr_extra *have_extra(distributor_graph_t *graph, size_t node)
{
    if (distr_reach(&graph->extras, node, &graph->extra_capacity) != 0)
        return NULL;
    if (!graph->extras[node])
        graph->extras[node] = calloc(1, sizeof *graph->extras[node]);
    return graph->extras[node];
}

static int add_extra(distributor_graph_t *graph, const distributor_node_t *node)
{
    if (!node->tags && !node->inputs && !node->outputs && node->argument_count == 0)
        return 0;
    struct distr_extra *extra = have_extra(graph, graph->count);
    return extra ? fill_extra(extra, node) : -ENOMEM;
}

/* Keeps the names of `after`, to be looked up when the plan is made. */
static int add_wishes(distributor_graph_t *graph, const char *const *after)
{
    for (; after && *after; after++) {
        int rc = distr_grow((void **)&graph->wishes, sizeof *graph->wishes, graph->wish_count,
                            &graph->wish_capacity);
        char *copy = rc == 0 ? strdup(*after) : NULL;
        if (!copy)
            return -ENOMEM;
        graph->wishes[graph->wish_count++] =
            (struct distr_wish){.node = (uint32_t)graph->count, .before = copy};
    }
    return 0;
}

static void drop_wishes(distributor_graph_t *graph, size_t count)
{
    while (graph->wish_count > count)
        free(graph->wishes[--graph->wish_count].before);
}

/* The table keeps the index + 1 as a number: NULL says that there is none. */
static int put_name(distributor_graph_t *graph, char *name)
{
    int rc = distr_names_put(&graph->index, name, (void *)(uintptr_t)(graph->count + 1));

    if (rc == -EEXIST)
        return distr_graph_say(graph, rc, "two nodes have the name %s", name);
    if (rc == -EINVAL)
        return distr_graph_say(graph, rc, "the name of node #%zu has no bytes", graph->count);
    if (rc == -ENAMETOOLONG)
        return distr_graph_say(graph, rc, "the name of node #%zu has %zu bytes, at most %zu can be",
                               graph->count, strlen(name), DISTRIBUTOR_MAX_NAME);
    return rc;
}

static int add_name(distributor_graph_t *graph, const char *name)
{
    if (!name)
        return 0;
    int rc = distr_reach(&graph->names, graph->count, &graph->name_capacity);
    char *copy = rc == 0 ? strdup(name) : NULL;
    if (!copy)
        return -ENOMEM;
    rc = put_name(graph, copy);
    if (rc == 0)
        graph->names[graph->count] = copy;
    else
        free(copy);
    return rc;
}

int distr_graph_label(distributor_graph_t *graph, size_t node, const char *name)
{
    int rc = distr_reach(&graph->names, node, &graph->name_capacity);

    if (rc == 0)
        graph->names[node] = strdup(name);
    if (rc == 0 && graph->names[node])
        return 0;
    return distr_graph_say(graph, -ENOMEM, "no memory for a name");
}

static int check_node(distributor_graph_t *graph, const distributor_node_t *node)
{
    if (!node)
        return distr_graph_say(graph, -EINVAL, "there is no node: it is NULL");
    if (node->size != sizeof *node)
        return distr_graph_say(graph, -EINVAL, "the size of the node is not that of its struct");
    if (!node->run)
        return distr_graph_say(graph, -EINVAL, "node #%zu has no function", graph->count);
    for (size_t i = 0; i < sizeof node->reserved / sizeof node->reserved[0]; i++)
        if (node->reserved[i])
            return distr_graph_say(graph, -ENOTSUP, "a reserved field of node #%zu is set",
                                   graph->count);
    if (graph->count == DISTRIBUTOR_MAX_NODES)
        return distr_graph_say(graph, -ENOSPC, "there are %zu nodes, and no more can be",
                               graph->count);
    return check_arguments(graph, node->arguments, node->argument_count);
}

/* What few nodes have: all of it or nothing. */
static int add_rare(distributor_graph_t *graph, const distributor_node_t *node)
{
    size_t wishes = graph->wish_count;
    int rc = add_extra(graph, node);

    if (rc == 0)
        rc = add_wishes(graph, node->after);
    if (rc == 0)
        rc = add_name(graph, node->name);
    if (rc != 0) {
        drop_wishes(graph, wishes);
        free_extra(distr_extra_of(graph, graph->count));
        if (graph->count < graph->extra_capacity)
            graph->extras[graph->count] = NULL;
    }
    return rc;
}

ptrdiff_t distributor_graph_add(distributor_graph_t *graph, const distributor_node_t *node)
{
    int rc = distr_graph_usable(graph);

    if (rc == 0)
        rc = check_node(graph, node);
    if (rc == 0)
        rc = distr_grow((void **)&graph->bodies, sizeof *graph->bodies, graph->count,
                        &graph->capacity);
    if (rc == 0)
        rc = add_rare(graph, node);
    if (rc == -ENOMEM)
        return distr_graph_say(graph, rc, "no memory for a node");
    if (rc != 0)
        return rc;
    graph->bodies[graph->count] = (struct distr_body){.run = node->run, .context = node->context};
    graph->planned = false;
    return (ptrdiff_t)graph->count++;
}

int distributor_graph_add_edge(distributor_graph_t *graph, size_t before, size_t after)
{
    int rc = distr_graph_usable(graph);

    if (rc != 0)
        return rc;
    if (before >= graph->count || after >= graph->count)
        return distr_graph_has(graph, before >= graph->count ? before : after);
    if (graph->edge_count == DISTRIBUTOR_MAX_NODES)
        return distr_graph_say(graph, -ENOSPC, "there are %zu edges, and no more can be",
                               graph->edge_count);
    if (distr_grow((void **)&graph->edges, sizeof *graph->edges, graph->edge_count,
                   &graph->edge_capacity) != 0)
        return distr_graph_say(graph, -ENOMEM, "no memory for an edge");
    graph->edges[graph->edge_count++] =
        (struct distr_edge){.before = (uint32_t)before, .after = (uint32_t)after};
    graph->planned = false;
    return 0;
}

int distributor_graph_set_arguments(distributor_graph_t *graph, size_t node,
                                    const distributor_value_t *arguments, size_t count)
{
    struct distr_extra made = {0};
    int rc = distr_graph_usable(graph);

    if (rc == 0)
        rc = distr_graph_has(graph, node);
    if (rc == 0)
        rc = check_arguments(graph, arguments, count);
    if (rc != 0)
        return rc;
    rc = copy_arguments(&made, arguments, count);
    struct distr_extra *extra = rc == 0 ? have_extra(graph, node) : NULL;
    if (!extra) {
        free_arguments(&made);
        return distr_graph_say(graph, -ENOMEM, "no memory for arguments");
    }
    free_arguments(extra);
    extra->arguments = made.arguments;
    extra->argument_count = made.argument_count;
    return 0;
}

ptrdiff_t distributor_graph_find(const distributor_graph_t *graph, const char *name)
{
    if (!graph || !name)
        return -EINVAL;
    void *place = distr_names_get((struct distr_names *)(uintptr_t)&graph->index, name);
    return place ? (ptrdiff_t)(uintptr_t)place - 1 : -ENOENT;
}

size_t distributor_graph_count(const distributor_graph_t *graph)
{
    return graph ? graph->count : 0;
}

const char *distributor_graph_name(const distributor_graph_t *graph, size_t node)
{
    return graph && node < graph->count ? distr_name_of(graph, node) : NULL;
}

const char *distributor_graph_message(const distributor_graph_t *graph)
{
    return graph && graph->message ? graph->message : "";
}
