/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered items for the tests of src/queue.  How they mix decides which blocks they get: items of
 * 8 bytes and one type go into narrow blocks, or into dense ones if the queue may have them and
 * their serials follow each other; all others into wide ones.
 */
#ifndef TESTS_UNIT_QUEUE_SUPPORT_H
#define TESTS_UNIT_QUEUE_SUPPORT_H

#include "queue/deque.h"
#include "support.h"

enum mix { NARROW, DENSE, GAPS, SCATTERED, WIDE, ALTERNATING, RUNS, RANDOM, MIXES };

static enum mix mix;
static const distributor_task_type_t mixed_types[3];

/* 0 to 2: 8 bytes of that type; 3: 16 bytes. */
static inline unsigned kind_of(uint64_t number)
{
    switch (mix) {
    case NARROW:
    case DENSE:
    case GAPS:
    case SCATTERED:
        return 0;
    case WIDE:
        return 3;
    case ALTERNATING:
        return (unsigned)(number & 1);
    case RUNS:
        return (unsigned)(number / 700 & 3);
    default:
        return (unsigned)(number * 0x9e3779b97f4a7c15u >> 62);
    }
}

static inline uint64_t serial_of(uint64_t number)
{
    if (mix == GAPS)
        return number + number / 90 * 1000; /* ten or eleven runs a block */
    return mix == SCATTERED ? number + number / 3 * 10 : number;
}

static inline bool mix_may_be_dense(void)
{
    return mix != NARROW;
}

static inline struct distr_item numbered(uint64_t number)
{
    unsigned kind = kind_of(number);
    struct distr_item item = {.type = &mixed_types[kind % 3],
                              .meta = distr_meta(serial_of(number), DISTR_INLINE,
                                                 kind == 3 ? 16 : 8)};

    item.payload.words[0] = number;
    item.payload.words[1] = ~number;
    return item;
}

static inline uint64_t number_of(const struct distr_item *item)
{
    uint64_t number = item->payload.words[0];
    unsigned kind = kind_of(number);

    cr_assert_eq(distr_meta_serial(item->meta), serial_of(number), "a torn item");
    cr_assert_eq(distr_meta_inline_size(item->meta), kind == 3 ? 16 : 8);
    cr_assert_eq(item->type, &mixed_types[kind % 3], "an item of another type");
    if (kind == 3)
        cr_assert_eq(item->payload.words[1], ~number, "a torn item");
    return number;
}

#endif
