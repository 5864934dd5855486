/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a source for its next input; see source.h. */
#include "base/clock.h"
#include "pool/add.h"
#include "pool/idle.h"
#include "pool/item.h"
#include "pool/keep.h"
#include "pool/pipe.h"
#include "pool/reader.h"
#include "pool/source.h"
#include "pool/worker.h"

/* A source that answers within this many nanoseconds is asked for several inputs in a row, */
#define QUICK_NS 1000
/* and for at most that many. */
#define ROW_MAX 128u

/* The room of an input that does not come. */
static void give_room(struct distributor *d)
{
    if (distr_input_limited(d))
        distr_give_room(d, 1);
}

/* Nothing is to be a task of what was asked for. */
static void forget(struct distr_worker *worker)
{
    distr_item_free(&worker->task.item);
    worker->task.item.meta = distr_meta(distr_meta_serial(worker->task.item.meta), DISTR_INLINE, 0);
    give_room(worker->record.owner);
}

static inline bool is_failed_input(const struct distr_source *source, int rc)
{
    return distr_unlikely(rc == DISTR_INPUT_FAILED) && source->ask == distr_pipe_ask;
}

/* Calls it, to fill the worker's task. */
static inline int call_back(struct distr_worker *worker, struct distr_source *source,
                            uint64_t serial)
{
    struct distr_item *item = &worker->task.item;

    item->type = source->type;
    item->meta = distr_meta(serial, DISTR_INLINE, 0);
    /* relaxed: see struct distr_worker. */
    atomic_store_explicit(&worker->busy, source->type, memory_order_relaxed);
    int rc = source->ask(source->context, (struct distributor_input *)(void *)item);
    atomic_store_explicit(&worker->busy, NULL, memory_order_relaxed);
    return rc;
}

/* 1: the worker's task is the next input, and is counted.  DISTR_INPUT_FAILED: the same, but it has
 * failed where it comes from. */
static inline int call_for(struct distr_worker *worker, struct distr_source *source,
                           uint64_t serial)
{
    /* relaxed: nobody judges by it who does not keep what is asked (Y12). */
    atomic_store_explicit(&worker->asked, source, memory_order_relaxed);
    int rc = call_back(worker, source, serial);
    atomic_store_explicit(&worker->asked, NULL, memory_order_relaxed);
    if (distr_likely(rc == 1) || is_failed_input(source, rc)) {
        distr_count(&worker->record.added, 1);
        return rc;
    }
    forget(worker);
    return rc > 1 ? -EINVAL : rc;
}

static inline int call(struct distr_worker *worker, struct distr_source *source)
{
    return call_for(worker, source, distr_next_serial(worker->record.owner, &source->serials));
}

/* Ends it, and makes a failure of it, like one of a task without an input. */
static void fail(struct distr_worker *worker, struct distr_source *source, int error)
{
    distr_count(&worker->record.added, 1);
    distr_source_end(worker->record.owner, source);
    if (worker->order) /* the next one's turn may have come */
        distr_announce_source(worker->record.owner);
    distr_task_fails(worker, error);
}

/* The worker's task is a failure that a pipe has handed on. */
static void pass_failure(struct distr_worker *worker, struct distr_source *source)
{
    struct distributor_task *task = &worker->task;
    int error = task->failure ? task->failure->error : distr_meta_error(task->item.meta);

    task->item.meta = distr_meta_with_error(task->item.meta, 0);
    give_room(worker->record.owner);
    distr_source_give_back(worker, source);
    distr_task_fails(worker, error);
}

/* It gave no input. */
static void no_input(struct distr_worker *worker, struct distr_source *source, int rc)
{
    if (is_failed_input(source, rc))
        pass_failure(worker, source);
    else if (rc == -EAGAIN)
        distr_source_put_aside(worker, source);
    else if (rc == 0)
        distr_source_end(worker->record.owner, source);
    else
        fail(worker, source, rc);
}

void distr_source_lost(struct distr_worker *worker)
{
    struct distr_source *source = atomic_load_explicit(&worker->asked, memory_order_relaxed);

    if (worker->kept == source)
        distr_keep_owns(worker);
    atomic_store_explicit(&worker->asked, NULL, memory_order_relaxed);
    forget(worker);
    fail(worker, source, -EOWNERDEAD);
}

/* ---- several in a row ---- */

/* Whether a worker is free to begin what this one leaves. */
static inline bool others_are_free(struct distributor *d)
{
    uint64_t search = atomic_load_explicit(&d->search, memory_order_relaxed);

    return distr_unlikely(distr_searching(search) + distr_sleeping(search) != 0);
}

/* Puts the worker's task where others find it, before anything else. */
static void lay_open(struct distr_worker *worker)
{
    distr_deque_push_one(&worker->claims, &worker->task.item);
    distr_hint_own_tasks(&worker->record);
    distr_announce_fenced(worker->record.owner, &worker->record); /* the push had the fence */
}

/* Whether the next input can be asked for before the one at hand has begun. */
static inline bool can_go_on(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;

    return others_are_free(d) && !(distr_state(d) & DISTR_STOPPING) &&
           distr_deque_reserve(&worker->claims) == 0 &&
           (d->input_limit == UINT64_MAX || distr_take_room(d, 1) == 1);
}

