/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps over items of very unequal cost, several at once, on distributors in all states; some items
 * fail.  Each item runs once, its output is its own, and the failure is that of a loop.
 */
#include "support.h"

#include <distributor/map.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT64_C(0x6d61702d6974656d)
#define MAPS 6 /* of a thread in a round */

struct item {
    uint64_t magic;
    uint64_t owner; /* of all items of one map */
    uint32_t cost;  /* steps of a loop; the highest: it sleeps */
    int error;
};

struct output {
    uint64_t seen; /* how often the item ran */
    uint64_t owner;
};

struct mapper {
    pthread_t thread;
    struct stress_random random;
    unsigned index, count, workers;
    bool started, own;
};

static void spend(uint32_t cost)
{
    if (cost == UINT32_MAX) {
        stress_sleep_us(200);
    }
    for (volatile uint32_t i = 0; cost != UINT32_MAX && i < cost; i++) {
    }
}

static int run_items(void *context, const void *inputs, void *outputs, size_t count)
{
    const struct item *item = inputs;
    struct output *output = outputs;
    uint64_t owner = *(uint64_t *)context;
    for (size_t i = 0; i < count; i++) {
        STRESS_CHECK(item[i].magic == MAGIC && item[i].owner == owner, "a damaged item");
        STRESS_CHECK(output[i].seen++ == 0, "an item ran twice");
        output[i].owner = owner;
        spend(item[i].cost);
        if (item[i].error != 0) {
            return item[i].error;
        }
    }
    return 0;
}

static void prepare(struct mapper *mapper, struct item *items, uint64_t owner, unsigned count)
{
    unsigned kind = stress_below(&mapper->random, 4);
    for (unsigned i = 0; i < count; i++) {
        bool dear = kind == 3 ? i > count - count / 8 : stress_chance(&mapper->random, kind);
        uint32_t cost = stress_below(&mapper->random, dear ? 20000 : 20);
        if (stress_below(&mapper->random, 3000) == 0) {
            cost = UINT32_MAX;
        }
        items[i] = (struct item){.magic = MAGIC, .owner = owner, .cost = cost};
    }
}

/* Lets some fail; what a loop would return. */
static int let_fail(struct mapper *mapper, struct item *items, unsigned count)
{
    unsigned failures = stress_chance(&mapper->random, 70) ? 0 : stress_below(&mapper->random, 9);
    for (unsigned i = 0; i < failures && count > 0; i++) {
        items[stress_below(&mapper->random, count)].error = -1 - (int)i;
    }
    for (unsigned i = 0; i < count; i++) {
        if (items[i].error != 0) {
            return items[i].error;
        }
    }
    return 0;
}

/* The map that does not wait, read to its end; returns what the other one would. */
static int map_async(distributor_t *d, uint64_t *owner, const struct item *items,
                     struct output *outputs, unsigned count)
{
    size_t left = 0; /* negative, as it were, until the last one says how many there are */
    distributor_result_t r;
    bool last = false;
    int error = 0;
    int rc = distributor_map_async(d, run_items, owner, items, sizeof *items, outputs,
                                   sizeof *outputs, count);
    STRESS_CHECK(rc == 0, "map_async: %d", rc);
    while (!last || left != 0) {
        rc = distributor_next_result(d, &r);
        STRESS_CHECK(rc == 1 && r.error == 0, "read: %d", rc == 1 ? r.error : rc);
        const distributor_map_range_t *range = r.data;
        STRESS_CHECK(range->context == owner && !(last && range->last), "a damaged range");
        left += range->last ? range->count : -range->count;
        error = range->last ? range->error : error;
        last = last || range->last;
    }
    while (distributor_is_idle(d) == 0) {
        stress_sleep_us(10); /* the last helper has emitted, and is about to return */
    }
    return error;
}

static void one_map(struct mapper *mapper, distributor_t *d, uint64_t owner)
{
    unsigned count = stress_below(&mapper->random, mapper->count);
    struct item *items = calloc(count + 1, sizeof *items);
    struct output *outputs = calloc(count + 1, sizeof *outputs);
    STRESS_CHECK(items && outputs, "memory");
    prepare(mapper, items, owner, count);
    int expected = let_fail(mapper, items, count);
    int rc = 0;
    if (mapper->own && mapper->started && stress_chance(&mapper->random, 50)) {
        rc = map_async(d, &owner, items, outputs, count);
    } else {
        rc = distributor_map(d, run_items, &owner, items, sizeof *items, outputs, sizeof *outputs,
                             count);
    }
    STRESS_CHECK(rc == expected, "map of %u items: %d, not %d", count, rc, expected);
    for (unsigned i = 0; i < count; i++) {
        bool ran = outputs[i].seen == 1 && outputs[i].owner == owner;
        STRESS_CHECK(ran || (rc != 0 && outputs[i].seen == 0), "item %u of %u: %llu times", i,
                     count, (unsigned long long)outputs[i].seen);
        if (items[i].error != 0 && items[i].error == rc) {
            break; /* a loop would have gone on to here */
        }
        STRESS_CHECK(ran, "item %u of %u was left out", i, count);
    }
    free(items);
    free(outputs);
}

static void *map_all(void *argument)
{
    struct mapper *mapper = argument;
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = mapper->workers,
                                     .worker_started = stress_worker_started};
    stress_place(mapper->index);
    if (mapper->own) {
        STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
    }
    if (mapper->own && mapper->started) {
        STRESS_CHECK(distributor_start(d) == 0, "start");
    }
    for (uint64_t i = 0; i < MAPS; i++) {
        one_map(mapper, d, ((uint64_t)mapper->index << 32) + i);
        STRESS_CHECK(!d || distributor_is_idle(d) == 1, "not idle after a map");
    }
    STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
    return NULL;
}

int main(int argc, char **argv)
{
    static const unsigned workers[] = {1, 2, 3, 16};
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "map", .rounds = 60, .tasks = 4000,
                                          .placement = -1}, argc, argv);
    for (unsigned round = 0; stress_next(&random); round++) {
        struct mapper mappers[3];
        unsigned count = 1 + stress_below(&random, 3);
        stress_set_placement((enum stress_placement)(round % STRESS_PLACEMENTS));
        stress_state("%u maps at once, %s", count,
                     stress_placement_name((enum stress_placement)(round % STRESS_PLACEMENTS)));
        for (unsigned i = 0; i < count; i++) {
            mappers[i] = (struct mapper){
                .random = {.state = stress_random(&random)},
                .index = i,
                .count = stress.tasks,
                .workers = stress.workers > 0 ? stress.workers
                                              : workers[stress_below(&random, 4)],
                .started = stress_chance(&random, 50),
                .own = stress_chance(&random, 75),
            };
            stress_thread(&mappers[i].thread, map_all, &mappers[i]);
        }
        for (unsigned i = 0; i < count; i++) {
            stress_join(mappers[i].thread);
        }
    }
    return stress_end();
}
