/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding tasks, from outside (through the door, events A0 to A4 and O1 to O3 in
 * src/queue/README.md) and from inside a task.
 */
#define DISTRIBUTOR_NO_INLINE 1 /* here the functions are made */

#include "pool/add.h"

#include <limits.h>

#include "pool/crowd.h"
#include "pool/defer.h"
#include "pool/item.h"
#include "pool/quiesce.h"
#include "pool/registry.h"
#include "pool/idle.h"
#include "pool/source.h"
#include "queue/deque.h"

#define SERIALS 16384u /* taken from the common number at a time */
#define ARRAY_PART 128u /* of an array, published at a time */

int distr_type_check(const distributor_task_type_t *type)
{
    if (!type || !type->run)
        return -EINVAL;
    if (type->retries || type->backoff_ns || type->timeout_ns)
        return -ENOTSUP;
    for (unsigned i = 0; i < sizeof type->reserved / sizeof type->reserved[0]; i++)
        if (type->reserved[i])
            return -ENOTSUP;
    return 0;
}

static int check_new_type(struct distr_record *record, const distributor_task_type_t *type)
{
    int rc = distr_type_check(type);

    if (rc == 0)
        record->checked = type;
    return rc;
}

/* 0, or why the type cannot be used.  The record remembers the last good one. */
static inline int check_type(struct distr_record *record, const distributor_task_type_t *type)
{
    return distr_likely(type == record->checked) ? 0 : check_new_type(record, type);
}

void distr_more_serials(struct distributor *d, struct distr_serials *serials)
{
    /* relaxed: only the number counts.  Of as many bits as one that was read from an item. */
    serials->next = distr_meta_serial(distr_meta(
        atomic_fetch_add_explicit(&d->serial, SERIALS, memory_order_relaxed), DISTR_INLINE, 0));
    serials->end = serials->next + SERIALS;
}

static inline uint64_t next_serial(struct distr_record *record)
{
    return distr_next_serial(record->owner, &record->serials);
}

static void free_input(const struct distr_item *item)
{
    if (distr_meta_kind(item->meta) == DISTR_HEAP)
        free(item->payload.heap.pointer);
}

/* ---- inside a task ---- */

static int spawn(struct distr_record *record, const distributor_task_type_t *type,
                 const void *input, size_t size)
{
    struct distributor *d = record->owner;
    struct distr_item item;
    int rc = check_type(record, type);

    if (rc != 0)
        return rc;
    if (size != 0 && !input)
        return -EINVAL;
    if (distr_state(d) & DISTR_STOPPING) {
        rc = distr_usable(d); /* a forked child finds all its distributors stopped */
        return rc != 0 ? rc : -ESHUTDOWN;
    }
    if (d->order)
        return distr_order_spawn(record->worker, type, input, size);
    rc = distr_deque_reserve(&record->input);
    if (rc == 0)
        rc = distr_item_make(&item, type, next_serial(record), input, size);
    if (rc != 0)
        return rc;
    if (d->input_limit != UINT64_MAX)
        atomic_fetch_add_explicit(&d->pending, 1, memory_order_seq_cst);
    distr_count(&record->added, 1);
    distr_deque_push_one(&record->input, &item);
    distr_announce_fenced(d, record); /* the push had the fence */
    return 0;
}

int distributor_spawn(distributor_task_t *self, const distributor_task_type_t *type,
                      const void *input, size_t size)
{
    uint64_t word;
    int rc = distributor_short_word(input, size, &word) ? distributor_short_spawn(self, type, word)
                                                        : DISTRIBUTOR_SHORT_NOT;

    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    if (!self)
        return -EINVAL;
    struct distr_record *record = &self->worker->record;
    return record->worker ? spawn(record, type, input, size)
                          : distr_spawn_late(self, type, input, size);
}
distr_also(distributor_spawn, distributor_plain_spawn);

/* Somebody is to be told; or first: a taker has frozen the tail. */
void distributor_short_spawned(distributor_task_t *self, bool pushed)
{
    struct distr_record *record = &self->worker->record;

    if (!pushed)
        distr_deque_push_again(&record->input, record->input.bottom - 1);
    distr_announce_fenced(record->owner, record);
}

/* ---- outside: room ---- */

uint64_t distr_take_room(struct distributor *d, uint64_t wanted)
{
    uint64_t pending = atomic_load_explicit(&d->pending, memory_order_seq_cst);

    while (pending < d->input_limit) {
        uint64_t room = d->input_limit - pending;
        uint64_t part = wanted < room ? wanted : room;
        if (atomic_compare_exchange_weak_explicit(&d->pending, &pending, pending + part,
                                                  memory_order_seq_cst, memory_order_seq_cst))
            return part;
    }
    return 0;
}

