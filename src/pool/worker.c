/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers and their threads. */
#include "pool/worker.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/reader.h"
#include "pool/registry.h"
#include "pool/idle.h"
#include "pool/order.h"
#include "pool/take.h"

#define THREAD_NAME_MAX 15

/* ---- making ---- */

static bool name_is_taken(const struct distributor *d, const char *name, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(d->all[i]->name, name) == 0)
            return true;
    return false;
}

/* A copy of the name; without one "NAME-INDEX", or the next number that is free. */
static char *make_name(const struct distributor *d, const char *name, unsigned index)
{
    const char *prefix = d->options.name ? d->options.name : "worker";
    size_t size = strlen(prefix) + sizeof "-4294967295";

    if (name)
        return strdup(name);
    char *made = malloc(size);
    unsigned number = index;
    do
        if (made)
            snprintf(made, size, "%s-%u", prefix, number++);
    while (made && d->named && name_is_taken(d, made, index));
    return made;
}

static int make_room(struct distributor *d, unsigned index)
{
    if (index < d->capacity)
        return 0;
    unsigned capacity = d->capacity ? d->capacity * 2 : 8;
    struct distr_worker **all = realloc(d->all, capacity * sizeof(struct distr_worker *));
    if (!all)
        return -ENOMEM;
    d->all = all;
    d->capacity = capacity;
    return 0;
}

static void begin_looking(struct distributor *d, struct distr_worker *worker)
{
    worker->task.worker = worker;
    worker->task.output = distr_queue_end(&worker->output);
    worker->until_fair = DISTR_FAIR_EVERY;
    worker->fair_group = &d->first;
    worker->scan_group = &d->first;
    ck_stack_init(&worker->mailbox);
}

static void free_queue(struct distributor *d, struct distr_queue *queue)
{
    if (queue->tail)
        distr_pools_put(&d->pools, queue->tail);
    if (queue->spare)
        distr_pools_put(&d->pools, queue->spare);
}

/* The claims hold what one claim takes; the output has its spare from the first day, so that a
 * failure has its slot. */
static int make_queues(struct distributor *d, struct distr_worker *worker)
{
    int rc = distr_queue_init(&worker->record.input, &d->pools, DISTR_LARGE, DISTR_PRIVATE);

    if (rc == 0)
        rc = distr_queue_init(&worker->claims, &d->pools, DISTR_LARGE, DISTR_PRIVATE);
    if (rc == 0)
        rc = distr_queue_init(&worker->output, &d->pools, DISTR_SMALL, DISTR_OPEN);
    worker->output.ahead = true;
    if (!d->order) {
        distr_queue_allow_dense(&worker->output);
        distr_queue_allow_dense(&worker->record.input);
    }
    if (d->output_limit != UINT64_MAX)
        distr_queue_guard(&worker->output);
    if (d->input_limit != UINT64_MAX)
        distr_queue_guard(&worker->record.input);
    if (rc == 0)
        rc = distr_queue_reserve_slow(&worker->output);
    if (rc == 0) {
        worker->output.maker = worker->index;
        atomic_store_explicit(&worker->output.tail->maker, worker->index, memory_order_relaxed);
    }
    if (rc == 0 && d->order)
        rc = distr_order_seat(d, worker);
    if (rc == 0)
        rc = distr_record_link(d, &worker->record);
    if (rc == 0)
        return 0;
    distr_order_unseat(worker);
    free_queue(d, &worker->record.input);
    free_queue(d, &worker->claims);
    free_queue(d, &worker->output);
    return rc;
}

/* A worker that is linked and has no name.  NULL: no memory. */
static struct distr_worker *make_linked(struct distributor *d, unsigned index)
{
    struct distr_worker *worker = aligned_alloc(_Alignof(struct distr_worker), sizeof *worker);

    if (!worker)
        return NULL;
    memset(worker, 0, sizeof *worker);
    worker->index = index;
    worker->record.worker = worker;
    begin_looking(d, worker);
    if (make_queues(d, worker) == 0)
        return worker;
    free(worker);
    return NULL;
}

static struct distr_worker *make(struct distributor *d, unsigned index)
{
    struct distr_worker *worker = make_room(d, index) == 0 ? make_linked(d, index) : NULL;

    if (!worker)
        return NULL;
    d->all[index] = worker;
    d->made = index + 1;
    return worker;
}

struct distr_worker *distr_worker_make_apart(struct distributor *d)
{
    char *name = strdup("deferred");
    struct distr_worker *worker = name ? make_linked(d, UINT_MAX) : NULL;

    if (worker)
        worker->name = name;
    else
        free(name);
    return worker;
}

int distr_worker_make(struct distributor *d, const char *name, struct distr_worker **worker)
{
    unsigned index = atomic_load_explicit(&d->workers, memory_order_relaxed);

    if (index >= DISTRIBUTOR_MAX_WORKERS)
        return -ENOSPC;
    if (name && name_is_taken(d, name, index))
        return -EEXIST;
    struct distr_worker *made = index < d->made ? d->all[index] : make(d, index);
    char *copy = made ? make_name(d, name, index) : NULL;
    if (!copy)
        return -ENOMEM;
    free(made->name);
    made->name = copy;
    d->named = d->named || name;
    atomic_store_explicit(&d->workers, index + 1, memory_order_release);
    *worker = made;
    return 0;
}

void distr_worker_keep(struct distributor *d, unsigned count)
{
    atomic_store_explicit(&d->workers, count, memory_order_release);
}

void distr_worker_free(struct distr_worker *worker)
{
    distr_mail_drop(worker);
    distr_order_unseat(worker);
    free(worker->name);
    free(worker);
}

/* ---- the thread ---- */

