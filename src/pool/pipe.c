/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes; see pipe.h. */
#include "pool/pipe.h"

#include <distributor/channel.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "pool/reader.h"
#include "pool/registry.h"
#include "pool/source.h"
#include "pool/worker.h"

/*
 * Shared by `from`, by the source in `to`, and by who tells; the last one frees it.  Either end can
 * be destroyed at any time, so who uses one of them takes it from here under the lock, as a call
 * that is inside, which destroy waits for.
 */
struct distr_pipe {
    _Atomic uint32_t users;
    pthread_mutex_t lock;     /* guards the rest; no other lock is taken under it */
    struct distributor *from; /* NULL: is being destroyed */
    struct distributor *to;   /* NULL: its source has ended */
};

static void drop(struct distr_pipe *pipe)
{
    /* acq_rel: the last one sees what the others did. */
    if (atomic_fetch_sub_explicit(&pipe->users, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&pipe->lock);
    free(pipe);
}

/* An end, as a call inside; NULL: it is gone. */
static struct distributor *hold(struct distr_pipe *pipe, struct distributor *const *end)
{
    pthread_mutex_lock(&pipe->lock);
    struct distributor *d = *end;
    if (d && distr_call_begin(d) != 0)
        d = NULL;
    pthread_mutex_unlock(&pipe->lock);
    return d;
}

/* Forgets an end; gives what it was. */
static struct distributor *forget(struct distr_pipe *pipe, struct distributor **end)
{
    pthread_mutex_lock(&pipe->lock);
    struct distributor *d = *end;
    *end = NULL;
    pthread_mutex_unlock(&pipe->lock);
    return d;
}

/* ---- telling ---- */

static void make_ready(struct distr_pipe *pipe)
{
    struct distributor *to = hold(pipe, &pipe->to);

    if (!to)
        return;
    distributor_source_ready(to, pipe);
    distr_call_end(to);
}

/* Takes the watch off, and its place at the gate.  NULL: somebody else has. */
static struct distr_pipe *unwatch(struct distributor *from)
{
    /* seq_cst: pairs with the exchange in watch; who gets it is its user. */
    struct distr_pipe *pipe = atomic_exchange_explicit(&from->watch, NULL, memory_order_seq_cst);

    if (pipe)
        distr_gate_leave(&from->readers);
    return pipe;
}

void distr_pipe_tell_slow(struct distributor *from)
{
    struct distr_pipe *pipe = unwatch(from);

    if (!pipe)
        return;
    make_ready(pipe);
    drop(pipe);
}

/* I2: as T2 and T3.  False: there is something after all, or somebody has told already. */
static bool watch(struct distributor *from, struct distr_pipe *pipe)
{
    atomic_fetch_add_explicit(&pipe->users, 1, memory_order_relaxed); /* we are one */
    distr_gate_enter(&from->readers);
    struct distr_pipe *before =
        atomic_exchange_explicit(&from->watch, pipe, memory_order_seq_cst);
    if (before) { /* one that has ended and was not told */
        distr_gate_leave(&from->readers);
        drop(before);
    }
    atomic_exchange_explicit(&from->reader_told, 0, memory_order_seq_cst);
    distr_heavy_fence(); /* pairs with E2 */
    if (!distr_any_result(from) && !(distr_state(from) & (DISTR_ENDED | DISTR_DESTROYED)))
        return true;
    before = unwatch(from);
    if (before)
        drop(before);
    return false;
}

/* ---- reading ---- */

/* The task that the source is to fill. */
static struct distributor_task *task_of(distributor_input_t *input)
{
    return (struct distributor_task *)(void *)((char *)input -
                                               offsetof(struct distributor_task, item));
}

/* What the item holds, without its serial and its error. */
static uint64_t meta_like(uint64_t serial, const struct distr_item *item)
{
    return distr_meta(serial, distr_meta_kind(item->meta), distr_meta_inline_size(item->meta));
}

/* A failure goes on as one: with its input, its type, its error and its message. */
static int give_failure(struct distributor_task *task, const struct distr_item *item)
{
    uint64_t serial = distr_meta_serial(task->item.meta);
    int error = distr_meta_error(item->meta);

    if (distr_meta_kind(item->meta) == DISTR_MESSAGE) {
        task->failure = item->payload.heap.pointer;
        item = &task->failure->input;
    }
    task->item = *item;
    task->item.meta = distr_meta_with_error(meta_like(serial, item), error);
    return DISTR_INPUT_FAILED;
}

static int give(distributor_input_t *input, const struct distr_item *item)
{
    struct distributor_task *task = task_of(input);

    if (distr_meta_error(item->meta) != 0)
        return give_failure(task, item);
    task->item.payload = item->payload;
    task->item.meta = meta_like(distr_meta_serial(task->item.meta), item);
    return 1;
}

/* I1: the next result of `from`, which is moved, not copied. */
static int ask(struct distr_pipe *pipe, struct distributor *from, distributor_input_t *input)
{
    struct distr_item item;
    int rc;

    do
        rc = distr_read_item(from, &item);
    while (rc == -EAGAIN && !watch(from, pipe));
    return rc == 1 ? give(input, &item) : rc == -ESHUTDOWN ? 0 : rc;
}

int distr_pipe_ask(void *context, distributor_input_t *input)
{
    struct distr_pipe *pipe = context;
    struct distributor *from = hold(pipe, &pipe->from);

    if (!from)
        return 0;
    int rc = ask(pipe, from, input);
    distr_call_end(from);
    return rc;
}

/* ---- the ends ---- */

void distr_pipe_ended(void *context)
{
    struct distr_pipe *pipe = context;

    forget(pipe, &pipe->to);
    drop(pipe);
}

void distr_pipe_cut(struct distributor *from)
{
    struct distr_pipe *pipe = from->pipe;

    if (pipe) {
        forget(pipe, &pipe->from);
        make_ready(pipe); /* it looks, finds nobody, and ends */
        drop(pipe);
    }
    pipe = unwatch(from);
    if (pipe)
        drop(pipe);
}

static struct distr_pipe *make(struct distributor *from, struct distributor *to)
{
    struct distr_pipe *pipe = calloc(1, sizeof *pipe);

    if (!pipe)
        return NULL;
    pthread_mutex_init(&pipe->lock, NULL);
    atomic_store_explicit(&pipe->users, 2, memory_order_relaxed); /* from, and the source */
    pipe->from = from;
    pipe->to = to;
    return pipe;
}

/* Makes it the pipe of `from`, unless that has one whose source is open. */
static int enter(struct distributor *from, struct distr_pipe *pipe)
{
    int rc = 0;

    pthread_mutex_lock(&from->lock);
    struct distr_pipe *before = from->pipe;
    if (before) {
        pthread_mutex_lock(&before->lock);
        rc = before->to ? -EBUSY : 0;
        pthread_mutex_unlock(&before->lock);
    }
    if (rc == 0)
        from->pipe = pipe;
    pthread_mutex_unlock(&from->lock);
    if (rc == 0 && before)
        drop(before);
    return rc;
}

static int join(struct distributor *from, struct distributor *to,
                const distributor_task_type_t *type)
{
    struct distr_pipe *pipe = make(from, to);

    if (!pipe)
        return -ENOMEM;
    int rc = enter(from, pipe);
    if (rc != 0) {
        drop(pipe);
        drop(pipe);
        return rc;
    }
    rc = distributor_add_source(to, type, distr_pipe_ask, pipe);
    if (rc != 0)
        distr_pipe_ended(pipe); /* `from` drops it with its next pipe, or its end */
    return rc;
}

int distributor_pipe(distributor_t *from, distributor_t *to, const distributor_task_type_t *type)
{
    if (!from || !to || from == to)
        return -EINVAL;
    int rc = distr_call_begin(from);
    if (rc != 0)
        return rc;
    rc = join(from, to, type);
    distr_call_end(from);
    return rc;
}
