/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor_event_*. */
#include "support.h"

TestSuite(event, .timeout = 240);

static distributor_event_t *make_event(void)
{
    distributor_event_t *e = NULL;
    expect(distributor_event_create(&e), 0);
    ensure(e != NULL);
    return e;
}

Test(event, set_and_clear)
{
    distributor_event_t *e = make_event();
    for (int round = 0; round < 3; round++) {
        ensure(!distributor_event_is_set(e));
        expect(distributor_event_wait_until(e, 0), -ETIMEDOUT);
        expect(distributor_event_wait_until(e, INT64_MIN), -ETIMEDOUT);
        expect(distributor_event_wait_until(e, distributor_now() + 1000), -ETIMEDOUT);
        expect(distributor_event_set(e), 0);
        expect(distributor_event_set(e), 0);
        ensure(distributor_event_is_set(e));
        expect(distributor_event_wait(e), 0);
        expect(distributor_event_wait_until(e, 0), 0);
        expect(distributor_event_clear(e), 0);
        expect(distributor_event_clear(e), 0);
    }
    expect(distributor_event_destroy(e), 0);
    finish();
}

Test(event, arguments)
{
    expect(distributor_event_create(NULL), -EINVAL);
    expect(distributor_event_set(NULL), -EINVAL);
    expect(distributor_event_clear(NULL), -EINVAL);
    expect(distributor_event_wait(NULL), -EINVAL);
    expect(distributor_event_wait_until(NULL, 0), -EINVAL);
    ensure(!distributor_event_is_set(NULL));
    expect(distributor_event_destroy(NULL), 0);
    finish();
}

struct waiter {
    distributor_event_t *e;
    sem_t begun;
    atomic_int thread;
    int rc;
};

static void *wait_for_event(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->thread, gettid());
    sem_post(&waiter->begun);
    waiter->rc = distributor_event_wait(waiter->e);
    return NULL;
}

/* All that sleep go on, even though the event is not set when they look. */
Test(event, set_and_cleared_at_once_lets_all_go)
{
    distributor_event_t *e = make_event();
    for (unsigned round = rounds(200); round > 0; round--) {
        struct waiter waiters[5];
        pthread_t threads[5];
        for (int i = 0; i < 5; i++) {
            waiters[i] = (struct waiter){.e = e, .rc = -1};
            sem_init(&waiters[i].begun, 0, 0);
            threads[i] = begin_thread(wait_for_event, &waiters[i]);
        }
        for (int i = 0; i < 5; i++) {
            await(&waiters[i].begun);
            while (!sleeps(atomic_load(&waiters[i].thread)))
                nap(10000);
        }
        expect(distributor_event_set(e), 0);
        expect(distributor_event_clear(e), 0);
        for (int i = 0; i < 5; i++) {
            end_thread(threads[i]);
            expect(waiters[i].rc, 0);
        }
        ensure(!distributor_event_is_set(e));
    }
    expect(distributor_event_destroy(e), 0);
    finish();
}

static void *wait_and_destroy(void *argument)
{
    distributor_event_t *e = argument;
    task_assert(distributor_event_wait(e) == 0);
    task_assert(distributor_event_destroy(e) == 0);
    return NULL;
}

/* Who waits may destroy while the one that set it is still in the call. */
Test(event, destroyed_by_the_one_that_waited)
{
    for (unsigned round = rounds(5000); round > 0; round--) {
        distributor_event_t *e = make_event();
        pthread_t thread = begin_thread(wait_and_destroy, e);
        expect(distributor_event_set(e), 0);
        end_thread(thread);
    }
    finish();
}