static void set_thread_name(const char *name)
{
    char cut[THREAD_NAME_MAX + 1];

    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(pthread_self(), cut);
}

static bool launched(struct distributor *d)
{
    uint32_t sequence = distr_gate_enter(&d->go);
    uint32_t launch;

    while ((launch = atomic_load_explicit(&d->launch, memory_order_seq_cst)) == DISTR_WAIT)
        distr_gate_wait(&d->go, &sequence, INT64_MAX);
    distr_gate_leave(&d->go);
    return launch == DISTR_GO;
}

static void drop_value(struct distr_worker *worker)
{
    void *value = worker->value;

    worker->value = NULL;
    if (worker->destroy_value && value)
        worker->destroy_value(value);
    worker->destroy_value = NULL;
}

/* The thread is the worker's no longer. */
static void leave(struct distr_worker *worker)
{
    const distributor_options_t *options = &worker->record.owner->options;

    drop_value(worker);
    if (options->worker_stopped)
        options->worker_stopped(options->context, worker->index, worker->name);
    distr_thread_rise(worker->record.owner);
    /* release: pairs with enter; from here on this thread touches nothing of the worker's. */
    atomic_store_explicit(&worker->occupied, 0, memory_order_release);
    distr_futex_wake(&worker->occupied, 1);
}

/* The thread is the worker's: waits for the one before to be gone. */
static void enter(struct distr_worker *worker)
{
    /* acquire: pairs with leave. */
    while (atomic_load_explicit(&worker->occupied, memory_order_acquire) != 0)
        distr_futex_wait(&worker->occupied, 1, INT64_MAX);
    atomic_store_explicit(&worker->occupied, 1, memory_order_relaxed);
    distr_thread_sit(worker->record.owner, &worker->record);
}

static void *thread_main(void *argument);

static int create_thread(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;

    int rc = pthread_attr_init(&attributes);
    if (rc != 0)
        return -rc;
    if (d->options.stack_size != 0)
        rc = pthread_attr_setstacksize(&attributes, d->options.stack_size);
    /* The thread inherits the mask: no signal of the host's is handled on a worker. */
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (rc == 0)
        rc = pthread_create(&worker->thread, &attributes, thread_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -rc;
}

int distr_worker_start(struct distr_worker *worker)
{
    return create_thread(worker);
}

/* The time of a worker on a thread. */
struct tenure {
    struct distr_worker *worker;
    jmp_buf again; /* where it goes on if the system gives no other thread */
};

/*
 * The callback ended the thread (pthread_exit, or somebody cancelled it): its task has failed,
 * and the worker goes on in a new thread, or on this one if the system gives none.  The new one is
 * known before the task counts as ended: STOP may come with that count, and join then waits for the
 * thread that it finds.
 * Here it goes on outside of this handler: the C library forgets a handler when that is popped, not
 * when it has called it, so that one of a task's would be called again at the next end, in a frame
 * that is gone.  Popping ours brings back what it knew before.
 */
static void replace(void *argument)
{
    struct tenure *tenure = argument;
    struct distr_worker *worker = tenure->worker;
    struct distributor *d = worker->record.owner;

    pthread_mutex_lock(&d->lock);
    pthread_t ended = worker->thread;
    int rc = create_thread(worker);
    if (rc == 0)
        pthread_detach(ended);
    else
        worker->thread = ended;
    pthread_mutex_unlock(&d->lock);
    distr_log(d, DISTRIBUTOR_LOG_WARNING, worker->name, "a task ended the thread of its worker");
    distr_task_lost_its_thread(worker);
    leave(worker);
    if (rc != 0)
        longjmp(tenure->again, 1);
}

/* False: a task ended the thread, and the worker, which has left it, is to enter it once more. */
static bool work(struct distr_worker *worker)
{
    struct tenure tenure = {.worker = worker};
    bool is_over;

    pthread_cleanup_push(replace, &tenure);
    if (setjmp(tenure.again) == 0) {
        distr_work(worker);
        is_over = true;
    } else {
        is_over = false;
    }
    pthread_cleanup_pop(0);
    return is_over;
}

static void enter_and_work(struct distr_worker *worker)
{
    const distributor_options_t *options = &worker->record.owner->options;

    do {
        enter(worker);
        if (options->worker_started)
            options->worker_started(options->context, worker->index, worker->name);
    } while (!work(worker));
    leave(worker);
}

static void *thread_main(void *argument)
{
    struct distr_worker *worker = argument;

    if (!launched(worker->record.owner))
        return NULL;
    set_thread_name(worker->name);
    enter_and_work(worker);
    return NULL;
}

/* ---- inside a task ---- */

bool distributor_should_stop(const distributor_task_t *self)
{
    return self && (distr_state(self->worker->record.owner) & DISTR_CANCELLED);
}

distributor_t *distributor_of(const distributor_task_t *self)
{
    return self ? self->worker->record.owner : NULL;
}

unsigned distributor_worker_index(const distributor_task_t *self)
{
    return self ? self->worker->index : 0;
}

const char *distributor_worker_name(const distributor_task_t *self)
{
    return self ? self->worker->name : NULL;
}

void *distributor_worker_value(const distributor_task_t *self)
{
    return self ? self->worker->value : NULL;
}

int distributor_set_worker_value(distributor_task_t *self, void *value,
                                 void (*destroy)(void *value))
{
    if (!self)
        return -EINVAL;
    struct distr_worker *worker = self->worker;
    if (!worker->record.worker)
        return -EINVAL; /* a deferred task is on no worker */
    if (value != worker->value)
        drop_value(worker);
    worker->value = value;
    worker->destroy_value = destroy;
    return 0;
}
