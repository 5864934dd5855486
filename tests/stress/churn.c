/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adder threads that come and go: 10,000 threads add one task each and end, in waves of 50, while
 * the workers run and a reader reads.  What a thread leaves behind is used by the next ones.
 */
#include "workload.h"

#define WAVE 50

/* The thread at place i of wave n is number n of owner i. */
struct visitor {
    distributor_t *d;
    struct ledger_log *log;
    struct ledger_item item;
    size_t size;
    pthread_t thread;
};

struct reader {
    distributor_t *d;
    struct ledger_log *log;
    struct stress_random random;
    uint64_t count;
    pthread_t thread;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    _Alignas(max_align_t) unsigned char bytes[LEDGER_MAX_SIZE];
    ledger_fill(LEDGER_TASK, visitor->item, bytes, visitor->size);
    int rc = distributor_add_task(visitor->d, workload_type(visitor->item.owner), bytes,
                                  visitor->size);
    STRESS_CHECK(rc == 0, "add: %d", rc);
    ledger_write(visitor->log, LEDGER_ADDED, visitor->item);
    return NULL;
}

static void *read_results(void *argument)
{
    struct reader *reader = argument;
    STRESS_CHECK(workload_read_all(reader->d, reader->log, &reader->random, &reader->count) == 0,
                 "read");
    return NULL;
}

static void wave(distributor_t *d, unsigned number, unsigned count, struct stress_random *random)
{
    struct visitor visitors[WAVE];
    for (unsigned i = 0; i < count; i++) {
        size_t size = stress_chance(random, 80) ? 8 : 8 + stress_below(random, 60);
        visitors[i] = (struct visitor){d, ledger_log(i), {i, number, 0}, size, pthread_self()};
        stress_thread(&visitors[i].thread, visit, &visitors[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        stress_join(visitors[i].thread);
    }
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "churn", .rounds = 1, .tasks = 10000,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        unsigned workers = stress.workers > 0 ? stress.workers : 4;
        struct reader reader = {.random = {stress_random(&random)}};
        distributor_options_t options = {.size = sizeof options, .workers = workers};
        distributor_summary_t summary;
        ledger_reset(WAVE + workers + 1);
        workload_reset(&(struct workload){.seed = stress_random(&random), .adders = WAVE,
                                          .spawn_percent = 10, .emit_percent = 100});
        workload_order(&options, &random);
        STRESS_CHECK(distributor_create(&reader.d, &options) == 0, "create");
        STRESS_CHECK(distributor_start(reader.d) == 0, "start");
        reader.log = ledger_log(WAVE + workers);
        stress_thread(&reader.thread, read_results, &reader);
        for (unsigned done = 0; done < stress.tasks; done += WAVE) {
            stress_state("%u threads of %u", done, stress.tasks);
            unsigned left = stress.tasks - done;
            wave(reader.d, done / WAVE, left < WAVE ? left : WAVE, &random);
        }
        STRESS_CHECK(distributor_join(reader.d, &summary) == 0, "join");
        stress_join(reader.thread);
        STRESS_CHECK(distributor_destroy(reader.d) == 0, "destroy");
        ledger_check(&summary, &(struct ledger_rules){.threads_change = true});
    }
    return stress_end();
}
