/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * destroy while other threads wait inside the distributor: they return -ESHUTDOWN, and destroy
 * waits for them.  A caller counts as inside when it sleeps in the kernel after it said that it
 * was about to call.
 */
#include "support.h"

TestSuite(destroy_callers, .timeout = 240);

struct caller {
    distributor_t *d;
    int (*call)(distributor_t *d);
    int returned;
    pthread_t thread;
    atomic_int id; /* of the thread, once it is about to call */
};

static void *call_it(void *argument)
{
    struct caller *c = argument;
    atomic_store(&c->id, gettid());
    c->returned = c->call(c->d);
    return NULL;
}

static void begin_call(struct caller *c, distributor_t *d, int (*call)(distributor_t *d))
{
    c->d = d;
    c->call = call;
    atomic_init(&c->id, 0);
    c->thread = begin_thread(call_it, c);
    while (atomic_load(&c->id) == 0 || !sleeps(atomic_load(&c->id)))
        nap(100000);
}

static int end_call(struct caller *c)
{
    end_thread(c->thread);
    return c->returned;
}

static int call_add(distributor_t *d)
{
    return distributor_add_task(d, &nothing, NULL, 0);
}

static int call_add_until(distributor_t *d)
{
    return distributor_add_task_until(d, &nothing, NULL, 0, DISTRIBUTOR_FOREVER);
}

static int call_add_tasks(distributor_t *d)
{
    return (int)distributor_add_tasks(d, &nothing, "xy", 1, 2);
}

static int call_next_result(distributor_t *d)
{
    distributor_result_t r;
    return distributor_next_result(d, &r);
}

static int call_next_result_until(distributor_t *d)
{
    distributor_result_t r;
    return distributor_next_result_until(d, &r, DISTRIBUTOR_FOREVER);
}

static int call_next_results(distributor_t *d)
{
    distributor_result_t r[4];
    return (int)distributor_next_results(d, r, 4);
}

static int call_join(distributor_t *d)
{
    return distributor_join(d, NULL);
}

enum { CALLERS = 3 };

static void destroy_under(distributor_t *d, int (*const calls[CALLERS])(distributor_t *))
{
    struct caller caller[2 * CALLERS];
    for (int i = 0; i < 2 * CALLERS; i++)
        begin_call(&caller[i], d, calls[i % CALLERS]);
    expect(distributor_destroy(d), 0);
    for (int i = 0; i < 2 * CALLERS; i++)
        expect(end_call(&caller[i]), -ESHUTDOWN);
    finish();
}

static int (*const adds[CALLERS])(distributor_t *) = {call_add, call_add_until, call_add_tasks};
static int (*const reads[CALLERS])(distributor_t *) = {call_next_result, call_next_result_until,
                                                       call_next_results};

/* ---- Adders and readers ---- */

Test(destroy_callers, adders_before_start)
{
    distributor_t *d =
        make(OPTIONS(.workers = 1, .input_limit = 1, .deadlock_ns = DISTRIBUTOR_FOREVER));
    expect(call_add(d), 0);
    destroy_under(d, adds);
}

static sem_t begun;

static int run_until_told(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    sem_post(&begun);
    while (!distributor_should_stop(self))
        nap(100000);
    return 0;
}

static const distributor_task_type_t until_told = {.name = "until told", .run = run_until_told};

Test(destroy_callers, adders_while_it_runs)
{
    sem_init(&begun, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1, .input_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &until_told, NULL, 0), 0);
    await(&begun);
    expect(call_add(d), 0);
    destroy_under(d, adds);
    sem_destroy(&begun);
}

Test(destroy_callers, readers_before_start)
{
    destroy_under(make(OPTIONS(.workers = 1)), reads);
}

Test(destroy_callers, readers_while_it_runs)
{
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    destroy_under(d, reads);
}

/* ---- A task that emits, and a thread that joins ---- */

static atomic_int emitter_id, emit_returned, discarded;

static int emit_twice(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(distributor_emit(self, input, size) == 0);
    atomic_store(&emitter_id, gettid());
    atomic_store(&emit_returned, distributor_emit(self, input, size));
    return 0;
}

static void count_discarded(void *data, size_t size)
{
    task_assert(size == 3 && memcmp(data, "abc", 3) == 0);
    atomic_fetch_add(&discarded, 1);
}

Test(destroy_callers, an_emit_that_waits_for_room)
{
    static const distributor_task_type_t type = {
        .name = "twice",
        .run = emit_twice,
        .discard_result = count_discarded,
    };
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, "abc", 3), 0);
    while (atomic_load(&emitter_id) == 0 || !sleeps(atomic_load(&emitter_id)))
        nap(100000);
    expect(distributor_destroy(d), 0);
    expect(atomic_load(&emit_returned), -ECANCELED);
    expect(atomic_load(&discarded), 2);
    finish();
}

Test(destroy_callers, a_thread_that_joins)
{
    sem_init(&begun, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &until_told, NULL, 0), 0);
    await(&begun);
    struct caller joiner;
    begin_call(&joiner, d, call_join);
    expect(distributor_destroy(d), 0);
    expect(end_call(&joiner), -ESHUTDOWN);
    sem_destroy(&begun);
    finish();
}

/* ---- Calls that begin when it has begun, while a task still holds it up ---- */

static sem_t gate;

static int run_until_gate(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

static void *destroy_it(void *d)
{
    task_assert(distributor_destroy(d) == 0);
    return NULL;
}

Test(destroy_callers, calls_that_come_too_late)
{
    static const distributor_task_type_t type = {.name = "until gate", .run = run_until_gate};
    distributor_result_t r;
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1)), *other = make(NULL);
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    pthread_t destroyer = begin_thread(destroy_it, d);
    int rc;
    while ((rc = call_add(d)) == 0)
        nap(100000);
    expect(rc, -ESHUTDOWN);
    expect(distributor_start(d), -ESHUTDOWN);
    expect(distributor_close(d), -ESHUTDOWN);
    expect(distributor_cancel(d), -ESHUTDOWN);
    expect(distributor_join(d, NULL), -ESHUTDOWN);
    expect(distributor_run(d, NULL), -ESHUTDOWN);
    expect(distributor_is_idle(d), -ESHUTDOWN);
    expect(distributor_add_worker(d, NULL), -ESHUTDOWN);
    expect(distributor_try_next_result(d, &r), -ESHUTDOWN);
    expect(distributor_pipe(d, other, &nothing), -ESHUTDOWN);
    sem_post(&gate);
    end_thread(destroyer);
    expect(distributor_destroy(other), 0);
    sem_destroy(&gate);
    sem_destroy(&begun);
    finish();
}
