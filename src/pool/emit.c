/* SPDX-License-Identifier: BSD-2-Clause */
/* Emitting results: events E0 to E3 in src/queue/README.md. */
#include "pool/emit.h"

#include "pool/item.h"
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
    int rc = 0;

    if (take_room(d))
        return 0;
    uint32_t sequence = distr_gate_enter(&d->output_room);
    while (!take_room(d)) {
        if (distr_state(d) & DISTR_CANCELLED) {
            rc = -ECANCELED;
            break;
        }
        distr_gate_wait(&d->output_room, &sequence, INT64_MAX);
    }
    distr_gate_leave(&d->output_room);
    return rc;
}

/* A result that finds no room any more. */
static int drop(struct distr_worker *worker, const struct distr_item *item)
{
    distr_result_discard(item);
    distr_count(&worker->record.results, 1);
    return -ECANCELED;
}

int distributor_emit(distributor_task_t *self, const void *result, size_t size)
{
    struct distr_item item;

    if (distr_unlikely(!self || (size != 0 && !result)))
        return -EINVAL;
    struct distr_worker *worker = self->worker;
    struct distributor *d = worker->record.owner;
    int rc = distr_usable(d);
    if (distr_likely(rc == 0))
        rc = distr_queue_reserve(&worker->output, 2); /* one stays for the task's failure */
    if (distr_likely(rc == 0))
        rc = distr_item_make(&item, self->item.type, distr_meta_serial(self->item.meta), result,
                             size);
    if (distr_unlikely(rc != 0))
        return rc;
    if (distr_unlikely(distr_output_room(d) != 0))
        return drop(worker, &item);
    distr_queue_put(&worker->output, &item);
    distr_count(&worker->record.results, 1);
    distr_queue_publish(&worker->output); /* E1 */
    distr_announce_result(worker);
    return 0;
}
