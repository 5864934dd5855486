/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_tbb.cc - oneTBB: an arena of W workers beside the main thread, and a
 * concurrent_bounded_queue for the results.  A task from outside goes through
 * task_arena::enqueue(), one from inside a task through task_group::run(), each of which was the
 * faster way for its side.  In the tree the main thread is one of the workers, while it waits for
 * the group, and so it is in the map, the graph and the ordered stream, which is a
 * parallel_pipeline.
 */
#include "bodies.h"
#include "map.h"
#include "layers.h"
#include "peer.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <tbb/concurrent_queue.h>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#include <vector>

namespace {

tbb::global_control *limit;
tbb::task_arena *arena;
tbb::task_group *group;
tbb::concurrent_bounded_queue<uint64_t> results;
thread_local bool inside;

/* One for each thread, two cache lines apart. */
struct alignas(128) Leaves {
    std::atomic<uint64_t> count { 0 };
};

std::vector<Leaves> leaves_of(1024);
std::atomic<unsigned> threads { 0 };
thread_local unsigned my_index = threads++;

void node(unsigned depth)
{
    if (depth == 0) {
        auto &mine = leaves_of[my_index].count;

        mine.store(mine.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return;
    }
    group->run([depth] { node(depth - 1); });
    group->run([depth] { node(depth - 1); });
}

} // namespace

const char *const peer_name = "tbb";

void peer_open(unsigned workers)
{
    limit = new tbb::global_control(tbb::global_control::max_allowed_parallelism, workers + 1);
    arena = new tbb::task_arena(static_cast<int>(workers), 0);
    group = new tbb::task_group;
    arena->initialize();
}

void peer_add(peer_fn *run, uint64_t number)
{
    auto task = [run, number] {
        inside = true;
        run(number);
        inside = false;
    };

    if (inside)
        group->run(task);
    else
        arena->enqueue(task);
}

void peer_emit(uint64_t result)
{
    results.push(result);
}

uint64_t peer_read()
{
    uint64_t result;

    results.pop(result);
    return result;
}

bool peer_tree(unsigned workers, unsigned depth, uint64_t *leaves)
{
    tbb::task_arena joint(static_cast<int>(workers), 1);

    *leaves = 0;
    joint.execute([depth] {
        group->run([depth] { node(depth); });
        group->wait();
    });
    for (auto &thread : leaves_of)
        *leaves += thread.count.exchange(0);
    return true;
}

void peer_map(unsigned workers, const uint64_t *numbers, uint64_t *squares)
{
    static tbb::task_arena joint(static_cast<int>(workers), 1);

    joint.execute([=] {
        tbb::parallel_for(tbb::blocked_range<size_t>(0, BENCH_MAP_ITEMS),
                          [=](const tbb::blocked_range<size_t> &range) {
                              for (size_t i = range.begin(); i < range.end(); i++)
                                  squares[i] = numbers[i] * numbers[i];
                          });
    });
}

uint64_t peer_ordered(unsigned workers, uint64_t tasks)
{
    static tbb::task_arena joint(static_cast<int>(workers), 1);
    uint64_t next = 0, result = 0;
    auto number = [&](tbb::flow_control &control) -> uint64_t {
        if (next == tasks)
            control.stop();
        return next++;
    };
    auto body = [](uint64_t task) { return bench_ordered_body(task); };
    auto fold = [&](uint64_t square) { result = bench_ordered_fold(result, square); };

    joint.execute([&] {
        using tbb::filter_mode;
        tbb::parallel_pipeline(BODY_ORDERED_WINDOW,
            tbb::make_filter<void, uint64_t>(filter_mode::serial_in_order, number)
                & tbb::make_filter<uint64_t, uint64_t>(filter_mode::parallel, body)
                & tbb::make_filter<uint64_t, void>(filter_mode::serial_in_order, fold));
    });
    return result;
}

namespace {

using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;

/* A flow graph stays as it is between its runs. */
struct Layers {
    tbb::flow::graph graph;
    tbb::flow::broadcast_node<tbb::flow::continue_msg> source { graph };
    std::vector<std::unique_ptr<Node>> nodes;

    Layers()
    {
        uint64_t seed = LAYERS_SEED;

        for (size_t i = 0; i < LAYERS_COUNT * LAYERS_WIDTH; i++) {
            nodes.emplace_back(new Node(graph, [](const tbb::flow::continue_msg &) {
                auto &mine = leaves_of[my_index].count;

                mine.store(mine.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            }));
            if (i < LAYERS_WIDTH) {
                tbb::flow::make_edge(source, *nodes[i]);
                continue;
            }
            size_t parents[LAYERS_PARENTS];
            layers_draw(&seed, parents);
            for (size_t parent : parents)
                tbb::flow::make_edge(*nodes[(i / LAYERS_WIDTH - 1) * LAYERS_WIDTH + parent],
                    *nodes[i]);
        }
    }
};

} // namespace

int64_t peer_graph(unsigned workers, uint64_t *count)
{
    tbb::task_arena joint(static_cast<int>(workers), 1);
    static Layers *layers;
    int64_t took = 0;

    joint.execute([&] {
        if (layers == nullptr)
            layers = new Layers;
        int64_t start = bench_now();
        layers->source.try_put(tbb::flow::continue_msg());
        layers->graph.wait_for_all();
        took = bench_now() - start;
    });
    *count = 0;
    for (auto &thread : leaves_of)
        *count += thread.count.exchange(0);
    return took;
}
