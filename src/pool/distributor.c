/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning and the end of a distributor, and what is left over then. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pool/crowd.h"
#include "pool/defer.h"
#include "pool/item.h"
#include "pool/lifecycle.h"
#include "pool/order.h"
#include "pool/options.h"
#include "pool/pipe.h"
#include "pool/quiesce.h"
#include "pool/reader.h"
#include "pool/registry.h"
#include "pool/source.h"
#include "pool/worker.h"

void distr_log(const struct distributor *d, distributor_log_level_t level, const char *worker,
               const char *format, ...)
{
    char line[512];
    va_list arguments;

    if (!d->options.log)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    d->options.log(d->options.context, level, worker, line);
}

/* ---- the beginning ---- */

/* False: no memory for what says that a lock is recursive; the rest takes none. */
static bool init_locks(struct distributor *d)
{
    pthread_mutexattr_t recursive;

    if (pthread_mutexattr_init(&recursive) != 0)
        return false;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->joined, NULL);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&d->user_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    return true;
}

static void free_memory(struct distributor *d);

static struct distributor *make(const distributor_options_t *options)
{
    struct distributor *d = aligned_alloc(_Alignof(struct distributor), sizeof *d);

    if (!d)
        return NULL;
    memset(d, 0, sizeof *d);
    d->options = *options;
    if (options->name)
        d->options.name = strdup(options->name);
    if ((options->name && !d->options.name) || !init_locks(d)) {
        free((void *)(uintptr_t)d->options.name);
        free(d);
        return NULL;
    }
    d->input_limit = options->input_limit ? options->input_limit : UINT64_MAX;
    if (!options->input_limit && options->order == DISTRIBUTOR_AS_ADDED)
        d->input_limit = DISTR_NO_INPUT_LIMIT;
    if (d->input_limit != UINT64_MAX)
        atomic_store_explicit(&d->state, DISTR_LIMITED, memory_order_relaxed);
    d->output_limit = options->output_limit ? options->output_limit : UINT64_MAX;
    d->generation = distr_forks;
    d->cpus = distr_cpu_count();
    d->last = &d->first;
    d->fd = -1;
    d->outside_cpu = DISTR_NO_CPU;
    distr_pools_init(&d->pools);
    return d;
}

int distributor_create(distributor_t **out, const distributor_options_t *options)
{
    distributor_options_t chosen;

    if (!out)
        return -EINVAL;
    *out = NULL;
    int rc = distr_options_read(&chosen, options);
    if (rc == 0)
        rc = distr_registry_init();
    if (rc != 0)
        return rc;
    distr_fence_init();
    struct distributor *d = make(&chosen);
    if (!d)
        return -ENOMEM;
    if (chosen.order == DISTRIBUTOR_AS_ADDED)
        rc = distr_order_make(d);
    for (unsigned i = 0; i < chosen.workers && rc == 0; i++) {
        struct distr_worker *worker;
        rc = distr_worker_make(d, NULL, &worker);
    }
    if (rc != 0) {
        free_memory(d);
        return rc;
    }
    distr_registry_enter(d);
    *out = d;
    return 0;
}

/* ---- the end ---- */

static bool free_record(struct distr_record *record, void *context)
{
    (void)context;
    distr_reader_free(record);
    if (record->worker)
        distr_worker_free(record->worker);
    else
        free(record);
    return true;
}

/* Frees all memory, and nothing that items own. */
static void free_memory(struct distributor *d)
{
    distr_for_each_record(d, free_record, NULL);
    struct distr_group *group = atomic_load_explicit(&d->first.next, memory_order_relaxed);
    while (group) {
        struct distr_group *next = atomic_load_explicit(&group->next, memory_order_relaxed);
        free(group);
        group = next;
    }
    distr_deferred_free(d);
    distr_sources_free(d);
    distr_event_close(d->fd);
    distr_order_free(d);
    distr_pools_free(&d->pools);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->joined);
    pthread_mutex_destroy(&d->user_lock);
    free((void *)(uintptr_t)d->options.name);
    free(d->all);
    free(d);
}

/* X2: waits until no call of an outside thread is inside; they all see DESTROYED. */
static bool wait_until_outside(struct distr_record *record, void *context)
{
    uint32_t inside;

    (void)context;
    /* acquire: pairs with distr_outside. */
    while (!record->worker &&
           (inside = atomic_load_explicit(&record->inside, memory_order_acquire)) != DISTR_OUTSIDE)
        /* A call that read the state before it was set leaves without a wake-up. */
        distr_futex_wait(&record->inside, inside, distr_after(1000000));
    return true;
}

static void wait_for_calls(struct distributor *d)
{
    uint32_t calls;

    /* acquire: pairs with distr_call_end. */
    while ((calls = atomic_load_explicit(&d->calls, memory_order_acquire)) != 0)
        distr_futex_wait(&d->calls, calls, distr_after(1000000));
    distr_for_each_record(d, wait_until_outside, NULL);
}

static bool discard_left(struct distr_record *record, void *context)
{
    struct distr_item item;

    (void)context;
    while (distr_queue_drain(&record->input, &item))
        distr_discard_task(record, &item);
    /* Nothing is claimed: STOP came after the last task that was, and none is before start. */
    while (record->worker && distr_queue_drain(&record->worker->output, &item))
        distr_result_discard(&item);
    return true;
}

int distributor_destroy(distributor_t *d)
{
    if (!d)
        return 0;
    if (distr_usable(d) != 0) {
        /* The child of a fork: another thread may have been anywhere in its bookkeeping, so only
         * the blocks are given back; what items own is the parent's too. */
        distr_registry_leave(d);
        distr_event_close(d->fd);
        distr_pools_free(&d->pools);
        return 0;
    }
    if (distr_is_worker(d))
        return -EDEADLK;
    distr_set_state(d, DISTR_DESTROYED | DISTR_CANCELLED | DISTR_STOPPING | DISTR_CLOSED);
    distr_registry_leave(d);
    distr_end_threads(d);
    distr_pipe_cut(d);
    wait_for_calls(d);
    distr_for_each_record(d, discard_left, NULL);
    distr_thread_rise(d);
    free_memory(d);
    return 0;
}

/* ---- what anyone may ask ---- */

void *distributor_context(const distributor_t *d)
{
    return d ? d->options.context : NULL;
}

int distributor_lock(distributor_t *d)
{
    if (!d)
        return -EINVAL;
    int rc = distr_in_source(d) ? -EDEADLK : distr_usable(d);
    return rc == 0 ? -pthread_mutex_lock(&d->user_lock) : rc;
}

int distributor_unlock(distributor_t *d)
{
    if (!d)
        return -EINVAL;
    int rc = distr_in_source(d) ? -EDEADLK : distr_usable(d);
    return rc == 0 ? -pthread_mutex_unlock(&d->user_lock) : rc;
}
