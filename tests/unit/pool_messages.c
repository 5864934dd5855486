/* SPDX-License-Identifier: BSD-2-Clause */
/* Mailboxes, and what the library says through the log hook. */
#include "support.h"

TestSuite(messages, .timeout = 240);

static sem_t begun, gate;

/* ---- Mailboxes ---- */

static int count_mail(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_message_t m;
    unsigned n = 0;
    while (distributor_receive(self, &m) == 1)
        n++;
    return distributor_emit(self, &n, sizeof(n));
}

static const distributor_task_type_t counter = {.name = "count", .run = count_mail};

static unsigned one_count(distributor_t *d)
{
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    unsigned n = *(const unsigned *)r.data;
    expect(distributor_next_result(d, &r), 0);
    return n;
}

/* A message is no work: it does not delay STOP, and join drops it. */
Test(messages, are_dropped_at_join)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_send(d, 0, "never read", 10), 0);
    run(d);
    expect(distributor_add_task(d, &counter, NULL, 0), 0);
    run(d);
    expect(one_count(d), 0);
    /* After join they belong to the next run. */
    for (int i = 0; i < 5; i++)
        expect(distributor_send(d, 0, "for the next run", 16), 0);
    expect(distributor_add_task(d, &counter, NULL, 0), 0);
    run(d);
    expect(one_count(d), 5);
    expect(distributor_send(d, 0, "never read", 10), 0);
    expect(distributor_destroy(d), 0);
    finish();
}

enum { SENDERS = 4, EACH = 2000 };

struct sender {
    distributor_t *d;
    unsigned id;
};

static void *send_numbers(void *argument)
{
    struct sender *s = argument;
    for (unsigned i = 0; i < EACH; i++) {
        unsigned letter[2] = {s->id, i};
        task_assert(distributor_send(s->d, 0, letter, sizeof(letter)) == 0);
    }
    return NULL;
}

static int receive_all(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    unsigned next[SENDERS] = {0};
    for (unsigned n = 0; n < SENDERS * EACH;) {
        distributor_message_t m;
        if (distributor_receive(self, &m) == 0) {
            sched_yield();
            continue;
        }
        unsigned letter[2];
        task_assert(m.size == sizeof(letter));
        memcpy(letter, m.data, sizeof(letter));
        task_assert(letter[0] < SENDERS && letter[1] == next[letter[0]]);
        next[letter[0]]++;
        n++;
    }
    return 0;
}

/* None is lost, and each sender's come in its order. */
Test(messages, of_many_senders)
{
    static const distributor_task_type_t type = {.name = "receive", .run = receive_all};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    expect(distributor_start(d), 0);
    pthread_t thread[SENDERS];
    struct sender sender[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        sender[i] = (struct sender){d, i};
        thread[i] = begin_thread(send_numbers, &sender[i]);
    }
    for (int i = 0; i < SENDERS; i++)
        end_thread(thread[i]);
    expect(sum_up(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- The log ---- */

static atomic_uint named_by_the_log, about_worker[2];

static void on_log(void *context, distributor_log_level_t level, const char *worker,
                   const char *message)
{
    task_assert(context == &named_by_the_log);
    task_assert(level >= DISTRIBUTOR_LOG_ERROR && level <= DISTRIBUTOR_LOG_DEBUG);
    task_assert(message != NULL && strchr(message, '\n') == NULL);
    if (strstr(message, "the stubborn task") == NULL)
        return;
    atomic_fetch_add(&named_by_the_log, 1);
    for (int i = 0; i < 2; i++)
        if (worker != NULL && strcmp(worker, i == 0 ? "worker-0" : "worker-1") == 0)
            atomic_fetch_add(&about_worker[i], 1);
}

static int wait_at_gate(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

/* A join whose deadline passes names the tasks that hold it up, and can be repeated. */
Test(messages, a_late_join_names_the_tasks)
{
    static const distributor_task_type_t type = {.name = "the stubborn task", .run = wait_at_gate};
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 2, .context = &named_by_the_log, .log = on_log));
    expect(distributor_start(d), 0);
    for (int i = 0; i < 2; i++)
        expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    await(&begun);
    distributor_summary_t s = {.added = 77};
    int64_t deadline = distributor_now() + MILLISECONDS(20);
    expect(distributor_join_until(d, &s, deadline), -ETIMEDOUT);
    ensure(distributor_now() >= deadline);
    expect(s.added, 77);
    expect(atomic_load(&named_by_the_log), 2);
    /* It stays closed. */
    expect(distributor_add_task(d, &nothing, NULL, 0), -ESHUTDOWN);
    expect(distributor_join_until(d, NULL, 0), -ETIMEDOUT);
    expect(atomic_load(&named_by_the_log), 4);
    expect(atomic_load(&about_worker[0]), 2);
    expect(atomic_load(&about_worker[1]), 2);
    sem_post(&gate);
    sem_post(&gate);
    expect(distributor_join_until(d, &s, DISTRIBUTOR_FOREVER), 0);
    expect(s.completed, 2);
    add_up(&s);
    expect(distributor_join_until(d, NULL, DISTRIBUTOR_FOREVER), -EINVAL);
    expect(distributor_destroy(d), 0);
    sem_destroy(&begun);
    sem_destroy(&gate);
    finish();
}

/* A task type without a name is called "task"; without a log hook nothing is said. */
Test(messages, a_late_join_without_a_log)
{
    static const distributor_task_type_t type = {.run = wait_at_gate};
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, NULL, 0), 0);
    await(&begun);
    expect(distributor_join_until(d, NULL, distributor_now()), -ETIMEDOUT);
    sem_post(&gate);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    sem_destroy(&begun);
    sem_destroy(&gate);
    finish();
}
