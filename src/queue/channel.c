/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels: a ring of slots under a lock, and two sets of sleepers.  What is long, or enters the
 * kernel, happens outside the lock: copying large messages, waking.
 *
 * | who              | together with | guarded by                    |
 * |------------------|---------------|-------------------------------|
 * | send, receive    | each other    | the lock                      |
 * | close            | all           | the lock                      |
 * | count            | all           | nothing: one word is read     |
 * | destroy          | nobody        | the caller                    |
 *
 * Events K1 to K5 in README.md, "Channels".
 */
#include <distributor/channel.h>

#include <ck_pr.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

#define INLINE_MAX 16u
#define FIRST_SLOTS ((size_t)16)
#define LOOKS 100 /* some microseconds */

struct slot {
    size_t size;
    union {
        unsigned char bytes[INLINE_MAX];
        void *heap; /* a larger message, owned by the slot */
    } payload;
};

/* Those that wait for one thing: senders for room, receivers for messages. */
struct side {
    uint32_t waiting;          /* asleep, or about to be; guarded by the lock */
    uint32_t told;             /* of these, how many are known to look again; likewise */
    _Atomic uint32_t sequence; /* moved under the lock, slept on; wraps, compared for equality */
};

struct distributor_channel {
    pthread_mutex_t lock; /* guards the rest */
    struct slot *slots;
    size_t capacity; /* of slots; grows up to the limit */
    size_t limit;    /* constant */
    size_t first;    /* the oldest message */
    _Atomic size_t count; /* relaxed: written under the lock, also looked at without it */
    bool closed;
    struct side senders;
    struct side receivers;
};

static size_t count_of(const distributor_channel_t *c)
{
    return atomic_load_explicit(&c->count, memory_order_relaxed);
}

/* Under the lock. */
static void set_count(distributor_channel_t *c, size_t count)
{
    atomic_store_explicit(&c->count, count, memory_order_relaxed);
}

/* ---- sleeping and waking ---- */

/* K2: under the lock, after something was made true for one more.  Gives the side if wake() must
 * follow, else NULL. */
static struct side *tell(struct side *side)
{
    if (side->told == side->waiting)
        return NULL;
    side->told++;
    /* relaxed, here and in tell_all: the lock orders it; the kernel compares it (K4). */
    atomic_fetch_add_explicit(&side->sequence, 1, memory_order_relaxed);
    return side;
}

static void tell_all(struct side *side)
{
    side->told = side->waiting;
    atomic_fetch_add_explicit(&side->sequence, 1, memory_order_relaxed);
}

/* K3: after the lock was given back. */
static void wake(struct side *told)
{
    if (told)
        distr_futex_wake(&told->sequence, 1);
}

/*
 * Before anybody sleeps: somebody on another core may be about to change the number of messages,
 * and a wake-up costs both sides more than this look.  Gives the lock back and takes it again.
 */
static void look_on(distributor_channel_t *c)
{
    size_t count = count_of(c);

    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < LOOKS && count_of(c) == count; i++)
        ck_pr_stall();
    pthread_mutex_lock(&c->lock);
}

/* K1, K4, K5: gives the lock back, sleeps, and takes it again. */
static int sleep_at(distributor_channel_t *c, struct side *side, int64_t deadline)
{
    uint32_t sequence = atomic_load_explicit(&side->sequence, memory_order_relaxed);

    side->waiting++;
    pthread_mutex_unlock(&c->lock);
    /* preempted here: who tells moves the sequence, and we do not sleep. */
    int rc = distr_futex_wait(&side->sequence, sequence, deadline);
    pthread_mutex_lock(&c->lock);
    side->waiting--;
    if (side->told > 0)
        side->told--;
    return rc;
}

/* Under the lock: the first round looks, the others sleep. */
static int wait(distributor_channel_t *c, struct side *side, int64_t deadline, unsigned round)
{
    if (round > 0)
        return sleep_at(c, side, deadline);
    look_on(c);
    return 0;
}

