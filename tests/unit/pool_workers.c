/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers: their number, their names and their hooks. */
#include <sched.h>

#include "support.h"

TestSuite(workers, .timeout = 240);

/* ---- Number ---- */

/* At least one, and not more than the CPUs that this process may use. */
Test(workers, one_per_cpu_by_default)
{
    distributor_t *d = make(NULL);
    expect(distributor_find_worker(d, "worker-0"), -ENOENT);
    expect(distributor_send(d, 0, "x", 1), -ENOENT);
    for (int i = 0; i < 2; i++) {
        run(d);
        cpu_set_t cpus;
        expect(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
        int n = 0;
        char name[32] = "worker-0";
        while (distributor_find_worker(d, name) == n)
            snprintf(name, sizeof(name), "worker-%d", ++n);
        ensure(n >= 1 && n <= CPU_COUNT(&cpus));
        expect(distributor_find_worker(d, name), -ENOENT);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* Pinned to one CPU it makes one worker. */
Test(workers, one_for_the_only_cpu)
{
    cpu_set_t cpus, one;
    expect(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &cpus))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    expect(sched_setaffinity(0, sizeof(one), &one), 0);
    distributor_t *d = make(NULL);
    run(d);
    expect(distributor_find_worker(d, "worker-0"), 0);
    expect(distributor_find_worker(d, "worker-1"), -ENOENT);
    expect(distributor_destroy(d), 0);
    expect(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
    finish();
}

/* It takes memory by the gigabyte, and a machine may be slow to find that much. */
Test(workers, the_most_there_can_be, .timeout = 240)
{
    distributor_t *d = make(OPTIONS(.workers = DISTRIBUTOR_MAX_WORKERS));
    expect(distributor_add_worker(d, NULL), -ENOSPC);
    expect(distributor_add_worker(d, "one more"), -ENOSPC);
    expect(distributor_find_worker(d, "worker-65535"), 65535);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Names ---- */

Test(workers, have_names)
{
    char prefix[] = "crawler";
    distributor_t *d = make(OPTIONS(.workers = 2, .name = prefix));
    memset(prefix, 'x', 7); /* it was copied */
    expect(distributor_find_worker(d, "crawler-0"), 0);
    expect(distributor_find_worker(d, "crawler-1"), 1);
    char name[] = "special";
    expect(distributor_add_worker(d, name), 2);
    memset(name, 'x', 7);
    expect(distributor_add_worker(d, "special"), -EEXIST);
    expect(distributor_add_worker(d, "crawler-1"), -EEXIST);
    expect(distributor_add_worker(d, NULL), 3);
    expect(distributor_find_worker(d, "special"), 2);
    expect(distributor_find_worker(d, "crawler-3"), 3);
    expect(distributor_find_worker(d, "crawler-2"), -ENOENT);
    expect(distributor_find_worker(d, ""), -ENOENT);
    run(d);
    expect(distributor_add_worker(d, "special"), -EEXIST);
    expect(distributor_add_worker(d, "after join"), 4);
    expect(distributor_find_worker(d, "after join"), 4);
    expect(distributor_destroy(d), 0);
    finish();
}

/* A number that a worker has by name already is left out. */
Test(workers, get_the_next_name_that_is_free)
{
    distributor_t *d = make(NULL);
    expect(distributor_add_worker(d, "worker-1"), 0);
    expect(distributor_add_worker(d, NULL), 1);
    expect(distributor_add_worker(d, NULL), 2);
    expect(distributor_find_worker(d, "worker-1"), 0);
    expect(distributor_find_worker(d, "worker-2"), 1);
    expect(distributor_find_worker(d, "worker-3"), 2);
    expect(distributor_destroy(d), 0);
    finish();
}

#define LONG_NAME "a name of more than fifteen bytes"

static int tell_names(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    char thread[32];
    task_assert(pthread_getname_np(pthread_self(), thread, sizeof(thread)) == 0);
    task_assert(strncmp(thread, LONG_NAME, 15) == 0 && strlen(thread) == 15);
    task_assert(strcmp(distributor_worker_name(self), LONG_NAME) == 0);
    task_assert(distributor_worker_index(self) == 0);
    return 0;
}

static const distributor_task_type_t names = {.name = "names", .run = tell_names};

/* The thread has the first 15 bytes, the worker all of them. */
Test(workers, name_their_threads)
{
    distributor_t *d = make(NULL);
    expect(distributor_add_worker(d, LONG_NAME), 0);
    expect(distributor_add_task(d, &names, NULL, 0), 0);
    run(d);
    expect(distributor_find_worker(d, LONG_NAME), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static int add_one(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_add_worker(distributor_of(self), NULL) == 1);
    return 0;
}

Test(workers, are_added_by_a_task)
{
    static const distributor_task_type_t type = {.name = "add one", .run = add_one};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    expect(distributor_find_worker(d, "worker-1"), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Hooks ---- */

enum { WORKERS = 3 };

static _Thread_local unsigned hooked; /* index of the worker + 1, between its two hooks */
static atomic_uint started[WORKERS], stopped[WORKERS];
static int hook_context;

static void on_started(void *context, unsigned worker, const char *name)
{
    task_assert(context == &hook_context && worker < WORKERS);
    task_assert(strcmp(name, worker < 2 ? (worker == 0 ? "worker-0" : "worker-1") : "late") == 0);
    task_assert(hooked == 0);
    hooked = worker + 1;
    atomic_fetch_add(&started[worker], 1);
}

static void on_stopped(void *context, unsigned worker, const char *name)
{
    task_assert(context == &hook_context && name != NULL);
    task_assert(hooked == worker + 1);
    hooked = 0;
    atomic_fetch_add(&stopped[worker], 1);
}

static int check_hooked(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(hooked == distributor_worker_index(self) + 1);
    task_assert(distributor_context(distributor_of(self)) == &hook_context);
    return 0;
}

/* Each hook once a run for each worker, on the thread that runs its tasks. */
Test(workers, call_the_hooks_on_their_threads)
{
    static const distributor_task_type_t type = {.name = "hooked", .run = check_hooked};
    distributor_t *d = make(OPTIONS(.workers = 2, .context = &hook_context,
                                    .worker_started = on_started, .worker_stopped = on_stopped));
    ensure(distributor_context(d) == &hook_context);
    for (unsigned round = 1; round <= 3; round++) {
        expect(distributor_start(d), 0);
        if (round == 1)
            expect(distributor_add_worker(d, "late"), 2);
        for (int i = 0; i < 100; i++)
            expect(distributor_add_task(d, &type, NULL, 0), 0);
        sum_up(d);
        for (int i = 0; i < WORKERS; i++) {
            expect(atomic_load(&started[i]), round);
            expect(atomic_load(&stopped[i]), round);
        }
    }
    expect(distributor_start(d), 0);
    expect(distributor_destroy(d), 0);
    for (int i = 0; i < WORKERS; i++)
        expect(atomic_load(&started[i]), atomic_load(&stopped[i]));
    finish();
}
