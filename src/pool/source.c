/* SPDX-License-Identifier: BSD-2-Clause */
/* The sources of a distributor and their states; see source.h. */
#include "pool/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool/add.h"
#include "pool/idle.h"
#include "pool/keep.h"
#include "pool/pipe.h"
#include "pool/registry.h"

/* ---- states ---- */

static uint64_t mask_of(const struct distr_source *source)
{
    return (uint64_t)1 << (source - source->group->sources);
}

static void set_hint(struct distr_source *source)
{
    atomic_fetch_or_explicit(&source->group->hints, mask_of(source), memory_order_seq_cst);
}

static void clear_hint(struct distr_source *source)
{
    atomic_fetch_and_explicit(&source->group->hints, ~mask_of(source), memory_order_seq_cst);
}

/* Y7, under the lock. */
static void end_locked(struct distributor *d, struct distr_source *source)
{
    clear_hint(source);
    if (source->ask == distr_pipe_ask)
        distr_pipe_ended(source->context);
    if (!d->order) { /* else it stands in the circle until its turn comes */
        source->next_free = d->free_sources;
        d->free_sources = source;
    }
    /* relaxed: its place is used again under the lock. */
    atomic_store_explicit(&source->state, DISTR_SOURCE_ENDED, memory_order_relaxed);
    atomic_fetch_sub_explicit(&d->open_sources, 1, memory_order_relaxed);
    /* Y7 seq_cst, a release: its inputs were counted before; pairs with Q1. */
    atomic_fetch_add_explicit(&d->sources_ended, 1, memory_order_seq_cst);
}

void distr_source_end(struct distributor *d, struct distr_source *source)
{
    pthread_mutex_lock(&d->lock);
    end_locked(d, source);
    pthread_mutex_unlock(&d->lock);
}

void distr_source_end_if_stopped(struct distributor *d, struct distr_source *source, uint32_t state)
{
    if (distr_likely(!(distr_state(d) & DISTR_STOPPING)))
        return;
    /* With an order each Y1 is under the lock. */
    pthread_mutex_lock(&d->lock);
    if (distr_source_own(source, state))
        end_locked(d, source);
    pthread_mutex_unlock(&d->lock);
}

void distr_source_give_back(struct distr_worker *worker, struct distr_source *source)
{
    struct distributor *d = worker->record.owner;

    /* Y2 release: pairs with Y1. */
    atomic_store_explicit(&source->state, DISTR_SOURCE_READY, memory_order_release);
    distr_announce(d, &worker->record); /* Y3; its fence pairs with the one of O2 as well */
    distr_source_end_if_stopped(d, source, DISTR_SOURCE_READY);
}

void distr_source_put_aside(struct distr_worker *worker, struct distr_source *source)
{
    uint32_t state = DISTR_SOURCE_ASKED;

    clear_hint(source);
    /* Y4 seq_cst: pairs with Y5; fails if it was said to be ready since it was asked. */
    if (atomic_compare_exchange_strong_explicit(&source->state, &state, DISTR_SOURCE_WAITING,
                                                memory_order_seq_cst, memory_order_relaxed)) {
        distr_source_end_if_stopped(worker->record.owner, source, DISTR_SOURCE_WAITING);
        return;
    }
    set_hint(source);
    distr_source_give_back(worker, source);
}

/* Calls visit for each place of a source, under the lock. */
static bool for_each(struct distributor *d, bool (*visit)(struct distr_source *, const void *),
                     const void *context)
{
    bool any = false;

    for (struct distr_source_group *group =
             atomic_load_explicit(&d->source_groups, memory_order_relaxed);
         group; group = atomic_load_explicit(&group->next, memory_order_relaxed))
        for (unsigned i = 0; i < 64; i++)
            any = visit(&group->sources[i], context) || any;
    return any;
}

static bool stop(struct distr_source *source, const void *context)
{
    struct distributor *const *d = context;

    if (distr_source_own(source, DISTR_SOURCE_READY) ||
        distr_source_own(source, DISTR_SOURCE_WAITING) || distr_take_away(*d, source))
        end_locked(*d, source);
    return true;
}