/* ---- owner ---- */

int distributor_channel_create(distributor_channel_t **out, size_t limit)
{
    if (!out)
        return -EINVAL;
    *out = NULL;
    distributor_channel_t *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->limit = limit ? limit : SIZE_MAX;
    c->capacity = c->limit < FIRST_SLOTS ? c->limit : FIRST_SLOTS;
    c->slots = malloc(c->capacity * sizeof *c->slots);
    int rc = c->slots ? -pthread_mutex_init(&c->lock, NULL) : -ENOMEM;
    if (rc != 0) {
        free(c->slots);
        free(c);
        return rc;
    }
    *out = c;
    return 0;
}

static void free_message(struct slot *slot)
{
    if (slot->size > INLINE_MAX)
        free(slot->payload.heap);
}

static struct slot *slot_at(distributor_channel_t *c, size_t index)
{
    size_t left = c->capacity - c->first;

    return &c->slots[index < left ? c->first + index : index - left];
}

int distributor_channel_destroy(distributor_channel_t *c)
{
    if (!c)
        return 0;
    for (size_t i = 0; i < count_of(c); i++)
        free_message(slot_at(c, i));
    pthread_mutex_destroy(&c->lock);
    free(c->slots);
    free(c);
    return 0;
}

int distributor_channel_close(distributor_channel_t *c)
{
    if (!c)
        return -EINVAL;
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    tell_all(&c->senders);
    tell_all(&c->receivers);
    pthread_mutex_unlock(&c->lock);
    distr_futex_wake(&c->senders.sequence, INT_MAX);
    distr_futex_wake(&c->receivers.sequence, INT_MAX);
    return 0;
}

size_t distributor_channel_count(const distributor_channel_t *c)
{
    return c ? count_of(c) : 0;
}

/* ---- senders ---- */

static int make_message(struct slot *slot, const void *message, size_t size)
{
    void *bytes = slot->payload.bytes;

    slot->size = size;
    if (size > INLINE_MAX)
        bytes = slot->payload.heap = malloc(size);
    if (!bytes)
        return -ENOMEM;
    if (size > 0)
        memcpy(bytes, message, size);
    return 0;
}

/* All slots are in use, and there may be more of them. */
static int grow(distributor_channel_t *c)
{
    size_t most = SIZE_MAX / sizeof *c->slots;
    size_t capacity = c->capacity > c->limit / 2 ? c->limit : c->capacity * 2;
    struct slot *slots = capacity <= most ? malloc(capacity * sizeof *slots) : NULL;

    if (!slots)
        return -ENOMEM;
    size_t left = c->capacity - c->first;
    memcpy(slots, c->slots + c->first, left * sizeof *slots);
    memcpy(slots + left, c->slots, c->first * sizeof *slots);
    free(c->slots);
    c->slots = slots;
    c->capacity = capacity;
    c->first = 0;
    return 0;
}

/* Under the lock, and with room.  *told: whom to wake.  It grows only where nobody waits for room,
 * so a failure leaves nobody to tell. */
static int put(distributor_channel_t *c, const struct slot *slot, struct side **told)
{
    size_t count = count_of(c);
    int rc = count == c->capacity ? grow(c) : 0;

    if (rc != 0)
        return rc;
    *slot_at(c, count) = *slot;
    set_count(c, count + 1);
    *told = tell(&c->receivers);
    return 0;
}

/* Deadline 0 has always passed: `late` is what is returned then. */
static int send_until(distributor_channel_t *c, const struct slot *slot, int64_t deadline, int late)
{
    struct side *told = NULL;
    int rc = deadline == 0 ? late : 0;

    pthread_mutex_lock(&c->lock);
    for (unsigned round = 0; !c->closed && count_of(c) == c->limit && rc == 0; round++)
        rc = wait(c, &c->senders, deadline, round);
    if (c->closed)
        rc = -ESHUTDOWN;
    else if (count_of(c) < c->limit)
        rc = put(c, slot, &told);
    pthread_mutex_unlock(&c->lock);
    wake(told);
    return rc;
}

