/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map: a parallel loop over an array.  Helpers are tasks of a distributor that run ranges until
 * nothing is left; the calling thread does the same and then waits for them.
 *
 * It uses the public interface of the pool alone.  Events V1, V4 and V5: README.md of this folder.
 */
#include "flow/ranges.h"

#include <errno.h>
#include <sched.h>

#include "base/clock.h"
#include "base/os.h"

/* ---- helpers ---- */

static int help(distributor_task_t *self, const void *input, size_t size);
static void discard(void *input, size_t size);

static const distributor_task_type_t helper = {
    .name = "map",
    .run = help,
    .discard_input = discard,
};

/* V4: the helper touches nothing of the map after the count. */
static void leave(struct distr_map *map)
{
    _Atomic uint32_t *helpers = &map->helpers;

    /* acq_rel: pairs with V5; the last one passes on what the others released. */
    if (atomic_fetch_sub_explicit(helpers, 1, memory_order_acq_rel) == 1)
        distr_futex_wake(helpers, 1); /* the address alone counts, nothing is read */
}

/* V1: one more helper is counted before it can begin.  self is NULL in the calling thread. */
static int recruit(struct distr_map *map, distributor_t *d, distributor_task_t *self)
{
    atomic_fetch_add_explicit(&map->helpers, 1, memory_order_relaxed); /* the add publishes it */
    int rc = self ? distributor_spawn(self, &helper, &map, sizeof map)
                  : distributor_try_add_task(d, &helper, &map, sizeof map);
    if (rc != 0)
        leave(map);
    return rc;
}

/* The callback ended its thread. */
static void lose(void *argument)
{
    struct distr_hand *hand = argument;
    struct distr_map *map = hand->map;

    distr_map_fail(map, hand->at, -EOWNERDEAD);
    pthread_mutex_lock(&map->lock);
    map->lost = true;
    pthread_mutex_unlock(&map->lock);
    leave(map);
}

/* Each helper brings the next one, until one waits because all workers help. */
static int help(distributor_task_t *self, const void *input, size_t size)
{
    struct distr_hand hand = {.map = *(struct distr_map *const *)input, .task = self};

    (void)size;
    pthread_cleanup_push(lose, &hand);
    if (atomic_load_explicit(&hand.map->next, memory_order_relaxed) < hand.map->count)
        recruit(hand.map, NULL, self); /* without memory there are just fewer */
    distr_map_work(&hand);
    pthread_cleanup_pop(0);
    leave(hand.map);
    return 0;
}

/* The distributor was cancelled, or is being destroyed, before this helper began. */
static void discard(void *input, size_t size)
{
    struct distr_map *map = *(struct distr_map **)input;

    (void)size;
    distr_map_cancel(map);
    leave(map);
}

/* ---- the call ---- */

struct call {
    struct distr_hand hand;
    distributor_t *d;
    bool started; /* by us */
    bool made;    /* by us */
};

/* V5 */
static void wait_for_helpers(struct distr_map *map)
{
    uint32_t helpers;

    /* acquire: pairs with V4. */
    while ((helpers = atomic_load_explicit(&map->helpers, memory_order_acquire)) != 0)
        distr_futex_wait(&map->helpers, helpers, INT64_MAX);
}

/* Where a callback ended the thread of a helper the pool has a word about that; d is ours. */
static void drop_failures(struct call *call)
{
    if (call->hand.map->lost)
        distributor_drop_results(call->d);
}

/*
 * The helpers have returned; waits until the distributor has counted them too, so that it is idle
 * for the next map.  It is about to: a worker does nothing else between the two.
 */
static void settle(struct call *call)
{
    drop_failures(call);
    for (unsigned round = 0; distributor_is_idle(call->d) == 0; round++) {
        if (round < 16)
            sched_yield();
        else
            distr_sleep_until(distr_after(20000));
        drop_failures(call);
    }
}

static int give_back(struct call *call)
{
    int rc = 0;

    if (call->made)
        return distributor_destroy(call->d);
    if (call->started)
        rc = distributor_join(call->d, NULL);
    settle(call);
    return rc;
}

/* The callback ended the calling thread. */
static void abandon(void *argument)
{
    struct call *call = argument;

    distr_map_shut(call->hand.map);
    wait_for_helpers(call->hand.map);
    give_back(call);
}

static int run(struct call *call)
{
    struct distr_map *map = call->hand.map;

    pthread_cleanup_push(abandon, call);
    distr_map_work(&call->hand);
    wait_for_helpers(map);
    pthread_cleanup_pop(0);
    int rc = give_back(call);
    return map->error != 0 ? map->error : rc;
}

static int make(struct call *call)
{
    int rc = distr_map_distributor(&call->d);

    call->made = rc == 0;
    return rc;
}

/* Whether d may be used; NULL may. */
static int check(distributor_t *d)
{
    int rc = d ? distributor_is_idle(d) : 1;

    return rc == 0 ? -EBUSY : rc < 0 ? rc : 0;
}

/* The distributor runs, and has the first helper. */
static int begin(struct call *call)
{
    int rc = call->d ? 0 : make(call);

    if (rc != 0)
        return rc;
    rc = distributor_start(call->d);
    call->started = rc == 0;
    if (rc == 0 || rc == -EBUSY) /* it runs already */
        rc = recruit(call->hand.map, call->d, NULL);
    if (rc != 0)
        give_back(call);
    return rc;
}

int distributor_map(distributor_t *d, distributor_map_fn *fn, void *context, const void *inputs,
                    size_t input_size, void *outputs, size_t output_size, size_t count)
{
    if (!fn || !distr_map_fits(inputs, input_size, count) ||
        !distr_map_fits(outputs, output_size, count))
        return -EINVAL;
    struct distr_map map = {
        .fn = fn,
        .context = context,
        .inputs = inputs,
        .outputs = outputs,
        .input_size = input_size,
        .output_size = output_size,
        .count = count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    struct call call = {.hand = {.map = &map}, .d = d};
    int rc = check(d);
    if (rc == 0 && count > 1)
        rc = begin(&call);
    if (rc != 0)
        return rc;
    if (count > 1)
        return run(&call);
    distr_map_work(&call.hand);
    return map.error;
}
