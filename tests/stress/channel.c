/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of all limits between many senders and receivers, which wait, try, or wait for a moment;
 * closed in the end, or in the middle of it.  Each message that was sent is received once, those of
 * one sender in their order by each receiver; nobody sleeps beside a message or room.
 */
#include "support.h"

#include <distributor/channel.h>

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT32_C(0x63686e6c)
#define MOST 16      /* senders, and receivers */
#define LARGEST 300  /* bytes of a message */

struct message {
    uint32_t magic;
    uint32_t sender;
    uint32_t number; /* counts up in each sender */
    uint32_t size;   /* of it all */
    unsigned char filling[LARGEST];
};

#define HEAD offsetof(struct message, filling)

struct round {
    distributor_channel_t *c;
    distributor_event_t *go;
    unsigned senders, receivers, each;
    bool patient;                    /* all calls wait: a lost wake-up hangs */
    unsigned sent[MOST];             /* of each sender, written by it */
    unsigned char *seen[MOST];       /* of each sender's messages, by the one that received it */
    _Atomic unsigned senders_left;
};

struct member {
    struct round *round;
    unsigned index;
    pthread_t thread;
    struct stress_random random;
};

static int send_somehow(struct member *member, const struct message *message)
{
    distributor_channel_t *c = member->round->c;
    unsigned way = member->round->patient ? 0 : stress_below(&member->random, 3);
    int rc;
    do {
        if (way == 0) {
            rc = distributor_channel_send(c, message, message->size);
        } else if (way == 1) {
            rc = distributor_channel_try_send(c, message, message->size);
        } else {
            int64_t soon = distributor_now() + stress_below(&member->random, 100000);
            rc = distributor_channel_send_until(c, message, message->size, soon);
        }
        bool late = (way == 1 && rc == -EAGAIN) || (way == 2 && rc == -ETIMEDOUT);
        STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN || late, "send, way %u: %d", way, rc);
        if (late) {
            stress_sleep_us(10);
        }
    } while (rc == -EAGAIN || rc == -ETIMEDOUT);
    return rc;
}

static void *send_all(void *argument)
{
    struct member *member = argument;
    struct round *round = member->round;
    struct message message = {.magic = MAGIC, .sender = member->index};
    stress_place(member->index);
    STRESS_CHECK(distributor_event_wait(round->go) == 0, "event");
    for (unsigned i = 0; i < round->each; i++) {
        bool large = stress_chance(&member->random, 20);
        size_t filling = large ? stress_below(&member->random, LARGEST) : 0;
        message.number = i;
        message.size = (uint32_t)(HEAD + filling);
        memset(message.filling, (int)(i & 0xff), filling);
        if (send_somehow(member, &message) != 0) {
            break;
        }
        round->sent[member->index] = i + 1;
        if (stress_chance(&member->random, 2)) {
            stress_pause(&member->random, 50);
        }
    }
    if (atomic_fetch_sub(&round->senders_left, 1) == 1) {
        STRESS_CHECK(distributor_channel_close(round->c) == 0, "close");
    }
    return NULL;
}

static int receive_somehow(struct member *member, struct message *message, size_t *size)
{
    distributor_channel_t *c = member->round->c;
    unsigned way = member->round->patient ? 0 : stress_below(&member->random, 4);
    size_t room = sizeof *message;
    int rc;
    do {
        if (way == 0) {
            rc = distributor_channel_receive(c, message, room, size);
        } else if (way == 1) {
            rc = distributor_channel_try_receive(c, message, room, size);
        } else if (way == 2) {
            int64_t soon = distributor_now() + stress_below(&member->random, 100000);
            rc = distributor_channel_receive_until(c, message, room, size, soon);
        } else {
            rc = distributor_channel_receive(c, message, HEAD, size); /* too little, now and then */
        }
        bool late = (way == 1 && rc == -EAGAIN) || (way == 2 && rc == -ETIMEDOUT) ||
                    (way == 3 && rc == -EMSGSIZE && *size > HEAD);
        STRESS_CHECK(rc == 0 || rc == 1 || late, "receive, way %u: %d", way, rc);
        if (late && way != 3) {
            stress_sleep_us(10);
        }
        way = way == 3 ? 0 : way;
    } while (rc < 0);
    return rc;
}

