/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destroy while other threads are inside: adders that wait for room, readers that wait for a
 * result, a joiner, emitters.  Destroy waits for them, they return -ESHUTDOWN, and every task and
 * result that is left goes through its discard callback once.
 *
 * A call that begins after destroy is an error of its caller, so every thread says when it is
 * about to call, and destroy waits until each is out for good or sleeps inside its call.
 */
#include "workload.h"

#include <errno.h>
#include <stdatomic.h>

#define MAX_THREADS 8

static const unsigned limits[] = {0, 1, 3, 64};

struct round {
    distributor_t *d;
    unsigned workers, adders, readers;
    unsigned moment_us;
    bool start;   /* else everything waits on a distributor that never ran */
    bool joins;   /* a thread is inside join */
    uint64_t input_limit, output_limit;
    atomic_bool ending;
    atomic_uint blind; /* results that came too late to be looked at */
};

struct actor {
    struct round *round;
    unsigned index;
    atomic_int thread_id;
    atomic_bool inside;
    struct stress_random random;
    pthread_t thread;
};

/* ---- The door ---- */

/* False when destroy may have begun: then nothing may be called any more. */
static bool enter(struct actor *actor)
{
    atomic_store(&actor->thread_id, stress_thread_id());
    atomic_store(&actor->inside, true);
    if (atomic_load(&actor->round->ending)) {
        atomic_store(&actor->inside, false);
        return false;
    }
    return true;
}

static void leave(struct actor *actor)
{
    atomic_store(&actor->inside, false);
}

static void await_inside(struct actor *actor)
{
    while (atomic_load(&actor->inside) && !stress_asleep(atomic_load(&actor->thread_id))) {
        stress_sleep_us(50);
    }
}

/* ---- Actors ---- */

static void *add(void *argument)
{
    struct actor *actor = argument;
    struct workload_adder adder;
    stress_place(actor->round->workers + actor->index);
    workload_adder(&adder, actor->round->d, actor->index, &actor->random);
    while (enter(actor)) {
        int rc = workload_add_once(&adder);
        leave(actor);
        STRESS_CHECK(rc != -ESHUTDOWN || atomic_load(&actor->round->ending) ||
                         actor->round->joins, "refused before the end");
    }
    return NULL;
}

static void *read_results(void *argument)
{
    struct actor *actor = argument;
    struct round *round = actor->round;
    struct ledger_log *log = ledger_log(round->adders + round->workers + actor->index);
    distributor_result_t result;
    stress_place(round->workers + round->adders + actor->index);
    while (enter(actor)) {
        int rc = distributor_next_result(round->d, &result);
        bool late = atomic_load(&round->ending);
        if (rc == 1 && late) {
            atomic_fetch_add(&round->blind, 1); /* its bytes may be gone */
        } else if (rc == 1) {
            workload_take(log, &result);
        } else {
            STRESS_CHECK(rc == -ESHUTDOWN || (rc == 0 && round->joins), "read: %d", rc);
            STRESS_CHECK(rc == 0 || late, "ended early");
        }
        leave(actor);
    }
    return NULL;
}

static void *join(void *argument)
{
    struct actor *actor = argument;
    if (enter(actor)) {
        int rc = distributor_join(actor->round->d, NULL);
        STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN, "join: %d", rc);
        leave(actor);
    }
    return NULL;
}

/* ---- A round ---- */

static void plan(struct round *round, struct stress_random *random)
{
    *round = (struct round){
        .workers = 1 + stress_below(random, 4),
        .adders = stress_below(random, 4),
        .readers = stress_below(random, 4),
        .moment_us = stress_below(random, 2000),
        .start = stress_chance(random, 80),
        .input_limit = limits[stress_below(random, 4)],
        .output_limit = limits[stress_below(random, 4)],
    };
    round->joins = round->start && stress_chance(random, 30);
    workload_reset(&(struct workload){.seed = stress_random(random),
                                      .adders = round->adders,
                                      .spawn_percent = stress_below(random, 2) * 40,
                                      .emit_percent = stress_below(random, 3) * 50,
                                      .fail_percent = stress_below(random, 20),
                                      .pause_percent = stress_below(random, 10),
                                      .ending = true});
    stress_state("destroy after %u us: start %d, join %d, %u workers, %u adders, %u readers, "
                 "limits %llu %llu",
                 round->moment_us, round->start, round->joins, round->workers, round->adders,
                 round->readers, (unsigned long long)round->input_limit,
                 (unsigned long long)round->output_limit);
}

static void launch(struct actor *actor, struct round *round, unsigned index,
                   void *(*function)(void *), struct stress_random *random)
{
    *actor = (struct actor){.round = round, .index = index};
    actor->random.state = stress_random(random);
    stress_thread(&actor->thread, function, actor);
}

static void run_round(struct round *round, struct stress_random *random)
{
    struct actor actors[MAX_THREADS];
    unsigned count = 0;
    STRESS_CHECK(!round->start || distributor_start(round->d) == 0, "start");
    for (unsigned i = 0; i < round->adders; i++) {
        launch(&actors[count++], round, i, add, random);
    }
    for (unsigned i = 0; i < round->readers; i++) {
        launch(&actors[count++], round, i, read_results, random);
    }
    if (round->joins) {
        launch(&actors[count++], round, 0, join, random);
    }
    stress_sleep_us(round->moment_us);
    atomic_store(&round->ending, true);
    for (unsigned i = 0; i < count; i++) {
        await_inside(&actors[i]);
    }
    STRESS_CHECK(distributor_destroy(round->d) == 0, "destroy");
    for (unsigned i = 0; i < count; i++) {
        stress_join(actors[i].thread);
    }
    ledger_check(NULL, &(struct ledger_rules){.cancelled = true, .dropped = true,
                                              .blind = atomic_load(&round->blind)});
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "destroying", .rounds = 300, .placement = -1},
                 argc, argv);
    unsigned threads = stress_count_threads();
    while (stress_next(&random)) {
        struct round round;
        plan(&round, &random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = round.workers,
                                         .input_limit = round.input_limit,
                                         .output_limit = round.output_limit,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        ledger_reset(round.adders + round.workers + round.readers);
        workload_order(&options, &random);
        STRESS_CHECK(distributor_create(&round.d, &options) == 0, "create");
        run_round(&round, &random);
        stress_await_threads(threads);
    }
    return stress_end();
}
