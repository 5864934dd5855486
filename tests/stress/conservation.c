/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conservation: adders, workers and readers of every number, spawning trees, failures, both limits,
 * three placements.  Each accepted task begins and ends once, each emitted result is read once or
 * discarded once, STOP comes to every reader, and the summary adds up.
 */
#include "workload.h"

#include <stdatomic.h>

#define MAX_THREADS 16

static const unsigned limits[] = {0, 1, 3, 64};

struct round {
    distributor_t *d;
    unsigned workers, adders, readers, tasks;
    uint64_t input_limit, output_limit;
    bool drops; /* a thread drops results now and then */
    enum stress_placement placement;
    atomic_bool adding;
};

struct actor {
    struct round *round;
    unsigned index;
    struct stress_random random;
    pthread_t thread;
};

static void *add(void *argument)
{
    struct actor *actor = argument;
    const struct round *round = actor->round;
    struct workload_adder adder;
    stress_place(round->workers + actor->index);
    workload_adder(&adder, round->d, actor->index, &actor->random);
    for (unsigned i = round->tasks / round->adders; i > 0; i--) {
        workload_add(&adder);
        if (stress_chance(&actor->random, 1)) {
            stress_pause(&actor->random, 50);
        }
    }
    return NULL;
}

static void *read_results(void *argument)
{
    struct actor *actor = argument;
    const struct round *round = actor->round;
    uint64_t count = 0;
    stress_place(round->workers + round->adders + actor->index);
    struct ledger_log *log = ledger_log(round->adders + round->workers + actor->index);
    workload_read_all(round->d, log, &actor->random, &count);
    STRESS_CHECK(workload_read_all(round->d, log, &actor->random, &count) == 0,
                 "STOP does not stay");
    return NULL;
}

static void *drop_results(void *argument)
{
    struct actor *actor = argument;
    while (atomic_load(&actor->round->adding)) {
        distributor_drop_results(actor->round->d);
        stress_pause(&actor->random, 200);
    }
    return NULL;
}

static unsigned choose(unsigned wanted, struct stress_random *random, const unsigned *from,
                       unsigned count)
{
    unsigned chosen = from[stress_below(random, count)];
    return wanted > 0 ? wanted : chosen;
}

/* Everything random is drawn here, in a fixed order, so that the seed repeats it. */
static void plan(struct round *round, struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 3, 8, 16};
    static const unsigned ends[] = {1, 2, 4, 8};
    *round = (struct round){
        .placement = (enum stress_placement)stress_below(random, STRESS_PLACEMENTS)};
    round->workers = choose(stress.workers, random, workers, 5);
    if (round->placement == STRESS_OVER) {
        round->workers = choose(stress.workers, random, workers + 3, 2);
    }
    round->adders = choose(stress.adders, random, ends, 4);
    round->readers = choose(stress.readers, random, ends, 3);
    round->input_limit = limits[stress_below(random, 4)];
    round->output_limit = limits[stress_below(random, 4)];
    round->drops = stress_chance(random, 15);
    if (stress.placement >= 0) {
        round->placement = (enum stress_placement)stress.placement;
    }
    round->tasks = 1 + stress_below(random, 2 * stress.tasks);
    workload_reset(&(struct workload){.seed = stress_random(random),
                                      .adders = round->adders,
                                      .spawn_percent = stress_below(random, 2) * 40,
                                      .emit_percent = 50 + stress_below(random, 50),
                                      .fail_percent = stress_below(random, 20),
                                      .pause_percent = stress_below(random, 4)});
    stress_state("%s: %u workers, %u adders, %u readers, %u tasks, limits %llu %llu, drops %d",
                 stress_placement_name(round->placement), round->workers, round->adders,
                 round->readers, round->tasks, (unsigned long long)round->input_limit,
                 (unsigned long long)round->output_limit, round->drops);
}

static void launch(struct actor *actor, struct round *round, unsigned index,
                   void *(*function)(void *), struct stress_random *random)
{
    actor->round = round;
    actor->index = index;
    actor->random.state = stress_random(random);
    stress_thread(&actor->thread, function, actor);
}

static void run_round(struct round *round, struct stress_random *random)
{
    struct actor adders[MAX_THREADS], readers[MAX_THREADS], dropper;
    distributor_summary_t summary;
    bool early = stress_chance(random, 50);
    STRESS_CHECK(!early || distributor_start(round->d) == 0, "start");
    atomic_store(&round->adding, true);
    for (unsigned i = 0; i < round->readers; i++) {
        launch(&readers[i], round, i, read_results, random);
    }
    for (unsigned i = 0; i < round->adders; i++) {
        launch(&adders[i], round, i, add, random);
    }
    if (round->drops) {
        launch(&dropper, round, 0, drop_results, random);
    }
    STRESS_CHECK(early || distributor_start(round->d) == 0, "start");
    for (unsigned i = 0; i < round->adders; i++) {
        stress_join(adders[i].thread);
    }
    STRESS_CHECK(distributor_close(round->d) == 0, "close");
    for (unsigned i = 0; i < round->readers; i++) {
        stress_join(readers[i].thread);
    }
    atomic_store(&round->adding, false);
    if (round->drops) {
        stress_join(dropper.thread);
    }
    STRESS_CHECK(distributor_join(round->d, &summary) == 0, "join");
    /* One worker begins the tasks of each adder in their order. */
    ledger_check(&summary, &(struct ledger_rules){
                               .dropped = round->drops,
                               .in_order = round->workers == 1 ? round->adders : 0});
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "conservation", .rounds = 40, .tasks = 1000,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        struct round round;
        plan(&round, &random);
        STRESS_CHECK(round.adders <= MAX_THREADS && round.readers <= MAX_THREADS,
                     "at most %d adders and readers", MAX_THREADS);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = round.workers,
                                         .input_limit = round.input_limit,
                                         .output_limit = round.output_limit,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement(round.placement);
        ledger_reset(round.adders + round.workers + round.readers);
        workload_order(&options, &random);
        STRESS_CHECK(distributor_create(&round.d, &options) == 0, "create");
        run_round(&round, &random);
        STRESS_CHECK(distributor_destroy(round.d) == 0, "destroy");
    }
    return stress_end();
}
