/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranges of a map; see ranges.h.  They are taken from one shared position; how long one is
 * follows from what the last one of the same thread cost, and from how much is left for how many
 * threads (guided self-scheduling with a clock).
 */
#include "flow/ranges.h"

#include <errno.h>

#include "base/clock.h"
#include "base/os.h"

/* What a range should take: long against the claim of one (some 100 ns), short against what
 * anybody waits for at the end. */
#define RANGE_NS 25000.0

/* Nobody is given more than this part of what is left, divided among the threads. */
#define PARTS 2

/* A range is at most so many times longer than the one before. */
#define GROWTH 8.0

int distr_map_distributor(distributor_t **d)
{
    unsigned cpus = distr_cpu_count();
    distributor_options_t options = {
        .size = sizeof options,
        .workers = cpus > 1 ? cpus - 1 : 1,
        .name = "map",
    };

    return distributor_create(d, &options);
}

/* No range begins any more.  Returns whether one would have. */
bool distr_map_shut(struct distr_map *map)
{
    /* relaxed: who claims needs to see nothing of ours. */
    return atomic_exchange_explicit(&map->next, map->count, memory_order_relaxed) < map->count;
}

/* V3: ranges are claimed in the order of the array, so all those before `at` have been claimed, and
 * one of them may still fail: then that is the failure. */
void distr_map_fail(struct distr_map *map, size_t at, int error)
{
    distr_map_shut(map);
    pthread_mutex_lock(&map->lock);
    if (map->error == 0 || at < map->failed_at) {
        map->failed_at = at;
        map->error = error;
    }
    pthread_mutex_unlock(&map->lock);
}

/* Cancel is no failure of a range: it counts only if it came before the end. */
void distr_map_cancel(struct distr_map *map)
{
    if (distr_map_shut(map))
        distr_map_fail(map, map->count, -ECANCELED);
}

/* V2: takes up to `wanted` items.  Returns how many, from *at on; 0: nothing is left. */
static size_t claim(struct distr_map *map, double wanted, size_t *at)
{
    /* relaxed, all three: the position only divides the items; what they hold came with the task
     * (V1) and goes back with V4. */
    size_t next = atomic_load_explicit(&map->next, memory_order_relaxed);
    size_t hands = atomic_load_explicit(&map->hands, memory_order_relaxed);
    size_t count;

    do {
        size_t left = map->count - next;
        if (left == 0)
            return 0;
        size_t most = left / (PARTS * (hands + 1)) + 1;
        count = wanted < (double)most ? (size_t)wanted : most;
    } while (!atomic_compare_exchange_weak_explicit(&map->next, &next, next + count,
                                                    memory_order_relaxed, memory_order_relaxed));
    *at = next;
    return count;
}

/* How many items the next range should have, after `count` took ns. */
static double pace(size_t count, int64_t ns)
{
    double longest = (double)count * GROWTH;
    double wanted = ns > 0 ? (double)count * RANGE_NS / (double)ns : longest;

    wanted = wanted < longest ? wanted : longest;
    return wanted < 1 ? 1 : wanted;
}

static int run_range(struct distr_map *map, size_t at, size_t count)
{
    const char *inputs = map->inputs ? map->inputs + at * map->input_size : NULL;
    char *outputs = map->outputs ? map->outputs + at * map->output_size : NULL;
    int rc = map->fn(map->context, inputs, outputs, count);

    return rc > 0 ? -EINVAL : rc;
}

/* Runs ranges until nothing is left. */
void distr_map_work(struct distr_hand *hand)
{
    struct distr_map *map = hand->map;
    double wanted = 1;
    size_t count;
    int64_t before = distr_now();

    atomic_fetch_add_explicit(&map->hands, 1, memory_order_relaxed); /* a guess of claim() */
    while ((count = claim(map, wanted, &hand->at)) > 0) {
        int rc = run_range(map, hand->at, count);
        int64_t now = distr_now();
        wanted = pace(count, now - before);
        before = now;
        if (rc == 0 && hand->done) {
            rc = hand->done(hand, count);
            before = distr_now(); /* it may have waited */
        }
        if (rc != 0)
            distr_map_fail(map, hand->at, rc);
        if (hand->task && distributor_should_stop(hand->task))
            distr_map_cancel(map);
    }
}

bool distr_map_fits(const void *array, size_t size, size_t count)
{
    return (array != NULL) == (size != 0) && (size == 0 || count <= DISTRIBUTOR_MAX_SIZE / size);
}
