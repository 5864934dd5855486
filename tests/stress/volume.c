/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volume: millions of tasks, each with an identity of its own, in each placement.  Two bitmaps say
 * that every task began once and every result was read once; the longest add is printed, and the
 * memory after the first hundredth of the rounds, each placement among them, and at the end: it
 * must not grow.
 *
 * Half of the tasks are added, the other half each of them spawns.
 */
#include "support.h"

#include <distributor/pool.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 128
#define MAGIC 0x766f6cu
#define BUCKETS 40 /* adds of less than 2^n ns */

#define LATE_KB 128 /* pages of stacks and of the C library that are first touched later */

/* 10^7 in each placement; with a sanitizer, 10^6 in all. */
#define TASKS (STRESS_SLOWDOWN > 1 ? 340000 * STRESS_SLOWDOWN : 10000000)

static struct round {
    distributor_t *d;
    unsigned workers, adders, readers, tasks; /* an even number of tasks */
    uint32_t fresh;                           /* of this round's identities */
    _Atomic uint64_t *begun, *read;           /* a bit a task */
} round_;

static struct actor {
    pthread_t thread;
    unsigned index;
    int64_t longest;            /* add, in ns */
    uint64_t took[BUCKETS];     /* adds, by their time */
    uint64_t read;
} actors[MAX_THREADS];

static int64_t longest;
static uint64_t took[BUCKETS], adds, tasks_of_all_rounds;

/* ---- Identities ---- */

static uint64_t identity_of(unsigned task)
{
    return (uint64_t)(MAGIC ^ round_.fresh) << 32 | task;
}

static unsigned check_identity(const void *bytes, size_t size)
{
    uint64_t identity;
    STRESS_CHECK(size == sizeof identity, "%zu bytes", size);
    memcpy(&identity, bytes, sizeof identity);
    unsigned task = (unsigned)identity;
    STRESS_CHECK(identity == identity_of(task) && task < round_.tasks, "task %llx is none",
                 (unsigned long long)identity);
    return task;
}

/* relaxed: joined threads alone are looked at, and a bit set twice is seen in any order. */
static void mark(_Atomic uint64_t *map, unsigned task, const char *what)
{
    uint64_t bit = (uint64_t)1 << task % 64;
    uint64_t before = atomic_fetch_or_explicit(&map[task / 64], bit, memory_order_relaxed);
    STRESS_CHECK(!(before & bit), "task %u %s twice", task, what);
}

static void check_all(const _Atomic uint64_t *map, const char *what)
{
    for (unsigned task = 0; task < round_.tasks; task++) {
        STRESS_CHECK(atomic_load_explicit(&map[task / 64], memory_order_relaxed) >> task % 64 & 1,
                     "task %u was not %s", task, what);
    }
}

static int run(distributor_task_t *self, const void *input, size_t size);
static const distributor_task_type_t type = {.name = "volume", .run = run};

static int run(distributor_task_t *self, const void *input, size_t size)
{
    unsigned task = check_identity(input, size);
    mark(round_.begun, task, "began");
    if (task % 2 == 0) {
        uint64_t next = identity_of(task + 1);
        STRESS_CHECK(distributor_spawn(self, &type, &next, sizeof next) == 0, "spawn");
    }
    int rc = distributor_emit(self, input, size);
    STRESS_CHECK(rc == 0, "emit: %d", rc);
    return 0;
}

/* ---- Actors ---- */

static void note_time(struct actor *actor, int64_t ns)
{
    unsigned bucket = 0;
    while (bucket + 1 < BUCKETS && ns >> bucket != 0) {
        bucket++;
    }
    actor->took[bucket]++;
    actor->longest = ns > actor->longest ? ns : actor->longest;
}

static void *add(void *argument)
{
    struct actor *actor = argument;
    stress_place(round_.workers + actor->index);
    int64_t before = distributor_now();
    for (unsigned task = 2 * actor->index; task < round_.tasks; task += 2 * round_.adders) {
        uint64_t identity = identity_of(task);
        int rc = distributor_add_task(round_.d, &type, &identity, sizeof identity);
        STRESS_CHECK(rc == 0, "add: %d", rc);
        int64_t now = distributor_now();
        note_time(actor, now - before);
        before = now;
    }
    return NULL;
}

static void *read_results(void *argument)
{
    struct actor *actor = argument;
    distributor_result_t results[64];
    ptrdiff_t rc;
    stress_place(round_.workers + actor->index);
    while ((rc = distributor_next_results(round_.d, results, 64)) > 0) {
        for (ptrdiff_t i = 0; i < rc; i++) {
            STRESS_CHECK(results[i].error == 0, "error %d", results[i].error);
            mark(round_.read, check_identity(results[i].data, results[i].size), "was read");
        }
        actor->read += (uint64_t)rc;
    }
    STRESS_CHECK(rc == 0, "read: %td", rc);
    return NULL;
}

