/* SPDX-License-Identifier: BSD-2-Clause */
/* One task, from its begin to its count. */
#include "pool/add.h"
#include "pool/defer.h"
#include "pool/idle.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/source.h"
#include "pool/worker.h"

static inline bool has_slot(const struct distr_worker *worker)
{
    return distr_likely(worker->output.spare != NULL) ||
           (worker->order && distr_order_has_slot(worker));
}

/* An end that is not the common one. */
static distr_apart void ends_rarely(struct distr_worker *worker, int rc)
{
    worker->task.rare = false;
    if (distr_meta_kind(worker->task.item.meta) == DISTR_DEFERRED &&
        !distr_deferred_returned(worker, &rc))
        return; /* it goes on */
    distr_task_ends(worker, rc, rc == 0 || distr_failure_room(worker));
}

static inline void count_end(struct distr_worker *worker, int rc)
{
    if (distr_unlikely(rc != 0 || worker->task.rare ||
                       distr_meta_kind(worker->task.item.meta) != DISTR_INLINE))
        ends_rarely(worker, rc);
    else
        distr_count(&worker->record.completed, 1);
}

/* relaxed, here and below: see struct distr_worker. */
static inline void set_busy(struct distr_worker *worker, const distributor_task_type_t *type)
{
    atomic_store_explicit(&worker->busy, type, memory_order_relaxed);
}

/*
 * The callback returned, or ended its thread.  It is busy until it is counted: a cancellation that
 * was pending can end the thread in a hook on the way there, and the count is then made by who
 * finds it busy.
 */
static inline void task_ended(struct distr_worker *worker, int rc)
{
    count_end(worker, rc);
    set_busy(worker, NULL);
}

void distr_task_fails(struct distr_worker *worker, int error)
{
    if (worker->order)
        distr_order_begin(worker);
    distr_find_slot(worker);
    set_busy(worker, worker->task.item.type);
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

distr_inlined void run_task(struct distr_worker *worker)
{
    uint32_t state = distr_state(worker->record.owner);
    size_t size;

    if (distr_unlikely(state & (DISTR_CANCELLED | DISTR_LIMITED)) && !begin_rarely(worker, state))
        return;
    if (distr_unlikely(!has_slot(worker)))
        distr_find_slot(worker);
    const void *input = distr_item_bytes(&worker->task.item, &size);
    const distributor_task_type_t *type = worker->task.item.type;
    set_busy(worker, type);
    task_ended(worker, type->run(&worker->task, input, size));
}

/* Where distr_next_task looks first for what is not fair; NULL: it has to look further. */
static struct distr_queue *next_deque(struct distr_worker *worker)
{
    struct distr_queue *spawned = &worker->record.input;

    if (spawned->bottom != spawned->lo)
        return spawned;
    return distr_likely(!spawned->tail->previous) ? &worker->claims : NULL;
}

/* One that a taker had asked for. */
static distr_apart void run_settled(struct distr_worker *worker)
{
    run_task(worker);
}

typedef int callback_t(distributor_task_t *self, const void *input, size_t size);

/* Takes the next word of a row.  False: there is none. */
distr_inlined bool take_word(struct distr_worker *worker, struct distr_queue *deque, bool dense,
                             struct distr_row *row)
{
    if (distr_unlikely(distr_state(worker->record.owner) & DISTR_CANCELLED))
        return false;
    if (distr_likely(distr_deque_pop_word(deque, dense, row, &worker->task.item)))
        return true;
    /* Not counted in until_fair: it ends the rows, so that a task that is counted follows. */
    if (distr_deque_pop_settled(deque, row->bottom + 1, &worker->task.item))
        run_settled(worker);
    return false;
}

/* How many words stand in the deque, if no fair task comes before. */
static inline unsigned row_length(const struct distr_worker *worker,
                                  const struct distr_queue *deque)
{
    unsigned count = deque ? distr_deque_words(deque) : 0;

    return count < worker->until_fair ? count : worker->until_fair - 1;
}

/* At most `count` words of a deque, up to one that spawns or does not end as tasks commonly do.
 * Returns how many are left. */
distr_inlined unsigned run_row(struct distr_worker *worker, struct distr_queue *deque, bool dense,
                               unsigned count)
{
    const _Atomic uint64_t *added = &worker->record.added; /* relaxed: this thread writes it */
    uint64_t before = atomic_load_explicit(added, memory_order_relaxed);
    const struct distr_item *item = &worker->task.item;
    struct distr_row row = distr_deque_row(deque);
    callback_t *run = deque->type->run;

    while (take_word(worker, deque, dense, &row)) {
        size_t size = dense ? sizeof(uint64_t) : distr_meta_inline_size(item->meta);
        const void *input = distr_likely(size != 0) ? item->payload.bytes : NULL;
        int rc = run(&worker->task, input, size);
        count--;
        if (distr_unlikely(rc != 0 || worker->task.rare)) {
            ends_rarely(worker, rc);
            break;
        }
        distr_count(&worker->record.completed, 1);
        if (count == 0 || atomic_load_explicit(added, memory_order_relaxed) != before)
            break;
    }
    return count;
}

/* Words of one type, from the deque that is next, until that is empty or a fair task is due.  The
 * worker is busy with them all the time: nothing between two of them ends a thread.  A failure has
 * its slot: an emit that finds no memory for another spare leaves one, and what fails ends the row.
 * True: one has spawned, so that another deque may be next, or this one is no longer as it was. */
static inline bool run_next_row(struct distr_worker *worker)
{
    uint64_t added = atomic_load_explicit(&worker->record.added, memory_order_relaxed);
    struct distr_queue *deque = next_deque(worker);
    unsigned count = row_length(worker, deque);

    if (count == 0 || !worker->output.spare)
        return false;
    worker->until_fair -= count;
    worker->task.item.type = deque->type;
    set_busy(worker, deque->type);
    worker->until_fair += deque->dense ? run_row(worker, deque, true, count)
                                       : run_row(worker, deque, false, count);
    set_busy(worker, NULL);
    return atomic_load_explicit(&worker->record.added, memory_order_relaxed) != added;
}

/* The common case. */
static distr_apart void run_words(struct distr_worker *worker)
{
    while (run_next_row(worker))
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
