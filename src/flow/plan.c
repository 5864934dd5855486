/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a plan: a counting sort of the edges by their first node, Kahn's order over it, and the
 * chains from its end to its begin.  All loops, no recursion: a chain may be as long as the graph.
 */
#include "flow/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool takes_part(const struct distr_plan_input *input, uint32_t node)
{
    return !input->chosen || input->chosen[node];
}

static bool counts(const struct distr_plan_input *input, const struct distr_edge *edge)
{
    return !input->chosen || (input->chosen[edge->before] && input->chosen[edge->after]);
}

static uint32_t *numbers(size_t count)
{
    return malloc((count + 1) * sizeof(uint32_t));
}

/* Fills needs, and first with the number of dependents of the node before. */
static uint32_t count_edges(struct distr_plan *plan, const struct distr_plan_input *input)
{
    uint32_t edges = 0;

    for (size_t i = 0; i < input->edge_count; i++) {
        const struct distr_edge *edge = &input->edges[i];
        if (!counts(input, edge))
            continue;
        plan->first[edge->before + 1]++;
        plan->needs[edge->after]++;
        edges++;
    }
    for (uint32_t n = 0; n < plan->count; n++) {
        plan->first[n + 1] += plan->first[n];
        if (takes_part(input, n))
            plan->chosen++;
        else
            plan->needs[n] = DISTR_NOT_CHOSEN;
    }
    return edges;
}

/* `next` is where the next dependent of each node goes. */
static void fill_targets(struct distr_plan *plan, const struct distr_plan_input *input,
                         uint32_t *next)
{
    memcpy(next, plan->first, plan->count * sizeof *next);
    for (size_t i = 0; i < input->edge_count; i++) {
        const struct distr_edge *edge = &input->edges[i];
        if (counts(input, edge))
            plan->target[next[edge->before]++] = edge->after;
    }
}

/* Puts the nodes into `order`, each after all that it waits for, with their levels if these are
 * wanted.  Returns how many got there; `unmet` of the others is not 0. */
static uint32_t put_in_order(struct distr_plan *plan, uint32_t *unmet, uint32_t *order)
{
    uint32_t end = 0;

    memcpy(unmet, plan->needs, plan->count * sizeof *unmet);
    for (uint32_t n = 0; n < plan->count; n++)
        if (unmet[n] == 0)
            order[end++] = n;
    plan->root_count = end;
    for (uint32_t i = 0; i < end; i++) {
        uint32_t node = order[i];

        for (uint32_t j = plan->first[node]; j < plan->first[node + 1]; j++) {
            uint32_t t = plan->target[j];
            if (plan->level && plan->level[t] <= plan->level[node])
                plan->level[t] = plan->level[node] + 1;
            if (--unmet[t] == 0)
                order[end++] = t;
        }
    }
    return end;
}

/* From a node that no order can reach, back along edges among such nodes, until one comes again. */
static int find_cycle(struct distr_plan *plan, const struct distr_plan_input *input,
                      const uint32_t *unmet)
{
    uint32_t *from = numbers(plan->count);
    uint32_t *seen = calloc((size_t)plan->count + 1, sizeof *seen);
    uint32_t node = 0;

    plan->cycle = numbers(plan->count);
    if (!from || !seen || !plan->cycle) {
        free(from);
        free(seen);
        return -ENOMEM;
    }
    for (size_t i = 0; i < input->edge_count; i++) {
        const struct distr_edge *edge = &input->edges[i];
        if (counts(input, edge) && unmet[edge->before] != 0 && unmet[edge->after] != 0)
            from[edge->after] = edge->before;
    }
    while (unmet[node] == 0 || unmet[node] == DISTR_NOT_CHOSEN)
        node++;
    for (uint32_t step = 1; seen[node] == 0; step++, node = from[node])
        seen[node] = step;
    uint32_t end = node;
    do {
        node = from[node];
        plan->cycle[plan->cycle_length++] = node;
    } while (node != end);
    /* Found against the direction of the edges. */
    for (uint32_t i = 0; i < plan->cycle_length / 2; i++) {
        uint32_t swapped = plan->cycle[i];
        plan->cycle[i] = plan->cycle[plan->cycle_length - 1 - i];
        plan->cycle[plan->cycle_length - 1 - i] = swapped;
    }
    free(from);
    free(seen);
    return -ELOOP;
}