void distr_sources_stop(struct distributor *d)
{
    pthread_mutex_lock(&d->lock);
    for_each(d, stop, &d);
    pthread_mutex_unlock(&d->lock);
}

void distr_sources_free(struct distributor *d)
{
    struct distr_source_group *group =
        atomic_load_explicit(&d->source_groups, memory_order_relaxed);

    while (group) {
        struct distr_source_group *next = atomic_load_explicit(&group->next, memory_order_relaxed);
        free(group);
        group = next;
    }
}

/* ---- finding one ---- */

static struct distr_source_group *first_group(struct distributor *d)
{
    /* L2 acquire: pairs with the release in make_group, here and below. */
    return atomic_load_explicit(&d->source_groups, memory_order_acquire);
}

static bool has_room(struct distributor *d)
{
    return !distr_input_limited(d) ||
           atomic_load_explicit(&d->pending, memory_order_seq_cst) < d->input_limit;
}

/* A source in a state of that kind; NULL: there is none. */
static struct distr_source *find(struct distributor *d, uint32_t kind)
{
    for (struct distr_source_group *group = first_group(d); group;
         group = atomic_load_explicit(&group->next, memory_order_acquire)) {
        uint64_t bits = atomic_load_explicit(&group->hints, memory_order_seq_cst);

        for (; bits != 0; bits &= bits - 1) {
            struct distr_source *source = &group->sources[__builtin_ctzll(bits)];
            if (distr_source_kind(atomic_load_explicit(&source->state, memory_order_seq_cst)) ==
                kind)
                return source;
        }
    }
    return NULL;
}

bool distr_source_is_ready(struct distributor *d)
{
    return find(d, DISTR_SOURCE_READY) != NULL;
}

struct distr_source *distr_source_kept(struct distributor *d)
{
    return find(d, DISTR_SOURCE_KEPT);
}

bool distr_askable(struct distributor *d)
{
    if (!distr_has_sources(d) || (distr_state(d) & DISTR_STOPPING) || !has_room(d))
        return false;
    if (distr_source_is_ready(d))
        return !d->order || distr_order_askable(d);
    return distr_watch_is_free(d);
}

/* One of the group, beginning with that place. */
static struct distr_source *own_in_group(struct distr_source_group *group, unsigned first)
{
    uint64_t bits = atomic_load_explicit(&group->hints, memory_order_acquire);

    while (bits != 0) {
        uint64_t from = bits >> first << first;
        unsigned place = (unsigned)__builtin_ctzll(from != 0 ? from : bits);

        if (distr_source_own(&group->sources[place], DISTR_SOURCE_READY))
            return &group->sources[place];
        bits &= ~((uint64_t)1 << place);
    }
    return NULL;
}

/* The one after that which was asked last, so that several take turns. */
static struct distr_source *own_next(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    const struct distr_source *last = worker->source;
    struct distr_source_group *start = last ? last->group : first_group(d);
    struct distr_source_group *group = start;
    unsigned first = last ? (unsigned)(last - start->sources + 1) % 64 : 0;

    while (group) {
        struct distr_source *source = own_in_group(group, first);
        if (source)
            return source;
        group = atomic_load_explicit(&group->next, memory_order_acquire);
        if (!group)
            group = first_group(d);
        if (group == start)
            break;
        first = 0;
    }
    return NULL;
}

struct distr_source *distr_source_take_slow(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_source *source = own_next(worker);

    if (!source)
        return NULL;
    worker->source = source;
    if (d->input_limit == UINT64_MAX || distr_take_room(d, 1) == 1)
        return source;
    /* Who makes room looks at the sources after that (Y8). */
    atomic_store_explicit(&source->state, DISTR_SOURCE_READY, memory_order_seq_cst);
    distr_source_end_if_stopped(d, source, DISTR_SOURCE_READY);
    return NULL;
}

/* ---- the calls ---- */

