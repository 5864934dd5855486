/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frozen thread: a signal stops an adder or a reader wherever it is, also in the middle of an
 * add or a read, until the others have made progress or seconds are over, and one time in 20 for
 * another 300 ms, after which they must get on still; tasks that sleep freeze workers alike.  A
 * queue where a stopped thread holds what others need lets many freezes run into their limit.
 *
 * A thread can be stopped inside malloc, too, with a lock of the C library that others then wait
 * for.  That is rare, and no fault of ours: so one freeze in 20 may reach its limit.  The allocator
 * of a sanitizer has a lock that all threads share, held for long: there they are counted alone.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDERS 3
#define READERS 2
#define ACTORS (ADDERS + READERS)
#define NAPS 20000u  /* of 0.2 ms: more than a loaded machine takes to run the others */
#define PROGRESS 100 /* operations of the others that end a freeze */
#define LONG_US 300000
#define LONG_EACH 20 /* so many freezes have a long one among them */

static struct round {
    distributor_t *d;
    unsigned workers;
    atomic_bool ending;
    atomic_uint sleepers; /* workers that sleep inside a task */
} round_;

static struct actor {
    unsigned index;
    pthread_t thread;
    struct stress_random random;
    atomic_ulong moved; /* written by the actor, read by those that are frozen */
} actors[ACTORS];

static _Thread_local struct actor *this_actor;
static atomic_bool frozen; /* one actor at a time */
static atomic_bool for_long;
static atomic_uint freezes, stalls;

/* ---- Freezing ---- */

static bool others_moved(const unsigned long *before)
{
    unsigned long adds = 0, reads = 0;
    for (unsigned i = 0; i < ACTORS; i++) {
        if (&actors[i] != this_actor) {
            *(i < ADDERS ? &adds : &reads) += atomic_load(&actors[i].moved) - before[i];
        }
    }
    return adds >= PROGRESS && reads >= PROGRESS;
}

/* Counts its own short sleeps: a machine that was stopped for a while is no stall. */
static bool await_others(void)
{
    unsigned long before[ACTORS];
    for (unsigned i = 0; i < ACTORS; i++) {
        before[i] = atomic_load(&actors[i].moved);
    }
    for (unsigned naps = 0; naps < NAPS; naps++) {
        if (others_moved(before)) {
            return true;
        }
        stress_sleep_us(200);
    }
    return false;
}

/* The handler.  It calls nothing but sleeps. */
static void freeze(int signal_number)
{
    (void)signal_number;
    int saved = errno;
    bool moved = await_others();
    if (moved && atomic_load(&for_long)) {
        stress_sleep_us(LONG_US);
        moved = await_others();
    }
    atomic_fetch_add(&freezes, 1);
    atomic_fetch_add(&stalls, !moved);
    atomic_store(&frozen, false);
    errno = saved;
}

/* ---- Tasks ---- */

/* One small result a task; one task in 500 sleeps while another worker is awake. */
static int run(distributor_task_t *self, const void *input, size_t size)
{
    struct ledger_log *log = ledger_log(ADDERS + distributor_worker_index(self));
    struct ledger_item item = ledger_write_begun(log, self, input, size);
    uint64_t word[2];
    if (item.sequence % 500 == 499) {
        if (atomic_fetch_add(&round_.sleepers, 1) + 1 < round_.workers) {
            stress_sleep_us(100000);
        }
        atomic_fetch_sub(&round_.sleepers, 1);
    }
    ledger_fill(LEDGER_RESULT, item, word, sizeof word);
    int rc = distributor_emit(self, word, sizeof word);
    STRESS_CHECK(rc == 0, "emit: %d", rc);
    ledger_write(log, LEDGER_EMITTED, item);
    ledger_write(log, LEDGER_COMPLETED, item);
    return 0;
}

static const distributor_task_type_t type = {.name = "echo", .run = run,
                                             .discard_input = ledger_discard_input,
                                             .discard_result = ledger_discard_result};

/* ---- Actors ---- */

static void count_move(struct actor *actor)
{
    atomic_fetch_add_explicit(&actor->moved, 1, memory_order_relaxed);
}

