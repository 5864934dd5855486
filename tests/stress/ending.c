/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endings: stop or cancel at a random moment, with adders, readers, emitters and spawning tasks
 * inside.  Every call returns, with the documented errors; what was accepted runs (stop), or ends
 * once as it may (cancel); results and inputs that are left go through their discard callbacks.
 */
#include "workload.h"

#include <errno.h>
#include <stdatomic.h>

#define MAX_THREADS 8

static const unsigned limits[] = {0, 1, 3, 64};

enum ending { STOP, STOP_BY_TWO, CLOSE, CANCEL, CANCEL_BY_TWO, CLOSE_THEN_CANCEL, ENDINGS };

struct round {
    distributor_t *d;
    enum ending ending;
    unsigned workers, adders, readers;
    unsigned moment_us;    /* from the start to the ending */
    unsigned reader_limit; /* a reader leaves after so many results, only if it is cancelled */
    uint64_t input_limit, output_limit;
};

struct actor {
    struct round *round;
    unsigned index;
    struct stress_random random;
    pthread_t thread;
};

/* Logs: the adders and the main thread, the workers, the readers and the main thread. */
static struct ledger_log *reader_log(const struct round *round, unsigned index)
{
    return ledger_log(round->adders + 1 + round->workers + index);
}

/* ---- Actors ---- */

static void *add_until_refused(void *argument)
{
    struct actor *actor = argument;
    struct workload_adder adder;
    stress_place(actor->round->workers + actor->index);
    workload_adder(&adder, actor->round->d, actor->index, &actor->random);
    while (workload_add(&adder) == 0) {
    }
    /* Refused once is refused until the join: nothing slips in afterwards. */
    for (unsigned i = 0; i < 3; i++) {
        STRESS_CHECK(workload_add(&adder) == -ESHUTDOWN, "an add after the end");
    }
    return NULL;
}

static void *read_some(void *argument)
{
    struct actor *actor = argument;
    struct round *round = actor->round;
    struct ledger_log *log = reader_log(round, actor->index);
    distributor_result_t result;
    uint64_t count = 0;
    stress_place(round->workers + round->adders + actor->index);
    if (round->reader_limit == 0) {
        STRESS_CHECK(workload_read_all(round->d, log, &actor->random, &count) == 0, "no STOP");
        return NULL;
    }
    while (count++ < round->reader_limit) {
        int rc = distributor_next_result(round->d, &result);
        STRESS_CHECK(rc == 0 || rc == 1, "read: %d", rc);
        if (rc == 0) {
            break;
        }
        workload_take(log, &result);
    }
    return NULL;
}

static void end(const struct round *round)
{
    int rc = round->ending <= STOP_BY_TWO ? distributor_stop(round->d)
             : round->ending == CLOSE     ? distributor_close(round->d)
                                          : distributor_cancel(round->d);
    STRESS_CHECK(rc == 0, "the ending: %d", rc);
}

static void *end_too(void *argument)
{
    struct actor *actor = argument;
    stress_sleep_us(actor->round->moment_us);
    end(actor->round);
    return NULL;
}

/* ---- A round ---- */

static void plan(struct round *round, struct stress_random *random)
{
    *round = (struct round){
        .ending = (enum ending)stress_below(random, ENDINGS),
        .workers = 1 + stress_below(random, 6),
        .adders = stress_below(random, 5),
        .readers = stress_below(random, 4),
        .moment_us = stress_below(random, 3000),
        .input_limit = limits[stress_below(random, 4)],
        .output_limit = limits[stress_below(random, 4)],
    };
    unsigned leave_after = stress_chance(random, 50) ? 1 + stress_below(random, 100) : 0;
    if (round->ending >= CANCEL) {
        round->reader_limit = leave_after;
    } else if (round->readers == 0) {
        round->output_limit = 0; /* without a cancel only a reader can free the emitters */
    }
    workload_reset(&(struct workload){.seed = stress_random(random),
                                      .adders = round->adders + 1,
                                      .spawn_percent = stress_below(random, 2) * 40,
                                      .emit_percent = 70,
                                      .fail_percent = 10,
                                      .pause_percent = stress_below(random, 10),
                                      .ending = true});
    stress_state("ending %d after %u us: %u workers, %u adders, %u readers (leave after %u), "
                 "limits %llu %llu",
                 round->ending, round->moment_us, round->workers, round->adders, round->readers,
                 round->reader_limit, (unsigned long long)round->input_limit,
                 (unsigned long long)round->output_limit);
}

