/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a worker gives way to a thread that adds or reads: a worker for each CPU is awake, that
 * thread was seen lately on the worker's own, and other workers go on.  The kernel's part is played
 * by the test.
 */
#include "pool/crowd.h"
#include "pool/registry.h"
#include "support.h"

#include <sched.h>

TestSuite(crowd, .timeout = 240);

#define MILLISECOND INT64_C(1000000)

static int cpu;
static int64_t clock_ns = MILLISECOND; /* what the library takes for the time, if not 0 */
static unsigned yields;

int __wrap_sched_getcpu(void);
int __wrap_sched_getcpu(void)
{
    return cpu;
}

int __wrap_sched_yield(void);
int __wrap_sched_yield(void)
{
    yields++;
    return 0;
}

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock_ns == 0)
        return __real_clock_gettime(clock, time);
    *time = (struct timespec){.tv_sec = clock_ns / 1000000000, .tv_nsec = clock_ns % 1000000000};
    return 0;
}

/* Two workers of two CPUs that are awake, as far as is known, and a note on CPU 1, where the first
 * worker is; the second one has ended a task. */
struct fixture {
    distributor_t *d;
    struct distr_record *outside;
    struct distr_worker *worker, *other;
};

static struct fixture crowded(void)
{
    struct fixture f = {.d = NULL};

    clock_ns = 100 * MILLISECOND;
    yields = 0;
    f.d = make(OPTIONS(.workers = 2));
    expect(distr_record_self(f.d, &f.outside), 0);
    f.d->cpus = 2;
    f.worker = f.d->all[0];
    f.other = f.d->all[1];
    cpu = 1;
    distr_crowd_note(f.outside);
    distr_count(&f.other->record.completed, 1);
    return f;
}

/* How often the worker gives way when it is asked once. */
static unsigned asked(const struct fixture *f)
{
    unsigned before = yields;

    distr_give_way(f->worker);
    return yields - before;
}

static void end(struct fixture *f)
{
    atomic_store(&f->other->record.completed, 0);
    clock_ns = 0;
    expect(distributor_destroy(f->d), 0);
    finish();
}

Test(crowd, a_worker_gives_way_on_the_cpu_of_an_outside_thread)
{
    struct fixture f = crowded();

    expect(asked(&f), 1);
    expect(asked(&f), 1);
    cpu = 0;
    expect(asked(&f), 0);
    end(&f);
}

Test(crowd, not_where_a_cpu_is_free)
{
    struct fixture f = crowded();

    f.d->cpus = 3;
    expect(asked(&f), 0);
    end(&f);
}

Test(crowd, not_while_the_other_workers_are_in_long_tasks)
{
    struct fixture f = crowded();

    expect(asked(&f), 1);
    clock_ns += 2 * MILLISECOND;
    expect(asked(&f), 0);
    expect(asked(&f), 0);
    clock_ns += 2 * MILLISECOND;
    distr_count(&f.other->record.completed, 1);
    expect(asked(&f), 1);
    end(&f);
}

Test(crowd, its_own_tasks_do_not_count)
{
    struct fixture f = crowded();

    expect(asked(&f), 1);
    clock_ns += 2 * MILLISECOND;
    distr_count(&f.worker->record.completed, 1);
    expect(asked(&f), 0);
    atomic_store(&f.worker->record.completed, 0);
    end(&f);
}

Test(crowd, not_to_a_thread_that_sleeps_or_has_not_called_for_long)
{
    struct fixture f = crowded();

    clock_ns += 19 * MILLISECOND;
    expect(asked(&f), 1);
    clock_ns += 2 * MILLISECOND;
    distr_count(&f.other->record.completed, 1);
    expect(asked(&f), 0);
    distr_crowd_note(f.outside);
    expect(asked(&f), 1);
    distr_crowd_leave(f.outside);
    expect(asked(&f), 0);
    distr_crowd_come(f.outside);
    expect(asked(&f), 1);
    end(&f);
}

Test(crowd, a_thread_says_where_it_is_in_every_sixteenth_call)
{
    struct fixture f = crowded();

    distr_crowd_leave(f.outside);
    distr_crowd_come(f.outside);
    cpu = 0;
    for (unsigned i = 1; i < DISTR_CALLS_TO_NOTE; i++) {
        distr_crowd_come(f.outside);
        expect(f.d->outside_cpu, 1);
    }
    distr_crowd_come(f.outside);
    expect(f.d->outside_cpu, 0);
    end(&f);
}
