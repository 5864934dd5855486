/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_glib.c - GLib: an exclusive GThreadPool for the tasks, a GAsyncQueue for the results.
 *
 * A GThreadPool has one function and its items are pointers.  So that no item has to be allocated,
 * which would be slower, a pointer here is made of the task's number and of the index of its
 * function in a small table.
 */
#include "peer.h"

#include <glib.h>
#include <stdlib.h>

#define FUNCTIONS 8

const char *const peer_name = "glib";

static GThreadPool *pool;
static GAsyncQueue *results;
static peer_fn *functions[FUNCTIONS]; /* an entry is written before its first task is pushed */

static void run(gpointer item, gpointer unused)
{
    gsize bits = GPOINTER_TO_SIZE(item) - 1;

    (void)unused;
    functions[bits % FUNCTIONS](bits / FUNCTIONS);
}

static gsize index_of(peer_fn *function)
{
    gsize i = 0;

    while (functions[i] != function && functions[i] != NULL)
        i++;
    if (functions[i] == NULL)
        functions[i] = function;
    return i;
}

void peer_open(unsigned workers)
{
    results = g_async_queue_new();
    pool = g_thread_pool_new(run, NULL, (gint)workers, TRUE, NULL);
}

/* NULL is no item: hence the + 1. */
void peer_add(peer_fn *function, uint64_t number)
{
    g_thread_pool_push(pool, GSIZE_TO_POINTER(number * FUNCTIONS + index_of(function) + 1), NULL);
}

void peer_emit(uint64_t result)
{
    g_async_queue_push(results, GSIZE_TO_POINTER(result + 1));
}

uint64_t peer_read(void)
{
    return GPOINTER_TO_SIZE(g_async_queue_pop(results)) - 1;
}
