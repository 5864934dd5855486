/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slow reader holds back nothing but what it was given.  Several readers wait; now and then one
 * that got a result stays away until the others have read so many more.  A wake-up that goes to a
 * reader that needs none, or that is kept for one that is busy, hangs here.
 */
#include "support.h"

#include <distributor/pool.h>

#include <stdatomic.h>
#include <string.h>

#define MAX_READERS 4
#define AWAY 20 /* results that the others read meanwhile */

static struct round {
    distributor_t *d;
    unsigned workers, readers, tasks;
    atomic_uint read;  /* the results so far */
    atomic_uint away;  /* readers that stay away */
} round_;

struct reader {
    unsigned index;
    pthread_t thread;
    struct stress_random random;
};

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    struct stress_random random;
    memcpy(&random, input, sizeof random);
    if (stress_chance(&random, 30)) {
        stress_pause(&random, 100);
    }
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = {.name = "echo", .run = echo};

/* Never the last reader: the others could not go on.  It comes back when they have read enough,
 * or all that there will be. */
static void stay_away(void)
{
    if (atomic_fetch_add(&round_.away, 1) + 1 < round_.readers) {
        unsigned until = atomic_load(&round_.read) + AWAY;
        until = until < round_.tasks ? until : round_.tasks;
        while (atomic_load(&round_.read) < until) {
            stress_sleep_us(100);
        }
    }
    atomic_fetch_sub(&round_.away, 1);
}

static void *read_results(void *argument)
{
    struct reader *reader = argument;
    distributor_result_t result;
    int rc;
    stress_place(round_.workers + reader->index);
    while ((rc = distributor_next_result(round_.d, &result)) == 1) {
        atomic_fetch_add(&round_.read, 1);
        if (stress_chance(&reader->random, 10)) {
            stay_away();
        }
    }
    STRESS_CHECK(rc == 0, "read: %d", rc);
    return NULL;
}

/* One at a time while the readers wait for it, or many. */
static void add_all(struct stress_random *random)
{
    bool singly = stress_chance(random, 50);
    for (unsigned i = 0; i < round_.tasks; i++) {
        struct stress_random input = {stress_random(random)};
        STRESS_CHECK(distributor_add_task(round_.d, &type, &input, sizeof input) == 0, "add");
        if (singly || stress_chance(random, 5)) {
            stress_pause(random, 150);
        }
    }
}

static void run_round(struct stress_random *random)
{
    struct reader readers[MAX_READERS];
    distributor_summary_t summary;
    STRESS_CHECK(distributor_start(round_.d) == 0, "start");
    for (unsigned i = 0; i < round_.readers; i++) {
        readers[i] = (struct reader){.index = i, .random = {stress_random(random)}};
        stress_thread(&readers[i].thread, read_results, &readers[i]);
    }
    add_all(random);
    /* Not closed yet: STOP would wake those that were forgotten. */
    while (atomic_load(&round_.read) < round_.tasks) {
        stress_sleep_us(100);
    }
    STRESS_CHECK(distributor_join(round_.d, &summary) == 0, "join");
    for (unsigned i = 0; i < round_.readers; i++) {
        stress_join(readers[i].thread);
    }
    STRESS_CHECK(summary.results == round_.tasks && round_.read == round_.tasks,
                 "%u results of %u", round_.read, round_.tasks);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "slow_reader", .rounds = 60, .tasks = 500,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        memset(&round_, 0, sizeof round_);
        round_.workers = stress.workers > 0 ? stress.workers : 1 + stress_below(&random, 4);
        round_.readers = 2 + stress_below(&random, MAX_READERS - 1);
        round_.tasks = 1 + stress_below(&random, stress.tasks);
        stress_state("%u workers, %u readers, %u tasks", round_.workers, round_.readers,
                     round_.tasks);
        distributor_options_t options = {.size = sizeof options, .workers = round_.workers,
                                         .worker_started = stress_worker_started};
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        STRESS_CHECK(distributor_create(&round_.d, &options) == 0, "create");
        run_round(&random);
        STRESS_CHECK(distributor_destroy(round_.d) == 0, "destroy");
    }
    return stress_end();
}
