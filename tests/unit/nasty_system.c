/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nasty uses that the system has a part in: signals, real-time threads, small stacks, the end of a
 * thread.  tests/README.md says which scenario each test shows.
 */
#include <fcntl.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "support.h"

TestSuite(nasty_system, .timeout = 240);

/* ---- Signals ---- */

static _Thread_local bool is_worker;
static atomic_uint handled, handled_by_a_worker;
static atomic_bool interrupting;
static sem_t interrupted;

static void mark_worker(void *context, unsigned worker, const char *name)
{
    (void)context, (void)worker, (void)name;
    is_worker = true;
}

/* What a handler may do: it counts, and posts to a thread that calls the library. */
static void on_interrupt(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
    atomic_fetch_add(&handled_by_a_worker, is_worker);
    sem_post(&interrupted);
}

/* Two at a time, without end. */
static void *interrupt(void *unused)
{
    while (atomic_load(&interrupting)) {
        kill(getpid(), SIGINT);
        kill(getpid(), SIGINT);
        nap(MILLISECONDS(1) / 5);
    }
    return unused;
}

static int echo_slowly(distributor_task_t *self, const void *input, size_t size)
{
    nap(MILLISECONDS(1) / 10);
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t slow_echo = { .name = "slow echo", .run = echo_slowly };

static void *add_200(void *d)
{
    for (unsigned i = 0; i < 200; i++)
        task_assert(distributor_add_task(d, &slow_echo, &i, sizeof(i)) == 0);
    task_assert(distributor_close(d) == 0);
    return NULL;
}

static struct sigaction host_handlers[NSIG];

static void note_handlers(void)
{
    for (int i = 1; i < NSIG; i++)
        sigaction(i, NULL, &host_handlers[i]);
}

static void expect_the_same_handlers(void)
{
    for (int i = 1; i < NSIG; i++) {
        struct sigaction now;
        if (sigaction(i, NULL, &now) == 0)
            ensure(now.sa_handler == host_handlers[i].sa_handler &&
                   now.sa_flags == host_handlers[i].sa_flags);
    }
}

/* The kernel prefers the first thread of a process; while that one and its children block SIGINT,
 * a worker would get it that does not. */
static void block_sigint(bool block)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    expect(pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

static void begin_interrupting(pthread_t *thread)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    sem_init(&interrupted, 0, 0);
    expect(sigaction(SIGINT, &action, NULL), 0);
    note_handlers();
    atomic_store(&interrupting, true);
    block_sigint(true);
    *thread = begin_thread(interrupt, NULL);
}

static void end_interrupting(pthread_t thread)
{
    block_sigint(false);
    while (atomic_load(&handled) == 0) /* the other thread may not have begun */
        nap(MILLISECONDS(1));
    atomic_store(&interrupting, false);
    end_thread(thread);
    expect_the_same_handlers();
    expect(atomic_load(&handled_by_a_worker), 0);
    sem_destroy(&interrupted);
}

/* SIGINT, twice, again and again, in every state: created, started, while calls wait for room, for
 * a result and for the end, joined, destroyed.  No call notices; the handler stays the host's and
 * runs on the host's threads. */
Test(nasty_system, sigint_in_every_state)
{
    pthread_t interrupter;
    begin_interrupting(&interrupter);
    for (unsigned n = 1 + rounds(20); n > 0; n--) {
        block_sigint(n % 2);
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 3, .output_limit = 3,
                                        .worker_started = mark_worker));
        nap(MILLISECONDS(1));
        expect(distributor_start(d), 0);
        nap(MILLISECONDS(1));
        pthread_t adder = begin_thread(add_200, d);
        expect(drain(d), 200);
        end_thread(adder);
        expect(sum_up(d).completed, 200);
        nap(MILLISECONDS(1));
        expect(distributor_add_task(d, &slow_echo, "x", 1), 0);
        expect(run(d).completed, 1);
        expect(distributor_destroy(d), 0);
    }
    end_interrupting(interrupter);
    finish();
}

static void *stop_when_interrupted(void *d)
{
    await(&interrupted);
    task_assert(distributor_stop(d) == 0);
    return NULL;
}

static void *add_until_refused(void *d)
{
    uintptr_t n = 0;
    int rc;
    while ((rc = distributor_add_task(d, &nothing, NULL, 0)) == 0)
        n++;
    task_assert(rc == -ESHUTDOWN);
    return (void *)n;
}

