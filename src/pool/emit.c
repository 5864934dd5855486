/* SPDX-License-Identifier: BSD-2-Clause */
/* Emitting results: events E0 to E3 in src/queue/README.md. */
#define DISTRIBUTOR_NO_INLINE 1 /* here the functions are made */

#include "pool/emit.h"

#include "pool/defer.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/reader.h"
#include "pool/registry.h"

/* Takes one place of the output's room. */
static bool take_room(struct distributor *d)
{
    uint64_t unread = atomic_load_explicit(&d->unread, memory_order_seq_cst);

    while (unread < d->output_limit)
        if (atomic_compare_exchange_weak_explicit(&d->unread, &unread, unread + 1,
                                                  memory_order_seq_cst, memory_order_seq_cst))
            return true;
    return false;
}

int distr_output_room_slow(struct distributor *d)
{
    int rc = distr_usable(d);

    if (rc != 0 || take_room(d))
        return rc;
    uint32_t sequence = distr_gate_enter(&d->output_room);
    while (!take_room(d)) {
        if (distr_state(d) & DISTR_CANCELLED) {
            rc = -ECANCELED;
            break;
        }
        distr_tell_another_reader(d);
        distr_gate_wait(&d->output_room, &sequence, INT64_MAX);
    }
    distr_gate_leave(&d->output_room);
    return rc;
}

void distr_output_room_back(struct distributor *d)
{
    if (d->output_limit == UINT64_MAX)
        return;
    /* M1 seq_cst: pairs with G1. */
    atomic_fetch_sub_explicit(&d->unread, 1, memory_order_seq_cst);
    distr_gate_open(&d->output_room, 1);
    if (d->order)
        distr_order_resume(d, NULL);
}

/* A place for a result, with so many bytes beside its slot; ordered: or among what is held back. */
static int find_room(struct distr_worker *worker, uint64_t bytes)
{
    if (!worker->order)
        return distr_output_room(worker->record.owner);
    int rc = distr_order_hold(worker, bytes);
    return rc == 0 ? distr_order_room(worker) : rc;
}

int distr_drop_result(struct distr_worker *worker, const struct distr_item *item)
{
    distr_result_discard(item);
    distr_count(&worker->record.unqueued, 1);
    return -ECANCELED;
}

/* One slot stays for the task's failure. */
static int reserve(struct distr_worker *worker, size_t size)
{
    if (!worker->order)
        return distr_queue_reserve_ahead(&worker->output, 2);
    return distr_order_reserve(worker, size <= sizeof(uint64_t) ? worker->task.item.type : NULL);
}

static int emit(struct distr_worker *worker, const void *result, size_t size)
{
    const struct distr_item *task = &worker->task.item;
    struct distr_item item;
    int rc = size != 0 && !result ? -EINVAL : 0;

    if (rc == 0)
        rc = distr_item_make(&item, task->type, distr_meta_serial(task->meta), result, size);
    if (rc != 0)
        return rc;
    rc = reserve(worker, size);
    if (rc == 0)
        rc = find_room(worker, distr_meta_kind(item.meta) == DISTR_HEAP ? size : 0);
    if (rc == -ECANCELED)
        return distr_drop_result(worker, &item);
    if (rc != 0) {
        distr_item_free(&item);
        return rc;
    }
    distr_queue_put(&worker->output, &item);
    distr_queue_publish(&worker->output); /* E1 */
    distr_announce_result(worker);
    return 0;
}

int distributor_emit(distributor_task_t *self, const void *result, size_t size)
{
    uint64_t word;
    int rc = distributor_short_word(result, size, &word) ? distributor_short_emit(self, word)
                                                         : DISTRIBUTOR_SHORT_NOT;

    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    if (!self)
        return -EINVAL;
    struct distr_worker *worker = self->worker;
    return worker->record.worker ? emit(worker, result, size) : distr_emit_late(self, result, size);
}
distr_also(distributor_emit, distributor_plain_emit);

/* Somebody is to be told. */
void distributor_short_emitted(distributor_task_t *self)
{
    distr_wake_reader_slow(self->worker);
}
