/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/short.h - the short ways of distributor_add_task, _spawn, _emit and _next_result.
 *
 * Not for programs: pool.h includes it.  A call into a shared library costs as much as all that
 * these calls do in their common case, which is a word: 8 bytes, of the type that was used before,
 * without a limit.  So compilers may put the common case where the call stands; all else goes into
 * the library, whose own functions are made of the same code.  A program that wants calls defines
 * DISTRIBUTOR_NO_INLINE.
 *
 * The structs here are the first fields of the library's, which asserts it (src/pool/short.c).
 * They are part of its binary interface: it changes its soname when they change.
 *
 * The names of events (A1, E2 ...) are those of src/queue/README.md in its sources.
 */
#ifndef DISTRIBUTOR_SHORT_H
#define DISTRIBUTOR_SHORT_H

#include <distributor/pool.h>

/* No warning of a program's compiler is about this code; the library's own compiler has its say. */
#ifndef DISTRIBUTOR_NO_INLINE
#pragma GCC system_header
#endif

#if defined(__powerpc64__)
#define DISTRIBUTOR_SHORT_LINE 128
#elif defined(__s390x__)
#define DISTRIBUTOR_SHORT_LINE 256
#else
#define DISTRIBUTOR_SHORT_LINE 64
#endif

/* What one thread writes and others read.  (An explorer of schedules has its own.) */
#ifndef DISTRIBUTOR_SHORT_LOAD
#define DISTRIBUTOR_SHORT_LOAD(word, order) __atomic_load_n(word, __ATOMIC_##order)
#define DISTRIBUTOR_SHORT_STORE(word, value, order) __atomic_store_n(word, value, __ATOMIC_##order)
#endif

/* A light fence where the kernel has membarrier; where it has not, no way is short. */
#define DISTRIBUTOR_SHORT_FENCE() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#define DISTRIBUTOR_SHORT_RARELY(condition) __builtin_expect(!!(condition), 0)
#define DISTRIBUTOR_SHORT_INLINE static __inline__ __attribute__((__always_inline__))
#define DISTRIBUTOR_SHORT_STRUCT struct __attribute__((__may_alias__))
#define DISTRIBUTOR_SHORT_ALIGNED __attribute__((__aligned__(DISTRIBUTOR_SHORT_LINE)))

/* What a short way returns if the call has to go the long one, for which nothing was done yet. */
#define DISTRIBUTOR_SHORT_NOT (-0x10000)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library's structs ---- */

/* A block; behind it stand its slots, of two words each, or of one if it is dense. */
DISTRIBUTOR_SHORT_STRUCT distributor_short_block
{
    DISTRIBUTOR_SHORT_ALIGNED uint64_t word;
    DISTRIBUTOR_SHORT_ALIGNED uint32_t bottom; /* slots written */
};

/* Where the owner of a queue puts words. */
DISTRIBUTOR_SHORT_STRUCT distributor_short_end
{
    struct distributor_short_block *tail;
    uint64_t word; /* of a deque's tail, as its owner left it */
    const distributor_task_type_t *type;
    uint64_t first;  /* of a dense tail: the serial that follows is this and `bottom` */
    uint32_t bottom; /* slots written, */
    uint32_t quick;  /* and how many may be with no further look */
    unsigned char unhinted;
    bool dense;
};

/* Where a reader that is alone goes on. */
DISTRIBUTOR_SHORT_STRUCT distributor_short_cursor
{
    struct distributor_short_block *block; /* NULL: nowhere */
    const uint64_t *slot;                  /* behind its claim, */
    uint64_t word;                         /* the block's word then, */
    uint64_t span;                         /* and how far it can be moved */
    const distributor_task_type_t *type;
    uint32_t by[2]; /* attempt and worker */
    uint64_t serial; /* of the slot in a dense block; or DISTRIBUTOR_SHORT_NO_RUN */
};

