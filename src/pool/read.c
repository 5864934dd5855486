/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that read results; events T5 and T6 in src/queue/README.md, "Emit and read". */
#define DISTRIBUTOR_NO_INLINE 1 /* here the functions are made */

#include <limits.h>
#include <sched.h>

#include "pool/await.h"
#include "pool/fd.h"
#include "pool/item.h"
#include "pool/order.h"
#include "pool/reader.h"
#include "pool/registry.h"

#define READ_MAX 4096 /* results of one call, so that a large array needs no large copy */

/* T5: remembers who reads.  With the second reader (NULL: one without a record) the time is over in
 * which the first one takes alone. */
static void note_reader(struct distributor *d, struct distr_record *record)
{
    struct distr_record *first;

    pthread_mutex_lock(&d->lock);
    uint32_t threads = atomic_load_explicit(&d->reading_threads, memory_order_relaxed);
    if (threads == 0 && record) {
        d->first_reading = record;
        d->first_reader = pthread_self();
        if (d->output_limit == UINT64_MAX && distr_has_membarrier)
            atomic_store_explicit(&d->lone_reader, record, memory_order_relaxed);
        atomic_store_explicit(&d->reading_threads, 1, memory_order_release);
    } else if (threads == 0 || !pthread_equal(d->first_reader, pthread_self())) {
        atomic_store_explicit(&d->reading_threads, 2, memory_order_release);
    }
    first = d->first_reading;
    if (first != record)
        atomic_store_explicit(&d->lone_reader, NULL, memory_order_relaxed);
    pthread_mutex_unlock(&d->lock);
    if (!first || first == record)
        return;
    /* T6: from here on it sees that it is not alone, or is seen taking; it takes no time. */
    distr_heavy_fence();
    while (atomic_load_explicit(&first->inside, memory_order_acquire) == DISTR_TAKING)
        sched_yield();
}

/* A result of these bytes, with what the type and the meta of its item say. */
static inline void fill_bytes(distributor_result_t *result, const void *data, size_t size,
                              const distributor_task_type_t *type, uint64_t meta, unsigned worker)
{
    *result = (distributor_result_t){.data = data,
                                     .size = size,
                                     .type = type,
                                     .serial = distr_meta_serial(meta),
                                     .attempt = 1,
                                     .worker = worker};
}

static inline void fill(const struct distr_item *item, unsigned worker,
                        distributor_result_t *result)
{
    size_t size;
    const void *data = distr_item_bytes(item, &size);

    fill_bytes(result, data, size, item->type, item->meta, worker);
}

/* A failure: with the task's input, and always with a message. */
static distr_apart void fill_failure(const struct distr_item *item, unsigned worker,
                                     distributor_result_t *result)
{
    const char *message = NULL;
    int error = distr_meta_error(item->meta);

    if (distr_meta_kind(item->meta) == DISTR_MESSAGE) {
        const struct distr_failure *failure = item->payload.heap.pointer;
        error = failure->error;
        message = failure->message;
        item = &failure->input;
    }
    fill(item, worker, result);
    result->error = error;
    result->message = message && *message ? message : distributor_strerror(error);
}

static inline void fill_any(const struct distr_item *item, unsigned worker,
                            distributor_result_t *result)
{
    if (distr_likely(distr_meta_error(item->meta) == 0))
        fill(item, worker, result);
    else
        fill_failure(item, worker, result);
}

/* What the reader has taken.  Whether any of it owns memory. */
static bool fill_all(const struct distr_reader *reader, distributor_result_t *results, size_t count)
{
    uint64_t kinds = 0;

    for (size_t i = 0; i < count; i++) {
        const struct distr_item *item = &reader->items[i];
        fill_any(item, reader->workers[i], &results[i]);
        kinds |= item->meta;
    }
    return distr_meta_kind(kinds) != DISTR_INLINE;
}

/* Room was made: lets emitters in.  record: of the calling thread, or NULL. */
static inline void taken_out(struct distributor *d, struct distr_record *record, uint64_t count)
{
    if (distr_likely(d->output_limit == UINT64_MAX))
        return;
    /* M1 seq_cst: pairs with G1. */
    atomic_fetch_sub_explicit(&d->unread, count, memory_order_seq_cst);
    distr_gate_open(&d->output_room, count < INT_MAX ? (int)count : INT_MAX);
    if (d->order)
        distr_order_resume(d, record);
}

