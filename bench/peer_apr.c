/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_apr.c - APR-util: an apr_thread_pool for the tasks, an apr_queue, which is bounded, for the
 * results.  Its push walks through the tasks that wait, so it gets few of them.
 */
#include "peer_pack.h"

#include <apr_general.h>
#include <apr_queue.h>
#include <apr_thread_pool.h>

#define MOST 20000
#define ROOM (2 * MOST) /* for results, so that no task waits to emit */

const char *const peer_name = "apr";

static apr_thread_pool_t *threads;
static apr_queue_t *results;

static void must(const char *what, apr_status_t status)
{
    bench_check(what, (uint64_t)status, APR_SUCCESS);
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *item)
{
    (void)thread;
    peer_run_packed(item);
    return NULL;
}

uint64_t peer_most(void)
{
    return MOST;
}

void peer_open(unsigned workers)
{
    apr_pool_t *memory;

    must("apr_initialize", apr_initialize());
    must("apr_pool_create", apr_pool_create(&memory, NULL));
    must("apr_queue_create", apr_queue_create(&results, ROOM, memory));
    must("apr_thread_pool_create", apr_thread_pool_create(&threads, workers, workers, memory));
    apr_thread_pool_idle_max_set(threads, workers);
}

void peer_add(peer_fn *function, uint64_t number)
{
    must("apr_thread_pool_push", apr_thread_pool_push(threads, run, peer_pack(function, number),
                                                      APR_THREAD_TASK_PRIORITY_NORMAL, NULL));
}

void peer_emit(uint64_t result)
{
    apr_status_t status;

    do
        status = apr_queue_push(results, (void *)(uintptr_t)result);
    while (APR_STATUS_IS_EINTR(status));
    must("apr_queue_push", status);
}

uint64_t peer_read(void)
{
    apr_status_t status;
    void *result;

    do
        status = apr_queue_pop(results, &result);
    while (APR_STATUS_IS_EINTR(status));
    must("apr_queue_pop", status);
    return (uintptr_t)result;
}