/* What a thread has in one distributor. */
DISTRIBUTOR_SHORT_STRUCT distributor_short_record
{
    DISTRIBUTOR_SHORT_ALIGNED uint64_t head;
    DISTRIBUTOR_SHORT_ALIGNED struct distributor_short_end input;
    DISTRIBUTOR_SHORT_ALIGNED struct distributor *owner;
    uint64_t added;
    uint64_t serial; /* of the next task, unless an outside thread's quick slots have it, */
    uint64_t end;    /* below this */
    uint32_t inside; /* its thread is in a call */
    uint64_t result[2] __attribute__((__aligned__(16)));
    struct distributor_short_cursor cursor;
};

DISTRIBUTOR_SHORT_STRUCT distributor_short
{
    DISTRIBUTOR_SHORT_ALIGNED uint32_t state;
    uint32_t generation;
    uint64_t id;
    struct distributor_short_record *lone_reader;
    DISTRIBUTOR_SHORT_ALIGNED uint64_t search;
    DISTRIBUTOR_SHORT_ALIGNED uint32_t readers; /* that sleep */
};

DISTRIBUTOR_SHORT_STRUCT distributor_short_task
{
    struct distributor_short_record *record; /* of its worker */
    struct distributor_short_end *output;
    uint64_t input[2];
    const distributor_task_type_t *type;
    uint64_t meta; /* serial : 44 | error, kind and size : 20 */
};

/* What a thread that is no worker has in the distributor that it used last. */
struct distributor_short_seat {
    uint64_t id; /* of that distributor, which may be gone; 0: none */
    struct distributor_short_record *record;
};

#define DISTRIBUTOR_SHORT_CLOSED 1u   /* of state */
#define DISTRIBUTOR_SHORT_STOPPING 2u /* of state */
#define DISTRIBUTOR_SHORT_INSIDE 1u   /* of inside */
#define DISTRIBUTOR_SHORT_TAKING 2u   /* of inside: a short read */
#define DISTRIBUTOR_SHORT_SLEEPING 33 /* the bits of search from this one on count the sleepers */
#define DISTRIBUTOR_SHORT_STEP 4u     /* one slot, in the word of a block */
#define DISTRIBUTOR_SHORT_SERIAL 20   /* the bits of meta from this one on; below them, of a word: */
#define DISTRIBUTOR_SHORT_WORD sizeof(uint64_t)
#define DISTRIBUTOR_SHORT_NO_RUN ((uint64_t)1 << 63) /* far from every serial */

/* ---- what only the library does ---- */

extern DISTRIBUTOR_API __thread struct distributor_short_seat distributor_short_seat
    __attribute__((tls_model("initial-exec")));

/* The rest of a short call that met something rare, after it had done what it does. */
DISTRIBUTOR_API int distributor_short_added(distributor_t *d, bool accepted);
DISTRIBUTOR_API void distributor_short_spawned(distributor_task_t *self, bool pushed);
DISTRIBUTOR_API void distributor_short_emitted(distributor_task_t *self);
DISTRIBUTOR_API void distributor_short_read(distributor_result_t *result, uint32_t rest);

/* The calls themselves, by names that stand for nothing else. */
DISTRIBUTOR_API int distributor_plain_add_task(distributor_t *d,
                                               const distributor_task_type_t *type,
                                               const void *input, size_t size);
DISTRIBUTOR_API int distributor_plain_spawn(distributor_task_t *self,
                                            const distributor_task_type_t *type, const void *input,
                                            size_t size);
DISTRIBUTOR_API int distributor_plain_emit(distributor_task_t *self, const void *result,
                                           size_t size);
DISTRIBUTOR_API int distributor_plain_next_result(distributor_t *d, distributor_result_t *result);

/* ---- queues ---- */

/* Where the owner puts the next word, looked up once: to a compiler what it writes could be
 * anything. */
struct distributor_short_place {
    struct distributor_short_block *tail;
    uint32_t bottom;
};

DISTRIBUTOR_SHORT_INLINE struct distributor_short_place
distributor_short_place(const struct distributor_short_end *end)
{
    struct distributor_short_place place;

    place.tail = end->tail;
    place.bottom = end->bottom;
    return place;
}

