/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every pair of limits with every mix of adders, sources and spawning tasks: the table of
 * distributor(3), "BOUNDED QUEUES".  Each ends by itself as long as somebody reads; and when the
 * reader stops early, cancel and destroy end it.
 */
#include "support.h"

#include <distributor.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { ADDERS = 1, SOURCES = 2, SPAWNS = 4, MIXES = 8 };

static const uint64_t limits[] = {0, 1, 3, 64};

static struct {
    distributor_t *d;
    unsigned workers, mix, inputs; /* inputs: of each adder and each source */
    uint64_t input_limit, output_limit;
    bool leaves; /* the reader stops after a few results */
    atomic_uint given;
    atomic_ullong begun, read;
} now;

static int work(distributor_task_t *self, const void *input, size_t size)
{
    unsigned children;
    memcpy(&children, input, sizeof children);
    atomic_fetch_add(&now.begun, 1);
    int rc = distributor_emit(self, input, size);
    while (rc == 0 && children-- > 0) {
        unsigned none = 0;
        rc = distributor_spawn(self, distributor_context(distributor_of(self)), &none, sizeof none);
    }
    STRESS_CHECK(rc == 0 || (now.leaves && (rc == -ECANCELED || rc == -ESHUTDOWN)), "%d", rc);
    return 0;
}

static distributor_task_type_t type = {.name = "work", .run = work};

static unsigned children(void)
{
    return now.mix & SPAWNS ? 5 : 0;
}

static int give(void *context, distributor_input_t *input)
{
    atomic_uint *given = context;
    unsigned each = children();
    if (atomic_fetch_add(given, 1) == now.inputs) {
        return 0;
    }
    return distributor_set_input(input, &each, sizeof each);
}

static void *add(void *unused)
{
    unsigned each = children();
    (void)unused;
    for (unsigned i = 0; i < now.inputs; i++) {
        int rc = distributor_add_task(now.d, &type, &each, sizeof each);
        STRESS_CHECK(rc == 0 || (now.leaves && rc == -ESHUTDOWN), "add: %d", rc);
    }
    return NULL;
}

static void *read_results(void *unused)
{
    distributor_result_t result;
    int rc = 1;
    (void)unused;
    while (rc == 1 && !(now.leaves && atomic_load(&now.read) == 10)) {
        rc = distributor_next_result(now.d, &result);
        atomic_fetch_add(&now.read, rc == 1);
    }
    STRESS_CHECK(rc == (now.leaves ? 1 : 0), "read: %d", rc);
    return NULL;
}

static void run_mix(void)
{
    pthread_t adders[2], reader;
    atomic_uint given[2] = {0};
    distributor_summary_t summary;
    unsigned ends = (now.mix & ADDERS ? 2 : 0) + (now.mix & SOURCES ? 2 : 0);
    uint64_t tasks = (uint64_t)ends * now.inputs * (1 + children());
    STRESS_CHECK(distributor_start(now.d) == 0, "start");
    stress_thread(&reader, read_results, NULL);
    for (unsigned i = 0; i < 2 && (now.mix & SOURCES); i++) {
        STRESS_CHECK(distributor_add_source(now.d, &type, give, &given[i]) == 0, "source");
    }
    for (unsigned i = 0; i < 2 && (now.mix & ADDERS); i++) {
        stress_thread(&adders[i], add, NULL);
    }
    if (now.leaves) {
        stress_join(reader);
        STRESS_CHECK(distributor_cancel(now.d) == 0, "cancel");
    }
    for (unsigned i = 0; i < 2 && (now.mix & ADDERS); i++) {
        stress_join(adders[i]);
    }
    STRESS_CHECK(distributor_join(now.d, &summary) == 0, "join");
    if (!now.leaves) {
        stress_join(reader);
    }
    STRESS_CHECK(summary.completed == atomic_load(&now.begun), "completed");
    STRESS_CHECK(now.leaves || (summary.completed == tasks && atomic_load(&now.read) == tasks),
                 "%llu tasks and %llu results of %llu", (unsigned long long)summary.completed,
                 (unsigned long long)atomic_load(&now.read), (unsigned long long)tasks);
}

static void run_all(struct stress_random *random)
{
    for (unsigned n = 0; n < 4 * 4 * MIXES * 2; n++) {
        memset(&now, 0, sizeof now);
        now.mix = n % MIXES;
        now.input_limit = limits[n / MIXES % 4];
        now.output_limit = limits[n / MIXES / 4 % 4];
        now.leaves = n >= 4 * 4 * MIXES;
        now.workers = stress.workers > 0 ? stress.workers : 1 + stress_below(random, 3);
        now.inputs = 20 + stress_below(random, stress.tasks);
        if ((now.mix & (ADDERS | SOURCES)) == 0) {
            continue;
        }
        distributor_options_t options = {.size = sizeof options,
                                         .workers = now.workers,
                                         .input_limit = now.input_limit,
                                         .output_limit = now.output_limit,
                                         .context = &type,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_state("%u workers, mix %u of %u, limits %llu %llu, leaves %d", now.workers, now.mix,
                     now.inputs, (unsigned long long)now.input_limit,
                     (unsigned long long)now.output_limit, now.leaves);
        STRESS_CHECK(distributor_create(&now.d, &options) == 0, "create");
        run_mix();
        STRESS_CHECK(distributor_destroy(now.d) == 0, "destroy");
    }
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "bounds", .rounds = 3, .tasks = 100,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        run_all(&random);
    }
    return stress_end();
}
