/* SPDX-License-Identifier: BSD-2-Clause */
/* What <distributor/short.h> says of the structs of the library is true. */
#include <stddef.h>

#include "pool/idle.h"
#include "pool/registry.h"

#define SAME(public, member, own, path) \
    _Static_assert(offsetof(struct public, member) == offsetof(struct own, path), \
                   #public "." #member); \
    _Static_assert(sizeof(((struct public *)0)->member) == sizeof(((struct own *)0)->path), \
                   #public "." #member)

_Static_assert(DISTRIBUTOR_SHORT_LINE == DISTR_CACHELINE, "the line of this processor");

SAME(distributor_short_block, word, distr_block, word);
SAME(distributor_short_block, bottom, distr_block, bottom);
_Static_assert(sizeof(struct distributor_short_block) == offsetof(struct distr_block, words),
               "slots stand behind it");
_Static_assert(DISTR_NARROW_WORDS == 2, "words of a slot");

#define SAME_END(member) \
    _Static_assert(offsetof(struct distributor_short_end, member) == \
                       offsetof(struct distr_queue, member) - offsetof(struct distr_queue, tail), \
                   "distributor_short_end." #member); \
    _Static_assert(sizeof(((struct distributor_short_end *)0)->member) == \
                       sizeof(((struct distr_queue *)0)->member), \
                   "distributor_short_end." #member)

SAME_END(tail);
SAME_END(word);
SAME_END(type);
SAME_END(first);
SAME_END(bottom);
SAME_END(quick);
SAME_END(unhinted);
SAME_END(dense);

SAME(distributor_short_cursor, block, distr_cursor, block);
SAME(distributor_short_cursor, slot, distr_cursor, slot);
SAME(distributor_short_cursor, word, distr_cursor, word);
SAME(distributor_short_cursor, span, distr_cursor, span);
SAME(distributor_short_cursor, type, distr_cursor, type);
SAME(distributor_short_cursor, serial, distr_cursor, serial);
_Static_assert(offsetof(struct distributor_short_cursor, by) ==
                   offsetof(struct distr_cursor, attempt),
               "distributor_short_cursor.by");
_Static_assert(offsetof(struct distributor_short_cursor, by[1]) ==
                   offsetof(struct distr_cursor, maker),
               "distributor_short_cursor.by");

_Static_assert(offsetof(struct distributor_short_record, input) ==
                   offsetof(struct distr_record, input.tail),
               "distributor_short_record.input");
SAME(distributor_short_record, owner, distr_record, owner);
SAME(distributor_short_record, added, distr_record, added);
SAME(distributor_short_record, serial, distr_record, serials.next);
SAME(distributor_short_record, end, distr_record, serials.end);
SAME(distributor_short_record, inside, distr_record, inside);
SAME(distributor_short_record, result, distr_record, word);
_Static_assert(offsetof(struct distributor_short_record, cursor) ==
                   offsetof(struct distr_record, reader.cursor),
               "distributor_short_record.cursor");

SAME(distributor_short, state, distributor, state);
SAME(distributor_short, id, distributor, id);
SAME(distributor_short, lone_reader, distributor, lone_reader);
SAME(distributor_short, search, distributor, search);
SAME(distributor_short, readers, distributor, readers.waiters);

SAME(distributor_short_task, record, distributor_task, worker);
SAME(distributor_short_task, output, distributor_task, output);
SAME(distributor_short_task, input, distributor_task, item.payload);
SAME(distributor_short_task, type, distributor_task, item.type);
SAME(distributor_short_task, meta, distributor_task, item.meta);
_Static_assert(offsetof(struct distr_worker, record) == 0, "a worker is found by its record");

_Static_assert((uint64_t)1 << DISTRIBUTOR_SHORT_SLEEPING == DISTR_SLEEPING, "of search");
_Static_assert(DISTR_INLINE == 0 && 64 - DISTRIBUTOR_SHORT_SERIAL == DISTR_SERIAL_BITS, "of meta");
_Static_assert(DISTRIBUTOR_SHORT_CLOSED == DISTR_CLOSED, "of state");
_Static_assert(DISTRIBUTOR_SHORT_STOPPING == DISTR_STOPPING, "of state");
_Static_assert(DISTRIBUTOR_SHORT_INSIDE == DISTR_INSIDE, "of inside");
_Static_assert(DISTRIBUTOR_SHORT_TAKING == DISTR_TAKING, "of inside");
_Static_assert(DISTRIBUTOR_SHORT_STEP == DISTR_WORD_STEP, "of a block's word");