/* Whether a word of that type has a slot with no further look, if its serial follows. */
DISTRIBUTOR_SHORT_INLINE bool distributor_short_is_quick(const struct distributor_short_end *end,
                                                         const distributor_task_type_t *type)
{
    return !DISTRIBUTOR_SHORT_RARELY(end->bottom >= end->quick) &&
           !DISTRIBUTOR_SHORT_RARELY(end->type != type);
}

/* relaxed, in these: the store of bottom hands them over.  In a narrow block: */
DISTRIBUTOR_SHORT_INLINE void distributor_short_write(struct distributor_short_place place,
                                                      uint64_t word, uint64_t serial)
{
    uint64_t *slot = (uint64_t *)(void *)(place.tail + 1) + 2 * (size_t)place.bottom;

    DISTRIBUTOR_SHORT_STORE(&slot[0], word, RELAXED);
    DISTRIBUTOR_SHORT_STORE(
        &slot[1], serial << DISTRIBUTOR_SHORT_SERIAL | DISTRIBUTOR_SHORT_WORD, RELAXED);
}

/* In a dense one: */
DISTRIBUTOR_SHORT_INLINE void distributor_short_write_dense(struct distributor_short_place place,
                                                            uint64_t word)
{
    uint64_t *slots = (uint64_t *)(void *)(place.tail + 1);

    DISTRIBUTOR_SHORT_STORE(&slots[place.bottom], word, RELAXED);
}

/* In one of either kind, where a word of that type and serial has its slot.  False: it may not. */
DISTRIBUTOR_SHORT_INLINE bool
distributor_short_write_any(const struct distributor_short_end *end,
                            struct distributor_short_place place,
                            const distributor_task_type_t *type, uint64_t word, uint64_t serial)
{
    if (!distributor_short_is_quick(end, type))
        return false;
    if (!end->dense) {
        distributor_short_write(place, word, serial);
        return true;
    }
    if (DISTRIBUTOR_SHORT_RARELY(serial != end->first + place.bottom))
        return false;
    /* Not before: the end of a deferred task is never quick and has no tail. */
    distributor_short_write_dense(place, word);
    return true;
}

/* The same with the next serial of the thread that adds: in a dense block the slot has it, where it
 * is quick, and `serial` is behind. */
DISTRIBUTOR_SHORT_INLINE bool
distributor_short_write_next(struct distributor_short_record *record,
                             struct distributor_short_place place,
                             const distributor_task_type_t *type, uint64_t word)
{
    if (!distributor_short_is_quick(&record->input, type))
        return false;
    if (record->input.dense) {
        distributor_short_write_dense(place, word);
        return true;
    }
    uint64_t serial = record->serial;
    if (DISTRIBUTOR_SHORT_RARELY(serial == record->end))
        return false;
    distributor_short_write(place, word, serial);
    record->serial = serial + 1;
    return true;
}

/* Hands over what was written. */
DISTRIBUTOR_SHORT_INLINE void distributor_short_publish(struct distributor_short_end *end,
                                                        struct distributor_short_place place)
{
    end->bottom = place.bottom + 1;
    /* A1, or the store of D1.  release: pairs with C2, and of a deque with F3. */
    DISTRIBUTOR_SHORT_STORE(&place.tail->bottom, place.bottom + 1, RELEASE);
}

/* The same in a deque.  False: a taker froze the tail. */
DISTRIBUTOR_SHORT_INLINE bool distributor_short_push(struct distributor_short_end *end,
                                                     struct distributor_short_place place)
{
    distributor_short_publish(end, place);
    DISTRIBUTOR_SHORT_FENCE(); /* pairs with F2 */
    /* The load of D1.  acquire: pairs with F1 and F4. */
    return DISTRIBUTOR_SHORT_LOAD(&place.tail->word, ACQUIRE) == end->word;
}

/*
 * Takes the next word at a cursor; *rest: what its meta says beside the serial.  Nobody else takes
 * from the queue, so that the block's word is stored, not swapped.  False: nothing was taken.
 */
