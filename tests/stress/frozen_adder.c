/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only adder is frozen by a signal, wherever it is in the middle of an add.  The others take
 * and read what it has published, and then all of them sleep: nobody waits for it at 100 % of a
 * core.  One that did would never be found asleep, and the watchdog ends that.
 *
 * A thread can be stopped inside malloc, with a lock that a worker then waits for, and leaves
 * results behind: so one freeze in 20 may do so.
 */
#define _GNU_SOURCE
#include "support.h"

#include <distributor/pool.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

static distributor_t *d;
static pid_t main_thread;
static atomic_int adder_thread;
static atomic_bool ending, frozen, told;
static atomic_ulong added, read_; /* adds that have returned, results that were read */
static unsigned freezes, left_behind;

/* The handler.  It calls nothing but sleeps. */
static void freeze(int signal_number)
{
    (void)signal_number;
    int saved = errno;
    atomic_store(&told, true);
    while (atomic_load(&frozen)) {
        stress_sleep_us(100);
    }
    atomic_store(&told, false);
    errno = saved;
}

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = {.name = "echo", .run = echo};

static void *add(void *unused)
{
    atomic_store(&adder_thread, stress_thread_id());
    for (uint64_t n = 0; !atomic_load(&ending); n++) {
        int rc = distributor_add_task(d, &type, &n, sizeof n);
        STRESS_CHECK(rc == 0, "add: %d", rc);
        atomic_fetch_add(&added, 1);
    }
    return unused;
}

static void *read_results(void *unused)
{
    distributor_result_t result;
    int rc;
    while ((rc = distributor_next_result(d, &result)) == 1) {
        atomic_fetch_add(&read_, 1);
    }
    STRESS_CHECK(rc == 0, "read: %d", rc);
    return unused;
}

static bool all_others_sleep(void)
{
    bool sleep = true;
    DIR *folder = opendir("/proc/self/task");
    STRESS_CHECK(folder != NULL, "no /proc");
    const struct dirent *entry;
    while (sleep && (entry = readdir(folder)) != NULL) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread > 0 && thread != main_thread && thread != atomic_load(&adder_thread)) {
            sleep = stress_asleep(thread);
        }
    }
    closedir(folder);
    return sleep;
}

static void freeze_once(pthread_t adder)
{
    atomic_store(&frozen, true);
    pthread_kill(adder, SIGUSR1);
    while (!atomic_load(&told)) {
        stress_sleep_us(100);
    }
    while (!all_others_sleep()) {
        stress_sleep_us(100);
    }
    /* The add that was interrupted may have published its task, or not. */
    unsigned long adds = atomic_load(&added), results = atomic_load(&read_);
    STRESS_CHECK(results <= adds + 1, "%lu results of %lu adds", results, adds);
    freezes++;
    left_behind += results < adds;
    atomic_store(&frozen, false);
    while (atomic_load(&told)) {
        stress_sleep_us(100);
    }
}

static void run_round(struct stress_random *random)
{
    pthread_t adder, reader;
    distributor_summary_t summary;
    atomic_store(&ending, false);
    atomic_store(&adder_thread, 0);
    atomic_store(&added, 0);
    atomic_store(&read_, 0);
    STRESS_CHECK(distributor_start(d) == 0, "start");
    stress_thread(&adder, add, NULL);
    stress_thread(&reader, read_results, NULL);
    while (atomic_load(&adder_thread) == 0) {
        stress_sleep_us(100);
    }
    for (unsigned i = 0; i < stress.tasks; i++) {
        stress_sleep_us(stress_below(random, 2000));
        stress_state("freeze %u, %u results left behind so far", i, left_behind);
        freeze_once(adder);
    }
    atomic_store(&ending, true);
    stress_join(adder);
    STRESS_CHECK(distributor_join(d, &summary) == 0, "join");
    stress_join(reader);
    unsigned long adds = atomic_load(&added), results = atomic_load(&read_);
    STRESS_CHECK(summary.completed == adds && summary.results == results && results == adds,
                 "%lu added, %lu read", adds, results);
}

int main(int argc, char **argv)
{
    static const unsigned limits[] = {1, 16, 4096};
    struct stress_random random;
    struct sigaction action = {.sa_handler = freeze};
    stress_begin(&(struct stress_options){.name = "frozen_adder", .rounds = 12, .tasks = 40,
                                          .placement = -1}, argc, argv);
    main_thread = stress_thread_id();
    sigaction(SIGUSR1, &action, NULL);
    while (stress_next(&random)) {
        distributor_options_t options = {
            .size = sizeof options,
            .workers = stress.workers ? stress.workers : 1 + stress_below(&random, 4),
            .order = stress_chance(&random, 50) ? DISTRIBUTOR_AS_ADDED : DISTRIBUTOR_AS_COMPLETED,
            .input_limit = limits[stress_below(&random, 3)],
            .deadlock_ns = DISTRIBUTOR_FOREVER};
        STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
        run_round(&random);
        STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
    }
    printf("frozen_adder: %u freezes, %u left results behind\n", freezes, left_behind);
    STRESS_CHECK(left_behind * 20 <= freezes, "%u of %u freezes held others up", left_behind,
                 freezes);
    return stress_end();
}
