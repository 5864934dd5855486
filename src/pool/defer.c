/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferred tasks; see defer.h. */
#include "pool/defer.h"

#include <limits.h>

#include "pool/add.h"
#include "pool/emit.h"
#include "pool/item.h"
#include "pool/quiesce.h"
#include "pool/reader.h"
#include "pool/registry.h"
#include "pool/worker.h"

/* One that ended is used again only after that many others, so that who completes one twice is
 * told. */
#define REST 1024u

enum distr_deferred_state {
    DISTR_ENDED_LATE = 0,
    DISTR_RUNNING = 1,    /* its callback has not returned */
    DISTR_COMPLETED = 2,  /* the same, and it was completed */
    DISTR_DEFERRING = 3,  /* its callback has returned */
    DISTR_COMPLETING = 4, /* its completion waits for room */
    DISTR_WAS_CANCELLED = 5
};

/* What the caller holds.  It lives as long as the distributor. */
struct distr_deferred {
    struct distributor_task task; /* first; its worker is `front`, its failure is the caller's */

    /* Guarded by the lock. */
    enum distr_deferred_state state;
    int error;                        /* of COMPLETED */
    struct distr_deferred *next;      /* all of them */
    struct distr_deferred *next_free; /* the one that ended after it */
};

struct distr_late {
    pthread_mutex_t lock;
    struct distr_worker *worker; /* owned by who holds the lock */

    /* What stands in the place of a worker in the tasks: constant, so that the short ways of emit
     * and spawn find nothing to write to.  It is no record's worker, and is linked nowhere. */
    struct distr_worker front;

    /* Guarded by the lock. */
    struct distr_deferred *all;
    struct distr_deferred *oldest; /* of those that ended */
    struct distr_deferred *newest;
    unsigned resting;
    unsigned open;
};

_Static_assert(offsetof(struct distr_deferred, task) == 0, "it is found by its task");

static struct distr_deferred *deferred_of(struct distributor_task *task)
{
    return (struct distr_deferred *)(void *)task;
}

static struct distr_late *late_of(struct distributor *d)
{
    /* acquire: pairs with the release in make. */
    return atomic_load_explicit(&d->late, memory_order_acquire);
}

/* ---- making ---- */

/* Under the distributor's lock. */
static struct distr_late *make(struct distributor *d)
{
    struct distr_late *late = aligned_alloc(_Alignof(struct distr_late), sizeof *late);

    if (!late)
        return NULL;
    memset(late, 0, sizeof *late);
    late->worker = distr_worker_make_apart(d);
    if (!late->worker) {
        free(late);
        return NULL;
    }
    late->front.record.owner = d;
    late->front.index = UINT_MAX;
    late->front.name = late->worker->name;
    pthread_mutex_init(&late->lock, NULL);
    atomic_store_explicit(&d->late, late, memory_order_release);
    return late;
}

static struct distr_late *find_late(struct distributor *d)
{
    struct distr_late *late = late_of(d);

    if (late)
        return late;
    pthread_mutex_lock(&d->lock);
    late = late_of(d);
    if (!late)
        late = make(d);
    pthread_mutex_unlock(&d->lock);
    return late;
}

void distr_deferred_free(struct distributor *d)
{
    struct distr_late *late = late_of(d);

    if (!late)
        return;
    while (late->all) {
        struct distr_deferred *next = late->all->next;
        free(late->all->task.failure);
        free(late->all);
        late->all = next;
    }
    pthread_mutex_destroy(&late->lock);
    free(late);
}

/* One that nobody holds.  Under the lock. */
static struct distr_deferred *take_rested(struct distr_late *late)
{
    struct distr_deferred *deferred = late->oldest;

    if (late->resting > REST) {
        late->oldest = deferred->next_free;
        late->resting--;
        return deferred;
    }
    deferred = malloc(sizeof *deferred);
    if (!deferred)
        return NULL;
    deferred->next = late->all;
    late->all = deferred;
    return deferred;
}

