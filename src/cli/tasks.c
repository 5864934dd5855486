/* SPDX-License-Identifier: BSD-2-Clause */
/* From a module to the graph that is run, and which of its tasks the command line leaves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* What was wrong with a module decides between its fault and the system's. */
static int status_of(int error)
{
    return error == -ENOMEM || error == -EAGAIN || error == -EACCES ? EXIT_ENGINE : EXIT_MODULE;
}

/* Gives a task its result; it is left out of the run. */
static int mock(struct tasks *tasks, const struct pair *pair, const char *only)
{
    ptrdiff_t node = distributor_graph_find(tasks->graph, pair->key);

    if (node < 0)
        return complain(EXIT_MODULE, "--result-%s: there is no task of that name", pair->key);
    if (only && strcmp(only, pair->key) == 0)
        return complain(EXIT_USAGE, "--result-%s: it is the task that is to run", pair->key);
    distributor_value_t value;
    tasks->chosen[node] = false;
    if (distributor_value_read(&value, pair->value) != 0)
        return complain(EXIT_ENGINE, "no memory");
    if (distributor_graph_set_result(tasks->graph, (size_t)node, &value) != 0)
        return complain(EXIT_ENGINE, "%s", said(distributor_graph_message(tasks->graph)));
    return 0;
}

static bool has_tag(const distributor_place_t *place, const char *const *wanted)
{
    for (const char *const *tag = place->tags; tag && *tag; tag++)
        for (const char *const *want = wanted; *want; want++)
            if (strcmp(*tag, *want) == 0)
                return true;
    return false;
}

/* ::TASK and --tags. */
static int choose_by_options(struct tasks *tasks, size_t count, const struct options *options)
{
    distributor_place_t place;

    for (size_t i = 0; i < count; i++) {
        if (distributor_graph_place(tasks->graph, i, &place) != 0)
            return complain(EXIT_ENGINE, "%s", said(distributor_graph_message(tasks->graph)));
        tasks->chosen[i]
            = (!options->task ||
               strcmp(distributor_graph_name(tasks->graph, i), options->task) == 0) &&
            (!options->tags || has_tag(&place, options->tags));
    }
    return 0;
}

static int choose(struct tasks *tasks, const struct options *options)
{
    size_t count = distributor_graph_count(tasks->graph), named = 0;

    tasks->chosen = calloc(count, sizeof *tasks->chosen);
    tasks->only = calloc(count + 1, sizeof *tasks->only);
    if (!tasks->chosen || !tasks->only)
        return complain(EXIT_ENGINE, "no memory");
    if (options->task && distributor_graph_find(tasks->graph, options->task) < 0)
        return complain(EXIT_MODULE, "'%s' has no task '%s'", options->path, options->task);
    int rc = choose_by_options(tasks, count, options);
    for (size_t i = 0; i < options->result_count && rc == 0; i++)
        rc = mock(tasks, &options->results[i], options->task);
    for (size_t i = 0; i < count; i++)
        if (tasks->chosen[i])
            tasks->only[named++] = distributor_graph_name(tasks->graph, i);
    tasks->chosen_count = named;
    if (rc == 0 && named == 0)
        rc = complain(EXIT_MODULE, "'%s' has no task that the options leave to run", options->path);
    return rc;
}

int open_tasks(struct tasks *tasks, const struct options *options)
{
    *tasks = (struct tasks){0};
    if (distributor_module_create(&tasks->module) != 0 ||
        distributor_graph_create(&tasks->graph) != 0)
        return complain(EXIT_ENGINE, "no memory");
    int rc = watch_for_crashes();
    if (rc != 0)
        return rc;
    suspect_module(options->path);
    rc = distributor_module_load(tasks->module, options->path, NULL);
    suspect_module(NULL);
    if (rc == 0)
        rc = distributor_module_add(tasks->module, tasks->graph);
    if (rc != 0)
        return complain(status_of(rc), "%s", said(distributor_module_message(tasks->module)));
    return choose(tasks, options);
}

void close_tasks(struct tasks *tasks)
{
    distributor_graph_destroy(tasks->graph);
    distributor_module_destroy(tasks->module);
    free(tasks->only);
    free(tasks->chosen);
}
