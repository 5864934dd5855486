/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of workers: the value they keep, the signals they block, their stacks. */
#include <signal.h>

#include "support.h"

TestSuite(worker_threads, .timeout = 240);

/* ---- Values ---- */

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
        *v = (struct value){distributor_worker_index(self), 0, pthread_self()};
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

Test(worker_threads, keep_a_value)
{
    static const distributor_task_type_t type = {.name = "value", .run = use_value};
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

static int store_again(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    struct value *v = malloc(sizeof(*v));
    *v = (struct value){distributor_worker_index(self), 0, pthread_self()};
    for (int i = 0; i < 3; i++)
        task_assert(distributor_set_worker_value(self, v, destroy_value) == 0);
    task_assert(atomic_load(&values_destroyed) == 0);
    task_assert(distributor_set_worker_value(self, NULL, destroy_value) == 0);
    task_assert(atomic_load(&values_destroyed) == 1);
    return 0;
}

/* The same value stored again is not destroyed, and NULL is no value. */
Test(worker_threads, keep_a_value_that_is_stored_again)
{
    static const distributor_task_type_t type = {.name = "again", .run = store_again};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    expect(atomic_load(&values_destroyed), 1);
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

Test(worker_threads, keep_a_value_that_nobody_destroys)
{
    static const distributor_task_type_t type = {.name = "borrow", .run = borrow};
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    run(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Signals and stacks ---- */

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

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
Test(worker_threads, block_signals)
{
    static const distributor_task_type_t type = {.name = "mask", .run = check_mask};
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

Test(worker_threads, have_the_stack_that_was_asked_for)
{
    static const distributor_task_type_t type = {.name = "stack", .run = check_stack};
    static const size_t stacks[] = {256 * 1024, 1024 * 1024, 32 * 1024 * 1024};
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        distributor_t *d = make(OPTIONS(.workers = 2, .stack_size = stacks[i]));
        for (int k = 0; k < 10; k++)
            expect(distributor_add_task(d, &type, &stacks[i], sizeof(size_t)), 0);
        run(d);
        expect(distributor_destroy(d), 0);
    }
    finish();
}
