/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lazy maps over items of very unequal cost, several at once, on distributors in all states; some
 * items fail, some end their thread, some readers leave early.  Each output has its place, no input
 * is ahead of the window, and nothing runs after the end.
 */
#include "support.h"

#include <distributor/map.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAGIC UINT64_C(0x6c617a792d6d6170)
#define MAPS 6 /* of a reader in a round */

struct input {
    uint64_t magic;
    uint64_t item;
    uint32_t cost; /* steps of a loop; the highest: it sleeps */
    int error;     /* what the item returns; 1: it ends its thread */
};

struct output {
    uint64_t magic;
    uint64_t item;
};

/* A map, and what its source and its callback know. */
struct job {
    struct stress_random random;
    uint64_t count, given, read;
    size_t window;
    int end;            /* what the source returns behind the last one */
    unsigned failures;  /* percent */
    bool exits;         /* some end their thread */
    atomic_bool over;   /* the map has been destroyed */
    unsigned char *ran; /* an entry for each item */
};

struct reader {
    pthread_t thread;
    struct stress_random random;
    distributor_t *d; /* shared by some, or NULL */
    unsigned index, count;
};

/* The error of an item follows from its number, so that the reader knows it. */
static int error_of(const struct job *job, uint64_t item)
{
    uint64_t hash = stress_mix(item + job->count);
    if (hash % 100 >= job->failures) {
        return 0;
    }
    return job->exits && hash % 3 == 0 ? 1 : -1 - (int)(hash % 7);
}

static int give(void *context, void *place)
{
    struct job *job = context;
    if (job->given == job->count) {
        return job->end;
    }
    STRESS_CHECK(job->given - job->read < job->window, "%llu given, %llu read, a window of %zu",
                 (unsigned long long)job->given, (unsigned long long)job->read, job->window);
    uint32_t cost = stress_below(&job->random, stress_chance(&job->random, 5) ? 20000 : 20);
    if (stress_below(&job->random, 1000) == 0) {
        cost = UINT32_MAX;
    }
    *(struct input *)place = (struct input){.magic = MAGIC, .item = job->given, .cost = cost,
                                            .error = error_of(job, job->given)};
    job->given++;
    return 1;
}

static void spend(uint32_t cost)
{
    if (cost == UINT32_MAX) {
        stress_sleep_us(200);
    }
    for (volatile uint32_t i = 0; cost != UINT32_MAX && i < cost; i++) {
    }
}

static int run(void *context, const void *inputs, void *outputs, size_t count)
{
    struct job *job = context;
    const struct input *input = inputs;
    struct output *output = outputs;
    STRESS_CHECK(count == 1 && input->magic == MAGIC, "a damaged item");
    STRESS_CHECK(!atomic_load(&job->over), "it runs after the end");
    STRESS_CHECK(job->ran[input->item]++ == 0, "an item ran twice");
    spend(input->cost);
    if (input->error == 1) {
        pthread_exit(NULL);
    }
    *output = (struct output){.magic = MAGIC, .item = input->item};
    return input->error;
}

/* Reads up to `most` items.  A thread of its own: a callback may end it. */
struct part {
    struct job *job;
    distributor_lazy_map_t *map;
    uint64_t most;
    bool done;
};

static void *read_part(void *argument)
{
    struct part *part = argument;
    struct job *job = part->job;
    while (job->read < part->most) {
        struct output output = {0};
        int rc = distributor_map_next(part->map, &output);
        int error = error_of(job, job->read);
        error = error == 1 ? -EOWNERDEAD : error;
        STRESS_CHECK(rc == (error == 0 ? 1 : error), "item %llu: %d, not %d",
                     (unsigned long long)job->read, rc, error);
        STRESS_CHECK(rc != 1 || (output.magic == MAGIC && output.item == job->read),
                     "not the output of item %llu", (unsigned long long)job->read);
        job->read++;
    }
    part->done = true;
    return NULL;
}

static void read_end(struct job *job, distributor_lazy_map_t *map)
{
    struct output output;
    int rc = distributor_map_next(map, &output);
    STRESS_CHECK(rc == job->end, "the end: %d, not %d", rc, job->end);
    STRESS_CHECK(distributor_map_next(map, &output) == 0, "no end");
}

static void one_map(struct reader *reader)
{
    static const size_t windows[] = {1, 2, 3, 8, 100, 1024};
    struct job job = {.random = {.state = stress_random(&reader->random)},
                      .count = stress_below(&reader->random, reader->count),
                      .window = windows[stress_below(&reader->random, 6)],
                      .end = stress_chance(&reader->random, 20) ? -ENOTCONN : 0,
                      .failures = stress_chance(&reader->random, 50) ? 0 : 3,
                      .exits = stress_chance(&reader->random, 30)};
    struct part part = {.job = &job, .most = job.count};
    job.ran = calloc(job.count + 1, 1);
    STRESS_CHECK(job.ran != NULL, "memory");
    if (stress_chance(&reader->random, 30)) {
        part.most = stress_below(&reader->random, (unsigned)job.count + 1);
    }
    int rc = distributor_map_lazy(&part.map, reader->d, run, &job, give, &job, sizeof(struct input),
                                  sizeof(struct output), job.window);
    STRESS_CHECK(rc == 0, "map_lazy: %d", rc);
    if (!job.exits) {
        read_part(&part);
    }
    while (!part.done) {
        pthread_t thread;
        stress_thread(&thread, read_part, &part);
        stress_join(thread);
    }
    if (part.most == job.count) {
        read_end(&job, part.map);
    }
    STRESS_CHECK(distributor_map_destroy(part.map) == 0, "destroy");
    atomic_store(&job.over, true);
    for (uint64_t i = 0; i < part.most; i++) {
        STRESS_CHECK(job.ran[i] == 1, "item %llu was left out", (unsigned long long)i);
    }
    free(job.ran);
}

static void *read_all(void *argument)
{
    struct reader *reader = argument;
    stress_place(reader->index);
    for (unsigned i = 0; i < MAPS; i++) {
        one_map(reader);
    }
    return NULL;
}

/* A distributor that some of the readers share. */
static distributor_t *make(struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 3, 16};
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options,
                                     .workers = stress.workers > 0
                                                    ? stress.workers
                                                    : workers[stress_below(random, 4)],
                                     .worker_started = stress_worker_started};
    STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
    if (stress_chance(random, 75)) {
        STRESS_CHECK(distributor_start(d) == 0, "start");
    }
    return d;
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "lazy_map", .rounds = 60, .tasks = 3000,
                                          .placement = -1}, argc, argv);
    for (unsigned round = 0; stress_next(&random); round++) {
        struct reader readers[3];
        unsigned count = 1 + stress_below(&random, 3);
        distributor_t *d = make(&random);
        stress_set_placement((enum stress_placement)(round % STRESS_PLACEMENTS));
        stress_state("%u readers, %s", count,
                     stress_placement_name((enum stress_placement)(round % STRESS_PLACEMENTS)));
        for (unsigned i = 0; i < count; i++) {
            readers[i] = (struct reader){.random = {.state = stress_random(&random)},
                                         .d = stress_chance(&random, 75) ? d : NULL,
                                         .index = i,
                                         .count = stress.tasks};
            stress_thread(&readers[i].thread, read_all, &readers[i]);
        }
        for (unsigned i = 0; i < count; i++) {
            stress_join(readers[i].thread);
        }
        STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
    }
    return stress_end();
}