void distr_give_room(struct distributor *d, uint64_t count)
{
    /* M1 seq_cst: pairs with G1. */
    uint64_t before = atomic_fetch_sub_explicit(&d->pending, count, memory_order_seq_cst);

    if (before - count < d->input_limit)
        distr_gate_open(&d->input_room, count < INT_MAX ? (int)count : INT_MAX);
    /* Y8: sources were not asked while it was full. */
    if (before >= d->input_limit && distr_has_sources(d))
        distr_announce_source(d);
}

/* O1: waits for room.  Nothing has been counted yet. */
static int wait_for_room(struct distributor *d, uint64_t wanted, uint64_t *room, int64_t deadline)
{
    struct distr_patience patience;
    int rc = 0;

    *room = distr_take_room(d, wanted);
    if (*room != 0)
        return 0;
    if (deadline == 0)
        return distr_state(d) & DISTR_CLOSED ? -ESHUTDOWN : -EAGAIN;
    distr_patience_begin(d, &patience, deadline);
    uint32_t sequence = distr_gate_enter(&d->input_room);
    for (;;) {
        *room = distr_take_room(d, wanted);
        if (*room != 0)
            break;
        rc = distr_state(d) & DISTR_CLOSED ? -ESHUTDOWN : distr_patience_check(d, &patience);
        if (rc != 0)
            break;
        distr_gate_wait(&d->input_room, &sequence, patience.until);
    }
    distr_gate_leave(&d->input_room);
    return rc;
}

/* ---- outside: the door ---- */

/* A0: tasks that were counted are not added after all. */
static void refuse(struct distributor *d, struct distr_record *record, uint64_t count)
{
    distr_count(&record->refused, count);
    distr_try_end(d);
}

/* A0: counts the tasks, then looks whether the door is open. */
static inline bool count_at_door(struct distributor *d, struct distr_record *record, uint64_t count)
{
    distr_count(&record->added, count);
    distr_light_fence(); /* pairs with the heavy fence between CLOSED and DOOR_SHUT */
    return !(distr_state(d) & DISTR_CLOSED);
}

/* Refused: it takes the count back. */
static bool pass_door(struct distributor *d, struct distr_record *record, uint64_t count)
{
    if (count_at_door(d, record, count))
        return true;
    refuse(d, record, count);
    return false;
}

/* Appends a task that has passed the door.  0 or -ENOMEM. */
static int put_task(struct distr_record *record, const struct distr_item *item)
{
    struct distributor *d = record->owner;

    if (!d->order) { /* it was reserved before */
        distr_queue_put(&record->input, item);
        distr_queue_publish(&record->input); /* A1 */
        distr_announce(d, record);
        return 0;
    }
    int rc = distr_order_put(distr_order_lock_input(d, record), item); /* V0 */
    distr_order_unlock_input(d, record);
    if (rc == 0)
        distr_order_announce(d, record);
    else
        refuse(d, record, 1);
    return rc;
}

static int add_one(struct distr_record *record, const distributor_task_type_t *type,
                   const void *input, size_t size, int64_t deadline)
{
    struct distributor *d = record->owner;
    bool limited = distr_input_limited(d);
    struct distr_item item;
    uint64_t room;
    /* Up to 8 bytes go into a narrow block of their type. */
    int rc = distr_queue_reserve(&record->input, size <= sizeof(uint64_t) ? type : NULL);

    if (rc == 0)
        rc = distr_item_make(&item, type, next_serial(record), input, size);
    if (rc != 0)
        return rc;
    if (limited)
        rc = wait_for_room(d, 1, &room, deadline);
    if (rc != 0) {
        free_input(&item);
        return rc;
    }
    rc = pass_door(d, record, 1) ? put_task(record, &item) : -ESHUTDOWN;
    if (rc == 0)
        return 0;
    if (limited)
        distr_give_room(d, 1);
    free_input(&item);
    return rc;
}

/* An outside thread's call begins the long way.  In a dense block quick adds left their serials to
 * the slots: these are counted now. */
static void begin_long(struct distr_record *record)
{
    struct distr_queue *input = &record->input;
    uint64_t next = input->first + input->bottom;

    distr_inside(record, DISTR_INSIDE);
    if (!input->dense || input->first == DISTR_NO_RUN)
        return;
    distr_queue_quicken(input);
    if (next > record->serials.next && next <= record->serials.end)
        record->serials.next = next;
}

/* It ends.  Quick are the slots of a dense block that the serials to come belong to: none, if the
 * next one does not follow. */
