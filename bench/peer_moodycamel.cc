/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_moodycamel.cc - the pool that a C++ programmer assembles: threads that wait on one
 * moodycamel::BlockingConcurrentQueue of tasks, and a second one for the results.  Each thread that
 * puts has a producer token, each that takes a consumer token, as its manual advises.
 */
#include "peer.h"

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <thread>

namespace {

constexpr size_t batch = 64;

struct Item {
    peer_fn *run;
    uint64_t number;
};

moodycamel::BlockingConcurrentQueue<Item> tasks;
moodycamel::BlockingConcurrentQueue<uint64_t> results;
bool in_batches;

moodycamel::ProducerToken &task_token()
{
    static thread_local moodycamel::ProducerToken token(tasks);
    return token;
}

moodycamel::ConsumerToken &result_token()
{
    static thread_local moodycamel::ConsumerToken token(results);
    return token;
}

void run_worker()
{
    moodycamel::ConsumerToken token(tasks);
    Item items[batch];

    for (;;) {
        /* Many at once only where the tasks are many and short: else some wait behind one. */
        size_t count = tasks.wait_dequeue_bulk(token, items, in_batches ? batch : 1);

        for (size_t i = 0; i < count; i++)
            items[i].run(items[i].number);
    }
}

} // namespace

const char *const peer_name = "moodycamel";

void peer_open(unsigned workers)
{
    for (unsigned i = 0; i < workers; i++)
        std::thread(run_worker).detach();
}

void peer_add(peer_fn *run, uint64_t number)
{
    tasks.enqueue(task_token(), Item { run, number });
}

void peer_emit(uint64_t result)
{
    static thread_local moodycamel::ProducerToken token(results);

    results.enqueue(token, result);
}

uint64_t peer_read()
{
    uint64_t result;

    results.wait_dequeue(result_token(), result);
    return result;
}

void peer_add_many(peer_fn *run, const uint64_t *numbers, size_t count)
{
    Item items[batch];

    in_batches = true;
    for (size_t done = 0; done < count;) {
        size_t size = 0;

        while (size < batch && done < count)
            items[size++] = Item { run, numbers[done++] };
        tasks.enqueue_bulk(task_token(), items, size);
    }
}

size_t peer_read_many(uint64_t *numbers, size_t count)
{
    return results.wait_dequeue_bulk(result_token(), numbers, count);
}
