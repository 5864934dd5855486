/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory as several cores see it: each thread's stores wait in a buffer, first in, first out, until
 * a fence, a read-modify-write or a system call of its own, a membarrier of anybody, or until the
 * search lets them be seen.  That is what x86 does.
 *
 * And memory as malloc gives it: from one piece that starts anew with each run, so that addresses
 * are the same in each, and what is freed is never given out again, so that a late touch is seen.
 */
#include "schedule/internal.h"

#include <stdio.h>
#include <string.h>

#define ARENA_SIZE ((size_t)1 << 20)
#define GRAIN 16u
#define OUTSIDE_MAX 256u

static _Alignas(4096) unsigned char arena[ARENA_SIZE];
static unsigned char freed[ARENA_SIZE / GRAIN];
static size_t used;

/* ---- which locations are shared ---- */

/* Who has touched a location while exploring, and whether anybody wrote. */
struct location {
    const volatile void *address; /* of those outside the arena */
    uint16_t threads;
    bool written;
};

static struct location inside_arena[ARENA_SIZE / 4];
static struct location outside_arena[OUTSIDE_MAX];
static bool learned;

bool memory_holds(const volatile void *pointer)
{
    const volatile unsigned char *byte = pointer;

    return byte >= arena && byte < arena + ARENA_SIZE;
}

static struct location *find_location(const volatile void *address)
{
    if (memory_holds(address))
        return &inside_arena[((const volatile unsigned char *)address - arena) / 4];
    for (unsigned i = 0; i < OUTSIDE_MAX; i++) {
        if (!outside_arena[i].address)
            outside_arena[i].address = address;
        if (outside_arena[i].address == address)
            return &outside_arena[i];
    }
    schedule_fail("more than %u shared variables outside malloc", OUTSIDE_MAX);
}

static bool is_shared(const struct location *location)
{
    return location->written && (location->threads & (location->threads - 1)) != 0;
}

bool memory_is_shared(const volatile void *address)
{
    return is_shared(find_location(address));
}

void memory_forget(void)
{
    memset(inside_arena, 0, sizeof inside_arena);
    memset(outside_arena, 0, sizeof outside_arena);
    learned = false;
}

bool memory_learned(void)
{
    bool was = learned;

    learned = false;
    return was;
}

static bool note(const volatile void *address, bool writes)
{
    struct location *location = find_location(address);
    bool was = is_shared(location);

    location->threads |= (uint16_t)(1u << world.current);
    location->written = location->written || writes;
    learned = learned || is_shared(location) != was;
    return is_shared(location);
}

static void check_alive(const volatile void *address)
{
    if (memory_holds(address) && world.inside &&
        freed[(size_t)((const volatile unsigned char *)address - arena) / GRAIN])
        schedule_fail("freed memory is touched");
}

void memory_visit(const volatile void *address, bool writes, const char *here)
{
    struct thread *me = self();

    me->here = here;
    me->stalled = false;
    check_alive(address);
    if (writes && address == world.barred)
        threads_block(address, "barred", INT64_MAX);
    /* What other threads do after schedule_end they could have done before it. */
    if (!world.exploring && world.current == 0)
        return;
    bool shared = note(address, writes);
    if (!world.exploring)
        return;
    threads_count_moment();
    if (shared || search_counts_all())
        threads_step();
    check_alive(address);
}

/* ---- atomics ---- */

static void commit_one(const struct store *store)
{
    check_alive(store->to);
    memcpy((void *)(uintptr_t)store->to, &store->value, store->size);
}

void memory_commit(struct thread *thread, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        commit_one(&thread->stores[i]);
    thread->stored -= count;
    memmove(thread->stores, thread->stores + count, thread->stored * sizeof(struct store));
}

void memory_drain(void)
{
    memory_commit(self(), self()->stored);
}

void schedule_load(const volatile void *from, void *value, size_t size, const char *here)
{
    uint64_t seen = 0;

    memory_visit(from, false, here);
    memcpy(value, (const void *)(uintptr_t)from, size);
    for (unsigned i = 0; i < self()->stored; i++)
        if (self()->stores[i].to == from)
            memcpy(value, &self()->stores[i].value, size);
    memcpy(&seen, value, size);
    trace("load", from, seen, here);
}

uint32_t schedule_peek(pthread_t thread, const _Atomic uint32_t *word)
{
    const struct thread *other = &world.threads[thread - 1];
    uint32_t value;

    memcpy(&value, (const void *)word, sizeof value);
    for (unsigned i = 0; i < other->stored; i++)
        if (other->stores[i].to == word)
            memcpy(&value, &other->stores[i].value, sizeof value);
    return value;
}

void schedule_store(volatile void *to, const void *value, size_t size, bool seq_cst,
                    const char *here)
{
    struct store store = {.to = to, .size = size};
    struct thread *me = self();

    memcpy(&store.value, value, size);
    memory_visit(to, true, here);
    trace("store", to, store.value, here);
    if (me->stored == STORES_MAX)
        memory_commit(me, 1);
    me->stores[me->stored++] = store;
    if (seq_cst || !world.exploring)
        memory_drain();
}

void schedule_swap_begin(const volatile void *object, const char *here)
{
    memory_visit(object, true, here);
    memory_drain();
}

void schedule_swap_end(const volatile void *object, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, (const void *)(uintptr_t)object, size);
    trace("swap", object, value, self()->here);
}

void schedule_fence(const char *here)
{
    trace("fence", NULL, 0, here);
    memory_drain();
}

/* ---- malloc ---- */

void *memory_allocate(size_t alignment, size_t size)
{
    size_t begin = (used + GRAIN + alignment - 1) / alignment * alignment;

    if (begin + size > ARENA_SIZE)
        schedule_fail("the scenario needs more than %zu bytes", ARENA_SIZE);
    memcpy(arena + begin - sizeof size, &size, sizeof size);
    used = (begin + size + GRAIN - 1) / GRAIN * GRAIN;
    return arena + begin;
}

size_t memory_size(const void *pointer)
{
    size_t size;

    memcpy(&size, (const unsigned char *)pointer - sizeof size, sizeof size);
    return size;
}

bool memory_free(void *pointer)
{
    if (!memory_holds(pointer))
        return false;
    size_t begin = (size_t)((unsigned char *)pointer - arena) / GRAIN;
    size_t count = (memory_size(pointer) + GRAIN - 1) / GRAIN;

    if (freed[begin])
        schedule_fail("memory is freed twice");
    memset(freed + begin, 1, count);
    memset(pointer, 0xdb, memory_size(pointer));
    return true;
}

void memory_reset(void)
{
    memset(arena, 0, used);
    memset(freed, 0, used / GRAIN + 1);
    used = 0;
}
