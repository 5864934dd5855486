/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What travels through the queues: a task, a result or a failure.
 *
 * An item is the plain form that one thread holds.  In a block it takes a slot of 32 bytes; of 16
 * in a narrow block, whose items have one type and at most 8 bytes; or of 8 in a dense one, whose
 * items have one type and are words, with serials that follow each other: a cache line that
 * crosses between cores then carries eight of them.
 *
 * A taker may read a slot while it is being reused.  It throws away what it read (its claim fails),
 * so slots are read and written in relaxed atomic words: no order is needed, no torn word can
 * matter.
 */
#ifndef DISTR_QUEUE_SLOT_H
#define DISTR_QUEUE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cacheline.h"

struct distributor_task_type;

/* What the item's payload is. */
enum distr_kind {
    DISTR_INLINE = 0, /* the bytes themselves */
    DISTR_HEAP = 1,   /* a pointer to them, owned by the item */
    DISTR_DEFERRED = 3, /* nothing: the task it stood for goes on in a struct distr_deferred */
    DISTR_MESSAGE = 2   /* of a failure: a pointer to a struct distr_failure, owned by the item */
};

#define DISTR_INLINE_MAX 16u

struct distr_item {
    _Alignas(16) union {
        unsigned char bytes[DISTR_INLINE_MAX];
        struct {
            void *pointer;
            size_t size;
        } heap;
        uint64_t words[2];
    } payload;
    const struct distributor_task_type *type;
    uint64_t meta; /* serial : 44 | error : 12 | kind : 3 | inline size : 5 */
};

_Static_assert(sizeof(struct distr_item) == 32, "two items to a cache line");
_Static_assert(_Alignof(struct distr_item) >= _Alignof(max_align_t),
               "inline bytes are aligned for everything");

#define DISTR_SERIAL_BITS 44
#define DISTR_ERROR_MAX 4095

static inline uint64_t distr_meta(uint64_t serial, enum distr_kind kind, size_t inline_size)
{
    return serial << 20 | (uint64_t)kind << 5 | (uint64_t)inline_size;
}

/* The meta of a plain item of 8 bytes with the serial of another one. */
static inline uint64_t distr_meta_of_word(uint64_t meta)
{
    return (meta & ~(uint64_t)0xfffff) | sizeof(uint64_t);
}

static inline uint64_t distr_meta_with_error(uint64_t meta, int error)
{
    return (meta & ~((uint64_t)DISTR_ERROR_MAX << 8)) | (uint64_t)(unsigned)-error << 8;
}

static inline uint64_t distr_meta_with_serial(uint64_t meta, uint64_t serial)
{
    return (meta & 0xfffff) | serial << 20;
}

/* With the serial that follows. */
static inline uint64_t distr_meta_of_next(uint64_t meta)
{
    return meta + ((uint64_t)1 << 20);
}

/* With the serial before. */
static inline uint64_t distr_meta_of_last(uint64_t meta)
{
    return meta - ((uint64_t)1 << 20);
}

static inline uint64_t distr_meta_serial(uint64_t meta)
{
    return meta >> 20;
}

static inline int distr_meta_error(uint64_t meta)
{
    return -(int)(meta >> 8 & DISTR_ERROR_MAX);
}

static inline enum distr_kind distr_meta_kind(uint64_t meta)
{
    return (enum distr_kind)(meta >> 5 & 7);
}

/* No error, and the bytes are in the item. */
static inline bool distr_meta_is_plain(uint64_t meta)
{
    return (meta & ((uint64_t)DISTR_ERROR_MAX << 8 | 7 << 5)) == 0;
}

static inline size_t distr_meta_inline_size(uint64_t meta)
{
    return meta & 31;
}

/* Whether it is plain, and of 8 bytes. */
static inline bool distr_meta_is_word(uint64_t meta)
{
    return (meta & 0xfffff) == sizeof(uint64_t);
}

/* Whether an item of this meta fits into a narrow slot. */
static inline bool distr_meta_is_narrow(uint64_t meta)
{
    return (meta & 7 << 5) == 0 && distr_meta_inline_size(meta) <= sizeof(uint64_t);
}

#define DISTR_WIDE_WORDS 4u
#define DISTR_NARROW_WORDS 2u
#define DISTR_DENSE_WORDS 1u
#define DISTR_LINE_WORDS (DISTR_CACHELINE / (unsigned)sizeof(uint64_t))

/* Of a slot in a block that is not dense: narrow if it is of one type. */
static inline unsigned distr_slot_words(const struct distributor_task_type *type)
{
    return type ? DISTR_NARROW_WORDS : DISTR_WIDE_WORDS;
}

/* relaxed, here and below: who publishes or claims the slot orders it, see queue.c. */
static inline void distr_write(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline uint64_t distr_read(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void distr_slot_write_narrow(_Atomic uint64_t *slot, uint64_t word, uint64_t meta)
{
    distr_write(&slot[0], word);
    distr_write(&slot[1], meta);
}

static inline void distr_slot_write(_Atomic uint64_t *slot, const struct distr_item *item)
{
    distr_write(&slot[0], item->payload.words[0]);
    distr_write(&slot[1], item->payload.words[1]);
    distr_write(&slot[2], item->meta);
    distr_write(&slot[3], (uint64_t)(uintptr_t)item->type);
}

static inline void distr_slot_read_narrow(const _Atomic uint64_t *slot,
                                          const struct distributor_task_type *type,
                                          struct distr_item *item)
{
    item->payload.words[0] = distr_read(&slot[0]);
    item->meta = distr_read(&slot[1]);
    item->type = type;
}

static inline void distr_slot_read_dense(const _Atomic uint64_t *slot,
                                         const struct distributor_task_type *type, uint64_t serial,
                                         struct distr_item *item)
{
    item->payload.words[0] = distr_read(slot);
    item->meta = distr_meta(serial, DISTR_INLINE, sizeof(uint64_t));
    item->type = type;
}

static inline void distr_slot_read_wide(const _Atomic uint64_t *slot, struct distr_item *item)
{
    item->payload.words[0] = distr_read(&slot[0]);
    item->payload.words[1] = distr_read(&slot[1]);
    item->meta = distr_read(&slot[2]);
    item->type = (const struct distributor_task_type *)(uintptr_t)distr_read(&slot[3]);
}

#endif