static void *receive_all(void *argument)
{
    struct member *member = argument;
    struct round *round = member->round;
    unsigned next[MOST] = {0};
    struct message message;
    size_t size;
    stress_place(MOST + member->index);
    STRESS_CHECK(distributor_event_wait(round->go) == 0, "event");
    while (receive_somehow(member, &message, &size) == 1) {
        STRESS_CHECK(message.magic == MAGIC && message.size == size && size >= HEAD &&
                         message.sender < round->senders && message.number < round->each,
                     "a damaged message");
        for (size_t i = 0; i < size - HEAD; i++) {
            STRESS_CHECK(message.filling[i] == (message.number & 0xff), "a damaged filling");
        }
        STRESS_CHECK(message.number >= next[message.sender], "sender %u: %u after %u",
                     message.sender, message.number, next[message.sender]);
        next[message.sender] = message.number + 1;
        STRESS_CHECK(round->seen[message.sender][message.number]++ == 0, "received twice");
        if (stress_chance(&member->random, 2)) {
            stress_pause(&member->random, 50);
        }
    }
    return NULL;
}

static void begin(struct round *round, struct member *members, struct stress_random *random)
{
    static const size_t limits[] = {1, 2, 3, 16, 100, 0};
    size_t limit = limits[stress_below(random, 6)];
    stress_state("%u senders, %u receivers, limit %zu, %s", round->senders, round->receivers, limit,
                 round->patient ? "patient" : "in all ways");
    STRESS_CHECK(distributor_channel_create(&round->c, limit) == 0, "channel");
    STRESS_CHECK(distributor_event_create(&round->go) == 0, "event");
    round->senders_left = round->senders;
    for (unsigned i = 0; i < round->senders; i++) {
        round->seen[i] = calloc(round->each, 1);
        STRESS_CHECK(round->seen[i] != NULL, "memory");
    }
    for (unsigned i = 0; i < round->senders + round->receivers; i++) {
        bool sends = i < round->senders;
        members[i] = (struct member){.round = round,
                                     .index = sends ? i : i - round->senders,
                                     .random = {.state = stress_random(random)}};
        stress_thread(&members[i].thread, sends ? send_all : receive_all, &members[i]);
    }
}

static void end(struct round *round, struct member *members, bool early)
{
    for (unsigned i = 0; i < round->senders + round->receivers; i++) {
        stress_join(members[i].thread);
    }
    STRESS_CHECK(distributor_channel_count(round->c) == 0, "messages are left");
    for (unsigned i = 0; i < round->senders; i++) {
        STRESS_CHECK(early || round->sent[i] == round->each, "sender %u was refused", i);
        for (unsigned n = 0; n < round->each; n++) {
            STRESS_CHECK(round->seen[i][n] == (n < round->sent[i]), "message %u of sender %u: %d",
                         n, i, round->seen[i][n]);
        }
        free(round->seen[i]);
    }
    STRESS_CHECK(distributor_event_destroy(round->go) == 0, "event");
    STRESS_CHECK(distributor_channel_destroy(round->c) == 0, "destroy");
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "channel", .rounds = 100, .tasks = 4000,
                                          .placement = -1}, argc, argv);
    for (unsigned number = 0; stress_next(&random); number++) {
        struct member members[2 * MOST];
        struct round round = {.patient = stress_chance(&random, 40)};
        bool early = stress_chance(&random, 25);
        round.senders = 1 + stress_below(&random, stress_chance(&random, 50) ? 2 : MOST);
        round.receivers = 1 + stress_below(&random, stress_chance(&random, 50) ? 2 : MOST);
        round.each = stress.tasks / round.senders + 1;
        stress_set_placement((enum stress_placement)(number % STRESS_PLACEMENTS));
        begin(&round, members, &random);
        STRESS_CHECK(distributor_event_set(round.go) == 0, "event");
        if (early) {
            stress_sleep_us(stress_below(&random, 2000));
            STRESS_CHECK(distributor_channel_close(round.c) == 0, "close");
        }
        end(&round, members, early);
    }
    return stress_end();
}
