/* SPDX-License-Identifier: BSD-2-Clause */
/* One task, from its begin to its count; and the failure records. */
#include <stdarg.h>
#include <stdio.h>

#include "pool/add.h"
#include "pool/defer.h"
#include "pool/emit.h"
#include "pool/idle.h"
#include "pool/item.h"
#include "pool/reader.h"
#include "pool/registry.h"
#include "pool/source.h"
#include "pool/worker.h"

void distr_item_free(const struct distr_item *item)
{
    enum distr_kind kind = distr_meta_kind(item->meta);

    if (kind == DISTR_HEAP) {
        free(item->payload.heap.pointer);
    } else if (kind == DISTR_MESSAGE) {
        struct distr_failure *failure = item->payload.heap.pointer;
        distr_item_free(&failure->input);
        free(failure);
    }
}

void distr_discard_task(struct distr_record *record, struct distr_item *item)
{
    size_t size;
    const void *input = distr_item_bytes(item, &size);

    if (item->type->discard_input)
        item->type->discard_input((void *)(uintptr_t)input, size);
    distr_item_free(item);
    distr_count(&record->discarded, 1);
}

/* A failure with text, or with an error that does not fit into an item.  NULL: no memory. */
static struct distr_failure *make_failure(int error, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return NULL;
    struct distr_failure *failure = malloc(sizeof *failure + (size_t)length + 1);
    if (!failure)
        return NULL;
    failure->error = error;
    vsnprintf(failure->message, (size_t)length + 1, format, arguments);
    return failure;
}

int distributor_fail(distributor_task_t *self, int error, const char *format, ...)
{
    va_list arguments;

    if (!self || !format)
        return -EINVAL;
    if (error >= 0)
        error = -EINVAL; /* a forgotten minus; the text is kept all the same */
    free(self->failure);
    va_start(arguments, format);
    self->failure = make_failure(error, format, arguments);
    va_end(arguments);
    return error;
}

/* The failure record of the task: its slot was reserved before the task ran. */
static void deliver_failure(struct distr_worker *worker, int error)
{
    struct distributor_task *task = &worker->task;
    struct distr_item item = task->item;

    if (!task->failure && error < -DISTR_ERROR_MAX) {
        task->failure = malloc(sizeof *task->failure + 1);
        if (task->failure)
            task->failure->message[0] = '\0';
        else
            error = -EOVERFLOW; /* no memory to say which number it was */
    }
    if (task->failure) {
        task->failure->input = task->item;
        task->failure->error = error;
        item.payload.heap.pointer = task->failure;
        item.meta = distr_meta(distr_meta_serial(item.meta), DISTR_MESSAGE, 0);
        task->failure = NULL;
        error = -1;
    }
    item.meta = distr_meta_with_error(item.meta, error);
    if (worker->order)
        distr_order_start_failure(worker);
    distr_queue_put(&worker->output, &item);
    distr_queue_publish(&worker->output);
    distr_announce_result(worker);
}

static void forget_failure(struct distributor_task *task)
{
    free(task->failure);
    task->failure = NULL;
}

static int reserve_slot(struct distr_worker *worker)
{
    return worker->order ? distr_order_reserve_failure(worker)
                         : distr_queue_reserve_ahead(&worker->output, 1);
}

static inline bool has_slot(const struct distr_worker *worker)
{
    return distr_likely(worker->output.spare != NULL) ||
           (worker->order && distr_order_has_slot(worker));
}

/* Waits for a slot for a failure where there was no memory for it: there may be the next moment. */
static bool find_slot(struct distr_worker *worker)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        if (reserve_slot(worker) == 0)
            return true;
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
    }
    return false;
}

static void log_failure(struct distr_worker *worker, int error)
{
    const char *name = worker->task.item.type->name;

    if (worker->record.owner->options.log)
        distr_log(worker->record.owner, DISTRIBUTOR_LOG_INFO, worker->name, "task %s failed: %s",
                  name ? name : "task",
                  worker->task.failure ? worker->task.failure->message
                                       : distributor_strerror(error));
}

/* Frees what the task owned and counts it. */
static void count_without_record(struct distr_worker *worker, _Atomic uint64_t *count)
{
    forget_failure(&worker->task);
    distr_item_free(&worker->task.item);
    distr_count(count, 1);
}

bool distr_failure_room(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;

    if (distr_state(d) & DISTR_CANCELLED)
        return false;
    return (worker->order ? distr_order_room(worker) : distr_output_room(d)) == 0;
}

/* It returned a positive number: what it said itself is kept. */
static int forgot_the_minus(struct distributor_task *task, int returned)
{
    return task->failure ? -EINVAL
                         : distributor_fail(task, -EINVAL,
                                            "it returned %d, not 0 or a negative errno", returned);
}

/* The task returned something else than 0. */
static void task_failed(struct distr_worker *worker, int error, bool room)
{
    struct distributor *d = worker->record.owner;

    if (error > 0)
        error = forgot_the_minus(&worker->task, error);
    if (!room) {
        count_without_record(worker, &worker->record.cancelled);
        return;
    }
    log_failure(worker, error);
    if (find_slot(worker)) {
        deliver_failure(worker, error);
        distr_count(&worker->record.failed, 1);
        return;
    }
    distr_log(d, DISTRIBUTOR_LOG_ERROR, worker->name, "no memory: a failure has no record");
    distr_output_room_back(d);
    distr_count(&worker->record.unqueued, 1);
    count_without_record(worker, &worker->record.failed);
}

