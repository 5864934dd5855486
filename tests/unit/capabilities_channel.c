/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a first lesson about threads builds by hand: an event (D4), and pipelines from one slot to a
 * bounded queue (D5).  Where the lesson's programs had a defect, the test that would show it stands
 * here.
 */
#include "support.h"

TestSuite(capabilities_channel, .timeout = 240);

/* ---- D4: event ---- */

static void *look_at_event(void *argument)
{
    distributor_event_t *const *events = argument; /* begun, end */
    uint64_t looks = 0;
    while (!distributor_event_is_set(events[1])) {
        looks++; /* goes on with its own work, and looks now and then */
        if (looks == 1)
            distributor_event_set(events[0]);
    }
    return looks > 0 ? argument : NULL;
}

Test(capabilities_channel, d4_event_set_is_set_wait)
{
    distributor_event_t *events[2];
    void *result;
    for (int i = 0; i < 2; i++)
        expect(distributor_event_create(&events[i]), 0);
    pthread_t thread = begin_thread(look_at_event, events);
    expect(distributor_event_wait(events[0]), 0);
    expect(distributor_event_set(events[1]), 0);
    expect(pthread_join(thread, &result), 0);
    ensure(result == events);
    for (int i = 0; i < 2; i++)
        expect(distributor_event_destroy(events[i]), 0);
    finish();
}

/* ---- D5: producer and consumer ---- */

struct pipeline {
    distributor_channel_t *c;
    distributor_event_t *end;
    uint64_t sent, received;
    size_t longest;
};

static void *produce_ten(void *argument)
{
    struct pipeline *pipeline = argument;
    for (uint64_t n = 1; n <= 10; n++) {
        task_assert(distributor_channel_send(pipeline->c, &n, sizeof(n)) == 0);
        pipeline->sent += n;
    }
    distributor_channel_close(pipeline->c);
    return NULL;
}

static void *consume(void *argument)
{
    struct pipeline *pipeline = argument;
    uint64_t n;
    int rc;
    while ((rc = distributor_channel_receive(pipeline->c, &n, sizeof(n), NULL)) == 1) {
        size_t count = distributor_channel_count(pipeline->c);
        pipeline->received += n;
        pipeline->longest = count > pipeline->longest ? count : pipeline->longest;
    }
    task_assert(rc == 0);
    return NULL;
}

/* Close is the sentinel: no message has to stand for the end. */
Test(capabilities_channel, d5_one_slot_and_an_end)
{
    for (unsigned round = rounds(200); round > 0; round--) {
        struct pipeline pipeline = {.c = NULL};
        expect(distributor_channel_create(&pipeline.c, 1), 0);
        pthread_t consumer = begin_thread(consume, &pipeline);
        pthread_t producer = begin_thread(produce_ten, &pipeline);
        end_thread(producer);
        end_thread(consumer);
        expect(pipeline.received, 55);
        ensure(pipeline.longest <= 1);
        expect(distributor_channel_destroy(pipeline.c), 0);
    }
    finish();
}

static void *produce_until_event(void *argument)
{
    struct pipeline *pipeline = argument;
    for (uint64_t n = 1; !distributor_event_is_set(pipeline->end); n++)
        if (distributor_channel_send(pipeline->c, &n, sizeof(n)) == 0)
            pipeline->sent += n;
    distributor_channel_close(pipeline->c);
    return NULL;
}

Test(capabilities_channel, d5_a_queue_of_ten_and_an_event)
{
    for (unsigned round = rounds(200); round > 0; round--) {
        struct pipeline pipeline = {.c = NULL};
        expect(distributor_channel_create(&pipeline.c, 10), 0);
        expect(distributor_event_create(&pipeline.end), 0);
        pthread_t consumer = begin_thread(consume, &pipeline);
        pthread_t producer = begin_thread(produce_until_event, &pipeline);
        if (round % 2)
            nap(100000);
        expect(distributor_event_set(pipeline.end), 0);
        end_thread(producer);
        end_thread(consumer);
        expect(pipeline.received, pipeline.sent);
        ensure(pipeline.longest <= 10);
        expect(distributor_event_destroy(pipeline.end), 0);
        expect(distributor_channel_destroy(pipeline.c), 0);
    }
    finish();
}

/*
 * The lesson's program: the producer ends when the event is set; the consumer waited on an empty
 * queue at that moment, and for ever.  Here the consumer is asleep before the event is set, and no
 * message follows.
 */
struct consumer {
    struct pipeline *pipeline;
    atomic_int thread;
};

static void *consume_as(void *argument)
{
    struct consumer *consumer = argument;
    atomic_store(&consumer->thread, gettid());
    return consume(consumer->pipeline);
}

Test(capabilities_channel, d5_the_event_comes_while_the_consumer_waits)
{
    struct pipeline pipeline = {.c = NULL};
    struct consumer consumer = {.pipeline = &pipeline};
    expect(distributor_channel_create(&pipeline.c, 10), 0);
    expect(distributor_event_create(&pipeline.end), 0);
    pthread_t thread = begin_thread(consume_as, &consumer);
    while (atomic_load(&consumer.thread) == 0 || !sleeps(atomic_load(&consumer.thread)))
        nap(100000);
    expect(distributor_event_set(pipeline.end), 0);
    produce_until_event(&pipeline); /* sends nothing more, and closes */
    end_thread(thread);
    expect(pipeline.received, 0);
    expect(distributor_event_destroy(pipeline.end), 0);
    expect(distributor_channel_destroy(pipeline.c), 0);
    finish();
}
