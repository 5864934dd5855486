/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of flow/counts.h: a worker that counts as if it were alone while the caller calls in
 * another one.  Each count is taken down by both, so that a step that is lost leaves it above 0.
 */
#include "schedule/shim.h"

#include "flow/counts.h"

#define COUNTS 2u

static struct distr_counts counts;
static _Atomic uint32_t waits[COUNTS]; /* for both workers */
static unsigned ready[COUNTS], alone, together;

static void end_node(void)
{
    bool is_alone = distr_counts_enter(&counts);

    alone += is_alone;
    together += !is_alone;
    for (unsigned i = 0; i < COUNTS; i++)
        if (distr_count_down(&waits[i], is_alone))
            ready[i]++;
    if (is_alone)
        distr_counts_leave(&counts);
}

static void *work_first(void *steps)
{
    for (unsigned i = *(const unsigned *)steps; i > 0; i--)
        end_node();
    return NULL;
}

static void *work_later(void *unused)
{
    end_node();
    return unused;
}

/* The first worker ends so many nodes, the other one ends one. */
static void call_in(unsigned steps)
{
    pthread_t first, later;

    distr_fence_init();
    counts = (struct distr_counts){false, false};
    alone = together = 0;
    for (unsigned i = 0; i < COUNTS; i++) {
        waits[i] = steps + 1;
        ready[i] = 0;
    }
    schedule_check(pthread_create(&first, NULL, work_first, &steps) == 0);
    schedule_begin();
    distr_counts_share(&counts);
    schedule_check(pthread_create(&later, NULL, work_later, NULL) == 0);
    pthread_join(first, NULL);
    pthread_join(later, NULL);
    schedule_end();
    schedule_check(alone + together == steps + 1 && together > 0);
    for (unsigned i = 0; i < COUNTS; i++)
        schedule_check(waits[i] == 0 && ready[i] == 1);
}

static void one_node(void)
{
    call_in(1);
}

static void two_nodes(void)
{
    call_in(2);
}

static const struct schedule_scenario scenarios[] = {
    {.name = "counts_one_node", .body = one_node, .preemptions = 3},
    {.name = "counts_two_nodes", .body = two_nodes, .preemptions = 3},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
