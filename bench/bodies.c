/* SPDX-License-Identifier: BSD-2-Clause */
/* bodies.c - see bodies.h. */
#include "bodies.h"

#include <unistd.h>

#define FIRST_NS 16384
#define LONGEST_NS (1 << 20)
#define SHORTEST_NS 4
#define WORK_NS (30 * BENCH_MILLISECOND) /* in one run, of all tasks together */
#define FEWEST 256
#define MOST 250000

/* The better of two looks, if the first one is bad: a thread may have been switched out. */
static double efficiency(bench_grain_fn *run, void *context, unsigned cores, int64_t grain_ns)
{
    int64_t tasks = WORK_NS / grain_ns;
    double best = 0;

    tasks = tasks < FEWEST ? FEWEST : tasks > MOST ? MOST : tasks;
    for (int look = 0; look < 2 && best < 0.5; look++) {
        double now = (double)grain_ns / cores / run(context, grain_ns, (uint64_t)tasks);

        best = now > best ? now : best;
    }
    return best;
}

/* Where a line through the two points is at one half. */
static double at_half(int64_t good_ns, double good, int64_t bad_ns, double bad)
{
    return (double)bad_ns + (0.5 - bad) / (good - bad) * (double)(good_ns - bad_ns);
}

double bench_metg(bench_grain_fn *run, void *context, unsigned workers)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cores = online > 0 && (unsigned)online < workers ? (unsigned)online : workers;
    int64_t grain_ns = FIRST_NS;
    double now, before;

    efficiency(run, context, cores, grain_ns); /* warm */
    now = efficiency(run, context, cores, grain_ns);
    while (now < 0.5 && grain_ns < LONGEST_NS) {
        before = now;
        grain_ns *= 2;
        now = efficiency(run, context, cores, grain_ns);
        if (now >= 0.5)
            return at_half(grain_ns, now, grain_ns / 2, before);
    }
    if (now < 0.5)
        return (double)grain_ns; /* and more */
    do {
        before = now;
        grain_ns /= 2;
        now = efficiency(run, context, cores, grain_ns);
    } while (now >= 0.5 && grain_ns > SHORTEST_NS);
    return now >= 0.5 ? (double)grain_ns : at_half(2 * grain_ns, before, grain_ns, now);
}

static uint64_t short_steps, long_steps;

void bench_ordered_prepare(void)
{
    short_steps = bench_steps(BODY_ORDERED_NS);
    long_steps = bench_steps(BODY_ORDERED_LONG_NS);
}

uint64_t bench_ordered_body(uint64_t number)
{
    bench_work(number % BODY_ORDERED_EVERY == 0 ? long_steps : short_steps);
    return number * number;
}

uint64_t bench_ordered_result(uint64_t tasks)
{
    uint64_t result = 0;

    for (uint64_t i = 0; i < tasks; i++)
        result = bench_ordered_fold(result, i * i);
    return result;
}