DISTRIBUTOR_SHORT_INLINE bool distributor_short_take(const struct distributor_short_cursor *cursor,
                                                     uint64_t *word, uint64_t *serial,
                                                     uint32_t *rest)
{
    struct distributor_short_block *block = cursor->block;

    if (DISTRIBUTOR_SHORT_RARELY(!block))
        return false;
    /* relaxed: only this thread writes it, elsewhere too; a later generation is far beyond. */
    uint64_t before = DISTRIBUTOR_SHORT_LOAD(&block->word, RELAXED);
    uint64_t moved = before - cursor->word;
    if (DISTRIBUTOR_SHORT_RARELY(moved >= cursor->span))
        return false;
    /* Whole steps, which a compiler cannot know: slots of one word or two, as bytes of a step. */
    const char *slot = (const char *)cursor->slot;
    if (cursor->serial < DISTRIBUTOR_SHORT_NO_RUN) {
        slot += moved * (sizeof(uint64_t) / DISTRIBUTOR_SHORT_STEP);
        *serial = cursor->serial + moved / DISTRIBUTOR_SHORT_STEP;
        *rest = DISTRIBUTOR_SHORT_WORD;
    } else {
        slot += moved * (2 * sizeof(uint64_t) / DISTRIBUTOR_SHORT_STEP);
        uint64_t meta =
            DISTRIBUTOR_SHORT_LOAD((const uint64_t *)(const void *)slot + 1, RELAXED);
        *serial = meta >> DISTRIBUTOR_SHORT_SERIAL;
        *rest = (uint32_t)meta & ((1u << DISTRIBUTOR_SHORT_SERIAL) - 1);
    }
    *word = DISTRIBUTOR_SHORT_LOAD((const uint64_t *)(const void *)slot, RELAXED);
    /* C7 release: the reads stay before it, as before C6. */
    DISTRIBUTOR_SHORT_STORE(&block->word, before + DISTRIBUTOR_SHORT_STEP, RELEASE);
    return true;
}

/* ---- calls ---- */

/* What has the size of a word is copied before the call. */
DISTRIBUTOR_SHORT_INLINE bool distributor_short_word(const void *from, size_t size, uint64_t *word)
{
    if (DISTRIBUTOR_SHORT_RARELY(!from || size != sizeof *word))
        return false;
    __builtin_memcpy(word, from, sizeof *word);
    return true;
}

/* N2: whether somebody sleeps, or the hint is gone; after a publish and a light fence. */
DISTRIBUTOR_SHORT_INLINE bool
distributor_short_is_due(const struct distributor_short *d,
                         const struct distributor_short_record *record)
{
    /* relaxed: the fence orders them. */
    return DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&record->input.unhinted, RELAXED)) ||
           DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&d->search, RELAXED) >>
                                    DISTRIBUTOR_SHORT_SLEEPING);
}

/* A call of an outside thread begins: X1, the flag before the look at the state. */
DISTRIBUTOR_SHORT_INLINE void distributor_short_begin(struct distributor_short_record *record,
                                                      uint32_t inside)
{
    /* relaxed: the light fence after it pairs with the heavy one of destroy, and with T6's. */
    DISTRIBUTOR_SHORT_STORE(&record->inside, inside, RELAXED);
    DISTRIBUTOR_SHORT_FENCE();
}

/* It ends.  If destroy waits for it, it looks again by itself. */
DISTRIBUTOR_SHORT_INLINE void distributor_short_end_call(struct distributor_short_record *record)
{
    /* release: pairs with the load in destroy, and with T6. */
    DISTRIBUTOR_SHORT_STORE(&record->inside, 0u, RELEASE);
}

/* Q0 release: pairs with Q1.  Only the record's thread writes. */
DISTRIBUTOR_SHORT_INLINE void distributor_short_count(struct distributor_short_record *record)
{
    uint64_t added = DISTRIBUTOR_SHORT_LOAD(&record->added, RELAXED);

    DISTRIBUTOR_SHORT_STORE(&record->added, added + 1, RELEASE);
}

