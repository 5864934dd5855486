/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before everything else in the sources that are examined: their atomics, Concurrency
 * Kit's operations and pthread's macros become steps of the explorer.  Functions are replaced by
 * the linker (system.c).  Blocks and claims are small, so that few steps reach every path.
 */
#ifndef SCHEDULE_SHIM_H
#define SCHEDULE_SHIM_H

#include <ck_pr.h>
#include <ck_stack.h>
#include <pthread.h>
#include <stdatomic.h>

#include "schedule/schedule.h"

#define SHIM_TEXT_(x) #x
#define SHIM_TEXT(x) SHIM_TEXT_(x)
#define SHIM_HERE __FILE__ ":" SHIM_TEXT(__LINE__)

/* The type of an atomic's value. */
#define SHIM_VALUE(object) __typeof__((void)0, *(object))

#undef atomic_load_explicit
#define atomic_load_explicit(object, order) \
    __extension__({ \
        __auto_type shim_from = (object); \
        SHIM_VALUE(shim_from) shim_loaded; \
        schedule_load(shim_from, &shim_loaded, sizeof shim_loaded, SHIM_HERE); \
        shim_loaded; \
    })

#undef atomic_store_explicit
#define atomic_store_explicit(object, value, order) \
    __extension__({ \
        __auto_type shim_to = (object); \
        SHIM_VALUE(shim_to) shim_stored = (value); \
        schedule_store(shim_to, &shim_stored, sizeof shim_stored, (order) == memory_order_seq_cst, \
                       SHIM_HERE); \
    })

#define SHIM_SWAP(object, operand, result) \
    __extension__({ \
        __auto_type shim_object = (object); \
        SHIM_VALUE(shim_object) shim_operand = (operand); \
        SHIM_VALUE(shim_object) *shim_plain = (void *)shim_object; \
        schedule_swap_begin(shim_object, SHIM_HERE); \
        SHIM_VALUE(shim_object) shim_before = *shim_plain; \
        *shim_plain = (result); \
        schedule_swap_end(shim_object, sizeof shim_before); \
        shim_before; \
    })

/* The same of short ways, which are the library's own code there. */
#define SHIM_ORDER_RELAXED memory_order_relaxed
#define SHIM_ORDER_ACQUIRE memory_order_acquire
#define SHIM_ORDER_RELEASE memory_order_release
#define SHIM_ORDER_SEQ_CST memory_order_seq_cst
#define DISTRIBUTOR_SHORT_LOAD(word, order) atomic_load_explicit(word, SHIM_ORDER_##order)
#define DISTRIBUTOR_SHORT_STORE(word, value, order) \
    atomic_store_explicit(word, value, SHIM_ORDER_##order)

#undef atomic_exchange_explicit
#define atomic_exchange_explicit(object, value, order) SHIM_SWAP(object, value, shim_operand)
#undef atomic_fetch_add_explicit
#define atomic_fetch_add_explicit(object, value, order) \
    SHIM_SWAP(object, value, shim_before + shim_operand)
#undef atomic_fetch_sub_explicit
#define atomic_fetch_sub_explicit(object, value, order) \
    SHIM_SWAP(object, value, shim_before - shim_operand)
#undef atomic_fetch_or_explicit
#define atomic_fetch_or_explicit(object, value, order) \
    SHIM_SWAP(object, value, shim_before | shim_operand)
#undef atomic_fetch_and_explicit
#define atomic_fetch_and_explicit(object, value, order) \
    SHIM_SWAP(object, value, shim_before &shim_operand)

#undef atomic_compare_exchange_strong_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, value, order, other) \
    __extension__({ \
        __auto_type shim_object = (object); \
        SHIM_VALUE(shim_object) *shim_expected = (expected); \
        SHIM_VALUE(shim_object) shim_desired = (value); \
        SHIM_VALUE(shim_object) *shim_plain = (void *)shim_object; \
        schedule_swap_begin(shim_object, SHIM_HERE); \
        bool shim_equal = *shim_plain == *shim_expected; \
        if (shim_equal) \
            *shim_plain = shim_desired; \
        else \
            *shim_expected = *shim_plain; \
        schedule_swap_end(shim_object, sizeof shim_desired); \
        shim_equal; \
    })
#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit

#undef atomic_thread_fence
#define atomic_thread_fence(order) schedule_fence(SHIM_HERE)
#undef atomic_signal_fence
#define atomic_signal_fence(order) ((void)(order))

/* Concurrency Kit is trusted: an operation is one step, and a full fence. */
#define ck_stack_pop_mpmc(stack) (schedule_swap_begin(stack, SHIM_HERE), ck_stack_pop_mpmc(stack))
#define ck_stack_push_mpmc(stack, entry) \
    (schedule_swap_begin(stack, SHIM_HERE), ck_stack_push_mpmc(stack, entry))
#define ck_stack_push_upmc(stack, entry) \
    (schedule_swap_begin(stack, SHIM_HERE), ck_stack_push_upmc(stack, entry))
#define ck_stack_batch_pop_upmc(stack) \
    (schedule_swap_begin(stack, SHIM_HERE), ck_stack_batch_pop_upmc(stack))
#define ck_pr_stall() schedule_stall()

#undef pthread_cleanup_push
#define pthread_cleanup_push(function, data) \
    { \
        struct schedule_cleanup shim_cleanup = {.routine = (function), .argument = (data)}; \
        schedule_cleanup_push(&shim_cleanup);
#undef pthread_cleanup_pop
#define pthread_cleanup_pop(execute) \
    schedule_cleanup_pop(&shim_cleanup, (execute) != 0); \
    }

/* So a dense block has room for five words, of three runs. */
#define DISTR_RUNS 3u
#define DISTR_ALONG 2u
#include "pool/take.h"
#include "queue/queue.h"

#undef DISTR_SMALL_SLOTS
#define DISTR_SMALL_SLOTS 2u
#undef DISTR_LARGE_SLOTS
#define DISTR_LARGE_SLOTS 2u
/* A line is one wide slot, so that lines are fetched behind slots in use. */
#undef DISTR_LINE_WORDS
#define DISTR_LINE_WORDS 4u
#undef DISTR_POOL_SHELVES
#define DISTR_POOL_SHELVES 2u
#undef DISTR_SHELF_BLOCKS
#define DISTR_SHELF_BLOCKS 1u
#undef DISTR_CLAIM_MAX
#define DISTR_CLAIM_MAX 2u
#undef DISTR_FAIR_EVERY
#define DISTR_FAIR_EVERY 8u
#undef DISTR_LOOKS_TO_FREEZE
#define DISTR_LOOKS_TO_FREEZE 2u
#undef DISTR_LOOKS_TO_WAKE
#define DISTR_LOOKS_TO_WAKE 1u
#undef DISTR_LOOKS_TO_YIELD
#define DISTR_LOOKS_TO_YIELD 3u

#endif
