/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/plan.c: order, chains and cycles, with no threads. */
#include "support.h"

#include "flow/plan.h"

TestSuite(flow_plan, .timeout = 240);

#define EDGES(...) ((const struct distr_edge[]){__VA_ARGS__})

static int plan_of(struct distr_plan *plan, uint32_t count, const struct distr_edge *edges,
                   size_t edge_count, const bool *chosen)
{
    const struct distr_plan_input input = {
        .count = count, .edges = edges, .edge_count = edge_count, .chosen = chosen};
    return distr_plan_make(plan, &input);
}

static void expect_targets(const struct distr_plan *plan, uint32_t node, const uint32_t *wanted,
                           uint32_t count)
{
    expect(plan->first[node + 1] - plan->first[node], count);
    for (uint32_t i = 0; i < count; i++)
        expect(plan->target[plan->first[node] + i], wanted[i]);
}

Test(flow_plan, nothing_is_a_plan)
{
    struct distr_plan plan;
    expect(plan_of(&plan, 0, NULL, 0, NULL), 0);
    expect(plan.chosen, 0);
    expect(plan.root_count, 0);
    expect(distr_plan_levels(&plan), 0);
    distr_plan_free(&plan);
    finish();
}

/* 0 -> 1 -> 3 -> 4, 0 -> 2 -> 4, and 5 alone. */
Test(flow_plan, counts_chains_and_levels)
{
    struct distr_plan plan;
    const struct distr_edge *edges = EDGES({3, 4}, {0, 2}, {1, 3}, {0, 1}, {2, 4});
    expect(plan_of(&plan, 6, edges, 5, NULL), 0);
    const uint32_t needs[] = {0, 1, 1, 1, 2, 0};
    const uint32_t chains[] = {4, 3, 2, 2, 1, 1};
    const uint32_t levels[] = {0, 1, 1, 2, 3, 0};
    ensure(plan.level == NULL);
    expect(distr_plan_levels(&plan), 0);
    for (uint32_t i = 0; i < 6; i++) {
        expect(plan.needs[i], needs[i]);
        expect(plan.chain[i], chains[i]);
        expect(plan.level[i], levels[i]);
    }
    expect(plan.root_count, 2);
    expect(plan.roots[0], 0); /* the longer chain first */
    expect(plan.roots[1], 5);
    expect_targets(&plan, 0, (const uint32_t[]){2, 1}, 2); /* the longer chain last */
    expect_targets(&plan, 4, NULL, 0);
    distr_plan_free(&plan);
    finish();
}

Test(flow_plan, equal_chains_stand_by_index)
{
    struct distr_plan plan;
    struct distr_edge edges[40];
    for (uint32_t i = 0; i < 40; i++)
        edges[i] = (struct distr_edge){.before = 0, .after = 1 + (i * 7) % 40};
    expect(plan_of(&plan, 41, edges, 40, NULL), 0);
    for (uint32_t i = 0; i < 40; i++) /* the last one is run first */
        expect(plan.target[i], 40 - i);
    distr_plan_free(&plan);
    finish();
}

Test(flow_plan, an_edge_twice_counts_twice)
{
    struct distr_plan plan;
    expect(plan_of(&plan, 2, EDGES({0, 1}, {0, 1}), 2, NULL), 0);
    expect(plan.needs[1], 2);
    expect_targets(&plan, 0, (const uint32_t[]){1, 1}, 2);
    expect(plan.chain[0], 2);
    distr_plan_free(&plan);
    finish();
}

Test(flow_plan, a_cycle_is_found_in_the_order_of_its_edges)
{
    struct distr_plan plan;
    /* 0 leads into the cycle 1 -> 2 -> 3 -> 1, which leads on to 4. */
    const struct distr_edge *edges = EDGES({0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4});
    expect(plan_of(&plan, 5, edges, 5, NULL), -ELOOP);
    expect(plan.cycle_length, 3);
    for (uint32_t i = 0; i < 3; i++)
        expect(plan.cycle[(i + 1) % 3], plan.cycle[i] % 3 + 1);
    distr_plan_free(&plan);
    finish();
}