static void end_long(struct distr_record *record)
{
    struct distr_queue *input = &record->input;
    const struct distr_serials *serials = &record->serials;

    if (input->dense) {
        bool follows = serials->next == input->first + input->bottom;
        uint32_t end = input->bottom + (follows ? (uint32_t)(serials->end - serials->next) : 0);
        distr_queue_quicken(input);
        if (end < input->quick)
            input->quick = end;
    }
    distr_outside(record->owner, record);
}

/* deadline 0: without waiting. */
static distr_apart int add(struct distributor *d, const distributor_task_type_t *type,
                           const void *input, size_t size, int64_t deadline)
{
    struct distr_record *record;

    if (!d || (size != 0 && !input))
        return -EINVAL;
    int rc = distr_record_self(d, &record);
    if (rc != 0)
        return rc;
    if (record->worker)
        return distr_is_asking(record->worker) ? -EDEADLK : spawn(record, type, input, size);
    begin_long(record);
    distr_crowd_come(record);
    rc = check_type(record, type);
    if (rc == 0)
        rc = add_one(record, type, input, size, deadline);
    end_long(record);
    return rc;
}

/* Somebody is to be told; or it met a closed door, and is not added after all. */
int distributor_short_added(distributor_t *d, bool accepted)
{
    struct distr_record *record = distr_thread_last();

    if (accepted)
        distr_announce_slow(d, record);
    else
        refuse(d, record, 1);
    distr_outside(d, record);
    return accepted ? 0 : -ESHUTDOWN;
}

/* ---- outside: a word, into the one input of an order ---- */

static distr_apart int put_word_rarely(struct distr_queue *input,
                                       const distributor_task_type_t *type, uint64_t word)
{
    struct distr_item item = {.payload.words = {word},
                              .type = type,
                              .meta = distr_meta(0, DISTR_INLINE, sizeof word)};

    return distr_order_put(input, &item);
}

/* 0 or -ENOMEM. */
static inline int put_word(struct distr_queue *input, const distributor_task_type_t *type,
                           uint64_t word)
{
    struct distributor_short_end *end = distr_queue_end(input);
    struct distributor_short_place place = distributor_short_place(end);

    if (distr_unlikely(!distributor_short_is_quick(end, type)))
        return put_word_rarely(input, type, word);
    if (distr_likely(end->dense))
        distributor_short_write_dense(place, word);
    else
        distributor_short_write(place, word, 0);
    distributor_short_publish(end, place); /* A1 */
    return 0;
}

/* Where there is membarrier, the type was checked and there is no limit; else the long way. */
static int add_word_in_order(struct distributor *d, const distributor_task_type_t *type,
                             uint64_t word)
{
    struct distr_record *record = distr_thread_last();
    struct distr_order *order = d->order;

    if (distributor_short_seat.id != d->id || record->checked != type ||
        distr_input_limited(d) || !distr_has_membarrier)
        return DISTRIBUTOR_SHORT_NOT;
    distr_inside(record, DISTR_APPENDING);
    if (distr_unlikely(!count_at_door(d, record, 1)))
        return distributor_short_added(d, false);
    int rc = put_word(distr_order_own_input(order, record), type, word); /* V0 */
    distr_order_unlock_input(d, record);
    if (distr_likely(rc == 0))
        distr_order_announce(d, record);
    else
        refuse(d, record, 1);
    distr_outside(d, record);
    return rc;
}

/* ---- outside: one task ---- */

/* The ways of a word that need not wait; or DISTRIBUTOR_SHORT_NOT. */
static inline int add_word(struct distributor *d, const distributor_task_type_t *type,
                           const void *input, size_t size)
{
    uint64_t word;

    if (!d || !distributor_short_word(input, size, &word))
        return DISTRIBUTOR_SHORT_NOT;
    return d->order ? add_word_in_order(d, type, word) : distributor_short_add_task(d, type, word);
}

int distributor_add_task(distributor_t *d, const distributor_task_type_t *type, const void *input,
                         size_t size)
{
    int rc = add_word(d, type, input, size);

    return rc != DISTRIBUTOR_SHORT_NOT ? rc : add(d, type, input, size, DISTRIBUTOR_FOREVER);
}
distr_also(distributor_add_task, distributor_plain_add_task);

int distributor_try_add_task(distributor_t *d, const distributor_task_type_t *type,
                             const void *input, size_t size)
{
    int rc = add_word(d, type, input, size);

    return rc != DISTRIBUTOR_SHORT_NOT ? rc : add(d, type, input, size, 0);
}

