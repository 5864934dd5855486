/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_glib.c - GLib: an exclusive GThreadPool for the tasks, a GAsyncQueue for the results.
 */
#include "peer_pack.h"

#include <glib.h>

const char *const peer_name = "glib";

static GThreadPool *pool;
static GAsyncQueue *results;

static void run(gpointer item, gpointer unused)
{
    (void)unused;
    peer_run_packed(item);
}

void peer_open(unsigned workers)
{
    results = g_async_queue_new();
    pool = g_thread_pool_new(run, NULL, (gint)workers, TRUE, NULL);
}

void peer_add(peer_fn *function, uint64_t number)
{
    g_thread_pool_push(pool, peer_pack(function, number), NULL);
}

/* NULL is no item: hence the + 1. */
void peer_emit(uint64_t result)
{
    g_async_queue_push(results, GSIZE_TO_POINTER(result + 1));
}

uint64_t peer_read(void)
{
    return GPOINTER_TO_SIZE(g_async_queue_pop(results)) - 1;
}
