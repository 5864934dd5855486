/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults while sources are added and asked. */
#include "inject.h"

#include <distributor.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define SOURCES 70 /* more than one group */

struct source {
    unsigned left;
    size_t size;
    bool tries; /* an input for which there is no memory is given later */
    int error;  /* of the setter; the source fails with it */
};

static atomic_uint ran;

static int run(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static const distributor_task_type_t type = {.name = "input", .run = run};

static int give(void *context, distributor_input_t *input)
{
    static const char bytes[200];
    struct source *source = context;
    if (source->left == 0) {
        return 0;
    }
    int rc = distributor_set_input(input, bytes, source->size);
    if (rc != 1 && source->tries) {
        fault_disarm();
        rc = distributor_set_input(input, bytes, source->size);
    }
    if (rc == 1) {
        source->left--;
    } else {
        source->error = rc;
    }
    return rc;
}

static distributor_t *make(distributor_order_t order)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2, .order = order};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    atomic_store(&ran, 0);
    return d;
}

static void add_to(distributor_order_t order)
{
    static struct source sources[SOURCES];
    distributor_t *d = make(order);
    unsigned added = 0;
    for (unsigned i = 0; i < SOURCES; i++) {
        sources[i] = (struct source){.left = 3, .size = 8};
        fault_arm();
        int rc = distributor_add_source(d, &type, give, &sources[i]);
        fault_disarm();
        FAULT_MAY(rc, 0, -ENOMEM);
        added += rc == 0;
    }
    FAULT_CHECK(distributor_run(d, NULL) == 0, "run\n");
    FAULT_CHECK(atomic_load(&ran) == 3 * added, "%u of %u\n", atomic_load(&ran), 3 * added);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

static void ask_with(size_t size, bool tries, distributor_order_t order)
{
    struct source source = {.left = 300, .size = size, .tries = tries};
    distributor_t *d = make(order);
    distributor_result_t result;
    distributor_summary_t summary;
    unsigned failures = 0;
    int rc;
    FAULT_CHECK(distributor_add_source(d, &type, give, &source) == 0, "add\n");
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    fault_arm();
    rc = distributor_join(d, &summary);
    fault_disarm();
    FAULT_CHECK(rc == 0, "join: %d\n", rc);
    while ((rc = distributor_next_result(d, &result)) == 1) {
        FAULT_CHECK(result.error == -ENOMEM && result.data == NULL, "error %d\n", result.error);
        failures++;
    }
    FAULT_CHECK(rc == 0, "read: %d\n", rc);
    FAULT_CHECK(failures == (source.error != 0) && summary.failed == failures, "%u failures\n",
                failures);
    FAULT_CHECK(atomic_load(&ran) == 300 - source.left && summary.completed == atomic_load(&ran),
                "%u ran\n", atomic_load(&ran));
    FAULT_CHECK(source.error != 0 || source.left == 0, "%u left\n", source.left);
    FAULT_CHECK(source.error == 0 || (source.error == -ENOMEM && !tries), "%d\n", source.error);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

static void add(void)
{
    add_to(DISTRIBUTOR_AS_COMPLETED);
}

static void add_ordered(void)
{
    add_to(DISTRIBUTOR_AS_ADDED);
}

static void ask_inline(void)
{
    ask_with(8, false, DISTRIBUTOR_AS_COMPLETED);
}

static void ask_large(void)
{
    ask_with(200, false, DISTRIBUTOR_AS_COMPLETED);
}

static void ask_again(void)
{
    ask_with(200, true, DISTRIBUTOR_AS_COMPLETED);
}

static void ask_ordered(void)
{
    ask_with(8, false, DISTRIBUTOR_AS_ADDED);
}

static void ask_large_ordered(void)
{
    ask_with(200, false, DISTRIBUTOR_AS_ADDED);
}

/* ---- A pipe, which is a source that reads ---- */

static int pass_on(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t passed = {.name = "passed", .run = pass_on};

/* Reads until STOP; failures are counted. */
static unsigned read_all(distributor_t *d, unsigned *failures)
{
    distributor_result_t result;
    unsigned results = 0;
    int rc;
    while ((rc = distributor_next_result(d, &result)) == 1) {
        FAULT_CHECK(result.error == 0 || result.error == -ENOMEM, "error %d\n", result.error);
        results += result.error == 0;
        *failures += result.error != 0;
    }
    FAULT_CHECK(rc == 0, "read: %d\n", rc);
    return results;
}

/* What it cannot read for want of memory fails it, and is still there. */
static void pipes(void)
{
    enum { TASKS = 100 };
    distributor_t *from = make(DISTRIBUTOR_AS_COMPLETED), *to = make(DISTRIBUTOR_AS_COMPLETED);
    unsigned failures = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        FAULT_CHECK(distributor_add_task(from, &passed, &i, sizeof i) == 0, "add\n");
    }
    FAULT_CHECK(distributor_run(from, NULL) == 0, "run\n");
    FAULT_CHECK(distributor_start(to) == 0, "start\n");
    fault_arm();
    int rc = distributor_pipe(from, to, &type);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc != 0) {
        fault_disarm();
        FAULT_CHECK(distributor_pipe(from, to, &type) == 0, "a pipe with memory\n");
    }
    rc = distributor_join(to, NULL);
    fault_disarm();
    FAULT_CHECK(rc == 0, "join: %d\n", rc);
    unsigned left = read_all(from, &failures);
    FAULT_CHECK(failures == 0, "failures that nobody had\n");
    FAULT_CHECK(read_all(to, &failures) == 0, "results that nobody emitted\n");
    FAULT_CHECK(failures <= 1 && (failures == 0 || fault_fired()), "%u failures\n", failures);
    FAULT_CHECK(atomic_load(&ran) + left == TASKS && (left == 0 || failures == 1),
                "%u ran, %u left\n", atomic_load(&ran), left);
    FAULT_CHECK(distributor_destroy(to) == 0 && distributor_destroy(from) == 0, "destroy\n");
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"add", add},
        {"add_ordered", add_ordered},
        {"ask_inline", ask_inline},
        {"ask_large", ask_large},
        {"ask_again", ask_again},
        {"ask_ordered", ask_ordered},
        {"ask_large_ordered", ask_large_ordered},
        {"pipes", pipes},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
