/* SPDX-License-Identifier: BSD-2-Clause */
/* From start to join: the flags, the threads, the summary. */
#include "pool/lifecycle.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "pool/add.h"
#include "pool/defer.h"
#include "pool/fd.h"
#include "pool/pipe.h"
#include "pool/quiesce.h"
#include "pool/registry.h"
#include "pool/source.h"
#include "pool/idle.h"
#include "pool/order.h"
#include "pool/worker.h"

/* ---- close, stop, cancel ---- */

void distr_set_state(struct distributor *d, uint32_t flags)
{
    pthread_mutex_lock(&d->lock); /* a join does not open the door between the two steps */
    atomic_fetch_or_explicit(&d->state, flags, memory_order_seq_cst); /* O2 */
    distr_heavy_fence(); /* who did not see CLOSED has its count visible from here on */
    atomic_fetch_or_explicit(&d->state, DISTR_DOOR_SHUT, memory_order_seq_cst); /* O3 */
    pthread_mutex_unlock(&d->lock);
    distr_gate_open_all(&d->input_room);
    if (flags & DISTR_STOPPING)
        distr_sources_stop(d);
    if (flags & DISTR_CANCELLED) {
        distr_gate_open_all(&d->output_room);
        distr_deferred_cancel(d);
    }
    if ((flags & DISTR_CANCELLED) && d->order)
        distr_order_cancel(d);
    if (flags & DISTR_DESTROYED) {
        distr_gate_open_all(&d->readers);
        distr_pipe_tell(d);
    }
    distr_try_end(d);
}

/* Shuts the door of a run; from STOP on there is nothing left to shut. */
static int set_flags(struct distributor *d, uint32_t flags)
{
    if (!d)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    distr_set_state(d, flags);
    distr_call_end(d);
    return 0;
}

int distributor_close(distributor_t *d)
{
    return set_flags(d, DISTR_CLOSED);
}

int distributor_stop(distributor_t *d)
{
    return set_flags(d, DISTR_CLOSED | DISTR_STOPPING);
}

int distributor_cancel(distributor_t *d)
{
    return set_flags(d, DISTR_CLOSED | DISTR_STOPPING | DISTR_CANCELLED);
}

/* ---- start ---- */

static unsigned worker_count(struct distributor *d)
{
    return atomic_load_explicit(&d->workers, memory_order_relaxed);
}

/* A distributor that nobody gave workers gets one per CPU. */
static int make_automatic(struct distributor *d)
{
    int rc = 0;

    if (worker_count(d) > 0)
        return 0;
    for (unsigned i = 0; i < d->cpus && rc == 0; i++) {
        struct distr_worker *worker;
        rc = distr_worker_make(d, NULL, &worker);
    }
    return rc;
}

static void launch(struct distributor *d, enum distr_launch what)
{
    atomic_store_explicit(&d->launch, what, memory_order_seq_cst);
    distr_full_fence();
    distr_gate_open_all(&d->go);
}

static void join_threads(struct distributor *d, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        pthread_join(d->all[i]->thread, NULL);
}

static int start_threads(struct distributor *d)
{
    unsigned count = worker_count(d);
    unsigned started = 0;
    int rc = 0;

    atomic_store_explicit(&d->launch, DISTR_WAIT, memory_order_relaxed);
    while (started < count && rc == 0) {
        rc = distr_worker_start(d->all[started]);
        if (rc == 0)
            started++;
    }
    if (rc != 0) {
        launch(d, DISTR_ABORT);
        join_threads(d, started);
    }
    return rc;
}

/* Everybody is awake and nobody searches; the state of the last run is gone. */
static void begin_run(struct distributor *d)
{
    atomic_store_explicit(&d->search, 0, memory_order_relaxed);
    if (d->order)
        distr_order_begin_run(d);
    atomic_fetch_and_explicit(&d->state, ~(uint32_t)DISTR_ENDED, memory_order_seq_cst);
    d->starter = pthread_self();
    d->started_ns = distr_now();
    d->running = true;
    atomic_fetch_or_explicit(&d->state, DISTR_STARTED, memory_order_seq_cst);
    distr_fd_clear(d); /* it was readable since STOP */
    launch(d, DISTR_GO);
}

static int start_locked(struct distributor *d)
{
    if (d->running || distr_has_unread(d))
        return -EBUSY;
    if (distr_state(d) & DISTR_DESTROYED)
        return -ESHUTDOWN;
    unsigned before = worker_count(d);
    int rc = make_automatic(d);
    if (rc == 0)
        rc = start_threads(d);
    if (rc == 0)
        begin_run(d);
    else
        distr_worker_keep(d, before);
    return rc;
}

int distributor_start(distributor_t *d)
{
    if (!d)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    rc = start_locked(d);
    pthread_mutex_unlock(&d->lock);
    distr_call_end(d);
    return rc;
}

int distributor_add_worker(distributor_t *d, const char *name)
{
    struct distr_worker *worker = NULL;

    if (!d)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    unsigned before = worker_count(d);
    if (d->running && (distr_state(d) & DISTR_ENDED))
        rc = -ESHUTDOWN;
    else
        rc = distr_worker_make(d, name, &worker);
    if (rc == 0 && d->running)
        rc = distr_worker_start(worker);
    if (rc == 0)
        rc = (int)worker->index;
    else
        distr_worker_keep(d, before);
    pthread_mutex_unlock(&d->lock);
    distr_call_end(d);
    return rc;
}