DISTRIBUTOR_SHORT_INLINE int distributor_short_add_task(distributor_t *d,
                                                        const distributor_task_type_t *type,
                                                        uint64_t word)
{
    const struct distributor_short *pool = (const struct distributor_short *)(const void *)d;
    struct distributor_short_record *record = distributor_short_seat.record;

    if (DISTRIBUTOR_SHORT_RARELY(!d || distributor_short_seat.id != pool->id))
        return DISTRIBUTOR_SHORT_NOT;
    struct distributor_short_place place = distributor_short_place(&record->input);
    if (!distributor_short_write_next(record, place, type, word))
        return DISTRIBUTOR_SHORT_NOT;
    distributor_short_begin(record, DISTRIBUTOR_SHORT_INSIDE);
    distributor_short_count(record); /* A0 */
    DISTRIBUTOR_SHORT_FENCE();       /* pairs with the heavy one between CLOSED and DOOR_SHUT */
    if (DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&pool->state, SEQ_CST) &
                                 DISTRIBUTOR_SHORT_CLOSED))
        return distributor_short_added(d, false);
    distributor_short_publish(&record->input, place); /* A1 */
    DISTRIBUTOR_SHORT_FENCE();                        /* N1: pairs with P3 */
    if (distributor_short_is_due(pool, record))
        return distributor_short_added(d, true);
    distributor_short_end_call(record);
    return 0;
}

DISTRIBUTOR_SHORT_INLINE int distributor_short_spawn(distributor_task_t *self,
                                                     const distributor_task_type_t *type,
                                                     uint64_t word)
{
    if (DISTRIBUTOR_SHORT_RARELY(!self))
        return DISTRIBUTOR_SHORT_NOT;
    struct distributor_short_record *record =
        ((const struct distributor_short_task *)(const void *)self)->record;
    const struct distributor_short *d =
        (const struct distributor_short *)(const void *)record->owner;
    struct distributor_short_place place = distributor_short_place(&record->input);
    uint64_t serial = record->serial;
    if (DISTRIBUTOR_SHORT_RARELY(serial == record->end) ||
        DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&d->state, SEQ_CST) &
                                 DISTRIBUTOR_SHORT_STOPPING) ||
        !distributor_short_write_any(&record->input, place, type, word, serial))
        return DISTRIBUTOR_SHORT_NOT;
    record->serial = serial + 1;
    distributor_short_count(record);
    if (DISTRIBUTOR_SHORT_RARELY(!distributor_short_push(&record->input, place)))
        distributor_short_spawned(self, false);
    else if (distributor_short_is_due(d, record)) /* N2: the push had the fence */
        distributor_short_spawned(self, true);
    return 0;
}

DISTRIBUTOR_SHORT_INLINE int distributor_short_emit(distributor_task_t *self, uint64_t word)
{
    const struct distributor_short_task *task =
        (const struct distributor_short_task *)(const void *)self;

    if (DISTRIBUTOR_SHORT_RARELY(!self))
        return DISTRIBUTOR_SHORT_NOT;
    struct distributor_short_end *output = task->output;
    struct distributor_short_place place = distributor_short_place(output);
    const struct distributor_short *d =
        (const struct distributor_short *)(const void *)task->record->owner;
    if (!distributor_short_write_any(output, place, task->type, word,
                                     task->meta >> DISTRIBUTOR_SHORT_SERIAL))
        return DISTRIBUTOR_SHORT_NOT;
    distributor_short_publish(output, place); /* E1 */
    DISTRIBUTOR_SHORT_FENCE(); /* E2: pairs with T2 */
    /* relaxed: the fence orders them. */
    if (DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&output->unhinted, RELAXED)) ||
        DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&d->readers, RELAXED) != 0))
        distributor_short_emitted(self);
    return 0;
}

/* The next word of the worker that was read from last, while no other thread reads and there is no
 * limit (T5). */
