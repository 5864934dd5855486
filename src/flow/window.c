/* SPDX-License-Identifier: BSD-2-Clause */
/* The window of a lazy map; see window.h. */
#include "flow/window.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/os.h"

/* ---- memory ---- */

/* `count` items of `size` bytes; none if the size is 0. */
static bool make_array(char **array, size_t size, size_t count)
{
    if (size == 0)
        return true;
    if (count > DISTRIBUTOR_MAX_SIZE / size)
        return false;
    *array = malloc(size * count);
    return *array != NULL;
}

static void free_window(struct distr_window *w)
{
    free(w->slots);
    free(w->inputs);
    free(w->outputs);
    free(w);
}

struct distr_window *distr_window_make(size_t input_size, size_t output_size, size_t size)
{
    struct distr_window *w = aligned_alloc(_Alignof(struct distr_window), sizeof *w);
    size_t places = 1;

    if (!w)
        return NULL;
    while (places < size)
        places *= 2;
    *w = (struct distr_window){
        .input_size = input_size,
        .output_size = output_size,
        .size = size,
        .mask = places - 1,
        .users = 1,
    };
    w->slots = calloc(places, sizeof *w->slots);
    if (w->slots && make_array(&w->inputs, input_size, places) &&
        make_array(&w->outputs, output_size, places))
        return w;
    free_window(w);
    return NULL;
}

/* L6.  acq_rel: who frees comes after what the others did. */
void distr_window_leave(struct distr_window *w)
{
    if (atomic_fetch_sub_explicit(&w->users, 1, memory_order_acq_rel) == 1)
        free_window(w);
}

/* ---- parts ---- */

void distr_window_publish(struct distr_window *w, size_t count)
{
    /* relaxed: only this thread writes it. */
    uint64_t filled = atomic_load_explicit(&w->filled, memory_order_relaxed);
    struct distr_slot *part = distr_window_slot(w, filled);

    /* relaxed, both: the store below publishes them. */
    atomic_store_explicit(&part->state, DISTR_PART_OPEN, memory_order_relaxed);
    atomic_store_explicit(&part->count, (uint32_t)count, memory_order_relaxed);
    /* L2, release: pairs with L3 in distr_window_claim(). */
    atomic_store_explicit(&w->filled, filled + count, memory_order_release);
}

bool distr_window_has_more(struct distr_window *w)
{
    /* relaxed: a guess, nothing is read behind it. */
    return atomic_load_explicit(&w->next, memory_order_relaxed) <
           atomic_load_explicit(&w->filled, memory_order_relaxed);
}

bool distr_window_claim(struct distr_window *w, struct distr_part *part)
{
    /* relaxed: the swap looks again. */
    uint64_t next = atomic_load_explicit(&w->next, memory_order_relaxed);

    do {
        part->item = next;
        /* L3, acquire: pairs with L2 in distr_window_publish(). */
        if (next >= atomic_load_explicit(&w->filled, memory_order_acquire))
            return false;
        /* preempted here: others may claim the part, and the reader fill the slot anew; then the
         * count is of another part, and the swap fails. */
        part->count =
            atomic_load_explicit(&distr_window_slot(w, next)->count, memory_order_relaxed);
        /* relaxed: the position only divides the items. */
    } while (!atomic_compare_exchange_weak_explicit(&w->next, &next, next + part->count,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* L4: the part is the reader's, and so are all that it wrote. */
static void finish(struct distr_slot *part)
{
    /* acq_rel, release: pairs with L5 in distr_window_is_done() and distr_window_await(). */
    if (atomic_exchange_explicit(&part->state, DISTR_PART_DONE, memory_order_acq_rel) ==
        DISTR_PART_AWAITED)
        distr_futex_wake(&part->state, 1); /* the window stays: this thread is a user */
}

void distr_window_run(struct distr_window *w, uint64_t item)
{
    struct distr_slot *slot = distr_window_slot(w, item);

    slot->error = -EOWNERDEAD; /* if it does not come back */
    int rc = w->fn(w->context, distr_window_input(w, item), distr_window_output(w, item), 1);
    slot->error = rc > 0 ? -EINVAL : rc;
}

/* Also where the callback ended its thread: the reader runs the rest of the part. */
static void finish_in_any_case(void *argument)
{
    finish(argument);
}

void distr_window_work(struct distr_window *w, const struct distr_part *part)
{
    struct distr_slot *first = distr_window_slot(w, part->item);
    int64_t before = distr_now();

    first->reached = 0;
    first->took_ns = 0;
    pthread_cleanup_push(finish_in_any_case, first);
    while (first->reached < part->count)
        distr_window_run(w, part->item + first->reached++);
    first->took_ns = distr_now() - before;
    pthread_cleanup_pop(1);
}

bool distr_window_is_done(struct distr_window *w, uint64_t item)
{
    /* L5, acquire: pairs with L4. */
    return atomic_load_explicit(&distr_window_slot(w, item)->state, memory_order_acquire) ==
           DISTR_PART_DONE;
}

void distr_window_await(struct distr_window *w, uint64_t item)
{
    _Atomic uint32_t *state = &distr_window_slot(w, item)->state;
    uint32_t open = DISTR_PART_OPEN;

    /* relaxed: L5 follows. */
    atomic_compare_exchange_strong_explicit(state, &open, DISTR_PART_AWAITED, memory_order_relaxed,
                                            memory_order_relaxed);
    while (!distr_window_is_done(w, item))
        distr_futex_wait(state, DISTR_PART_AWAITED, INT64_MAX);
}

uint64_t distr_window_end(struct distr_window *w)
{
    /* relaxed: who claims needs to see nothing of ours, and who claimed before is awaited. */
    uint64_t next = atomic_exchange_explicit(&w->next, UINT64_MAX, memory_order_relaxed);
    uint64_t filled = atomic_load_explicit(&w->filled, memory_order_relaxed);

    return next < filled ? next : filled;
}
