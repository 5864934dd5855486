/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Park and wake: one task at a time, after a pause of random length, so that it meets workers and
 * a reader that are just going to sleep.  A lost wake-up hangs here.
 */
#include "support.h"

#include <distributor/pool.h>

#include <string.h>

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = {.name = "echo", .run = echo};

/* From nothing to 200 us, and mostly near the time that going to sleep takes. */
static void random_wait(struct stress_random *random)
{
    unsigned longest = stress_chance(random, 70) ? 30000 : 200000;
    int64_t until = distributor_now() + stress_below(random, longest);
    if (stress_chance(random, 30)) {
        stress_sleep_us(stress_below(random, 200));
        return;
    }
    while (distributor_now() < until) {
    }
}

static void ping(distributor_t *d, unsigned count, struct stress_random *random)
{
    distributor_result_t result;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t sent = stress_mix(i), got = 0;
        random_wait(random);
        STRESS_CHECK(distributor_add_task(d, &type, &sent, sizeof sent) == 0, "add");
        int rc = distributor_next_result(d, &result);
        STRESS_CHECK(rc == 1 && result.size == sizeof got && result.error == 0, "read: %d", rc);
        memcpy(&got, result.data, sizeof got);
        STRESS_CHECK(got == sent, "task %llu came back as another", (unsigned long long)i);
    }
}

/* A reader waits while the main thread adds and never looks. */
struct receiver {
    distributor_t *d;
    unsigned count;
    pthread_t thread;
};

static void *receive(void *argument)
{
    struct receiver *receiver = argument;
    distributor_result_t result;
    while (distributor_next_result(receiver->d, &result) == 1) {
        receiver->count++;
    }
    return NULL;
}

static void one_way(distributor_t *d, unsigned count, struct stress_random *random)
{
    struct receiver receiver = {.d = d};
    distributor_summary_t summary;
    stress_thread(&receiver.thread, receive, &receiver);
    for (uint64_t i = 0; i < count; i++) {
        random_wait(random);
        STRESS_CHECK(distributor_add_task(d, &type, &i, sizeof i) == 0, "add");
    }
    STRESS_CHECK(distributor_join(d, &summary) == 0, "join");
    stress_join(receiver.thread);
    STRESS_CHECK(receiver.count == count, "%u of %u", receiver.count, count);
}

int main(int argc, char **argv)
{
    static const unsigned workers[] = {1, 2, 16};
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "wake", .rounds = 9, .tasks = 600,
                                          .placement = -1}, argc, argv);
    for (unsigned i = 0; stress_next(&random); i++) {
        distributor_t *d;
        unsigned count = stress.workers > 0 ? stress.workers : workers[i % 3];
        enum stress_placement placement = (enum stress_placement)(i / 3 % STRESS_PLACEMENTS);
        distributor_options_t options = {.size = sizeof options, .workers = count,
                                         .worker_started = stress_worker_started};
        stress_set_placement(placement);
        stress_place(1);
        stress_state("%u workers, %s", count, stress_placement_name(placement));
        STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
        STRESS_CHECK(distributor_start(d) == 0, "start");
        ping(d, stress.tasks, &random);
        one_way(d, stress.tasks, &random);
        STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
    }
    return stress_end();
}