int distributor_add_task_until(distributor_t *d, const distributor_task_type_t *type,
                               const void *input, size_t size, int64_t deadline)
{
    int rc = add_word(d, type, input, size);

    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    rc = add(d, type, input, size, deadline > 0 ? deadline : 0);
    return rc == -EAGAIN && d ? -ETIMEDOUT : rc;
}

/* ---- arrays ---- */

struct array {
    const distributor_task_type_t *type;
    const char *next; /* the input that is added next */
    size_t size;      /* of one */
    size_t left;
};

static void step(struct array *array, uint64_t count)
{
    if (array->size != 0) /* else there may be no array to step through */
        array->next += count * array->size;
    array->left -= count;
}

/* The quick ones of them: words of the tail's type. */
static uint64_t put_words(struct distr_record *record, struct distr_queue *queue,
                          struct array *array, uint64_t count)
{
    uint64_t serial = record->serials.next;
    uint64_t put = distr_queue_quick_slots(queue, array->type, serial);

    if (put > count)
        put = count;
    if (put > record->serials.end - serial)
        put = record->serials.end - serial;
    distr_queue_put_words(queue, array->next, (uint32_t)put, serial);
    record->serials.next = serial + put;
    step(array, put);
    return put;
}

/* Writes up to `count` tasks into reserved slots.  Returns how many; *rc says why not all. */
static uint64_t put_some(struct distr_record *record, struct distr_queue *queue,
                         struct array *array, uint64_t count, int *rc)
{
    struct distr_item item;
    uint64_t put = 0;

    while (put < count) {
        if (array->size == sizeof(uint64_t))
            put += put_words(record, queue, array, count - put);
        if (put == count)
            break;
        *rc = distr_queue_reserve(queue, array->size <= sizeof(uint64_t) ? array->type : NULL);
        if (*rc == 0)
            *rc =
                distr_item_make(&item, array->type, next_serial(record), array->next, array->size);
        if (*rc != 0)
            break;
        distr_queue_put(queue, &item);
        step(array, 1);
        put++;
    }
    distr_queue_publish(queue); /* A1 */
    return put;
}

/* put_some into the queue that the record's tasks go to. */
static uint64_t put_part(struct distr_record *record, struct array *array, uint64_t count, int *rc)
{
    struct distributor *d = record->owner;
    uint64_t put;

    if (!d->order) {
        put = put_some(record, &record->input, array, count, rc);
        distr_announce(d, record);
        return put;
    }
    put = put_some(record, distr_order_lock_input(d, record), array, count, rc); /* V0 */
    distr_order_unlock_input(d, record);
    distr_order_announce(d, record);
    return put;
}

/* Adds a part of the array through the door, published at once. */
static int add_part(struct distr_record *record, struct array *array)
{
    struct distributor *d = record->owner;
    uint64_t part = array->left < ARRAY_PART ? array->left : ARRAY_PART;
    bool limited = distr_input_limited(d);
    uint64_t put = 0;

    distr_crowd_come(record);
    int rc = limited ? wait_for_room(d, part, &part, DISTRIBUTOR_FOREVER) : 0;

    if (rc != 0)
        return rc;
    if (pass_door(d, record, part)) {
        put = put_part(record, array, part, &rc);
        if (put < part)
            refuse(d, record, part - put);
    } else {
        rc = -ESHUTDOWN;
    }
    if (limited && put < part)
        distr_give_room(d, part - put);
    return rc;
}

static int spawn_array(struct distr_record *record, struct array *array)
{
    int rc = 0;

    while (array->left > 0 && rc == 0) {
        rc = spawn(record, array->type, array->next, array->size);
        if (rc == 0)
            step(array, 1);
    }
    return rc;
}

static int add_array(struct distr_record *record, struct array *array)
{
    int rc = check_type(record, array->type);

    if (rc != 0)
        return rc;
    if (record->worker)
        return distr_is_asking(record->worker) ? -EDEADLK : spawn_array(record, array);
    begin_long(record);
    while (array->left > 0 && rc == 0)
        rc = add_part(record, array);
    end_long(record);
    return rc;
}

ptrdiff_t distributor_add_tasks(distributor_t *d, const distributor_task_type_t *type,
                                const void *inputs, size_t size, size_t count)
{
    struct array array = {.type = type, .next = inputs, .size = size, .left = count};
    struct distr_record *record;

    if (!d || (size != 0 && count != 0 && !inputs) || count > PTRDIFF_MAX)
        return -EINVAL;
    int rc = distr_record_self(d, &record);
    if (rc == 0)
        rc = add_array(record, &array);
    size_t added = count - array.left;
    return added > 0 ? (ptrdiff_t)added : rc;
}
