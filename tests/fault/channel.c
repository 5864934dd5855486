/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults in channels and events: what could not be sent is not there, what was sent is, in order,
 * and the channel works again once there is memory.
 */
#include "inject.h"

#include <distributor/channel.h>

#include <errno.h>
#include <string.h>

#define MESSAGES 60 /* the ring grows twice */
#define LARGE 40    /* bytes that do not fit into a slot */

static void receive_as_sent(distributor_channel_t *c, const bool *sent)
{
    for (unsigned char i = 0; i < MESSAGES; i++) {
        unsigned char got[LARGE];
        size_t size = 0;
        if (sent[i]) {
            FAULT_CHECK(distributor_channel_try_receive(c, got, LARGE, &size) == 1, "%u\n", i);
            FAULT_CHECK(got[0] == i && size == (i % 2 ? LARGE : 1), "%u of %zu\n", got[0], size);
        }
    }
    FAULT_CHECK(distributor_channel_count(c) == 0, "messages are left\n");
}

static void send_some(distributor_channel_t *c)
{
    bool sent[MESSAGES];
    unsigned char message[LARGE];
    for (unsigned char i = 0; i < MESSAGES; i++) {
        memset(message, i, LARGE);
        int rc = distributor_channel_send(c, message, i % 2 ? LARGE : 1);
        FAULT_MAY(rc, 0, -ENOMEM);
        sent[i] = rc == 0;
    }
    fault_disarm();
    receive_as_sent(c, sent);
}

static void channel(void)
{
    distributor_channel_t *c;
    fault_arm();
    int rc = distributor_channel_create(&c, 0);
    FAULT_MAY(rc, 0, -ENOMEM);
    FAULT_CHECK((rc == 0) == (c != NULL), "%d and %p\n", rc, (void *)c);
    if (rc == 0) {
        send_some(c);
        send_some(c);
        FAULT_CHECK(distributor_channel_send(c, "left behind, and long", 21) == 0, "send\n");
    }
    fault_disarm();
    FAULT_CHECK(distributor_channel_destroy(c) == 0, "destroy\n");
}

static void event(void)
{
    distributor_event_t *e;
    fault_arm();
    int rc = distributor_event_create(&e);
    fault_disarm();
    FAULT_MAY(rc, 0, -ENOMEM);
    FAULT_CHECK((rc == 0) == (e != NULL), "%d and %p\n", rc, (void *)e);
    FAULT_CHECK(distributor_event_destroy(e) == 0, "destroy\n");
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"channel", channel},
        {"event", event},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