static void *add(void *argument)
{
    struct actor *actor = argument;
    struct ledger_item item = {actor->index, 0, 0};
    this_actor = actor;
    while (!atomic_load(&round_.ending)) {
        uint64_t word[2];
        ledger_fill(LEDGER_TASK, item, word, sizeof word);
        int rc = distributor_add_task(round_.d, &type, word, sizeof word);
        STRESS_CHECK(rc == 0, "add: %d", rc);
        ledger_write(ledger_log(actor->index), LEDGER_ADDED, item);
        item.sequence++;
        count_move(actor);
    }
    return NULL;
}

static void *read_results(void *argument)
{
    struct actor *actor = argument;
    struct ledger_log *log = ledger_log(actor->index + round_.workers);
    distributor_result_t results[4];
    ptrdiff_t rc;
    this_actor = actor;
    while ((rc = distributor_next_results(round_.d, results,
                                          1 + stress_below(&actor->random, 4))) > 0) {
        for (ptrdiff_t i = 0; i < rc; i++) {
            ledger_write_result(log, &results[i]);
            count_move(actor);
        }
    }
    STRESS_CHECK(rc == 0, "read: %td", rc);
    return NULL;
}

/* ---- A round ---- */

static void freeze_some(unsigned count, struct stress_random *random)
{
    for (unsigned i = 0; i < count; i++) {
        stress_sleep_us(stress_below(random, 3000));
        atomic_store(&for_long, i % LONG_EACH == 0);
        atomic_store(&frozen, true);
        struct actor *actor = &actors[stress_below(random, ACTORS)];
        stress_state("freeze %u of actor %u, %u stalls so far", i, actor->index,
                     atomic_load(&stalls));
        pthread_kill(actor->thread, SIGUSR1);
        while (atomic_load(&frozen)) {
            stress_sleep_us(100);
        }
    }
}

static void launch(unsigned index, struct stress_random *random)
{
    actors[index] = (struct actor){.index = index, .random = {stress_random(random)}};
    stress_thread(&actors[index].thread, index < ADDERS ? add : read_results, &actors[index]);
}

static void run_round(struct stress_random *random)
{
    distributor_summary_t summary;
    STRESS_CHECK(distributor_start(round_.d) == 0, "start");
    for (unsigned i = 0; i < ACTORS; i++) {
        launch(i, random);
    }
    freeze_some(stress.tasks, random);
    atomic_store(&round_.ending, true);
    for (unsigned i = 0; i < ACTORS; i++) {
        if (i == ADDERS) {
            STRESS_CHECK(distributor_close(round_.d) == 0, "close");
        }
        stress_join(actors[i].thread);
    }
    STRESS_CHECK(distributor_join(round_.d, &summary) == 0, "join");
    ledger_check(&summary, &(struct ledger_rules){0});
}

int main(int argc, char **argv)
{
    static const unsigned limits[] = {16, 256, 4096};
    struct stress_random random;
    struct sigaction action = {.sa_handler = freeze};
    stress_begin(&(struct stress_options){.name = "frozen", .seconds = 30, .tasks = 60,
                                          .placement = -1}, argc, argv);
    sigaction(SIGUSR1, &action, NULL);
    while (stress_next(&random)) {
        round_.workers = stress.workers > 1 ? stress.workers : 2 + stress_below(&random, 3);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = round_.workers,
                                         .input_limit = limits[stress_below(&random, 3)],
                                         .output_limit = limits[stress_below(&random, 3)],
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        atomic_store(&round_.ending, false);
        ledger_reset(ACTORS + round_.workers);
        STRESS_CHECK(distributor_create(&round_.d, &options) == 0, "create");
        run_round(&random);
        STRESS_CHECK(distributor_destroy(round_.d) == 0, "destroy");
    }
    printf("frozen: %u freezes, %u reached their limit\n", freezes, stalls);
    STRESS_CHECK(STRESS_SLOWDOWN > 1 || stalls * 20 <= freezes,
                 "the others stood still in %u of %u freezes", stalls, freezes);
    return stress_end();
}
