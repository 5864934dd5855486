/* SPDX-License-Identifier: BSD-2-Clause */
/* From the description to a plan: names become edges, and a cycle becomes a sentence. */
#include "flow/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE_SHOWN 100 /* nodes of a cycle that a message names */

/* Makes edges of all wishes, or says which one cannot be. */
static int grant_wishes(distributor_graph_t *graph)
{
    char name[24];

    for (size_t i = 0; i < graph->wish_count; i++)
        if (distributor_graph_find(graph, graph->wishes[i].before) < 0)
            return distr_graph_say(graph, -ENOENT, "%s comes after %s, and no node has that name",
                                   distr_graph_called(graph, graph->wishes[i].node, name),
                                   graph->wishes[i].before);
    while (graph->wish_count > 0) {
        struct distr_wish *wish = &graph->wishes[graph->wish_count - 1];
        int rc = distributor_graph_add_edge(
            graph, (size_t)distributor_graph_find(graph, wish->before), wish->node);
        if (rc != 0)
            return rc;
        free(wish->before);
        graph->wish_count--;
    }
    return 0;
}

static int say_cycle(distributor_graph_t *graph, const struct distr_plan *plan)
{
    uint32_t shown = plan->cycle_length < CYCLE_SHOWN ? plan->cycle_length : CYCLE_SHOWN;
    char *text = NULL;
    size_t size;
    char name[24];
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return distr_graph_say(graph, -ELOOP, "there is a cycle");
    for (uint32_t i = 0; i < shown; i++)
        fprintf(out, "%s -> ", distr_graph_called(graph, plan->cycle[i], name));
    if (shown < plan->cycle_length)
        fprintf(out, "... (%u more) -> ", plan->cycle_length - shown);
    fprintf(out, "%s", distr_graph_called(graph, plan->cycle[0], name));
    if (fclose(out) == 0)
        distr_graph_say(graph, -ELOOP, "there is a cycle: %s", text);
    free(text);
    return -ELOOP;
}

int distr_graph_plan_some(distributor_graph_t *graph, const bool *chosen, struct distr_plan *plan)
{
    *plan = (struct distr_plan){0};
    int rc = grant_wishes(graph);
    if (rc != 0)
        return rc;
    const struct distr_plan_input input = {.count = (uint32_t)graph->count,
                                           .edges = graph->edges,
                                           .edge_count = graph->edge_count,
                                           .chosen = chosen};
    rc = distr_plan_make(plan, &input);
    if (rc == -ELOOP)
        return say_cycle(graph, plan);
    return rc == 0 ? 0 : distr_graph_say(graph, rc, "no memory for the plan");
}

int distr_graph_plan(distributor_graph_t *graph)
{
    struct distr_plan plan;

    if (graph->planned)
        return 0;
    int rc = distr_graph_plan_some(graph, NULL, &plan);
    if (rc != 0) {
        distr_plan_free(&plan);
        return rc;
    }
    distr_plan_free(&graph->plan);
    graph->plan = plan;
    graph->planned = true;
    return 0;
}

int distributor_graph_check(distributor_graph_t *graph)
{
    int rc = distr_graph_usable(graph);

    return rc == 0 ? distr_graph_plan(graph) : rc;
}

int distributor_graph_place(distributor_graph_t *graph, size_t node, distributor_place_t *place)
{
    int rc = graph && place ? distributor_graph_check(graph) : -EINVAL;

    if (rc == 0)
        rc = distr_graph_has(graph, node);
    if (rc != 0)
        return rc;
    struct distr_plan *plan = &graph->plan;
    if (!plan->level && distr_plan_levels(plan) != 0)
        return distr_graph_say(graph, -ENOMEM, "no memory for the levels");
    const struct distr_extra *extra = distr_extra_of(graph, node);
    memset(place, 0, sizeof *place);
    place->level = plan->level[node];
    place->chain = plan->chain[node];
    place->dependencies = plan->needs[node];
    place->dependents = plan->first[node + 1] - plan->first[node];
    place->dependent = plan->target + plan->first[node];
    place->tags = extra ? (const char *const *)extra->tags : NULL;
    return 0;
}