/* A handler may not call the library; it posts, and a thread that waits for that stops. */
Test(nasty_system, a_handler_that_only_posts_stops_it)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    expect(sigaction(SIGINT, &action, NULL), 0);
    for (unsigned n = rounds(50); n > 0; n--) {
        sem_init(&interrupted, 0, 0);
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 10));
        expect(distributor_start(d), 0);
        pthread_t stopper = begin_thread(stop_when_interrupted, d);
        pthread_t adder = begin_thread(add_until_refused, d);
        nap((int64_t)(n * 37 % 11) * 100000);
        kill(getpid(), SIGINT);
        void *added;
        expect(pthread_join(adder, &added), 0);
        end_thread(stopper);
        expect(sum_up(d).completed, (uintptr_t)added);
        expect(distributor_destroy(d), 0);
        sem_destroy(&interrupted);
    }
    finish();
}

/* ---- Descriptors ---- */

static unsigned count_descriptors(void)
{
    unsigned n = 0;
    DIR *folder = opendir("/proc/self/fd");
    ensure(folder != NULL);
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n;
}

/* A program that is executed inherits nothing, for there is nothing: not a descriptor. */
Test(nasty_system, no_descriptor_is_open_while_it_runs)
{
    unsigned before = count_descriptors();
    distributor_t *d = make(OPTIONS(.workers = 4, .input_limit = 10, .output_limit = 10));
    expect(count_descriptors(), before);
    expect(distributor_start(d), 0);
    pthread_t adder = begin_thread(add_200, d);
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    expect(count_descriptors(), before);
    expect(drain(d), 199);
    end_thread(adder);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Real-time threads ---- */

static cpu_set_t shared_cpu;
static atomic_bool may_be_real_time;

static void pin(void)
{
    pthread_setaffinity_np(pthread_self(), sizeof(shared_cpu), &shared_cpu);
}

static void pin_worker(void *context, unsigned worker, const char *name)
{
    (void)context, (void)worker, (void)name;
    pin();
}

static bool become_real_time(void)
{
    struct sched_param priority = { .sched_priority = 10 };
    pin();
    bool done = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
    atomic_store(&may_be_real_time, done);
    return done;
}

static void *add_in_real_time(void *d)
{
    if (become_real_time())
        for (unsigned i = 0; i < 3000; i++)
            task_assert(distributor_add_task(d, &echo, &i, sizeof(i)) == 0);
    task_assert(distributor_close(d) == 0);
    return NULL;
}

static void *read_in_real_time(void *d)
{
    distributor_result_t r;
    uintptr_t n = 0;
    if (become_real_time())
        while (distributor_next_result(d, &r) == 1)
            n++;
    return (void *)n;
}

static void choose_cpu(void)
{
    cpu_set_t all;
    expect(sched_getaffinity(0, sizeof(all), &all), 0);
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all))
            last = i;
    CPU_ZERO(&shared_cpu);
    CPU_SET(last, &shared_cpu);
}

/* On one CPU, a SCHED_FIFO thread that spun for room or for a result would keep the worker, which
 * has to make it, from running: it has to sleep. */
Test(nasty_system, a_real_time_adder_sleeps_for_room)
{
    choose_cpu();
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 1, .worker_started = pin_worker));
    expect(distributor_start(d), 0);
    pthread_t adder = begin_thread(add_in_real_time, d);
    uint64_t read = drain(d);
    end_thread(adder);
    expect(sum_up(d).completed, read);
    expect(distributor_destroy(d), 0);
    if (!atomic_load(&may_be_real_time))
        cr_skip_test("no right to SCHED_FIFO here");
    expect(read, 3000);
    finish();
}

Test(nasty_system, a_real_time_reader_sleeps_for_a_result)
{
    choose_cpu();
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1, .worker_started = pin_worker));
    for (unsigned i = 0; i < 3000; i++)
        expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
    expect(distributor_close(d), 0);
    expect(distributor_start(d), 0);
    pthread_t reader = begin_thread(read_in_real_time, d);
    void *read;
    expect(pthread_join(reader, &read), 0);
    if (!atomic_load(&may_be_real_time)) {
        expect(distributor_destroy(d), 0);
        cr_skip_test("no right to SCHED_FIFO here");
    }
    expect((uintptr_t)read, 3000);
    expect(sum_up(d).completed, 3000);
    expect(distributor_destroy(d), 0);
    finish();
}