void distr_task_ends(struct distr_worker *worker, int rc, bool room)
{
    if (rc != 0)
        task_failed(worker, rc, room);
    else
        count_without_record(worker, &worker->record.completed);
}

/* An end that is not the common one. */
static distr_apart void ends_rarely(struct distr_worker *worker, int rc)
{
    if (distr_meta_kind(worker->task.item.meta) == DISTR_DEFERRED &&
        !distr_deferred_returned(worker, &rc))
        return; /* it goes on */
    distr_task_ends(worker, rc, rc == 0 || distr_failure_room(worker));
}

/*
 * The callback returned, or ended its thread.  It is busy until it is counted: a cancellation that
 * was pending can end the thread in a hook on the way there, and the count is then made by who
 * finds it busy.
 */
static inline void task_ended(struct distr_worker *worker, int rc)
{
    if (distr_unlikely(rc != 0 || worker->task.failure != NULL ||
                       distr_meta_kind(worker->task.item.meta) != DISTR_INLINE))
        ends_rarely(worker, rc);
    else
        distr_count(&worker->record.completed, 1);
    /* relaxed: see struct distr_worker. */
    atomic_store_explicit(&worker->busy, NULL, memory_order_relaxed);
}

void distr_task_fails(struct distr_worker *worker, int error)
{
    if (worker->order)
        distr_order_begin(worker);
    if (reserve_slot(worker) != 0)
        find_slot(worker);
    atomic_store_explicit(&worker->busy, worker->task.item.type, memory_order_relaxed);
    task_ended(worker, error);
}

void distr_task_lost_its_thread(struct distr_worker *worker)
{
    if (distr_is_asking(worker))
        distr_source_lost(worker);
    else if (atomic_load_explicit(&worker->busy, memory_order_relaxed))
        task_ended(worker, -EOWNERDEAD);
}

/* A task begins where there is a limit or an order, or after cancel.  False: it was discarded. */
static bool begin_rarely(struct distr_worker *worker, uint32_t state)
{
    if (worker->order)
        distr_order_begin(worker);
    if (distr_input_limited(worker->record.owner))
        distr_give_room(worker->record.owner, 1);
    if (!(state & DISTR_CANCELLED))
        return true;
    distr_discard_task(&worker->record, &worker->task.item);
    return false;
}

static inline void call(struct distr_worker *worker, const void *input, size_t size)
{
    const distributor_task_type_t *type = worker->task.item.type;

    atomic_store_explicit(&worker->busy, type, memory_order_relaxed);
    task_ended(worker, type->run(&worker->task, input, size));
}

static inline void run_task(struct distr_worker *worker)
{
    uint32_t state = distr_state(worker->record.owner);
    size_t size;

    if (distr_unlikely(state & (DISTR_CANCELLED | DISTR_LIMITED)) && !begin_rarely(worker, state))
        return;
    if (distr_unlikely(!has_slot(worker)))
        find_slot(worker);
    const void *input = distr_item_bytes(&worker->task.item, &size);
    call(worker, input, size);
}

/* Where distr_next_task looks first for what is not fair; NULL: it has to look further. */
static struct distr_queue *next_deque(struct distr_worker *worker)
{
    struct distr_queue *spawned = &worker->record.input;

    if (spawned->bottom != spawned->lo)
        return spawned;
    return distr_likely(!spawned->tail->previous) ? &worker->claims : NULL;
}

/* One of run_words, whose type stands in the worker's task.  False: this was none. */
static inline bool run_word(struct distr_worker *worker, struct distr_queue *deque)
{
    struct distr_item *item = &worker->task.item;

    if (distr_unlikely(distr_state(worker->record.owner) & DISTR_CANCELLED) ||
        distr_unlikely(!worker->output.spare))
        return false;
    if (distr_unlikely(!distr_deque_pop_word(deque, item))) {
        if (distr_deque_pop_settled(deque, deque->bottom + 1, item))
            run_task(worker);
        return false;
    }
    size_t size = distr_meta_inline_size(item->meta);
    call(worker, distr_likely(size != 0) ? item->payload.bytes : NULL, size);
    return true;
}

/* Words of one type, from the deque that is next, until that is empty or a fair task is due.  True:
 * one has spawned, so that another deque may be next, or this one is no longer as it was. */
static inline bool run_row(struct distr_worker *worker)
{
    const _Atomic uint64_t *added = &worker->record.added; /* relaxed: this thread writes it */
    uint64_t before = atomic_load_explicit(added, memory_order_relaxed);
    struct distr_queue *deque = next_deque(worker);
    unsigned count = deque ? distr_deque_words(deque) : 0;
    bool spawned = false;

    if (count >= worker->until_fair)
        count = worker->until_fair - 1;
    if (count == 0)
        return false;
    worker->until_fair -= count;
    worker->task.item.type = deque->type;
    while (count > 0 && !spawned && run_word(worker, deque)) {
        count--;
        spawned = atomic_load_explicit(added, memory_order_relaxed) != before;
    }
    worker->until_fair += count;
    return spawned;
}

/* The common case. */
static distr_apart void run_words(struct distr_worker *worker)
{
    while (run_row(worker))
        ;
}

void distr_work(struct distr_worker *worker)
{
    const bool words = distr_has_membarrier && !(distr_state(worker->record.owner) & DISTR_LIMITED);

    while (distr_next_task(worker)) {
        run_task(worker);
        /* A keeper has nothing in its deques but what its tasks spawn. */
        if (words && !worker->kept)
            run_words(worker);
    }
}
