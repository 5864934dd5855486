/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * graph.c - graphs of empty nodes.  "graph" is a run of 1,000 layers of 100 nodes, each after three
 * of the layer before, drawn at random; "graph-chain" one of 100,000 nodes in a row.  "graph-build"
 * is the description of 1,000,000 nodes and 3,000,000 edges by index, and its plan on top of it;
 * "graph-memory" what both hold.
 */
#include "layers.h"
#include "ours.h"

#include <distributor/graph.h>
#include <stdlib.h>

#define WIDTH LAYERS_WIDTH
#define MANY_LAYERS 10000
#define CHAIN 100000

static int nothing(distributor_call_t *call)
{
    (void)call;
    return 0;
}

static void add_nodes(distributor_graph_t *graph, size_t count)
{
    const distributor_node_t node = {.size = sizeof node, .run = nothing};

    for (size_t i = 0; i < count; i++)
        bench_check("distributor_graph_add", (uint64_t)distributor_graph_add(graph, &node), i);
}

static distributor_graph_t *make_layers(size_t layers)
{
    distributor_graph_t *graph;
    uint64_t seed = LAYERS_SEED;

    bench_must("distributor_graph_create", distributor_graph_create(&graph));
    add_nodes(graph, layers * WIDTH);
    for (size_t i = WIDTH; i < layers * WIDTH; i++) {
        size_t parents[LAYERS_PARENTS];
        layers_draw(&seed, parents);
        for (unsigned j = 0; j < LAYERS_PARENTS; j++)
            bench_must("edge", distributor_graph_add_edge(
                                   graph, (i / WIDTH - 1) * WIDTH + parents[j], i));
    }
    return graph;
}

static double run(distributor_graph_t *graph, unsigned workers)
{
    const distributor_graph_options_t options = {.size = sizeof options, .workers = workers};
    distributor_graph_summary_t summary;
    int64_t start = bench_now();

    bench_must("distributor_graph_run", distributor_graph_run(graph, &options, &summary));
    start = bench_now() - start;
    bench_check("number of nodes", summary.passed, distributor_graph_count(graph));
    return (double)start / (double)summary.passed;
}

static void run_layers(unsigned workers)
{
    distributor_graph_t *graph = make_layers(LAYERS_COUNT);

    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("graph", workers, "ns/node", warm, run(graph, workers));
    bench_must("destroy", distributor_graph_destroy(graph));
}

static void run_chain(unsigned workers)
{
    distributor_graph_t *graph;

    bench_must("distributor_graph_create", distributor_graph_create(&graph));
    add_nodes(graph, CHAIN);
    for (size_t i = 1; i < CHAIN; i++)
        bench_must("edge", distributor_graph_add_edge(graph, i - 1, i));
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("graph-chain", workers, "ns/node", warm, run(graph, workers));
    bench_must("destroy", distributor_graph_destroy(graph));
}

/* The drawing of the parents is inside the clock, and a small part of it. */
static void build(unsigned workers)
{
    double before = bench_rss();
    int64_t start = bench_now();
    distributor_graph_t *graph = make_layers(MANY_LAYERS);

    bench_must("distributor_graph_check", distributor_graph_check(graph));
    start = bench_now() - start;
    double nodes = (double)distributor_graph_count(graph);
    bench_say("graph-memory", workers, "B/node", (bench_rss() - before) / nodes);
    bench_say("graph-build", workers, "ns/node", (double)start / nodes);
    bench_must("destroy", distributor_graph_destroy(graph));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);

    build(workers);
    run_layers(workers);
    run_chain(workers);
    return 0;
}
