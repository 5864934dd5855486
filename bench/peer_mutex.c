/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_mutex.c - the pool that a C programmer writes by hand: a ring that grows, a mutex and a
 * condition variable for the tasks, and the same again for the results.
 */
#include "peer.h"

#include <pthread.h>
#include <stdlib.h>

const char *const peer_name = "mutex";

typedef struct item {
    peer_fn *run; /* NULL in a result */
    uint64_t number;
} item_t;

typedef struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    item_t *items;
    size_t size, head, count; /* size is a power of two */
    unsigned waiting;
} ring_t;

static ring_t tasks = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
static ring_t results = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static void grow(ring_t *ring)
{
    size_t size = ring->size > 0 ? 2 * ring->size : 1024;
    item_t *items = malloc(size * sizeof *items);

    bench_check("memory for a ring", items != NULL, 1);
    for (size_t i = 0; i < ring->count; i++)
        items[i] = ring->items[(ring->head + i) & (ring->size - 1)];
    free(ring->items);
    ring->items = items;
    ring->size = size;
    ring->head = 0;
}

static void put_locked(ring_t *ring, item_t item)
{
    if (ring->count == ring->size)
        grow(ring);
    ring->items[(ring->head + ring->count++) & (ring->size - 1)] = item;
}

static item_t take_locked(ring_t *ring)
{
    item_t item = ring->items[ring->head];

    ring->head = (ring->head + 1) & (ring->size - 1);
    ring->count--;
    return item;
}

static void await_locked(ring_t *ring)
{
    while (ring->count == 0) {
        ring->waiting++;
        pthread_cond_wait(&ring->filled, &ring->mutex);
        ring->waiting--;
    }
}

static void put(ring_t *ring, peer_fn *run, uint64_t number)
{
    bool wake;

    pthread_mutex_lock(&ring->mutex);
    put_locked(ring, (item_t){run, number});
    wake = ring->waiting > 0;
    pthread_mutex_unlock(&ring->mutex);
    if (wake)
        pthread_cond_signal(&ring->filled);
}

static item_t take(ring_t *ring)
{
    item_t item;

    pthread_mutex_lock(&ring->mutex);
    await_locked(ring);
    item = take_locked(ring);
    pthread_mutex_unlock(&ring->mutex);
    return item;
}

static void *run_worker(void *argument)
{
    for (;;) {
        item_t item = take(&tasks);

        item.run(item.number);
    }
    return argument;
}

void peer_open(unsigned workers)
{
    pthread_t thread;

    for (unsigned i = 0; i < workers; i++)
        bench_must("pthread_create", -pthread_create(&thread, NULL, run_worker, NULL));
}

void peer_add(peer_fn *run, uint64_t number)
{
    put(&tasks, run, number);
}

void peer_emit(uint64_t result)
{
    put(&results, NULL, result);
}

uint64_t peer_read(void)
{
    return take(&results).number;
}

void peer_add_many(peer_fn *run, const uint64_t *numbers, size_t count)
{
    bool wake;

    pthread_mutex_lock(&tasks.mutex);
    for (size_t i = 0; i < count; i++)
        put_locked(&tasks, (item_t){run, numbers[i]});
    wake = tasks.waiting > 0;
    pthread_mutex_unlock(&tasks.mutex);
    if (wake)
        pthread_cond_broadcast(&tasks.filled);
}

size_t peer_read_many(uint64_t *numbers, size_t count)
{
    size_t got = 0;

    pthread_mutex_lock(&results.mutex);
    await_locked(&results);
    while (got < count && results.count > 0)
        numbers[got++] = take_locked(&results).number;
    pthread_mutex_unlock(&results.mutex);
    return got;
}
