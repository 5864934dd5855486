/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred tasks: 5,000 requests in flight on a few workers, completed by four threads, which emit
 * and spawn late, fail some and complete some before their callbacks return, until all are done or
 * it is cancelled.  Each ends once.
 */
#include "support.h"

#include <distributor.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4

static struct {
    distributor_t *d;
    unsigned workers, tasks;
    uint64_t output_limit;
    bool cancels;
    enum stress_placement placement;
    /* A box of tasks in flight; completers take from anywhere in it. */
    pthread_mutex_t lock;
    distributor_task_t **box;
    unsigned boxed, most, begun;
    atomic_bool over;
    atomic_ullong completed, failed, cancelled, emitted, spawned, read, failures;
} now;

static int nothing(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return 0;
}

static const distributor_task_type_t child = {.name = "child", .run = nothing};

static int request(distributor_task_t *self, const void *input, size_t size)
{
    distributor_task_t *task;
    struct stress_random random;
    (void)size;
    memcpy(&random.state, input, sizeof random.state);
    STRESS_CHECK(distributor_defer(self, &task) == 0, "defer");
    pthread_mutex_lock(&now.lock);
    now.box[now.boxed++] = task;
    now.begun++;
    now.most = now.boxed > now.most ? now.boxed : now.most;
    pthread_mutex_unlock(&now.lock);
    if (stress_chance(&random, 5)) {
        stress_pause(&random, 50);
    }
    return 0;
}

static const distributor_task_type_t type = {.name = "request", .run = request};

static distributor_task_t *take(struct stress_random *random)
{
    distributor_task_t *task = NULL;
    pthread_mutex_lock(&now.lock);
    bool enough = now.boxed > now.tasks / 2 || now.begun == now.tasks || now.cancels;
    if (now.boxed > 0 && enough) {
        unsigned index = stress_below(random, now.boxed);
        task = now.box[index];
        now.box[index] = now.box[--now.boxed];
    }
    pthread_mutex_unlock(&now.lock);
    return task;
}

static void finish_one(distributor_task_t *task, struct stress_random *random)
{
    unsigned char bytes[40] = {0};
    int error = stress_chance(random, 10) ? -EIO : 0;
    for (unsigned n = stress_below(random, 3); n > 0; n--) {
        int rc = distributor_emit(task, bytes, stress_below(random, sizeof bytes));
        STRESS_CHECK(rc == 0 || (now.cancels && (rc == -ECANCELED || rc == -EALREADY)), "%d", rc);
        atomic_fetch_add(&now.emitted, rc == 0 || rc == -ECANCELED);
        rc = distributor_spawn(task, &child, bytes, stress_below(random, sizeof bytes));
        STRESS_CHECK(rc == 0 || (now.cancels && (rc == -ESHUTDOWN || rc == -EALREADY)), "%d", rc);
        atomic_fetch_add(&now.spawned, rc == 0);
    }
    int rc = distributor_complete(task, error);
    STRESS_CHECK(rc == 0 || (now.cancels && rc == -ECANCELED), "complete: %d", rc);
    atomic_fetch_add(rc != 0 ? &now.cancelled : error == 0 ? &now.completed : &now.failed, 1);
}

static void *complete(void *seed)
{
    struct stress_random random = {*(uint64_t *)seed};
    while (!atomic_load(&now.over)) {
        distributor_task_t *task = take(&random);
        if (task != NULL) {
            finish_one(task, &random);
        } else {
            stress_sleep_us(50);
        }
    }
    return NULL;
}

static void *read_results(void *unused)
{
    distributor_result_t result;
    int rc;
    (void)unused;
    while ((rc = distributor_next_result(now.d, &result)) == 1) {
        atomic_fetch_add(result.error == 0 ? &now.read : &now.failures, 1);
    }
    STRESS_CHECK(rc == 0, "read: %d", rc);
    return NULL;
}

static void plan(struct stress_random *random)
{
    static const unsigned workers[] = {2, 2, 1, 8};
    memset(&now, 0, sizeof now);
    pthread_mutex_init(&now.lock, NULL);
    now.placement = (enum stress_placement)stress_below(random, STRESS_PLACEMENTS);
    now.workers = stress.workers > 0 ? stress.workers : workers[stress_below(random, 4)];
    now.tasks = stress.tasks;
    now.output_limit = stress_chance(random, 30) ? 1 + stress_below(random, 20) : 0;
    now.cancels = stress_chance(random, 30);
    now.box = calloc(now.tasks, sizeof *now.box);
    STRESS_CHECK(now.box != NULL, "memory");
    stress_state("%s: %u workers, %u tasks, limit %llu, cancels %d",
                 stress_placement_name(now.placement), now.workers, now.tasks,
                 (unsigned long long)now.output_limit, now.cancels);
}

static void check(const distributor_summary_t *summary)
{
    uint64_t spawned = atomic_load(&now.spawned), failed = atomic_load(&now.failed);
    STRESS_CHECK(summary->added == now.tasks + spawned, "added");
    STRESS_CHECK(summary->added == summary->completed + summary->failed + summary->cancelled +
                                       summary->discarded, "the summary does not add up");
    STRESS_CHECK(summary->results == atomic_load(&now.emitted), "%llu results of %llu",
                 (unsigned long long)summary->results,
                 (unsigned long long)atomic_load(&now.emitted));
    STRESS_CHECK(summary->failed == atomic_load(&now.failures), "failures");
    if (now.cancels) {
        return;
    }
    STRESS_CHECK(summary->completed == atomic_load(&now.completed) + spawned, "completed");
    STRESS_CHECK(summary->failed == failed && summary->cancelled == 0, "failed");
    STRESS_CHECK(atomic_load(&now.read) == summary->results, "results were lost");
    STRESS_CHECK(now.most > now.tasks / 2, "only %u were in flight", now.most);
}

static void run_round(struct stress_random *random)
{
    pthread_t threads[THREADS], reader;
    uint64_t seeds[THREADS];
    distributor_summary_t summary;
    STRESS_CHECK(distributor_start(now.d) == 0, "start");
    stress_thread(&reader, read_results, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = stress_random(random);
        stress_thread(&threads[i], complete, &seeds[i]);
    }
    for (unsigned i = 0; i < now.tasks; i++) {
        uint64_t seed = stress_random(random);
        STRESS_CHECK(distributor_add_task(now.d, &type, &seed, sizeof seed) == 0, "add");
    }
    if (now.cancels) {
        stress_pause(random, 3000);
        STRESS_CHECK(distributor_cancel(now.d) == 0, "cancel");
    }
    STRESS_CHECK(distributor_join(now.d, &summary) == 0, "join");
    stress_join(reader);
    atomic_store(&now.over, true);
    for (unsigned i = 0; i < THREADS; i++) {
        stress_join(threads[i]);
    }
    check(&summary);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "deferred", .rounds = 20, .tasks = 10001,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        plan(&random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = now.workers,
                                         .output_limit = now.output_limit,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement(now.placement);
        STRESS_CHECK(distributor_create(&now.d, &options) == 0, "create");
        run_round(&random);
        STRESS_CHECK(distributor_destroy(now.d) == 0, "destroy");
        free(now.box);
    }
    return stress_end();
}
