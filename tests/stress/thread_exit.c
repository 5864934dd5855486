/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that end their thread, by pthread_exit or cancellation: each fails with -EOWNERDEAD, its
 * worker goes on with the same index, what it had claimed is run by somebody, and the threads are
 * all gone in the end.
 */
#include "workload.h"

#include <errno.h>
#include <sched.h>

struct round {
    distributor_t *d;
    unsigned workers, tasks;
    uint64_t deaths;
};

static void plan(struct round *round, struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 8};
    *round = (struct round){.workers = stress.workers};
    unsigned chosen = workers[stress_below(random, 3)];
    if (round->workers == 0) {
        round->workers = chosen;
    }
    round->tasks = 1 + stress_below(random, 2 * stress.tasks);
    workload_reset(&(struct workload){.seed = stress_random(random),
                                      .adders = 1,
                                      .spawn_percent = stress_below(random, 50),
                                      .emit_percent = 60,
                                      .fail_percent = 10,
                                      .exit_percent = stress_chance(random, 10)
                                                          ? 100
                                                          : 1 + stress_below(random, 40)});
    stress_state("%u workers, %u tasks, %u %% exit", round->workers, round->tasks,
                 workload.exit_percent);
}

static void read_results(struct round *round)
{
    distributor_result_t result;
    struct ledger_log *log = ledger_log(1 + round->workers);
    while (distributor_next_result(round->d, &result) == 1) {
        STRESS_CHECK(result.worker < round->workers, "worker %u", result.worker);
        round->deaths += result.error == -EOWNERDEAD;
        workload_take(log, &result);
    }
}

static void run_round(struct round *round, struct stress_random *random)
{
    struct workload_adder adder;
    distributor_summary_t summary;
    workload_adder(&adder, round->d, 0, random);
    bool early = stress_chance(random, 50);
    STRESS_CHECK(!early || distributor_start(round->d) == 0, "start");
    workload_add_many(&adder, round->tasks);
    STRESS_CHECK(early || distributor_start(round->d) == 0, "start");
    STRESS_CHECK(distributor_close(round->d) == 0, "close");
    read_results(round);
    STRESS_CHECK(distributor_join(round->d, &summary) == 0, "join");
    ledger_check(&summary, &(struct ledger_rules){.threads_change = true,
                                                  .in_order = round->workers == 1 ? 1 : 0});
    STRESS_CHECK(round->deaths == workload_exits(), "%llu threads ended, %llu records say so",
                 (unsigned long long)workload_exits(), (unsigned long long)round->deaths);
}

int main(int argc, char **argv)
{
#if defined(__SANITIZE_ADDRESS__)
    /* It is not told of the frames that a thread leaves by pthread_exit, and takes them for
     * corrupt when they are used again. */
    return 77;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return 77;
#endif
#endif
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "thread_exit", .rounds = 60, .tasks = 200,
                                          .placement = -1}, argc, argv);
    unsigned threads = stress_count_threads();
    while (stress_next(&random)) {
        struct round round;
        plan(&round, &random);
        ledger_reset(1 + round.workers + 1);
        distributor_options_t options = {.size = sizeof options, .workers = round.workers};
        workload_order(&options, &random);
        STRESS_CHECK(distributor_create(&round.d, &options) == 0, "create");
        run_round(&round, &random);
        STRESS_CHECK(distributor_destroy(round.d) == 0, "destroy");
        stress_await_threads(threads);
    }
    return stress_end();
}
