/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers: their number, names, threads, hooks, values and signals. */
#include <limits.h>
#include <sched.h>
#include <signal.h>

#include "support.h"

TestSuite(workers, .timeout = 60);

/* ---- Number --------------------------------------------------------------------------------------------------------- */

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

Test(workers, the_most_there_can_be)
{
    distributor_t *d = make(OPTIONS(.workers = DISTRIBUTOR_MAX_WORKERS));
    expect(distributor_add_worker(d, NULL), -ENOSPC);
    expect(distributor_add_worker(d, "one more"), -ENOSPC);
    expect(distributor_find_worker(d, "worker-65535"), 65535);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Names ---------------------------------------------------------------------------------------------------------- */

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

static const distributor_task_type_t names = { .name = "names", .run = tell_names };

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

/* ---- Hooks ---------------------------------------------------------------------------------------------------------- */

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
    static const distributor_task_type_t type = { .name = "hooked", .run = check_hooked };
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

/* ---- Values --------------------------------------------------------------------------------------------------------- */

static atomic_uint values_made, values_destroyed;

struct value {
    unsigned worker;
    unsigned uses;
    pthread_t thread;
};

static void destroy_value(void *value)
{
    struct value *v = value;
    task_assert(pthread_equal(v->thread, pthread_self()));
    atomic_fetch_add(&values_destroyed, 1);
    free(v);
}

/* The first task on a worker makes the value; every hundredth use replaces it. */
static int use_value(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    struct value *v = distributor_worker_value(self);
    if (v == NULL || v->uses == 100) {
        v = malloc(sizeof(*v));
        *v = (struct value) { distributor_worker_index(self), 0, pthread_self() };
        atomic_fetch_add(&values_made, 1);
        unsigned before = atomic_load(&values_destroyed);
        bool had_one = distributor_worker_value(self) != NULL;
        task_assert(distributor_set_worker_value(self, v, destroy_value) == 0);
        task_assert(!had_one || atomic_load(&values_destroyed) > before);
        task_assert(distributor_worker_value(self) == v);
    }
    task_assert(v->worker == distributor_worker_index(self));
    v->uses++;
    return 0;
}

Test(workers, keep_a_value)
{
    static const distributor_task_type_t type = { .name = "value", .run = use_value };
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            expect(distributor_add_task(d, &type, NULL, 0), 0);
        run(d);
        ensure(atomic_load(&values_made) >= 10 * (unsigned)(round + 1));
        expect(atomic_load(&values_destroyed), atomic_load(&values_made));
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int borrowed;

static int borrow(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    task_assert(distributor_worker_value(self) == NULL);
    task_assert(distributor_set_worker_value(self, &borrowed, NULL) == 0);
    task_assert(distributor_worker_value(self) == &borrowed);
    task_assert(distributor_set_worker_value(self, NULL, NULL) == 0);
    return 0;
}

Test(workers, keep_a_value_that_nobody_destroys)
{
    static const distributor_task_type_t type = { .name = "borrow", .run = borrow };
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Signals and stacks --------------------------------------------------------------------------------------------- */

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };

static bool is_fault(int signal)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (signal == faults[i])
            return true;
    return false;
}

static int check_mask(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sigset_t mask;
    task_assert(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP || (signal > 31 && signal < SIGRTMIN))
            continue;
        task_assert(sigismember(&mask, signal) == !is_fault(signal));
    }
    return 0;
}

/* Whatever the starting thread blocks; and its own mask stays as it is. */
Test(workers, block_signals)
{
    static const distributor_task_type_t type = { .name = "mask", .run = check_mask };
    sigset_t before, mine, after;
    sigemptyset(&mine);
    sigaddset(&mine, SIGSEGV);
    sigaddset(&mine, SIGUSR1);
    expect(pthread_sigmask(SIG_SETMASK, &mine, &before), 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(distributor_add_worker(d, NULL), 1);
    for (int i = 0; i < 100; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    sum_up(d);
    expect(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
    for (int signal = 1; signal < 32; signal++)
        expect(sigismember(&after, signal), signal == SIGSEGV || signal == SIGUSR1);
    expect(distributor_destroy(d), 0);
    finish();
}

static int check_stack(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    pthread_attr_t attributes;
    size_t stack, wanted;
    task_assert(size == sizeof(wanted));
    memcpy(&wanted, input, sizeof(wanted));
    task_assert(pthread_getattr_np(pthread_self(), &attributes) == 0);
    task_assert(pthread_attr_getstacksize(&attributes, &stack) == 0);
    task_assert(stack >= wanted && stack < 2 * wanted);
    pthread_attr_destroy(&attributes);
    return 0;
}

Test(workers, have_the_stack_that_was_asked_for)
{
    static const distributor_task_type_t type = { .name = "stack", .run = check_stack };
    static const size_t stacks[] = { 256 * 1024, 1024 * 1024, 32 * 1024 * 1024 };
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        distributor_t *d = make(OPTIONS(.workers = 2, .stack_size = stacks[i]));
        for (int k = 0; k < 10; k++)
            expect(distributor_add_task(d, &type, &stacks[i], sizeof(size_t)), 0);
        run(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}