static int send_message(distributor_channel_t *c, const void *message, size_t size,
                        int64_t deadline, int late)
{
    struct slot slot;

    if (!c || (size > 0 && !message))
        return -EINVAL;
    if (size > DISTRIBUTOR_MAX_SIZE)
        return -EMSGSIZE;
    int rc = make_message(&slot, message, size);
    if (rc != 0)
        return rc;
    rc = send_until(c, &slot, deadline, late);
    if (rc != 0)
        free_message(&slot);
    return rc;
}

int distributor_channel_send(distributor_channel_t *c, const void *message, size_t size)
{
    return send_message(c, message, size, DISTRIBUTOR_FOREVER, -ETIMEDOUT);
}

int distributor_channel_try_send(distributor_channel_t *c, const void *message, size_t size)
{
    return send_message(c, message, size, 0, -EAGAIN);
}

int distributor_channel_send_until(distributor_channel_t *c, const void *message, size_t size,
                                   int64_t deadline)
{
    return send_message(c, message, size, deadline < 0 ? 0 : deadline, -ETIMEDOUT);
}

/* ---- receivers ---- */

/* Under the lock, and with a message.  *told: whom to wake. */
static int take(distributor_channel_t *c, size_t capacity, struct slot *slot, struct side **told)
{
    *slot = c->slots[c->first];
    if (slot->size > capacity) {
        *told = tell(&c->receivers); /* it stays, for one with more room */
        return -EMSGSIZE;
    }
    c->first = c->first + 1 == c->capacity ? 0 : c->first + 1;
    set_count(c, count_of(c) - 1);
    *told = tell(&c->senders);
    return 1;
}

static int receive_until(distributor_channel_t *c, size_t capacity, struct slot *slot,
                         int64_t deadline, int late)
{
    struct side *told = NULL;
    int rc = deadline == 0 ? late : 0;

    pthread_mutex_lock(&c->lock);
    for (unsigned round = 0; !c->closed && count_of(c) == 0 && rc == 0; round++)
        rc = wait(c, &c->receivers, deadline, round);
    if (count_of(c) > 0)
        rc = take(c, capacity, slot, &told);
    else if (c->closed)
        rc = 0;
    pthread_mutex_unlock(&c->lock);
    wake(told);
    return rc;
}

static int receive_message(distributor_channel_t *c, void *buffer, size_t capacity, size_t *size,
                           int64_t deadline, int late)
{
    struct slot slot = {.size = 0};

    if (!c || (capacity > 0 && !buffer))
        return -EINVAL;
    int rc = receive_until(c, capacity, &slot, deadline, late);
    if (rc == 1 && slot.size > 0)
        memcpy(buffer, slot.size > INLINE_MAX ? slot.payload.heap : slot.payload.bytes, slot.size);
    if (rc == 1)
        free_message(&slot);
    if (size)
        *size = slot.size;
    return rc;
}

int distributor_channel_receive(distributor_channel_t *c, void *buffer, size_t capacity,
                                size_t *size)
{
    return receive_message(c, buffer, capacity, size, DISTRIBUTOR_FOREVER, -ETIMEDOUT);
}

int distributor_channel_try_receive(distributor_channel_t *c, void *buffer, size_t capacity,
                                    size_t *size)
{
    return receive_message(c, buffer, capacity, size, 0, -EAGAIN);
}

int distributor_channel_receive_until(distributor_channel_t *c, void *buffer, size_t capacity,
                                      size_t *size, int64_t deadline)
{
    return receive_message(c, buffer, capacity, size, deadline < 0 ? 0 : deadline, -ETIMEDOUT);
}