/* ---- join ---- */

static struct distr_worker *worker_at(struct distributor *d, unsigned index)
{
    pthread_mutex_lock(&d->lock);
    struct distr_worker *worker = index < worker_count(d) ? d->all[index] : NULL;
    pthread_mutex_unlock(&d->lock);
    return worker;
}

/* Names to the log what still runs; the hook is called without the lock. */
static void name_the_busy(struct distributor *d)
{
    struct distr_worker *worker;

    for (unsigned i = 0; (worker = worker_at(d, i)) != NULL; i++) {
        const distributor_task_type_t *type =
            atomic_load_explicit(&worker->busy, memory_order_relaxed);
        if (type)
            distr_log(d, DISTRIBUTOR_LOG_WARNING, worker->name,
                      "a join timed out while task %s runs", type->name ? type->name : "task");
    }
    unsigned deferred = distr_deferred_count(d);
    if (deferred > 0)
        distr_log(d, DISTRIBUTOR_LOG_WARNING, NULL, "a join timed out while %u deferred tasks wait",
                  deferred);
}

static int wait_for_end(struct distributor *d, int64_t deadline)
{
    struct distr_patience patience;
    int rc = 0;

    distr_patience_begin(d, &patience, deadline);
    uint32_t sequence = distr_gate_enter(&d->ended);
    while (!(distr_state(d) & DISTR_ENDED)) {
        rc = distr_patience_check(d, &patience);
        if (rc != 0)
            break;
        distr_gate_wait(&d->ended, &sequence, patience.until);
    }
    distr_gate_leave(&d->ended);
    return rc;
}

static void sum_up(const struct distributor *d, distributor_summary_t *summary)
{
    const distributor_summary_t *now = &d->total;
    const distributor_summary_t *base = &d->base;

    *summary = (distributor_summary_t){
        .added = now->added - base->added,
        .completed = now->completed - base->completed,
        .failed = now->failed - base->failed,
        .cancelled = now->cancelled - base->cancelled,
        .discarded = now->discarded - base->discarded,
        .results = now->results - base->results,
        .duration_ns = d->ended_ns - d->started_ns,
    };
}

/* STOP has come: ends the threads and opens the door for the next run.  Under the lock. */
static void finish(struct distributor *d, distributor_summary_t *summary)
{
    unsigned count = worker_count(d);

    pthread_mutex_unlock(&d->lock);
    join_threads(d, count);
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < count; i++)
        distr_mail_drop(d->all[i]);
    if (summary)
        sum_up(d, summary);
    d->base = d->total;
    d->running = false;
    if (!(distr_state(d) & DISTR_DESTROYED))
        atomic_fetch_and_explicit(&d->state, DISTR_ENDED | DISTR_LIMITED, memory_order_seq_cst);
}

static int join(struct distributor *d, distributor_summary_t *summary, int64_t deadline)
{
    int rc = 0;

    pthread_mutex_lock(&d->lock);
    if (distr_state(d) & DISTR_DESTROYED)
        rc = -ESHUTDOWN; /* destroy joins the threads */
    else if (!d->running)
        rc = -EINVAL;
    else if (d->joining)
        rc = -EBUSY;
    else
        d->joining = true;
    pthread_mutex_unlock(&d->lock);
    if (rc != 0)
        return rc;
    distr_set_state(d, DISTR_CLOSED);
    rc = wait_for_end(d, deadline);
    if (rc == -ETIMEDOUT)
        name_the_busy(d);
    pthread_mutex_lock(&d->lock);
    if (rc == 0)
        finish(d, summary);
    if (rc == 0 && (distr_state(d) & DISTR_DESTROYED))
        rc = -ESHUTDOWN;
    d->joining = false;
    pthread_cond_broadcast(&d->joined);
    pthread_mutex_unlock(&d->lock);
    return rc;
}

int distributor_join_until(distributor_t *d, distributor_summary_t *summary, int64_t deadline)
{
    if (!d)
        return -EINVAL;
    int rc = distr_usable(d);
    if (rc != 0)
        return rc;
    if (distr_is_worker(d))
        return -EDEADLK;
    rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    rc = join(d, summary, deadline);
    distr_call_end(d);
    return rc;
}

int distributor_join(distributor_t *d, distributor_summary_t *summary)
{
    return distributor_join_until(d, summary, DISTRIBUTOR_FOREVER);
}

int distributor_run(distributor_t *d, distributor_summary_t *summary)
{
    if (!d)
        return -EINVAL;
    if (distr_usable(d) == 0 && distr_is_worker(d))
        return -EDEADLK;
    int rc = distributor_start(d);
    return rc == 0 ? distributor_join(d, summary) : rc;
}

void distr_end_threads(struct distributor *d)
{
    pthread_mutex_lock(&d->lock);
    while (d->joining)
        pthread_cond_wait(&d->joined, &d->lock);
    bool running = d->running;
    pthread_mutex_unlock(&d->lock);
    if (!running)
        return;
    wait_for_end(d, INT64_MAX);
    join_threads(d, worker_count(d));
}