Test(flow_plan, an_edge_to_itself_is_a_cycle)
{
    struct distr_plan plan;
    expect(plan_of(&plan, 3, EDGES({0, 2}, {1, 1}), 2, NULL), -ELOOP);
    expect(plan.cycle_length, 1);
    expect(plan.cycle[0], 1);
    distr_plan_free(&plan);
    finish();
}

Test(flow_plan, what_is_not_chosen_takes_its_edges_with_it)
{
    struct distr_plan plan;
    const bool chosen[] = {true, false, true, false};
    /* The cycle goes through nodes that are not chosen. */
    const struct distr_edge *edges = EDGES({0, 1}, {1, 2}, {0, 2}, {1, 3}, {3, 1});
    expect(plan_of(&plan, 4, edges, 5, chosen), 0);
    expect(plan.chosen, 2);
    expect(plan.needs[1], DISTR_NOT_CHOSEN);
    expect(plan.needs[3], DISTR_NOT_CHOSEN);
    expect(plan.needs[2], 1);
    expect(plan.root_count, 1);
    expect_targets(&plan, 0, (const uint32_t[]){2}, 1);
    distr_plan_free(&plan);
    finish();
}

/* As deep as can be: no recursion may follow it. */
Test(flow_plan, a_long_chain)
{
    enum { LENGTH = 1000000 };
    struct distr_plan plan;
    struct distr_edge *edges = malloc(LENGTH * sizeof(*edges));
    for (uint32_t i = 0; i + 1 < LENGTH; i++)
        edges[i] = (struct distr_edge){.before = i, .after = i + 1};
    expect(plan_of(&plan, LENGTH, edges, LENGTH - 1, NULL), 0);
    expect(plan.chain[0], LENGTH);
    expect(distr_plan_levels(&plan), 0);
    expect(plan.level[LENGTH - 1], LENGTH - 1);
    distr_plan_free(&plan);
    edges[LENGTH - 1] = (struct distr_edge){.before = LENGTH - 1, .after = 0};
    expect(plan_of(&plan, LENGTH, edges, LENGTH, NULL), -ELOOP);
    expect(plan.cycle_length, LENGTH);
    distr_plan_free(&plan);
    free(edges);
    finish();
}

/* Random graphs against what a plan must be, edge by edge. */
Test(flow_plan, random_graphs)
{
    uint64_t seed = 1;
    for (unsigned round = 0; round < rounds(300); round++) {
        struct distr_edge edges[200];
        struct distr_plan plan;
        uint32_t count = 2 + round % 60;
        for (unsigned i = 0; i < 200; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t a = (uint32_t)(seed >> 33) % count, b = (uint32_t)(seed >> 40) % count;
            edges[i].before = a < b ? a : b;
            edges[i].after = a < b ? b : a == b ? (b + 1 < count ? b + 1 : b) : a;
            if (edges[i].before == edges[i].after)
                edges[i] = (struct distr_edge){.before = 0, .after = count - 1};
        }
        expect(plan_of(&plan, count, edges, 200, NULL), 0);
        expect(distr_plan_levels(&plan), 0);
        expect(plan.first[count], 200);
        for (unsigned i = 0; i < 200; i++) {
            ensure(plan.level[edges[i].after] > plan.level[edges[i].before]);
            ensure(plan.chain[edges[i].before] > plan.chain[edges[i].after]);
        }
        for (uint32_t n = 0; n < count; n++)
            for (uint32_t j = plan.first[n]; j + 1 < plan.first[n + 1]; j++)
                ensure(plan.chain[plan.target[j]] <= plan.chain[plan.target[j + 1]]);
        for (uint32_t i = 0; i + 1 < plan.root_count; i++)
            ensure(plan.chain[plan.roots[i]] >= plan.chain[plan.roots[i + 1]]);
        distr_plan_free(&plan);
    }
    finish();
}
