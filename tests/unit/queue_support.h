/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbered items for the tests of src/queue, which know no task types. */
#ifndef TESTS_UNIT_QUEUE_SUPPORT_H
#define TESTS_UNIT_QUEUE_SUPPORT_H

#include "queue/deque.h"
#include "support.h"

static inline struct distr_item numbered(uint64_t number)
{
    struct distr_item item = {.type = NULL, .meta = distr_meta(number, DISTR_INLINE, 8)};

    item.payload.words[0] = number;
    item.payload.words[1] = ~number;
    return item;
}

static inline uint64_t number_of(const struct distr_item *item)
{
    cr_assert_eq(item->payload.words[1], ~item->payload.words[0], "a torn item");
    cr_assert_eq(distr_meta_serial(item->meta), item->payload.words[0]);
    return item->payload.words[0];
}

#endif