/* Its end is counted.  Under the lock. */
static void put_to_rest(struct distr_late *late, struct distr_deferred *deferred,
                        enum distr_deferred_state state)
{
    deferred->state = state;
    deferred->next_free = NULL;
    if (late->resting == 0)
        late->oldest = deferred;
    else
        late->newest->next_free = deferred;
    late->newest = deferred;
    late->resting++;
    late->open--;
}

int distributor_defer(distributor_task_t *self, distributor_task_t **task)
{
    if (!self || !task)
        return -EINVAL;
    struct distr_worker *worker = self->worker;
    if (!worker->record.worker || distr_meta_kind(self->item.meta) == DISTR_DEFERRED)
        return -EALREADY;
    struct distributor *d = worker->record.owner;
    int rc = d->order ? -ENOTSUP : distr_usable(d);
    if (rc != 0)
        return rc;
    struct distr_late *late = find_late(d);
    if (!late)
        return -ENOMEM;
    pthread_mutex_lock(&late->lock);
    struct distr_deferred *deferred = take_rested(late);
    if (deferred) {
        deferred->task = (struct distributor_task){
            .worker = &late->front,
            .output = distr_queue_end(&late->front.output), /* never quick */
            .item = self->item,
        };
        deferred->state = DISTR_RUNNING;
        late->open++;
    }
    pthread_mutex_unlock(&late->lock);
    if (!deferred)
        return -ENOMEM;
    /* No end of a task overlooks this kind. */
    self->item.meta = distr_meta(distr_meta_serial(self->item.meta), DISTR_DEFERRED, 0);
    self->rare = true;
    self->deferred = deferred;
    *task = &deferred->task;
    return 0;
}

/* ---- the end ---- */

/* It ends as the worker's task, with what it owns; who ends it has the last word on why it failed.
 * Under the lock. */
static void hand_over(struct distr_late *late, struct distr_deferred *deferred,
                      struct distr_worker *worker, enum distr_deferred_state state)
{
    struct distr_failure *own = worker->task.failure;

    worker->task.item = deferred->task.item;
    if (!own || deferred->state == DISTR_COMPLETED) {
        worker->task.failure = deferred->task.failure;
        deferred->task.failure = own;
    }
    free(deferred->task.failure);
    deferred->task.failure = NULL;
    put_to_rest(late, deferred, state);
}

bool distr_deferred_returned(struct distr_worker *worker, int *rc)
{
    struct distr_deferred *deferred = worker->task.deferred;
    struct distr_late *late = late_of(worker->record.owner);
    bool ends = true;

    pthread_mutex_lock(&late->lock);
    bool cancelled = distr_state(worker->record.owner) & DISTR_CANCELLED;
    if (deferred->state == DISTR_COMPLETED) {
        *rc = deferred->error;
    } else if (*rc == 0 && cancelled) {
        *rc = -ECANCELED;
    } else if (*rc == 0) {
        deferred->state = DISTR_DEFERRING;
        ends = false;
    }
    if (ends)
        hand_over(late, deferred, worker, cancelled ? DISTR_WAS_CANCELLED : DISTR_ENDED_LATE);
    pthread_mutex_unlock(&late->lock);
    if (ends)
        return true;
    free(worker->task.failure);
    worker->task.failure = NULL;
    return false;
}

/* B3: whether the caller has to end it. */
static int begin_end(struct distr_late *late, struct distr_deferred *deferred, int error)
{
    int rc = 0;

    pthread_mutex_lock(&late->lock);
    if (deferred->state == DISTR_RUNNING) {
        deferred->error = error;
        deferred->state = DISTR_COMPLETED;
    } else if (deferred->state == DISTR_DEFERRING) {
        deferred->state = DISTR_COMPLETING;
        rc = 1;
    } else {
        rc = deferred->state == DISTR_WAS_CANCELLED ? -ECANCELED : -EALREADY;
    }
    pthread_mutex_unlock(&late->lock);
    return rc;
}

static int complete(struct distributor *d, struct distr_deferred *deferred, int error)
{
    struct distr_late *late = late_of(d);
    int rc = begin_end(late, deferred, error);

    if (rc != 1)
        return rc;
    bool room = error == 0 || distr_failure_room(late->worker);
    pthread_mutex_lock(&late->lock);
    hand_over(late, deferred, late->worker, room ? DISTR_ENDED_LATE : DISTR_WAS_CANCELLED);
    distr_task_ends(late->worker, error, room);
    pthread_mutex_unlock(&late->lock);
    distr_try_end(d); /* B4: it may have been the last count */
    return 0;
}

