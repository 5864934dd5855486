/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of channels: two that send and two that receive, close, deadlines.  Each message is a
 * number; what a send took is received once, and nobody sleeps beside what it needs.
 */
#include "schedule/schedule.h"

#include <distributor.h>
#include <errno.h>
#include <string.h>

#define MESSAGES_MAX 8u

static distributor_channel_t *channel;
static bool sent[MESSAGES_MAX];
static unsigned got[MESSAGES_MAX];
static uint64_t count;
static unsigned ended; /* receivers that were told the end */

static void set_up(size_t limit)
{
    memset(sent, 0, sizeof sent);
    memset(got, 0, sizeof got);
    count = 0;
    ended = 0;
    schedule_check(distributor_channel_create(&channel, limit) == 0);
}

static pthread_t start(void *(*routine)(void *))
{
    pthread_t thread;

    schedule_check(pthread_create(&thread, NULL, routine, NULL) == 0);
    return thread;
}

/* 0, or -ESHUTDOWN: nothing was sent. */
static int send_next(void)
{
    uint64_t number = count++;

    int rc = distributor_channel_send(channel, &number, sizeof number);
    schedule_check(rc == 0 || rc == -ESHUTDOWN);
    sent[number] = rc == 0;
    schedule_check(rc == 0 || got[number] == 0);
    return rc;
}

static void note(uint64_t number, size_t size)
{
    schedule_check(size == sizeof number && number < count);
    got[number]++;
    schedule_check(got[number] == 1);
}

static int receive_next(void)
{
    uint64_t number;
    size_t size;

    int rc = distributor_channel_receive(channel, &number, sizeof number, &size);
    schedule_check(rc == 1 || rc == 0);
    if (rc == 1)
        note(number, size);
    else
        ended++;
    return rc;
}

/* Until those that have just come have looked around, and are about to sleep. */
static void let_look(void)
{
    for (unsigned i = 0; i < 120; i++)
        schedule_yield();
}

/* All threads but this one have ended. */
static void finish(void)
{
    schedule_end();
    for (unsigned i = 0; i < count; i++)
        schedule_check(got[i] == sent[i]);
    schedule_check(distributor_channel_count(channel) == 0);
    distributor_channel_destroy(channel);
}

static void *send_one(void *unused)
{
    (void)unused;
    send_next();
    return NULL;
}

static void *receive_one(void *unused)
{
    (void)unused;
    receive_next();
    return NULL;
}

static void *receive_all(void *unused)
{
    (void)unused;
    while (receive_next() == 1)
        ;
    return NULL;
}

/* ---- senders and receivers ---- */

/* Two of each, room for one message, nobody closes: each receiver gets one. */
static void two_and_two(void)
{
    set_up(1);
    pthread_t sender = start(send_one);
    pthread_t receiver = start(receive_one);
    schedule_begin();
    let_look();
    schedule_check(send_next() == 0);
    schedule_check(receive_next() == 1);
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
    finish();
}

/* One is woken, finds nothing and is about to sleep again as the only message comes (K1 to K4). */
static void falls_asleep(void)
{
    uint64_t number;
    size_t size;

    set_up(0);
    pthread_t receiver = start(receive_one);
    schedule_settle();
    schedule_begin();
    schedule_check(send_next() == 0);
    if (distributor_channel_try_receive(channel, &number, sizeof number, &size) == 1)
        note(number, size);
    schedule_yield();
    schedule_check(send_next() == 0);
    pthread_join(receiver, NULL);
    distributor_channel_close(channel);
    while (receive_next() == 1)
        ;
    finish();
}

/* Two sleep; two messages come: both are woken. */
static void two_asleep(void)
{
    set_up(0);
    pthread_t one = start(receive_one);
    pthread_t other = start(receive_one);
    schedule_settle();
    schedule_begin();
    schedule_check(send_next() == 0);
    schedule_check(send_next() == 0);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    finish();
}

/* Two wait for room, which is made twice. */
static void two_wait_for_room(void)
{
    set_up(1);
    schedule_check(send_next() == 0);
    pthread_t one = start(send_one);
    pthread_t other = start(send_one);
    schedule_settle();
    schedule_begin();
    for (unsigned i = 0; i < 3; i++)
        schedule_check(receive_next() == 1);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    finish();
}

/* ---- close ---- */

/* It wakes all that sleep, or are about to. */
static void close_wakes_receivers(void)
{
    set_up(1);
    pthread_t one = start(receive_one);
    schedule_settle();
    pthread_t other = start(receive_one);
    schedule_begin();
    let_look();
    distributor_channel_close(channel);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    schedule_check(ended == 2);
    finish();
}

/* Senders that wait for room are refused; what was there before is received. */
static void close_wakes_senders(void)
{
    set_up(1);
    schedule_check(send_next() == 0);
    pthread_t one = start(send_one);
    schedule_settle();
    pthread_t other = start(send_one);
    schedule_begin();
    let_look();
    distributor_channel_close(channel);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    schedule_check(!sent[1] && !sent[2]);
    schedule_end();
    while (receive_next() == 1)
        ;
    finish();
}

/* A send meets the close: what it took is received before the end is told. */
static void close_drains(void)
{
    set_up(1);
    pthread_t receiver = start(receive_all);
    pthread_t sender = start(send_one);
    schedule_begin();
    send_next();
    distributor_channel_close(channel);
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
    schedule_check(ended == 1);
    finish();
}

/* ---- wake-ups that go to one that leaves ---- */

static bool late;

static void *receive_until(void *unused)
{
    uint64_t number;
    size_t size;

    (void)unused;
    int rc = distributor_channel_receive_until(channel, &number, sizeof number, &size,
                                               distributor_now() + 1000);
    schedule_check(rc == 1 || rc == -ETIMEDOUT);
    late = rc != 1;
    if (rc == 1)
        note(number, size);
    return NULL;
}

/* One of two receivers has a deadline, which passes at any moment: the other one still gets what it
 * needs (K5). */
static void deadline(void)
{
    set_up(0);
    pthread_t patient = start(receive_one);
    pthread_t other = start(receive_until);
    schedule_begin();
    schedule_check(send_next() == 0);
    pthread_join(other, NULL);
    if (!late)
        schedule_check(send_next() == 0);
    pthread_join(patient, NULL);
    finish();
}

static void *receive_small(void *unused)
{
    size_t size;

    (void)unused;
    int rc = distributor_channel_receive(channel, NULL, 0, &size);
    schedule_check(rc == 0 || (rc == -EMSGSIZE && size == sizeof(uint64_t)));
    return NULL;
}

/* One that has no room for the message tells the next. */
static void too_large(void)
{
    set_up(0);
    pthread_t small = start(receive_small);
    schedule_settle();
    pthread_t other = start(receive_one);
    schedule_settle();
    schedule_begin();
    schedule_check(send_next() == 0);
    pthread_join(other, NULL);
    distributor_channel_close(channel);
    pthread_join(small, NULL);
    finish();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "two_and_two", .body = two_and_two},
    {.name = "falls_asleep", .body = falls_asleep},
    {.name = "two_asleep", .body = two_asleep},
    {.name = "two_wait_for_room", .body = two_wait_for_room},
    {.name = "close_wakes_receivers", .body = close_wakes_receivers},
    {.name = "close_wakes_senders", .body = close_wakes_senders},
    {.name = "close_drains", .body = close_drains},
    {.name = "deadline", .body = deadline},
    {.name = "too_large", .body = too_large},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