static void launch(struct actor *actor, struct round *round, unsigned index,
                   void *(*function)(void *), struct stress_random *random)
{
    actor->round = round;
    actor->index = index;
    actor->random.state = stress_random(random);
    stress_thread(&actor->thread, function, actor);
}

/* What is left after the join can be read: half of the rounds do, the others leave it. */
static void read_left(const struct round *round, struct stress_random *random)
{
    uint64_t count = 0;
    struct ledger_log *log = reader_log(round, round->readers);
    STRESS_CHECK(workload_read_all(round->d, log, random, &count) == 0, "no STOP");
}

/* A few tasks before the start, so that a round has some even if it ends at once. */
static void add_first(const struct round *round, struct stress_random *random)
{
    struct workload_adder adder;
    workload_adder(&adder, round->d, round->adders, random);
    workload_add_many(&adder, round->input_limit > 0 ? 0 : stress_below(random, 50));
    STRESS_CHECK(distributor_start(round->d) == 0, "start");
}

static void join(const struct round *round, const struct actor *readers,
                 struct stress_random *random, distributor_summary_t *summary)
{
    bool first = stress_chance(random, 50);
    STRESS_CHECK(!first || distributor_join(round->d, summary) == 0, "join");
    for (unsigned i = 0; i < round->readers; i++) {
        stress_join(readers[i].thread);
    }
    STRESS_CHECK(first || distributor_join(round->d, summary) == 0, "join");
}

static void run_round(struct round *round, struct stress_random *random)
{
    struct actor adders[MAX_THREADS], readers[MAX_THREADS], second;
    distributor_summary_t summary;
    bool two = round->ending == STOP_BY_TWO || round->ending == CANCEL_BY_TWO;
    bool read_rest = stress_chance(random, 50);
    add_first(round, random);
    for (unsigned i = 0; i < round->readers; i++) {
        launch(&readers[i], round, i, read_some, random);
    }
    for (unsigned i = 0; i < round->adders; i++) {
        launch(&adders[i], round, i, add_until_refused, random);
    }
    if (two) {
        launch(&second, round, 0, end_too, random);
    }
    stress_sleep_us(round->moment_us);
    if (round->ending == CLOSE_THEN_CANCEL) {
        STRESS_CHECK(distributor_close(round->d) == 0, "close");
    }
    end(round);
    for (unsigned i = 0; i < round->adders; i++) {
        stress_join(adders[i].thread);
    }
    if (two) {
        stress_join(second.thread);
    }
    join(round, readers, random, &summary);
    if (read_rest) {
        read_left(round, random);
    }
    STRESS_CHECK(distributor_destroy(round->d) == 0, "destroy");
    bool cancels = round->ending >= CANCEL;
    STRESS_CHECK(cancels || summary.discarded == 0, "discarded without a cancel");
    ledger_check(&summary, &(struct ledger_rules){.cancelled = cancels, .dropped = !read_rest});
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "ending", .rounds = 80, .placement = -1}, argc,
                 argv);
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
        ledger_reset(round.adders + 1 + round.workers + round.readers + 1);
        workload_order(&options, &random);
        STRESS_CHECK(distributor_create(&round.d, &options) == 0, "create");
        run_round(&round, &random);
    }
    return stress_end();
}