int distributor_complete(distributor_task_t *task, int error)
{
    if (!task || task->worker->record.worker)
        return -EINVAL;
    struct distributor *d = task->worker->record.owner;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    rc = complete(d, deferred_of(task), error > 0 ? -EINVAL : error);
    distr_call_end(d);
    return rc;
}

void distr_deferred_cancel(struct distributor *d)
{
    struct distr_late *late = late_of(d);

    if (!late)
        return;
    pthread_mutex_lock(&late->lock);
    for (struct distr_deferred *deferred = late->all; deferred; deferred = deferred->next) {
        if (deferred->state != DISTR_DEFERRING)
            continue;
        hand_over(late, deferred, late->worker, DISTR_WAS_CANCELLED);
        distr_task_ends(late->worker, -ECANCELED, false);
    }
    pthread_mutex_unlock(&late->lock);
}

unsigned distr_deferred_count(struct distributor *d)
{
    struct distr_late *late = late_of(d);

    if (!late)
        return 0;
    pthread_mutex_lock(&late->lock);
    unsigned open = late->open;
    pthread_mutex_unlock(&late->lock);
    return open;
}

/* ---- late results and tasks ---- */

/* Whether it can still emit and spawn.  Under the lock. */
static int check_open(const struct distr_deferred *deferred)
{
    bool open = deferred->state == DISTR_RUNNING || deferred->state == DISTR_DEFERRING;

    return open ? 0 : -EALREADY;
}

/* The result of an item that was made; `room`: of distr_output_room.  Under the lock. */
static int put(struct distr_late *late, const struct distr_deferred *deferred,
               const struct distr_item *item, int room)
{
    struct distr_worker *worker = late->worker;
    int rc = check_open(deferred);

    if (rc == 0 && room == 0) /* one slot stays for a failure */
        rc = distr_queue_reserve_ahead(&worker->output, 2);
    if (rc == 0 && room == -ECANCELED)
        return distr_drop_result(worker, item);
    if (rc == 0 && room == 0) {
        distr_queue_put(&worker->output, item);
        distr_queue_publish(&worker->output); /* E1 */
        distr_announce_result(worker);
        return 0;
    }
    return rc != 0 ? rc : room;
}

static int emit(struct distributor *d, struct distr_deferred *deferred, const void *result,
                size_t size)
{
    struct distr_late *late = late_of(d);
    const struct distr_item *task = &deferred->task.item;
    struct distr_item item;
    int rc = distr_item_make(&item, task->type, distr_meta_serial(task->meta), result, size);

    if (rc != 0)
        return rc;
    int room = distr_output_room(d); /* without the lock: a completion may make the reader go on */
    pthread_mutex_lock(&late->lock);
    rc = put(late, deferred, &item, room);
    pthread_mutex_unlock(&late->lock);
    if (rc != 0 && rc != -ECANCELED)
        distr_item_free(&item);
    if (rc != 0 && room == 0)
        distr_output_room_back(d);
    return rc;
}

int distr_emit_late(struct distributor_task *task, const void *result, size_t size)
{
    struct distributor *d = task->worker->record.owner;

    if (size != 0 && !result)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    rc = emit(d, deferred_of(task), result, size);
    distr_call_end(d);
    return rc;
}

int distr_spawn_late(struct distributor_task *task, const distributor_task_type_t *type,
                     const void *input, size_t size)
{
    struct distributor *d = task->worker->record.owner;
    int rc = distr_call_begin(d);

    if (rc != 0)
        return rc;
    struct distr_late *late = late_of(d);
    pthread_mutex_lock(&late->lock);
    rc = check_open(deferred_of(task));
    if (rc == 0)
        rc = distributor_spawn(&late->worker->task, type, input, size);
    pthread_mutex_unlock(&late->lock);
    distr_call_end(d);
    return rc;
}
