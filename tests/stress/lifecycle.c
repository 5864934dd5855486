/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lives: create, start, a few tasks, an ending at a random moment, destroy, thousands of times,
 * with and without a join; afterwards the process has the threads and descriptors it began with,
 * and no more than a mebibyte beyond the memory that it had after the first hundredth.
 */
#include "workload.h"

#include <errno.h>

#define ALLOWED_KB 1024

struct life {
    distributor_t *d;
    unsigned workers; /* of the options; 0: one per processor, or those added below */
    unsigned more;    /* by add_worker, half of them after the start */
    unsigned tasks;
    bool started;
};

static void add_workers(struct life *life, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int rc = distributor_add_worker(life->d, NULL);
        STRESS_CHECK(rc >= 0, "add_worker: %d", rc);
    }
}

static void end(struct life *life, struct stress_random *random)
{
    distributor_summary_t summary;
    int rc = 0;
    switch (stress_below(random, 4)) {
    case 0:
        rc = distributor_stop(life->d);
        break;
    case 1:
        rc = distributor_cancel(life->d);
        break;
    case 2:
        rc = distributor_close(life->d);
        break;
    default:
        break;
    }
    STRESS_CHECK(rc == 0, "the ending: %d", rc);
    if (life->started && stress_chance(random, 60)) {
        STRESS_CHECK(distributor_join(life->d, &summary) == 0, "join");
        STRESS_CHECK(distributor_join(life->d, NULL) == -EINVAL, "a second join");
    }
}

static void live(struct life *life, struct stress_random *random)
{
    struct workload_adder adder;
    distributor_options_t options = {.size = sizeof options, .workers = life->workers};
    workload_order(&options, random);
    STRESS_CHECK(distributor_create(&life->d, &options) == 0, "create");
    workload_adder(&adder, life->d, 0, random);
    workload_add_many(&adder, life->tasks / 2);
    add_workers(life, life->more / 2);
    if (life->started) {
        STRESS_CHECK(distributor_start(life->d) == 0, "start");
        STRESS_CHECK(distributor_start(life->d) == -EBUSY, "a second start");
    }
    add_workers(life, life->more - life->more / 2);
    workload_add_many(&adder, life->tasks - life->tasks / 2);
    stress_pause(random, 200);
    end(life, random);
    STRESS_CHECK(distributor_destroy(life->d) == 0, "destroy");
    ledger_check(NULL, &(struct ledger_rules){.cancelled = true, .dropped = true});
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "lifecycle", .rounds = 2000, .tasks = 20,
                                          .placement = -1}, argc, argv);
    unsigned threads = stress_count_threads();
    unsigned descriptors = stress_count_descriptors();
    unsigned lives = 0;
    long first_kb = 0;
    while (stress_next(&random)) {
        struct life life = {.workers = stress_below(&random, 8), .more = stress_below(&random, 4)};
        life.tasks = stress_below(&random, stress.tasks);
        life.started = stress_chance(&random, 90);
        workload_reset(&(struct workload){.seed = stress_random(&random),
                                          .adders = 1,
                                          .spawn_percent = 20,
                                          .emit_percent = 50,
                                          .fail_percent = 10,
                                          .ending = true});
        stress_state("%u workers and %u more, %u tasks, started %d", life.workers, life.more,
                     life.tasks, life.started);
        ledger_reset(1 + WORKLOAD_MAX_WORKERS);
        live(&life, &random);
        stress_await_threads(threads);
        unsigned now = stress_count_descriptors();
        STRESS_CHECK(now == descriptors, "%u descriptors, %u at first", now, descriptors);
        if (++lives * 100 >= stress.rounds && first_kb == 0) {
            first_kb = stress_resident_kb();
        }
    }
    printf("lifecycle: %u lives\n", lives);
    stress_check_growth(first_kb, ALLOWED_KB);
    return stress_end();
}
