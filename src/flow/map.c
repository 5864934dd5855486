/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map: a parallel loop over an array.  Ranges are taken from one shared position; how long a range
 * is follows from what the last one of the same thread cost, and from how much is left for how many
 * threads (guided self-scheduling with a clock).  Helpers are tasks of a distributor that loop
 * until nothing is left; the calling thread does the same and then waits for them.
 *
 * It uses the public interface of the pool alone.  Events V1 to V5: README.md of this folder.
 */
#include <distributor/map.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "base/cacheline.h"
#include "base/clock.h"
#include "base/os.h"

/* What a range should take: long against the claim of one (some 100 ns), short against what
 * anybody waits for at the end. */
#define RANGE_NS 25000.0

/* Nobody is given more than this part of what is left, divided among the threads. */
#define PARTS 2

/* A range is at most so many times longer than the one before. */
#define GROWTH 8.0

struct distr_map {
    /* Constant. */
    distributor_map_fn *fn;
    void *context;
    const char *inputs;
    char *outputs;
    size_t input_size;
    size_t output_size;
    size_t count;

    /* Where the next range begins; any thread of the map moves it up.  It is `count` when nothing
     * is left to claim, also because the map failed. */
    DISTR_CACHE_ALIGNED _Atomic size_t next;

    /* Threads that take ranges: they count themselves in. */
    DISTR_CACHE_ALIGNED _Atomic uint32_t hands;
    /* Helpers that were added and have neither returned nor been discarded; the caller sleeps on
     * it. */
    _Atomic uint32_t helpers;

    pthread_mutex_t lock; /* guards the rest */
    size_t failed_at;     /* where the first range in the array that failed begins */
    int error;            /* its error; 0: none has failed */
    bool lost;            /* a callback ended the thread of a helper */
};

/* ---- ranges ---- */

/* No range begins any more.  Returns whether one would have. */
static bool shut(struct distr_map *map)
{
    /* relaxed: who claims needs to see nothing of ours. */
    return atomic_exchange_explicit(&map->next, map->count, memory_order_relaxed) < map->count;
}

/* V3: ranges are claimed in the order of the array, so all those before `at` have been claimed, and
 * one of them may still fail: then that is the failure. */
static void fail(struct distr_map *map, size_t at, int error)
{
    shut(map);
    pthread_mutex_lock(&map->lock);
    if (map->error == 0 || at < map->failed_at) {
        map->failed_at = at;
        map->error = error;
    }
    pthread_mutex_unlock(&map->lock);
}

/* Cancel is no failure of a range: it counts only if it came before the end. */
static void cancel(struct distr_map *map)
{
    if (shut(map))
        fail(map, map->count, -ECANCELED);
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

/* What a thread does that takes ranges. */
struct hand {
    struct distr_map *map;
    distributor_task_t *task; /* NULL: the calling thread */
    size_t at;                /* its range begins here */
};

/* Runs ranges until nothing is left. */
static void work(struct hand *hand)
{
    struct distr_map *map = hand->map;
    double wanted = 1;
    size_t count;
    int64_t before = distr_now();

    atomic_fetch_add_explicit(&map->hands, 1, memory_order_relaxed); /* a guess of claim() */
    while ((count = claim(map, wanted, &hand->at)) > 0) {
        int rc = run_range(map, hand->at, count);
        if (rc != 0)
            fail(map, hand->at, rc);
        if (hand->task && distributor_should_stop(hand->task))
            cancel(map);
        int64_t now = distr_now();
        wanted = pace(count, now - before);
        before = now;
    }
}

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
    struct hand *hand = argument;
    struct distr_map *map = hand->map;

    fail(map, hand->at, -EOWNERDEAD);
    pthread_mutex_lock(&map->lock);
    map->lost = true;
    pthread_mutex_unlock(&map->lock);
    leave(map);
}

/* Each helper brings the next one, until one waits because all workers help. */
static int help(distributor_task_t *self, const void *input, size_t size)
{
    struct hand hand = {.map = *(struct distr_map *const *)input, .task = self};

    (void)size;
    pthread_cleanup_push(lose, &hand);
    if (atomic_load_explicit(&hand.map->next, memory_order_relaxed) < hand.map->count)
        recruit(hand.map, NULL, self); /* without memory there are just fewer */
    work(&hand);
    pthread_cleanup_pop(0);
    leave(hand.map);
    return 0;
}

/* The distributor was cancelled, or is being destroyed, before this helper began. */
static void discard(void *input, size_t size)
{
    struct distr_map *map = *(struct distr_map **)input;

    (void)size;
    cancel(map);
    leave(map);
}

/* ---- the call ---- */

struct call {
    struct hand hand;
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

    shut(call->hand.map);
    wait_for_helpers(call->hand.map);
    give_back(call);
}

static int run(struct call *call)
{
    struct distr_map *map = call->hand.map;

    pthread_cleanup_push(abandon, call);
    work(&call->hand);
    wait_for_helpers(map);
    pthread_cleanup_pop(0);
    int rc = give_back(call);
    return map->error != 0 ? map->error : rc;
}

/* A distributor of our own: with the caller, one thread for each CPU. */
static int make(struct call *call)
{
    unsigned cpus = distr_cpu_count();
    distributor_options_t options = {
        .size = sizeof options,
        .workers = cpus > 1 ? cpus - 1 : 1,
        .name = "map",
    };

    int rc = distributor_create(&call->d, &options);
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

static bool fits(const void *array, size_t size, size_t count)
{
    return (array != NULL) == (size != 0) && (size == 0 || count <= DISTRIBUTOR_MAX_SIZE / size);
}

int distributor_map(distributor_t *d, distributor_map_fn *fn, void *context, const void *inputs,
                    size_t input_size, void *outputs, size_t output_size, size_t count)
{
    if (!fn || !fits(inputs, input_size, count) || !fits(outputs, output_size, count))
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
    work(&call.hand);
    return map.error;
}