/* 0, or why this thread cannot read; *record is inside then. */
static int begin_read(struct distributor *d, struct distr_record **record, size_t count)
{
    struct distr_record *self;
    int rc = distr_record_self(d, &self);

    if (distr_unlikely(rc != 0))
        return rc;
    if (distr_unlikely(self->worker != NULL))
        return -EDEADLK; /* destroy takes no notice of a worker's `inside` */
    distr_inside(self, DISTR_INSIDE);
    if (distr_unlikely(self->reader.count != 0))
        distr_reader_release(self);
    if (distr_unlikely(self->reader.capacity == 0))
        note_reader(d, self);
    if (distr_unlikely(self->reader.capacity < count))
        rc = distr_reader_grow(&self->reader, count);
    if (distr_unlikely(rc != 0))
        distr_outside(d, self);
    *record = self;
    return rc;
}

/* The next sleeping reader is woken by the one that sees more. */
static inline void tell_next(struct distributor *d)
{
    if (distr_unlikely(atomic_load_explicit(&d->readers.waiters, memory_order_relaxed) != 0) &&
        distr_hinted_result(d))
        distr_tell_reader(d);
}

static distr_apart ptrdiff_t read_results(struct distributor *d, distributor_result_t *results,
                                          size_t count, int64_t deadline)
{
    struct distr_record *record;

    if (distr_unlikely(!d || !results || count == 0))
        return -EINVAL;
    if (distr_unlikely(count > READ_MAX))
        count = READ_MAX;
    /* What was held back beyond the limit is there for the next read. */
    if (distr_unlikely(d->order && count > d->output_limit && d->output_limit != 0))
        count = (size_t)d->output_limit;
    int rc = begin_read(d, &record, count);
    if (distr_unlikely(rc != 0))
        return rc;
    struct distr_reader *reader = &record->reader;
    ptrdiff_t taken = distr_await_results(d, record, count, deadline);
    if (taken > 0 && fill_all(reader, results, (size_t)taken))
        reader->cursor.block = NULL; /* the next read is not a quick one: it frees them */
    else
        reader->count = 0;
    if (taken > 0)
        taken_out(d, record, (uint64_t)taken);
    tell_next(d);
    distr_outside(d, record);
    return taken;
}

/* It was no plain word: a shorter result, or a failure without a text. */
void distributor_short_read(distributor_result_t *result, uint32_t rest)
{
    result->size = distr_meta_inline_size(rest);
    if (result->size == 0)
        result->data = NULL;
    result->error = distr_meta_error(rest);
    if (result->error != 0)
        result->message = distributor_strerror(result->error);
}

int distributor_next_result(distributor_t *d, distributor_result_t *result)
{
    int rc = distributor_short_next_result(d, result);

    return rc != DISTRIBUTOR_SHORT_NOT ? rc : (int)read_results(d, result, 1, DISTRIBUTOR_FOREVER);
}
distr_also(distributor_next_result, distributor_plain_next_result);

int distributor_try_next_result(distributor_t *d, distributor_result_t *result)
{
    int rc = distributor_short_next_result(d, result);

    return rc != DISTRIBUTOR_SHORT_NOT ? rc : (int)read_results(d, result, 1, 0);
}

int distributor_next_result_until(distributor_t *d, distributor_result_t *result, int64_t deadline)
{
    int rc = (int)read_results(d, result, 1, deadline > 0 ? deadline : 0);

    return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

ptrdiff_t distributor_next_results(distributor_t *d, distributor_result_t *results, size_t count)
{
    return read_results(d, results, count, DISTRIBUTOR_FOREVER);
}

int distr_read_item(struct distributor *d, struct distr_item *item)
{
    struct distr_record *record;
    int rc = begin_read(d, &record, 1);

    if (rc != 0)
        return rc;
    struct distr_reader *reader = &record->reader;
    ptrdiff_t taken = distr_await_results(d, record, 1, 0);
    if (taken > 0) {
        *item = reader->items[0];
        reader->count = 0;
        taken_out(d, record, (uint64_t)taken);
    }
    tell_next(d);
    distr_outside(d, record);
    return (int)taken;
}

/* Discards up to one claim's worth.  False: there was nothing. */
static bool drop_some(struct distributor *d, struct distr_reader *reader)
{
    size_t taken = distr_reader_take(d, reader, DISTR_CLAIM_MAX);

    for (size_t i = 0; i < taken; i++)
        distr_result_discard(&reader->items[i]);
    reader->count = 0;
    if (taken > 0)
        taken_out(d, NULL, taken);
    return taken > 0;
}

void distributor_drop_results(distributor_t *d)
{
    struct distr_item items[DISTR_CLAIM_MAX];
    uint32_t workers[DISTR_CLAIM_MAX];
    struct distr_reader reader = {.items = items, .workers = workers};
    struct distr_record *record = NULL;

    if (!d || distr_call_begin(d) != 0)
        return;
    if (distr_record_self(d, &record) != 0)
        record = NULL;
    if (!distr_is_worker(d))
        note_reader(d, record);
    if (!distr_is_worker(d) && distr_any_result(d))
        while (drop_some(d, &reader))
            ;
    distr_fd_found_nothing(d);
    distr_call_end(d);
}