/* ---- A round ---- */

static void launch(void)
{
    for (unsigned i = 0; i < round_.adders + round_.readers; i++) {
        actors[i] = (struct actor){.index = i};
        stress_thread(&actors[i].thread, i < round_.adders ? add : read_results, &actors[i]);
    }
}

static void gather(const struct actor *actor)
{
    longest = actor->longest > longest ? actor->longest : longest;
    for (unsigned i = 0; i < BUCKETS; i++) {
        took[i] += actor->took[i];
        adds += actor->took[i];
    }
}

static void run_round(void)
{
    distributor_summary_t summary;
    uint64_t read = 0;
    STRESS_CHECK(distributor_start(round_.d) == 0, "start");
    launch();
    for (unsigned i = 0; i < round_.adders + round_.readers; i++) {
        if (i == round_.adders) {
            STRESS_CHECK(distributor_close(round_.d) == 0, "close");
        }
        stress_join(actors[i].thread);
        gather(&actors[i]);
        read += actors[i].read;
    }
    STRESS_CHECK(distributor_join(round_.d, &summary) == 0, "join");
    STRESS_CHECK(summary.added == round_.tasks && summary.completed == round_.tasks &&
                     summary.results == round_.tasks && read == round_.tasks,
                 "added %llu, completed %llu, results %llu, read %llu",
                 (unsigned long long)summary.added, (unsigned long long)summary.completed,
                 (unsigned long long)summary.results, (unsigned long long)read);
    check_all(round_.begun, "run");
    check_all(round_.read, "read");
}

static void plan(unsigned number, struct stress_random *random)
{
    enum stress_placement placement = (enum stress_placement)(number % STRESS_PLACEMENTS);
    size_t words = (stress.tasks + 127) / 64;
    if (stress.placement >= 0) {
        placement = (enum stress_placement)stress.placement;
    }
    stress_set_placement(placement);
    round_.workers = stress.workers ? stress.workers : placement == STRESS_OVER ? 8 : 2;
    round_.adders = stress.adders ? stress.adders : 1 + stress_below(random, 3);
    round_.readers = stress.readers ? stress.readers : 1 + stress_below(random, 2);
    round_.tasks = stress.tasks + stress.tasks % 2;
    round_.fresh = (uint32_t)stress_random(random);
    STRESS_CHECK(round_.adders + round_.readers <= MAX_THREADS, "at most %d", MAX_THREADS);
    memset(round_.begun, 0, words * sizeof(uint64_t));
    memset(round_.read, 0, words * sizeof(uint64_t));
    stress_state("%s: %u workers, %u adders, %u readers, %u tasks",
                 stress_placement_name(placement), round_.workers, round_.adders, round_.readers,
                 round_.tasks);
}

static void say_figures(void)
{
    uint64_t left = adds / 1000;
    unsigned bucket = BUCKETS;
    while (bucket > 0 && took[bucket - 1] <= left) {
        left -= took[--bucket];
    }
    printf("volume: %llu tasks, longest add %.3f ms, 99.9 %% of the adds below %.3f ms\n",
           (unsigned long long)tasks_of_all_rounds, (double)longest / 1e6,
           (double)((uint64_t)1 << bucket) / 1e6);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    unsigned number = 0;
    long first_kb = 0;
    stress_begin(&(struct stress_options){.name = "volume", .rounds = 3 * STRESS_SLOWDOWN,
                                          .tasks = TASKS, .placement = -1}, argc, argv);
    size_t words = (stress.tasks + 127) / 64;
    round_.begun = calloc(words, sizeof(uint64_t));
    round_.read = calloc(words, sizeof(uint64_t));
    STRESS_CHECK(round_.begun != NULL && round_.read != NULL, "no memory");
    while (stress_next(&random)) {
        plan(number, &random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = round_.workers,
                                         .worker_started = stress_worker_started};
        STRESS_CHECK(distributor_create(&round_.d, &options) == 0, "create");
        run_round();
        STRESS_CHECK(distributor_destroy(round_.d) == 0, "destroy");
        tasks_of_all_rounds += round_.tasks;
        number++;
        if (first_kb == 0 && number >= STRESS_PLACEMENTS && number * 100 >= stress.rounds) {
            first_kb = stress_resident_kb();
        }
    }
    say_figures();
    stress_check_growth(first_kb, first_kb / 100 + LATE_KB);
    free(round_.begun);
    free(round_.read);
    return stress_end();
}
