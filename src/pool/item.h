/* SPDX-License-Identifier: BSD-2-Clause */
/* Items from bytes, and bytes from items. */
#ifndef DISTR_POOL_ITEM_H
#define DISTR_POOL_ITEM_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool/state.h"

/* Copies the bytes into the item.  0, -EMSGSIZE or -ENOMEM. */
static inline int distr_item_make(struct distr_item *item, const distributor_task_type_t *type,
                                  uint64_t serial, const void *data, size_t size)
{
    item->type = type;
    if (distr_likely(size <= DISTR_INLINE_MAX)) {
        item->payload.words[0] = 0;
        item->payload.words[1] = 0;
        if (size == sizeof(uint64_t))
            memcpy(item->payload.bytes, data, sizeof(uint64_t));
        else if (size != 0)
            memcpy(item->payload.bytes, data, size);
        item->meta = distr_meta(serial, DISTR_INLINE, size);
        return 0;
    }
    if (size > DISTRIBUTOR_MAX_SIZE)
        return -EMSGSIZE;
    void *copy = malloc(size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, data, size);
    item->payload.heap.pointer = copy;
    item->payload.heap.size = size;
    item->meta = distr_meta(serial, DISTR_HEAP, 0);
    return 0;
}

/* The bytes of an item that is no failure with a message. */
static inline const void *distr_item_bytes(const struct distr_item *item, size_t *size)
{
    if (distr_likely(distr_meta_kind(item->meta) == DISTR_INLINE)) {
        *size = distr_meta_inline_size(item->meta);
        return *size ? item->payload.bytes : NULL;
    }
    *size = item->payload.heap.size;
    return item->payload.heap.pointer;
}

#endif
