/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * src/pool/await.c: how long a reader waits, by a clock that goes on when it is looked at: the call
 * that reads it is wrapped at link time.
 */
#include "support.h"

TestSuite(await, .timeout = 60);

/* Of the reader, from the first look on; 0: the system's. */
static _Thread_local int64_t reader_clock;

enum { LOOK_NS = 50 };

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (reader_clock == 0)
        return __real_clock_gettime(clock, now);
    reader_clock += LOOK_NS;
    now->tv_sec = (time_t)(reader_clock / 1000000000);
    now->tv_nsec = (long)(reader_clock % 1000000000);
    return 0;
}

/* ---- Results that come fast ---- */

enum { BATCHES = 3, BATCH = 8 };

static sem_t has_emitted, may_go_on;

static int emit_batches(distributor_task_t *self, const void *input, size_t size)
{
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < BATCH; i++)
            task_assert(distributor_emit(self, input, size) == 0);
        sem_post(&has_emitted);
        await(&may_go_on);
    }
    return 0;
}

/* A reader that has just read many lets some come before it looks again, but not for longer than
 * its caller has.  Where there is one CPU it waits in another way. */
Test(await, a_reader_that_lets_some_come_keeps_its_deadline)
{
    static const distributor_task_type_t type = {.name = "batches", .run = emit_batches};
    distributor_result_t r[2 * BATCH];
    sem_init(&has_emitted, 0, 0);
    sem_init(&may_go_on, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    reader_clock = distributor_now();
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(distributor_start(d), 0);
    for (int batch = 0; batch < BATCHES; batch++) {
        if (batch > 0)
            sem_post(&may_go_on);
        await(&has_emitted);
        expect(distributor_next_results(d, r, 2 * BATCH), BATCH);
    }
    int64_t deadline = reader_clock + 4 * LOOK_NS;
    expect(distributor_next_result_until(d, r, deadline), -ETIMEDOUT);
    ensure(reader_clock <= deadline + 4 * LOOK_NS);
    sem_post(&may_go_on);
    expect(sum_up(d).results, BATCHES * BATCH);
    reader_clock = 0;
    expect(distributor_destroy(d), 0);
    sem_destroy(&has_emitted);
    sem_destroy(&may_go_on);
    finish();
}
