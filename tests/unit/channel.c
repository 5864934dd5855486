/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor_channel_*: order, limits, close, deadlines, sizes. */
#include "support.h"

TestSuite(channel, .timeout = 240);

static distributor_channel_t *make_channel(size_t limit)
{
    distributor_channel_t *c = NULL;
    expect(distributor_channel_create(&c, limit), 0);
    ensure(c != NULL);
    return c;
}

static void send_number(distributor_channel_t *c, int number)
{
    expect(distributor_channel_send(c, &number, sizeof(number)), 0);
}

static void receive_number(distributor_channel_t *c, int expected)
{
    int number = -1;
    size_t size = 0;
    expect(distributor_channel_receive(c, &number, sizeof(number), &size), 1);
    expect(size, sizeof(number));
    expect(number, expected);
}

/* ---- one thread ---- */

/* Rounds so that the ring turns and grows in every position. */
Test(channel, first_in_first_out)
{
    static const size_t limits[] = {1, 2, 3, 10, 16, 17, 100, 0};
    for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        distributor_channel_t *c = make_channel(limits[i]);
        int most = limits[i] ? (int)limits[i] : 200;
        for (int round = 0; round < 50; round++) {
            int count = round * 7 % most + 1;
            for (int n = 0; n < count; n++)
                send_number(c, round + n);
            expect(distributor_channel_count(c), count);
            for (int n = 0; n < count; n++)
                receive_number(c, round + n);
            expect(distributor_channel_count(c), 0);
        }
        expect(distributor_channel_destroy(c), 0);
    }
    finish();
}

Test(channel, messages_of_all_sizes)
{
    static unsigned char sent[100000], got[100000];
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 100000};
    distributor_channel_t *c = make_channel(0);
    size_t size;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (unsigned char)(i * 7);
    for (unsigned i = 0; i < 7; i++)
        expect(distributor_channel_send(c, sizes[i] ? sent : NULL, sizes[i]), 0);
    for (unsigned i = 0; i < 7; i++) {
        expect(distributor_channel_receive(c, got, sizeof(got), &size), 1);
        expect(size, sizes[i]);
        ensure(memcmp(sent, got, size) == 0);
    }
    expect(distributor_channel_destroy(c), 0);
    finish();
}

Test(channel, a_message_that_does_not_fit_stays)
{
    distributor_channel_t *c = make_channel(2);
    char buffer[8];
    size_t size = 0;
    expect(distributor_channel_send(c, "1234567", 8), 0);
    expect(distributor_channel_send(c, "a message of more than 16 bytes", 32), 0);
    expect(distributor_channel_receive(c, buffer, 7, &size), -EMSGSIZE);
    expect(size, 8);
    expect(distributor_channel_try_receive(c, NULL, 0, &size), -EMSGSIZE);
    expect(distributor_channel_count(c), 2);
    expect(distributor_channel_receive(c, buffer, 8, NULL), 1);
    expect(strcmp(buffer, "1234567"), 0);
    expect(distributor_channel_receive(c, buffer, 8, &size), -EMSGSIZE);
    expect(size, 32);
    expect(distributor_channel_destroy(c), 0); /* with the message in it */
    finish();
}

Test(channel, full_and_empty)
{
    distributor_channel_t *c = make_channel(1);
    int64_t passed[] = {INT64_MIN, -1, 0, 1, distributor_now()};
    size_t size = 9;
    expect(distributor_channel_try_receive(c, NULL, 0, &size), -EAGAIN);
    expect(size, 0);
    for (unsigned i = 0; i < 5; i++)
        expect(distributor_channel_receive_until(c, NULL, 0, NULL, passed[i]), -ETIMEDOUT);
    expect(distributor_channel_try_send(c, NULL, 0), 0);
    expect(distributor_channel_try_send(c, NULL, 0), -EAGAIN);
    for (unsigned i = 0; i < 5; i++)
        expect(distributor_channel_send_until(c, "longer than 16 bytes", 21, passed[i]),
               -ETIMEDOUT);
    /* A deadline that has passed is no reason not to take what is there. */
    expect(distributor_channel_receive_until(c, NULL, 0, NULL, 0), 1);
    expect(distributor_channel_send_until(c, NULL, 0, 0), 0);
    expect(distributor_channel_destroy(c), 0);
    finish();
}

Test(channel, close_drains)
{
    distributor_channel_t *c = make_channel(3);
    send_number(c, 1);
    send_number(c, 2);
    expect(distributor_channel_close(c), 0);
    expect(distributor_channel_close(c), 0);
    expect(distributor_channel_send(c, NULL, 0), -ESHUTDOWN);
    expect(distributor_channel_try_send(c, "more than sixteen bytes", 24), -ESHUTDOWN);
    expect(distributor_channel_send_until(c, NULL, 0, 0), -ESHUTDOWN);
    receive_number(c, 1);
    receive_number(c, 2);
    for (int i = 0; i < 3; i++) {
        expect(distributor_channel_receive(c, NULL, 0, NULL), 0);
        expect(distributor_channel_try_receive(c, NULL, 0, NULL), 0);
        expect(distributor_channel_receive_until(c, NULL, 0, NULL, 0), 0);
    }
    expect(distributor_channel_destroy(c), 0);
    finish();
}

