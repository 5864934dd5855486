/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_grain.c - tasks with a body of a known length, for any peer: how long the body must be for
 * the pool to be worth while.
 */
#include "peer_subjects.h"

#include "bodies.h"

static uint64_t steps;

static void body(uint64_t number)
{
    bench_work(steps);
    peer_emit(number * number);
}

static double time_of(void *unused, int64_t grain_ns, uint64_t tasks)
{
    (void)unused;
    steps = bench_steps(grain_ns);
    tasks = peer_cap(tasks);
    return (double)peer_stream(body, tasks) / (double)tasks;
}

void peer_run_grain(unsigned workers)
{
    bench_say("grain", workers, "ns", bench_metg(time_of, NULL, workers));
}

static void run_fixed(const char *subject, unsigned workers, int64_t grain_ns, uint64_t tasks)
{
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm(subject, workers, "ns/task", warm, time_of(NULL, grain_ns, tasks));
}

void peer_run_grain_1us(unsigned workers)
{
    run_fixed("grain-1us", workers, BODY_1US_NS, BODY_1US_TASKS);
}

void peer_run_grain_5us(unsigned workers)
{
    run_fixed("grain-5us", workers, BODY_5US_NS, BODY_5US_TASKS);
}

void peer_run_oversubscribed(unsigned workers)
{
    run_fixed("oversubscribed", workers, BODY_5US_NS, BODY_CROWD_TASKS);
}

void peer_run_ordered(unsigned workers)
{
    const uint64_t expected = bench_ordered_result(BODY_ORDERED_TASKS);

    bench_ordered_prepare();
    for (int warm = 0; warm < 2; warm++) {
        int64_t start = bench_now();
        uint64_t result = peer_ordered(workers, BODY_ORDERED_TASKS);

        start = bench_now() - start;
        bench_check("the squares in order", result, expected);
        bench_say_warm("ordered", workers, "ns/task", warm,
                       (double)start / (double)BODY_ORDERED_TASKS);
    }
}
