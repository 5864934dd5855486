/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map that does not wait: the same ranges and the same chain of helpers, in memory that the
 * last helper frees.  Each range that is done is a result of the distributor, and the last helper
 * emits the last one: V6 in README.md.
 */
#include "flow/ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/os.h"

#define TRIES 100 /* a millisecond apart, where there is no memory to say that it is over */

static int help(distributor_task_t *self, const void *input, size_t size);
static void discard(void *input, size_t size);

static const distributor_task_type_t helper = {
    .name = "map",
    .run = help,
    .discard_input = discard,
};

/* What a helper is given: the range that a reader sees if the helper itself fails. */
static struct distr_map *map_of(const distributor_map_range_t *range)
{
    return range->reserved;
}

static int add_helper(struct distr_map *map, distributor_t *d, distributor_task_t *self)
{
    distributor_map_range_t range = {.context = map->context, .reserved = map};

    atomic_fetch_add_explicit(&map->helpers, 1, memory_order_relaxed); /* V1 */
    return self ? distributor_spawn(self, &helper, &range, sizeof range)
                : distributor_try_add_task(d, &helper, &range, sizeof range);
}

/* V4.  True: it was the last, and has the map for itself. */
static bool leave(struct distr_map *map)
{
    /* acq_rel: the last one sees what the others did. */
    return atomic_fetch_sub_explicit(&map->helpers, 1, memory_order_acq_rel) == 1;
}

static void free_map(struct distr_map *map)
{
    pthread_mutex_destroy(&map->lock);
    free(map);
}

static int emit_range(struct distr_hand *hand, size_t count)
{
    distributor_map_range_t range = {
        .context = hand->map->context,
        .first = hand->at,
        .count = count,
    };

    int rc = distributor_emit(hand->task, &range, sizeof range);
    if (rc == 0) /* relaxed: V4 releases it to the last helper */
        atomic_fetch_add_explicit(&hand->map->announced, count, memory_order_relaxed);
    return rc;
}

/* V6: all others have left. */
static int emit_last(distributor_task_t *self, struct distr_map *map)
{
    distributor_map_range_t range = {
        .context = map->context,
        .first = map->error != 0 ? map->failed_at : map->count,
        .count = atomic_load_explicit(&map->announced, memory_order_relaxed),
        .error = map->error,
        .last = true,
    };
    int rc = distributor_emit(self, &range, sizeof range);

    for (unsigned i = 0; i < TRIES && rc == -ENOMEM; i++) {
        distr_sleep_until(distr_after(1000000));
        rc = distributor_emit(self, &range, sizeof range);
    }
    return rc;
}

/*
 * The callback ended its thread; the pool makes a failure record of that.  If it was the last
 * helper it leaves the map to another one, which then says that it is over: adding that one first
 * would let it come and go, not as the last, before this one leaves.
 */
static void lose(void *argument)
{
    struct distr_hand *hand = argument;
    struct distr_map *map = hand->map;

    distr_map_fail(map, hand->at, -EOWNERDEAD);
    if (leave(map) && add_helper(map, NULL, hand->task) != 0)
        free_map(map);
}

static int help(distributor_task_t *self, const void *input, size_t size)
{
    struct distr_hand hand = {.map = map_of(input), .task = self, .done = emit_range};
    struct distr_map *map = hand.map;
    int rc = 0;

    (void)size;
    pthread_cleanup_push(lose, &hand);
    if (atomic_load_explicit(&map->next, memory_order_relaxed) < map->count &&
        add_helper(map, NULL, self) != 0)
        leave(map); /* without memory there are just fewer */
    distr_map_work(&hand);
    pthread_cleanup_pop(0);
    if (leave(map)) {
        rc = emit_last(self, map);
        free_map(map);
    }
    return rc == -ECANCELED ? 0 : rc;
}

static void discard(void *input, size_t size)
{
    struct distr_map *map = map_of(input);

    (void)size;
    distr_map_cancel(map);
    if (leave(map))
        free_map(map);
}

int distributor_map_async(distributor_t *d, distributor_map_fn *fn, void *context,
                          const void *inputs, size_t input_size, void *outputs, size_t output_size,
                          size_t count)
{
    if (!d || !fn || !distr_map_fits(inputs, input_size, count) ||
        !distr_map_fits(outputs, output_size, count))
        return -EINVAL;
    struct distr_map *map = aligned_alloc(_Alignof(struct distr_map), sizeof *map);
    if (!map)
        return -ENOMEM;
    *map = (struct distr_map){
        .fn = fn,
        .context = context,
        .inputs = inputs,
        .outputs = outputs,
        .input_size = input_size,
        .output_size = output_size,
        .count = count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    int rc = add_helper(map, d, NULL);
    if (rc != 0)
        free_map(map);
    return rc;
}