DISTRIBUTOR_SHORT_INLINE int distributor_short_next_result(distributor_t *d,
                                                           distributor_result_t *result)
{
    const struct distributor_short *pool = (const struct distributor_short *)(const void *)d;
    struct distributor_short_record *record = distributor_short_seat.record;
    uint64_t word = 0, serial = 0; /* as compilers of little optimization do not see them set */
    uint32_t rest = 0;

    if (DISTRIBUTOR_SHORT_RARELY(!d || !result || distributor_short_seat.id != pool->id))
        return DISTRIBUTOR_SHORT_NOT;
    /* Without membarrier nobody is the lone reader. */
    distributor_short_begin(record, DISTRIBUTOR_SHORT_TAKING);
    /* relaxed: the light fence pairs with T6. */
    if (DISTRIBUTOR_SHORT_RARELY(DISTRIBUTOR_SHORT_LOAD(&pool->lone_reader, RELAXED) != record) ||
        DISTRIBUTOR_SHORT_RARELY(!distributor_short_take(&record->cursor, &word, &serial, &rest)))
        /* Still inside: between leaving and entering again destroy would wait for nobody. */
        return DISTRIBUTOR_SHORT_NOT;
    record->result[0] = word;
    result->data = record->result;
    result->size = sizeof word;
    /* Fewer, wider stores: they are what it takes its time for. */
    __builtin_memset((char *)result + offsetof(distributor_result_t, error), 0,
                     offsetof(distributor_result_t, type) - offsetof(distributor_result_t, error));
    result->type = record->cursor.type;
    result->serial = serial;
    __builtin_memcpy(&result->attempt, record->cursor.by, sizeof record->cursor.by);
    if (DISTRIBUTOR_SHORT_RARELY(rest != DISTRIBUTOR_SHORT_WORD))
        distributor_short_read(result, rest);
    distributor_short_end_call(record);
    return 1;
}

/* ---- in place of calls ---- */

#ifdef DISTRIBUTOR_SHORT_WAYS

/* The function itself is the library's. */
#define DISTRIBUTOR_SHORT_CALL extern __inline__ __attribute__((__gnu_inline__, __always_inline__))

/* Where the size is known to be that of a word: elsewhere a test for it would come first.  The call
 * gets a copy of its own, so that what the word was copied from need not be in memory. */
#define DISTRIBUTOR_SHORT_IS_WORD(from, size, word) \
    (__builtin_constant_p(size) && distributor_short_word(from, size, word))

DISTRIBUTOR_SHORT_CALL int distributor_add_task(distributor_t *d,
                                                const distributor_task_type_t *type,
                                                const void *input, size_t size)
{
    uint64_t word;

    if (!DISTRIBUTOR_SHORT_IS_WORD(input, size, &word))
        return distributor_plain_add_task(d, type, input, size);
    int rc = distributor_short_add_task(d, type, word);
    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    uint64_t copy = word;
    return distributor_plain_add_task(d, type, &copy, sizeof copy);
}

DISTRIBUTOR_SHORT_CALL int distributor_spawn(distributor_task_t *self,
                                             const distributor_task_type_t *type, const void *input,
                                             size_t size)
{
    uint64_t word;

    if (!DISTRIBUTOR_SHORT_IS_WORD(input, size, &word))
        return distributor_plain_spawn(self, type, input, size);
    int rc = distributor_short_spawn(self, type, word);
    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    uint64_t copy = word;
    return distributor_plain_spawn(self, type, &copy, sizeof copy);
}

DISTRIBUTOR_SHORT_CALL int distributor_emit(distributor_task_t *self, const void *result,
                                            size_t size)
{
    uint64_t word;

    if (!DISTRIBUTOR_SHORT_IS_WORD(result, size, &word))
        return distributor_plain_emit(self, result, size);
    int rc = distributor_short_emit(self, word);
    if (rc != DISTRIBUTOR_SHORT_NOT)
        return rc;
    uint64_t copy = word;
    return distributor_plain_emit(self, &copy, sizeof copy);
}

DISTRIBUTOR_SHORT_CALL int distributor_next_result(distributor_t *d, distributor_result_t *result)
{
    int rc = distributor_short_next_result(d, result);

    return rc != DISTRIBUTOR_SHORT_NOT ? rc : distributor_plain_next_result(d, result);
}

#endif

#ifdef __cplusplus
}
#endif

#endif
