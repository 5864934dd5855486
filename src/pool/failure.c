/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks that fail, or are discarded; and the records of failures. */
#include <stdarg.h>
#include <stdio.h>

#include "pool/emit.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/reader.h"
#include "pool/registry.h"
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
    self->rare = true;
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

bool distr_find_slot(struct distr_worker *worker)
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
    if (distr_find_slot(worker)) {
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
