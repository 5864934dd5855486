/* SPDX-License-Identifier: BSD-2-Clause */
/* Which nodes a run is about: the options `only` and `tags`. */
#include "flow/select.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/lists.h"

static int choose_named(distributor_graph_t *graph, const char *const *only, bool *chosen)
{
    for (; *only; only++) {
        ptrdiff_t node = distributor_graph_find(graph, *only);
        if (node < 0)
            return distr_graph_say(graph, -ENOENT, "no node has the name %s", *only);
        chosen[node] = true;
    }
    return 0;
}

static void choose_tagged(const distributor_graph_t *graph, const char *const *tags, bool *chosen)
{
    for (size_t n = 0; n < graph->count; n++) {
        const struct distr_extra *extra = distr_extra_of(graph, n);
        for (size_t i = 0; extra && tags[i]; i++)
            chosen[n] = chosen[n] || distr_list_has(extra->tags, tags[i]);
    }
}

/* Those that are in both choices, if both are made. */
static int choose(distributor_graph_t *graph, const distributor_graph_options_t *options,
                  bool *chosen, bool *tagged)
{
    int rc = options->only ? choose_named(graph, options->only, chosen) : 0;

    if (options->tags)
        choose_tagged(graph, options->tags, tagged);
    for (size_t n = 0; n < graph->count; n++)
        chosen[n] = (!options->only || chosen[n]) && (!options->tags || tagged[n]);
    return rc;
}

int distr_select(distributor_graph_t *graph, const distributor_graph_options_t *options,
                 struct distr_plan *some)
{
    *some = (struct distr_plan){0};
    if (!options->only && !options->tags)
        return distr_graph_plan(graph);
    bool *chosen = calloc(2 * graph->count + 1, sizeof *chosen);
    if (!chosen)
        return distr_graph_say(graph, -ENOMEM, "no memory for a choice of nodes");
    int rc = choose(graph, options, chosen, chosen + graph->count);
    if (rc == 0)
        rc = distr_graph_plan_some(graph, chosen, some);
    free(chosen);
    return rc;
}
