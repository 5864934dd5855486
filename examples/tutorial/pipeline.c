/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipeline - a producer and a consumer, four times:
 *
 *     slot     one slot, two semaphores, and a number that means the end: all by hand
 *     channel  a channel of one, and closing it is the end
 *     queue    a channel of ten, and an event that ends the producer, whenever it comes
 *     stream   the shorter version: the producer is a task, the consumer reads its results
 *
 * The lesson's usual program has a queue and an event, and both sides look at the event.  It hangs
 * if the event comes while the consumer waits for a message that will not follow.  A channel that
 * is closed wakes whoever waits, and what is left is received first.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include <distributor.h>

enum { MESSAGES = 10, SENTINEL = -1 };

/* ---- slot ---- */

struct slot {
    int message;
    sem_t empty, full; /* whose turn it is */
};

static void put(struct slot *slot, int message)
{
    while (sem_wait(&slot->empty) != 0)
        continue;
    slot->message = message;
    sem_post(&slot->full);
}

static int get(struct slot *slot)
{
    while (sem_wait(&slot->full) != 0)
        continue;
    int message = slot->message;
    sem_post(&slot->empty);
    return message;
}

static void *produce_into_slot(void *argument)
{
    for (int message = 1; message <= MESSAGES; message++)
        put(argument, message);
    put(argument, SENTINEL); /* so no message can ever be -1 */
    return NULL;
}

static int show_slot(void)
{
    struct slot slot;
    pthread_t producer;
    int message;
    int sum = 0;
    sem_init(&slot.empty, 0, 1);
    sem_init(&slot.full, 0, 0);
    int error = pthread_create(&producer, NULL, produce_into_slot, &slot);
    if (error != 0)
        return -error;
    while ((message = get(&slot)) != SENTINEL)
        sum += message;
    pthread_join(producer, NULL);
    sem_destroy(&slot.empty);
    sem_destroy(&slot.full);
    printf("slot: the sum is %d\n", sum);
    return 0;
}

/* ---- channel and queue: producer and consumer are two tasks ---- */

struct line {
    distributor_channel_t *channel;
    distributor_event_t *enough; /* NULL: ten messages are enough */
};

/* What both emit: of the producer what it sent, of the consumer what it received. */
struct account {
    int messages, sum;
    size_t longest; /* what the consumer saw waiting */
};

static int produce(distributor_task_t *self, const void *input, size_t size)
{
    const struct line *line = input;
    struct account account = {0};
    int error = 0;
    (void)size;
    while (error == 0 && (line->enough != NULL ? !distributor_event_is_set(line->enough)
                                               : account.messages < MESSAGES)) {
        int message = account.messages % MESSAGES + 1;
        error = distributor_channel_send(line->channel, &message, sizeof message);
        account.messages += error == 0;
        account.sum += error == 0 ? message : 0;
    }
    distributor_channel_close(line->channel);
    return error != 0 ? error : distributor_emit(self, &account, sizeof account);
}

static int consume(distributor_task_t *self, const void *input, size_t size)
{
    const struct line *line = input;
    struct account account = {0};
    int message;
    int got;
    (void)size;
    while ((got = distributor_channel_receive(line->channel, &message, sizeof message, NULL)) ==
           1) {
        size_t waiting = distributor_channel_count(line->channel);
        account.longest = waiting > account.longest ? waiting : account.longest;
        account.messages++;
        account.sum += message;
    }
    return got != 0 ? got : distributor_emit(self, &account, sizeof account);
}

static const distributor_task_type_t producer = {.name = "producer", .run = produce};
static const distributor_task_type_t consumer = {.name = "consumer", .run = consume};

/* Both at once, until both are done. */
static int run_line(distributor_t *d, const struct line *line, struct account *sent,
                    struct account *received)
{
    distributor_result_t result;
    int got = distributor_add_task(d, &producer, line, sizeof *line);
    if (got == 0)
        got = distributor_add_task(d, &consumer, line, sizeof *line);
    if (got == 0)
        got = distributor_start(d);
    if (got == 0 && line->enough != NULL)
        got = distributor_event_set(line->enough); /* at any time */
    if (got == 0)
        got = distributor_join(d, NULL);
    while (got == 0 && (got = distributor_next_result(d, &result)) == 1) {
        if (result.error != 0)
            return result.error;
        *(result.type == &producer ? sent : received) = *(const struct account *)result.data;
        got = 0;
    }
    return got;
}

static int show_line(const char *name, size_t limit, distributor_event_t *enough)
{
    distributor_options_t options = {.size = sizeof options, .workers = 2};
    struct account sent = {0};
    struct account received = {0};
    struct line line = {.enough = enough};
    distributor_t *d = NULL;
    int error = distributor_channel_create(&line.channel, limit);
    if (error == 0)
        error = distributor_create(&d, &options);
    if (error == 0)
        error = run_line(d, &line, &sent, &received);
    distributor_destroy(d);
    distributor_channel_destroy(line.channel);
    if (error != 0)
        return error;
    if (sent.sum != received.sum || sent.messages != received.messages || received.longest > limit)
        return -EPROTO;
    if (enough == NULL)
        printf("%s: the sum is %d\n", name, received.sum);
    else
        printf("%s: all that was sent was received, and never more than %zu waited\n", name, limit);
    return 0;
}

static int show_queue(void)
{
    distributor_event_t *enough;
    int error = distributor_event_create(&enough);
    if (error == 0)
        error = show_line("queue", 10, enough);
    distributor_event_destroy(enough);
    return error;
}

/* ---- stream ---- */

static int produce_stream(distributor_task_t *self, const void *input, size_t size)
{
    int error = 0;
    (void)input, (void)size;
    for (int message = 1; message <= MESSAGES && error == 0; message++)
        error = distributor_emit(self, &message, sizeof message);
    return error;
}

static int show_stream(void)
{
    static const distributor_task_type_t stream = {.name = "stream", .run = produce_stream};
    /* The results of tasks are a bounded queue already. */
    distributor_options_t options = {.size = sizeof options, .workers = 1, .output_limit = 10};
    distributor_result_t result;
    distributor_t *d;
    int sum = 0;
    int got = distributor_create(&d, &options);
    if (got == 0)
        got = distributor_add_task(d, &stream, NULL, 0);
    if (got == 0)
        got = distributor_start(d);
    if (got == 0)
        got = distributor_close(d);
    for (; got == 0 && (got = distributor_next_result(d, &result)) == 1; got = result.error)
        sum += result.error == 0 ? *(const int *)result.data : 0;
    distributor_destroy(d);
    if (got == 0)
        printf("stream: the sum is %d\n", sum);
    return got;
}

int main(void)
{
    int error = show_slot();
    if (error == 0)
        error = show_line("channel", 1, NULL);
    if (error == 0)
        error = show_queue();
    if (error == 0)
        error = show_stream();
    if (error != 0)
        fprintf(stderr, "pipeline: %s\n", distributor_strerror(error));
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
