/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains of distributors, joined by pipes, with all kinds of limits and workers.  Each number that
 * goes in comes out once, as a result or as a failure; some rounds cancel or destroy a link in the
 * middle of it, and then nothing may hang and nothing be freed twice or not at all.
 */
#include "support.h"

#include <distributor/channel.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4
#define MAGIC UINT64_C(0x7069706573)

struct item { /* on the heap: a result is a pointer to one */
    uint64_t magic;
    unsigned number;
    unsigned passed;
};

static _Atomic unsigned alive;
static unsigned fails; /* of 1000 tasks */

struct chain {
    distributor_t *links[MOST];
    unsigned count;
    unsigned numbers;
    unsigned char *seen;
};

static void check_item(const struct item *item)
{
    STRESS_CHECK(item->magic == MAGIC, "an item that is freed or damaged");
}

static void free_item(void *pointer, size_t size)
{
    struct item *item = *(struct item **)pointer;
    STRESS_CHECK(size == sizeof item, "size");
    check_item(item);
    item->magic = 0;
    free(item);
    atomic_fetch_sub(&alive, 1);
}

static int pass(distributor_task_t *self, const void *input, size_t size)
{
    struct item *item = *(struct item *const *)input;
    check_item(item);
    item->passed++;
    if (stress_mix(item->number * 31 + item->passed) % 1000 < fails) {
        return item->number % 2 ? -EIO : distributor_fail(self, -EIO, "number %u", item->number);
    }
    /* An emit that finds no room after cancel discards the item by itself. */
    int rc = distributor_emit(self, input, size);
    if (rc != 0 && rc != -ECANCELED) {
        free_item((void *)(uintptr_t)input, size);
    }
    return 0;
}

static const distributor_task_type_t passing = {
    .name = "passing", .run = pass, .discard_input = free_item, .discard_result = free_item};

static void make_chain(struct chain *chain, struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    static const uint64_t limits[] = {0, 1, 2, 30};
    chain->count = 2 + stress_below(random, MOST - 1);
    for (unsigned i = 0; i < chain->count; i++) {
        distributor_options_t options = {.size = sizeof options,
                                         .workers = workers[stress_below(random, 4)],
                                         .input_limit = limits[stress_below(random, 4)],
                                         .output_limit = limits[stress_below(random, 4)],
                                         .worker_started = stress_worker_started};
        STRESS_CHECK(distributor_create(&chain->links[i], &options) == 0, "create");
    }
    for (unsigned i = 0; i + 1 < chain->count; i++) {
        STRESS_CHECK(distributor_pipe(chain->links[i], chain->links[i + 1], &passing) == 0, "pipe");
    }
    for (unsigned i = 0; i < chain->count; i++) {
        STRESS_CHECK(distributor_start(chain->links[i]) == 0, "start");
        STRESS_CHECK(i == 0 || distributor_close(chain->links[i]) == 0, "close");
    }
}

static void *add_all(void *argument)
{
    struct chain *chain = argument;
    for (unsigned i = 0; i < chain->numbers; i++) {
        struct item *item = malloc(sizeof *item);
        STRESS_CHECK(item != NULL, "memory");
        *item = (struct item){.magic = MAGIC, .number = i};
        atomic_fetch_add(&alive, 1);
        int rc = distributor_add_task(chain->links[0], &passing, &item, sizeof item);
        STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN, "add: %d", rc);
        if (rc != 0) {
            free_item(&item, sizeof item);
            return NULL;
        }
    }
    STRESS_CHECK(distributor_close(chain->links[0]) == 0, "close");
    return NULL;
}

static void *read_all(void *argument)
{
    struct chain *chain = argument;
    distributor_result_t r;
    int rc;
    while ((rc = distributor_next_result(chain->links[chain->count - 1], &r)) == 1) {
        struct item *item = *(struct item *const *)r.data;
        check_item(item);
        STRESS_CHECK(r.error == 0 ? item->passed == chain->count : r.error == -EIO, "%d after %u",
                     r.error, item->passed);
        STRESS_CHECK(r.error == 0 || (r.message && r.type == &passing), "a failure without words");
        STRESS_CHECK(chain->seen[item->number]++ == 0, "number %u twice", item->number);
        free_item(&item, sizeof item);
    }
    STRESS_CHECK(rc == 0, "read: %d", rc);
    return NULL;
}

/* Nobody is inside a call of the link that goes, but workers and pipes. */
static void disturb(struct chain *chain, struct stress_random *random)
{
    unsigned middle = 1 + stress_below(random, chain->count - 1);
    stress_sleep_us(stress_below(random, 3000));
    if (middle + 1 < chain->count && stress_chance(random, 50)) {
        STRESS_CHECK(distributor_destroy(chain->links[middle]) == 0, "destroy");
        chain->links[middle] = NULL;
    } else {
        STRESS_CHECK(distributor_cancel(chain->links[middle - 1]) == 0, "cancel");
    }
    /* What stands before it has lost its reader. */
    for (unsigned i = 0; i < middle; i++) {
        STRESS_CHECK(distributor_cancel(chain->links[i]) == 0, "cancel");
    }
}

static void one_chain(struct stress_random *random, bool disturbed)
{
    struct chain chain = {.numbers = stress.tasks};
    pthread_t adder, reader;
    chain.seen = calloc(chain.numbers, 1);
    STRESS_CHECK(chain.seen != NULL, "memory");
    make_chain(&chain, random);
    stress_state("%u links, %u of 1000 fail%s", chain.count, fails, disturbed ? ", disturbed" : "");
    stress_thread(&adder, add_all, &chain);
    stress_thread(&reader, read_all, &chain);
    if (disturbed) {
        disturb(&chain, random);
    }
    stress_join(adder);
    stress_join(reader);
    for (unsigned i = 0; i < chain.numbers; i++) {
        STRESS_CHECK(disturbed || chain.seen[i] == 1, "number %u is lost", i);
    }
    for (unsigned i = 0; i < chain.count; i++) {
        unsigned link = random->state % 2 ? i : chain.count - 1 - i;
        STRESS_CHECK(distributor_destroy(chain.links[link]) == 0, "destroy");
    }
    free(chain.seen);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "pipes", .rounds = 60, .tasks = 1500,
                                          .placement = -1}, argc, argv);
    for (unsigned round = 0; stress_next(&random); round++) {
        bool disturbed = stress_chance(&random, 40);
        stress_set_placement((enum stress_placement)(round % STRESS_PLACEMENTS));
        /* A failure that no reader got meets no discard callback: not where results are dropped. */
        fails = disturbed || stress_chance(&random, 50) ? 0 : stress_below(&random, 300);
        one_chain(&random, disturbed);
        STRESS_CHECK(atomic_load(&alive) == 0, "%u items are left", atomic_load(&alive));
    }
    return stress_end();
}