static void measure_chains(struct distr_plan *plan, const uint32_t *order, uint32_t count)
{
    while (count-- > 0) {
        uint32_t node = order[count];
        uint32_t longest = 0;

        for (uint32_t j = plan->first[node]; j < plan->first[node + 1]; j++)
            if (plan->chain[plan->target[j]] > longest)
                longest = plan->chain[plan->target[j]];
        plan->chain[node] = longest + 1;
    }
}

/* Orders by chain, then by the higher index first. */
static uint64_t key_of(const struct distr_plan *plan, uint32_t node)
{
    return (uint64_t)plan->chain[node] << 32 | (UINT32_MAX - node);
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* Sorts nodes so that the keys grow; `keys` has room for them. */
static void sort_nodes(const struct distr_plan *plan, uint32_t *nodes, uint32_t count,
                       uint64_t *keys)
{
    for (uint32_t i = 0; i < count; i++)
        keys[i] = key_of(plan, nodes[i]);
    if (count > 16) {
        qsort(keys, count, sizeof *keys, compare_keys);
    } else {
        for (uint32_t i = 1; i < count; i++) {
            uint64_t key = keys[i];
            uint32_t at = i;
            for (; at > 0 && keys[at - 1] > key; at--)
                keys[at] = keys[at - 1];
            keys[at] = key;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = UINT32_MAX - (uint32_t)keys[i];
}

/* Sorts the dependents of each node, and the roots, which stand at the begin of `order`. */
static int sort_all(struct distr_plan *plan, const uint32_t *order)
{
    uint32_t most = plan->root_count;

    for (uint32_t n = 0; n < plan->count; n++)
        if (plan->first[n + 1] - plan->first[n] > most)
            most = plan->first[n + 1] - plan->first[n];
    uint64_t *keys = malloc(((size_t)most + 1) * sizeof *keys);
    plan->roots = numbers(plan->root_count);
    if (!keys || !plan->roots) {
        free(keys);
        return -ENOMEM;
    }
    for (uint32_t n = 0; n < plan->count; n++)
        if (plan->first[n + 1] - plan->first[n] > 1)
            sort_nodes(plan, plan->target + plan->first[n], plan->first[n + 1] - plan->first[n],
                       keys);
    uint32_t *sorted = plan->roots;
    memcpy(sorted, order, plan->root_count * sizeof *sorted);
    sort_nodes(plan, sorted, plan->root_count, keys);
    for (uint32_t i = 0; i < plan->root_count / 2; i++) {
        uint32_t swapped = sorted[i];
        sorted[i] = sorted[plan->root_count - 1 - i];
        sorted[plan->root_count - 1 - i] = swapped;
    }
    free(keys);
    return 0;
}

static int order_all(struct distr_plan *plan, const struct distr_plan_input *input,
                     uint32_t *unmet, uint32_t *order)
{
    fill_targets(plan, input, unmet);
    uint32_t reached = put_in_order(plan, unmet, order);
    if (reached < plan->chosen)
        return find_cycle(plan, input, unmet);
    measure_chains(plan, order, reached);
    return sort_all(plan, order);
}

int distr_plan_make(struct distr_plan *plan, const struct distr_plan_input *input)
{
    *plan = (struct distr_plan){.count = input->count};
    if (input->edge_count > UINT32_MAX - 16)
        return -ENOSPC;
    plan->first = calloc((size_t)plan->count + 1, sizeof *plan->first);
    plan->needs = calloc((size_t)plan->count + 1, sizeof *plan->needs);
    plan->chain = calloc((size_t)plan->count + 1, sizeof *plan->chain);
    if (!plan->first || !plan->needs || !plan->chain)
        return -ENOMEM;
    plan->target = numbers(count_edges(plan, input));
    uint32_t *unmet = numbers(plan->count);
    uint32_t *order = numbers(plan->count);
    int rc = plan->target && unmet && order ? order_all(plan, input, unmet, order) : -ENOMEM;
    free(unmet);
    free(order);
    return rc;
}

int distr_plan_levels(struct distr_plan *plan)
{
    uint32_t *unmet = numbers(plan->count);
    uint32_t *order = numbers(plan->count);

    int rc = -ENOMEM;
    if (unmet && order)
        plan->level = calloc((size_t)plan->count + 1, sizeof *plan->level);
    if (plan->level) {
        put_in_order(plan, unmet, order);
        rc = 0;
    }
    free(unmet);
    free(order);
    return rc;
}

void distr_plan_free(struct distr_plan *plan)
{
    free(plan->first);
    free(plan->target);
    free(plan->needs);
    free(plan->level);
    free(plan->chain);
    free(plan->roots);
    free(plan->cycle);
    *plan = (struct distr_plan){0};
}
