/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptor: some threads poll it and read until there is nothing, others wait in a read or
 * drop results, workers emit in bursts and one at a time.  A wake-up that is lost hangs a poller; a
 * descriptor that stays readable shows as a storm of wake-ups for nothing.
 */
#include "support.h"

#include <distributor.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

static struct {
    distributor_t *d;
    int fd;
    unsigned workers, pollers, blockers, tasks;
    bool drops;
    enum stress_placement placement;
    atomic_bool over;
    atomic_ullong emitted, read, wakes;
} now;

static int emit_some(distributor_task_t *self, const void *input, size_t size)
{
    struct stress_random random;
    (void)size;
    memcpy(&random.state, input, sizeof random.state);
    for (unsigned n = stress_below(&random, 4); n > 0; n--) {
        STRESS_CHECK(distributor_emit(self, &random.state, 8) == 0, "emit");
        atomic_fetch_add(&now.emitted, 1);
        if (stress_chance(&random, 10)) {
            stress_pause(&random, 100);
        }
    }
    return 0;
}

static const distributor_task_type_t type = {.name = "emit", .run = emit_some};

/* An event loop of one thread. */
static void *poll_it(void *unused)
{
    struct pollfd poller = {.fd = now.fd, .events = POLLIN};
    distributor_result_t result;
    int rc = -EAGAIN;
    (void)unused;
    while (rc != 0) {
        STRESS_CHECK(poll(&poller, 1, -1) == 1 || errno == EINTR, "poll");
        atomic_fetch_add(&now.wakes, 1);
        while ((rc = distributor_try_next_result(now.d, &result)) == 1) {
            atomic_fetch_add(&now.read, 1);
        }
        STRESS_CHECK(rc == 0 || rc == -EAGAIN, "read: %d", rc);
    }
    /* Who has set STOP may be on its way to say so. */
    STRESS_CHECK(poll(&poller, 1, -1) == 1, "poll");
    STRESS_CHECK(distributor_try_next_result(now.d, &result) == 0, "STOP does not stay");
    return NULL;
}

static void *block(void *unused)
{
    distributor_result_t result;
    int rc;
    (void)unused;
    while ((rc = distributor_next_result(now.d, &result)) == 1) {
        atomic_fetch_add(&now.read, 1);
    }
    STRESS_CHECK(rc == 0, "read: %d", rc);
    return NULL;
}

static void *drop(void *unused)
{
    (void)unused;
    while (!atomic_load(&now.over)) {
        distributor_drop_results(now.d);
        stress_sleep_us(50);
    }
    return NULL;
}

static void plan(struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    memset(&now, 0, sizeof now);
    now.placement = (enum stress_placement)stress_below(random, STRESS_PLACEMENTS);
    now.workers = stress.workers > 0 ? stress.workers : workers[stress_below(random, 4)];
    now.pollers = 1 + stress_below(random, 3);
    now.blockers = stress_chance(random, 70) ? 0 : 1 + stress_below(random, 2);
    now.drops = stress_chance(random, 10);
    now.tasks = 1 + stress_below(random, stress.tasks);
    stress_state("%s: %u workers, %u pollers, %u blockers, drops %d, %u tasks",
                 stress_placement_name(now.placement), now.workers, now.pollers, now.blockers,
                 now.drops, now.tasks);
}

static void add_all(struct stress_random *random)
{
    for (unsigned i = 0; i < now.tasks; i++) {
        uint64_t seed = stress_random(random);
        STRESS_CHECK(distributor_add_task(now.d, &type, &seed, sizeof seed) == 0, "add");
        if (stress_chance(random, 20)) {
            stress_pause(random, 200);
        }
    }
}

static void run_round(struct stress_random *random)
{
    pthread_t threads[8], dropper;
    unsigned count = 0;
    distributor_summary_t summary;
    atomic_store(&now.over, false);
    atomic_store(&now.emitted, 0);
    atomic_store(&now.read, 0);
    atomic_store(&now.wakes, 0);
    STRESS_CHECK(distributor_start(now.d) == 0, "start");
    if (now.drops) {
        stress_thread(&dropper, drop, NULL);
    }
    for (unsigned i = 0; i < now.pollers; i++) {
        stress_thread(&threads[count++], poll_it, NULL);
    }
    for (unsigned i = 0; i < now.blockers; i++) {
        stress_thread(&threads[count++], block, NULL);
    }
    add_all(random);
    STRESS_CHECK(distributor_join(now.d, &summary) == 0, "join");
    while (count > 0) {
        stress_join(threads[--count]);
    }
    atomic_store(&now.over, true);
    if (now.drops) {
        stress_join(dropper);
    }
    uint64_t emitted = atomic_load(&now.emitted), read = atomic_load(&now.read);
    STRESS_CHECK(summary.results == emitted, "results");
    STRESS_CHECK(now.drops ? read <= emitted : read == emitted, "read %llu of %llu",
                 (unsigned long long)read, (unsigned long long)emitted);
    /* A burst wakes each poller twice at most: for its results, and once more for nothing while the
     * descriptor is on its way from one state to the next. */
    STRESS_CHECK(atomic_load(&now.wakes) <= (emitted + now.tasks + 10) * 4 * now.pollers,
                 "%llu wakes for %llu results", (unsigned long long)atomic_load(&now.wakes),
                 (unsigned long long)emitted);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "descriptor", .rounds = 60, .tasks = 400,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        plan(&random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = now.workers,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement(now.placement);
        STRESS_CHECK(distributor_create(&now.d, &options) == 0, "create");
        now.fd = distributor_fd(now.d);
        STRESS_CHECK(now.fd >= 0, "fd: %d", now.fd);
        run_round(&random);
        run_round(&random);
        STRESS_CHECK(distributor_destroy(now.d) == 0, "destroy");
    }
    return stress_end();
}