/* The deque has the newest input on top: begins with the oldest. */
static bool turn_round(struct distr_worker *worker)
{
    struct distr_item items[ROW_MAX];
    unsigned count = 0;

    while (count < ROW_MAX && distr_deque_pop(&worker->claims, &items[count]))
        count++;
    if (count == 0)
        return false;
    worker->task.item = items[--count];
    /* Without memory for a spare they fit into the slots that they came from. */
    for (unsigned i = 0; i < count; i++) {
        (void)distr_deque_reserve(&worker->claims);
        distr_deque_push_one(&worker->claims, &items[i]);
    }
    return true;
}

/*
 * The worker has an input, and others are free: asks for more, as many as the source was quick to
 * give.  Others can begin each of them before the next is asked for.
 */
static distr_apart bool ask_in_a_row(struct distr_worker *worker, struct distr_source *source)
{
    int64_t since = distr_now();
    unsigned count = 1;
    int rc = 1;

    lay_open(worker);
    while (count < source->row && can_go_on(worker)) {
        rc = call(worker, source);
        if (rc != 1)
            break;
        lay_open(worker);
        count++;
    }
    if (distr_now() - since > (int64_t)count * QUICK_NS)
        source->row = 1;
    else if (count == source->row && source->row < ROW_MAX)
        source->row = (uint16_t)(source->row * 2);
    if (rc == 1)
        distr_source_give_back(worker, source);
    else
        no_input(worker, source, rc);
    return turn_round(worker);
}

/* Finds out whether it is quick. */
static int call_and_time(struct distr_worker *worker, struct distr_source *source)
{
    int64_t since = distr_now();
    int rc = call(worker, source);

    if (distr_now() - since < QUICK_NS)
        source->row = 2;
    return rc;
}

bool distr_ask(struct distr_worker *worker, struct distr_source *source)
{
    struct distributor *d = worker->record.owner;

    /* After Y1: one that was given back since stop returned is not asked any more. */
    if (distr_unlikely(distr_state(d) & DISTR_STOPPING)) {
        distr_source_end(d, source);
        give_room(d);
        return false;
    }
    bool others = others_are_free(d);
    int rc = others && source->row == 1 ? call_and_time(worker, source) : call(worker, source);

    if (distr_unlikely(rc != 1)) {
        no_input(worker, source, rc);
        return false;
    }
    if (distr_keep_is_due(worker, source, others))
        distr_keep(worker, source);
    else if (others && source->row > 1 && distr_deque_reserve(&worker->claims) == 0)
        return ask_in_a_row(worker, source);
    else
        distr_source_give_back(worker, source);
    return true;
}

/* What the worker keeps gave no input. */
static distr_apart bool no_kept_input(struct distr_worker *worker, int rc)
{
    struct distr_source *source = worker->kept;

    distr_keep_owns(worker);
    forget(worker);
    no_input(worker, source, rc > 1 ? -EINVAL : rc);
    return false;
}

bool distr_ask_kept(struct distr_worker *worker)
{
    if (distr_unlikely(!distr_keep_begins(worker))) {
        distr_let_go(worker);
        return false;
    }
    struct distr_source *source = worker->kept;
    int rc = call_back(worker, source,
                       distr_next_serial(worker->record.owner, &source->serials));
    if (distr_unlikely(rc != 1))
        return no_kept_input(worker, rc);
    distr_count(&worker->record.added, 1);
    if (distr_unlikely(!distr_keep_ends(worker)))
        distr_let_go(worker);
    return true;
}

/* ---- in turn ---- */

bool distr_ask_in_turn(struct distr_worker *worker, struct distr_source *source)
{
    struct distributor *d = worker->record.owner;

    /* After Y1, as in distr_ask. */
    if (distr_unlikely(distr_state(d) & DISTR_STOPPING)) {
        distr_order_no_input(worker);
        distr_source_end(d, source);
        give_room(d);
        return false;
    }
    int rc = call_for(worker, source, worker->order->ticket);
    if (distr_likely(rc == 1)) {
        distr_source_give_back(worker, source);
        return true;
    }
    /* Before Y4 and Y7: the ticket is used up while the source is open. */
    if (rc == 0 || rc == -EAGAIN)
        distr_order_no_input(worker);
    no_input(worker, source, rc);
    distr_order_close(worker); /* of a failure: the worker may be about to sleep */
    return false;
}

/* ---- in the callback ---- */

static distr_apart int set_bytes(struct distr_item *item, const void *data, size_t size)
{
    struct distr_item made;
    int rc = distr_item_make(&made, item->type, distr_meta_serial(item->meta), data, size);

    if (rc != 0)
        return rc;
    distr_item_free(item);
    *item = made;
    return 1;
}

int distributor_set_input(distributor_input_t *input, const void *data, size_t size)
{
    if (distr_unlikely(!input || (size != 0 && !data)))
        return -EINVAL;
    struct distr_item *item = &input->item;
    if (distr_unlikely(size != sizeof(uint64_t) || distr_meta_kind(item->meta) != DISTR_INLINE))
        return set_bytes(item, data, size);
    memcpy(item->payload.bytes, data, sizeof(uint64_t));
    item->meta = distr_meta_of_word(item->meta);
    return 1;
}