Test(channel, arguments)
{
    distributor_channel_t *c = make_channel(SIZE_MAX); /* a limit is no allocation */
    char byte;
    expect(distributor_channel_create(NULL, 1), -EINVAL);
    expect(distributor_channel_send(NULL, "x", 1), -EINVAL);
    expect(distributor_channel_send(c, NULL, 1), -EINVAL);
    expect(distributor_channel_send(c, &byte, SIZE_MAX), -EMSGSIZE);
    expect(distributor_channel_receive(NULL, &byte, 1, NULL), -EINVAL);
    expect(distributor_channel_receive(c, NULL, 1, NULL), -EINVAL);
    expect(distributor_channel_close(NULL), -EINVAL);
    expect(distributor_channel_count(NULL), 0);
    expect(distributor_channel_destroy(NULL), 0);
    expect(distributor_channel_destroy(c), 0);
    finish();
}

/* ---- several threads ---- */

struct waiter {
    distributor_channel_t *c;
    sem_t begun;
    atomic_int thread;
    int rc;
};

static void *wait_for_message(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->thread, gettid());
    sem_post(&waiter->begun);
    waiter->rc = distributor_channel_receive(waiter->c, NULL, 0, NULL);
    return NULL;
}

static void *wait_for_room(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->thread, gettid());
    sem_post(&waiter->begun);
    waiter->rc = distributor_channel_send(waiter->c, "longer than 16 bytes", 21);
    return NULL;
}

static pthread_t begin_waiter(struct waiter *waiter, distributor_channel_t *c,
                              void *(*body)(void *))
{
    *waiter = (struct waiter){.c = c};
    sem_init(&waiter->begun, 0, 0);
    pthread_t thread = begin_thread(body, waiter);
    await(&waiter->begun);
    while (!sleeps(atomic_load(&waiter->thread)))
        nap(100000);
    return thread;
}

Test(channel, close_wakes_all)
{
    distributor_channel_t *empty = make_channel(1), *full = make_channel(1);
    struct waiter waiters[8];
    pthread_t threads[8];
    send_number(full, 1);
    for (int i = 0; i < 8; i++)
        threads[i] = begin_waiter(&waiters[i], i % 2 ? empty : full,
                                  i % 2 ? wait_for_message : wait_for_room);
    expect(distributor_channel_close(empty), 0);
    expect(distributor_channel_close(full), 0);
    for (int i = 0; i < 8; i++) {
        end_thread(threads[i]);
        expect(waiters[i].rc, i % 2 ? 0 : -ESHUTDOWN);
    }
    expect(distributor_channel_count(full), 1); /* what was refused is not in it */
    expect(distributor_channel_destroy(empty), 0);
    expect(distributor_channel_destroy(full), 0);
    finish();
}

Test(channel, each_message_wakes_one)
{
    distributor_channel_t *c = make_channel(0);
    struct waiter waiters[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = begin_waiter(&waiters[i], c, wait_for_message);
    for (int i = 0; i < 4; i++)
        expect(distributor_channel_send(c, NULL, 0), 0);
    for (int i = 0; i < 4; i++) {
        end_thread(threads[i]);
        expect(waiters[i].rc, 1);
    }
    expect(distributor_channel_destroy(c), 0);
    finish();
}

/* A receiver with too little room must hand on what it was woken for. */
Test(channel, a_message_too_large_for_one_receiver_reaches_another)
{
    for (int round = 0; round < 20; round++) {
        distributor_channel_t *c = make_channel(0);
        struct waiter small[2];
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            threads[i] = begin_waiter(&small[i], c, wait_for_message); /* no room at all */
        expect(distributor_channel_send(c, "x", 1), 0);
        for (int i = 0; i < 2; i++) {
            end_thread(threads[i]);
            expect(small[i].rc, -EMSGSIZE);
        }
        expect(distributor_channel_count(c), 1);
        expect(distributor_channel_destroy(c), 0);
    }
    finish();
}

/* ---- inside tasks ---- */

static int pass_on(distributor_task_t *self, const void *input, size_t size)
{
    distributor_channel_t *const *channels = input;
    int number, rc;
    (void)size;
    while ((rc = distributor_channel_receive(channels[0], &number, sizeof(number), NULL)) == 1) {
        number++;
        task_assert(distributor_channel_send(channels[1], &number, sizeof(number)) == 0);
        task_assert(distributor_emit(self, &number, sizeof(number)) == 0);
    }
    distributor_channel_close(channels[1]);
    return rc;
}

/* A chain of tasks, each of which holds a worker. */
Test(channel, a_pipeline_of_tasks)
{
    static const distributor_task_type_t stage = {.name = "stage", .run = pass_on};
    distributor_channel_t *channels[5];
    distributor_t *d = make(OPTIONS(.workers = 4));
    for (int i = 0; i < 5; i++)
        channels[i] = make_channel(i == 4 ? 0 : 2);
    for (int i = 0; i < 4; i++)
        expect(distributor_add_task(d, &stage, &channels[i], 2 * sizeof(channels[0])), 0);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 1000; i++)
        send_number(channels[0], i);
    expect(distributor_channel_close(channels[0]), 0);
    expect(sum_up(d).results, 4000);
    for (int i = 0; i < 1000; i++)
        receive_number(channels[4], i + 4);
    expect(distributor_channel_receive(channels[4], NULL, 0, NULL), 0);
    for (int i = 0; i < 5; i++)
        expect(distributor_channel_destroy(channels[i]), 0);
    expect(distributor_destroy(d), 0);
    finish();
}