/* 64 places more.  Under the lock. */
static int make_group(struct distributor *d)
{
    struct distr_source_group *group =
        aligned_alloc(_Alignof(struct distr_source_group), sizeof *group);

    if (!group)
        return -ENOMEM;
    memset(group, 0, sizeof *group);
    for (unsigned i = 64; i > 0; i--) {
        struct distr_source *source = &group->sources[i - 1];
        source->group = group;
        source->next_free = d->free_sources;
        d->free_sources = source;
    }
    atomic_store_explicit(&group->next, first_group(d), memory_order_relaxed);
    /* L2 release: pairs with first_group. */
    atomic_store_explicit(&d->source_groups, group, memory_order_release);
    return 0;
}

/* Under the lock: there are several now, and what is kept is for all again. */
static void share_kept(struct distributor *d)
{
    struct distr_source *source = distr_source_kept(d);

    /* Y2 release: pairs with Y1. */
    if (source && distr_take_away(d, source))
        atomic_store_explicit(&source->state, DISTR_SOURCE_READY, memory_order_release);
}

/* Under the lock, so that no CLOSED, STOPPING or DOOR_SHUT comes in between. */
static int add_locked(struct distributor *d, const distributor_task_type_t *type,
                      distributor_source_fn *ask, void *context)
{
    uint32_t shut = distr_is_worker(d) ? DISTR_STOPPING : DISTR_CLOSED;

    if (distr_state(d) & shut)
        return -ESHUTDOWN;
    if (!d->free_sources && make_group(d) != 0)
        return -ENOMEM;
    struct distr_source *source = d->free_sources;
    d->free_sources = source->next_free;
    if (d->order)
        distr_order_add_source(d, source);
    source->type = type;
    source->ask = ask;
    source->context = context;
    source->row = 1;
    source->until_keep = source->keep_every = 1;
    distr_keep_shared(d, source);
    atomic_store_explicit(&source->said, false, memory_order_relaxed);
    /* Counted before it can be asked, like a task. */
    atomic_fetch_add_explicit(&d->sources_opened, 1, memory_order_seq_cst);
    uint32_t open = atomic_fetch_add_explicit(&d->open_sources, 1, memory_order_seq_cst);
    if (open == 1) {
        distr_full_fence(); /* Y6: pairs with Y9 */
        share_kept(d);
    }
    /* Y6 release: pairs with Y1. */
    atomic_store_explicit(&source->state, DISTR_SOURCE_READY, memory_order_release);
    set_hint(source);
    return 0;
}

int distributor_add_source(distributor_t *d, const distributor_task_type_t *type,
                           distributor_source_fn *source, void *context)
{
    if (!d || !source)
        return -EINVAL;
    int rc = distr_type_check(type);
    if (rc == 0)
        rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    rc = add_locked(d, type, source, context);
    pthread_mutex_unlock(&d->lock);
    if (rc == 0)
        distr_announce_source(d);
    distr_call_end(d);
    return rc;
}

/* Y5: it can be asked again.  False: nobody needs to be told. */
static bool make_ready(struct distr_source *source, const void *context)
{
    uint32_t state = atomic_load_explicit(&source->state, memory_order_seq_cst);

    while (source->context == context) {
        if (distr_source_keeper(state) != DISTR_NOBODY) {
            if (distr_keep_says(source, &state))
                return false;
            continue;
        }
        if (state != DISTR_SOURCE_WAITING && state != DISTR_SOURCE_ASKED)
            return false;
        bool waits = state == DISTR_SOURCE_WAITING;
        /* Y5 seq_cst: pairs with Y4 and Y1. */
        if (!atomic_compare_exchange_weak_explicit(&source->state, &state,
                                                   waits ? DISTR_SOURCE_READY : DISTR_SOURCE_AGAIN,
                                                   memory_order_seq_cst, memory_order_seq_cst))
            continue;
        if (waits)
            set_hint(source);
        return waits;
    }
    return false;
}

int distributor_source_ready(distributor_t *d, const void *context)
{
    if (!d)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    bool ready = for_each(d, make_ready, context);
    pthread_mutex_unlock(&d->lock);
    if (ready)
        distr_announce_source(d);
    distr_call_end(d);
    return 0;
}
