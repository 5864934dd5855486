/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No hoarding: tasks that wait for other tasks, at random places among up to 1,000.  A worker that
 * keeps a task or a result behind one that waits hangs here: nothing but the other tasks, and the
 * reader that gets their results, ends the wait.
 */
#include "support.h"

#include <distributor/pool.h>

#include <stdlib.h>
#include <string.h>

#define MAX_TASKS 1000
#define MAX_WORKERS 8
#define MAGIC 0x686f6172u

enum shape {
    WAIT_FOR_ALL, /* all workers but one wait until every other result has been read */
    BARRIER,      /* as many tasks as workers wait for each other */
    SHAPES
};

enum way {
    ADDED_BEFORE, /* the start */
    ADDED_AFTER,
    SPAWNED,        /* by one task, which then returns */
    SPAWNED_WAITING /* by one task, which then waits until all of them have ended */
};

struct item {
    uint32_t magic;
    uint16_t id;
    bool waits;
    bool root;
};

static struct round {
    distributor_t *d;
    enum shape shape;
    enum way way;
    unsigned workers, tasks, waiters;
    struct item items[MAX_TASKS];
    bool seen[MAX_TASKS]; /* its result was read */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t moved;
    unsigned read, arrived, ended;
} round_ = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void count_one(unsigned *counter)
{
    pthread_mutex_lock(&round_.lock);
    *counter += 1;
    pthread_cond_broadcast(&round_.moved);
    pthread_mutex_unlock(&round_.lock);
}

static void await(const unsigned *counter, unsigned wanted)
{
    pthread_mutex_lock(&round_.lock);
    while (*counter < wanted) {
        pthread_cond_wait(&round_.moved, &round_.lock);
    }
    pthread_mutex_unlock(&round_.lock);
}

/* ---- Tasks ---- */

static distributor_run_fn run;
static const distributor_task_type_t type = {.name = "waiter", .run = run};

static void run_root(distributor_task_t *self)
{
    for (unsigned i = 0; i < round_.tasks; i++) {
        int rc = distributor_spawn(self, &type, &round_.items[i], sizeof round_.items[i]);
        STRESS_CHECK(rc == 0, "spawn: %d", rc);
    }
    if (round_.way == SPAWNED_WAITING) {
        await(&round_.ended, round_.tasks);
    }
}

static int run(distributor_task_t *self, const void *input, size_t size)
{
    struct item item;
    memcpy(&item, input, size);
    STRESS_CHECK(size == sizeof item && item.magic == MAGIC, "%zu bytes, %x", size, item.magic);
    if (item.root) {
        run_root(self);
        return 0;
    }
    /* The result comes before the wait: it must be readable although its task goes on. */
    STRESS_CHECK(distributor_emit(self, &item.id, sizeof item.id) == 0, "emit");
    if (item.waits && round_.shape == WAIT_FOR_ALL) {
        await(&round_.read, round_.tasks);
    } else if (item.waits) {
        count_one(&round_.arrived);
        await(&round_.arrived, round_.waiters);
    }
    count_one(&round_.ended);
    return 0;
}

/* ---- A round ---- */

static void plan(struct stress_random *random)
{
    round_.shape = (enum shape)stress_below(random, SHAPES);
    round_.way = (enum way)stress_below(random, 4);
    round_.workers = 2 + stress_below(random, 3);
    if (stress.workers > 1 && stress.workers <= MAX_WORKERS) {
        round_.workers = stress.workers;
    }
    /* A root that waits takes a worker itself. */
    unsigned free_workers = round_.workers - (round_.way == SPAWNED_WAITING);
    round_.waiters = round_.shape == BARRIER ? free_workers : free_workers - 1;
    round_.tasks = round_.waiters + stress_below(random, stress.tasks - MAX_WORKERS);
    for (unsigned i = 0; i < round_.tasks; i++) {
        round_.items[i] = (struct item){MAGIC, (uint16_t)i, false, false};
    }
    for (unsigned chosen = 0; chosen < round_.waiters;) {
        struct item *item = &round_.items[stress_below(random, round_.tasks)];
        chosen += !item->waits;
        item->waits = true;
    }
    memset(round_.seen, 0, sizeof round_.seen);
    round_.read = round_.arrived = round_.ended = 0;
    stress_state("shape %d, way %d, %u workers, %u tasks, %u wait", round_.shape, round_.way,
                 round_.workers, round_.tasks, round_.waiters);
}

static void add_all(struct stress_random *random)
{
    struct item root = {MAGIC, 0, false, true};
    if (round_.way >= SPAWNED) {
        STRESS_CHECK(distributor_add_task(round_.d, &type, &root, sizeof root) == 0, "add");
        return;
    }
    if (stress_chance(random, 50)) {
        ptrdiff_t rc = distributor_add_tasks(round_.d, &type, round_.items, sizeof(struct item),
                                             round_.tasks);
        STRESS_CHECK(rc == (ptrdiff_t)round_.tasks || round_.tasks == 0, "add_tasks: %td", rc);
        return;
    }
    for (unsigned i = 0; i < round_.tasks; i++) {
        int rc = distributor_add_task(round_.d, &type, &round_.items[i], sizeof(struct item));
        STRESS_CHECK(rc == 0, "add: %d", rc);
    }
}

static void read_all(struct stress_random *random)
{
    distributor_result_t results[16];
    ptrdiff_t rc;
    while ((rc = distributor_next_results(round_.d, results, 1 + stress_below(random, 16))) > 0) {
        for (ptrdiff_t i = 0; i < rc; i++) {
            uint16_t id = MAX_TASKS;
            memcpy(&id, results[i].data, sizeof id);
            STRESS_CHECK(id < round_.tasks && !round_.seen[id], "result %u twice", id);
            round_.seen[id] = true;
            count_one(&round_.read);
        }
    }
    STRESS_CHECK(rc == 0 && round_.read == round_.tasks, "%td after %u of %u", rc, round_.read,
                 round_.tasks);
}

static void run_round(struct stress_random *random)
{
    bool early = round_.way == ADDED_AFTER || stress_chance(random, 30);
    early = early && round_.way != ADDED_BEFORE;
    STRESS_CHECK(!early || distributor_start(round_.d) == 0, "start");
    add_all(random);
    STRESS_CHECK(early || distributor_start(round_.d) == 0, "start");
    STRESS_CHECK(distributor_close(round_.d) == 0, "close");
    read_all(random);
    STRESS_CHECK(distributor_join(round_.d, NULL) == 0, "join");
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "hoarding", .rounds = 400, .tasks = MAX_TASKS,
                                          .placement = -1}, argc, argv);
    STRESS_CHECK(stress.tasks > MAX_WORKERS && stress.tasks <= MAX_TASKS, "--tasks: 9 to %d",
                 MAX_TASKS);
    while (stress_next(&random)) {
        plan(&random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = round_.workers,
                                         .worker_started = stress_worker_started};
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        STRESS_CHECK(distributor_create(&round_.d, &options) == 0, "create");
        run_round(&random);
        STRESS_CHECK(distributor_destroy(round_.d) == 0, "destroy");
    }
    return stress_end();
}
