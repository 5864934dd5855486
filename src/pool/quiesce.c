/* SPDX-License-Identifier: BSD-2-Clause */
/* Out of work; see quiesce.h. */
#include "pool/quiesce.h"

#include <string.h>

#include "base/clock.h"
#include "pool/fd.h"
#include "pool/idle.h"
#include "pool/pipe.h"
#include "pool/registry.h"

void distr_for_each_record(struct distributor *d, distr_visit_fn *visit, void *context)
{
    for (struct distr_group *group = &d->first; group;
         /* L1 acquire: pairs with distr_record_link, here and below. */
         group = atomic_load_explicit(&group->next, memory_order_acquire)) {
        for (unsigned i = 0; i < 64; i++) {
            struct distr_record *record =
                atomic_load_explicit(&group->records[i], memory_order_acquire);
            if (!record || !visit(record, context))
                return;
        }
    }
}

struct ended_sum {
    distributor_summary_t *total;
    uint64_t refused;
};

static bool sum_ended(struct distr_record *record, void *context)
{
    struct ended_sum *sum = context;

    /* Q1 acquire: pairs with Q0, here and in sum_added. */
    sum->total->completed += atomic_load_explicit(&record->completed, memory_order_acquire);
    sum->total->failed += atomic_load_explicit(&record->failed, memory_order_acquire);
    sum->total->cancelled += atomic_load_explicit(&record->cancelled, memory_order_acquire);
    sum->total->discarded += atomic_load_explicit(&record->discarded, memory_order_acquire);
    sum->refused += atomic_load_explicit(&record->refused, memory_order_acquire);
    return true;
}

void distr_sum_ended(struct distributor *d, distributor_summary_t *total, uint64_t *refused)
{
    struct ended_sum sum = {.total = total, .refused = 0};

    memset(total, 0, sizeof *total);
    distr_for_each_record(d, sum_ended, &sum);
    /* Q1 acquire: pairs with Y7; an open source counts like a task that has not ended. */
    sum.refused += atomic_load_explicit(&d->sources_ended, memory_order_acquire);
    total->added = total->completed + total->failed + total->cancelled + total->discarded;
    *refused = sum.refused;
}

static bool sum_added(struct distr_record *record, void *context)
{
    uint64_t *added = context;

    *added += atomic_load_explicit(&record->added, memory_order_acquire);
    return true;
}

/* Q4 */
static uint64_t count_added(struct distributor *d)
{
    uint64_t added = 0;

    distr_for_each_record(d, sum_added, &added);
    return added + atomic_load_explicit(&d->sources_opened, memory_order_acquire);
}

static bool sum_moves(struct distr_record *record, void *context)
{
    uint64_t *moves = context;

    *moves += distr_record_moves(record);
    return true;
}

uint64_t distr_moves(struct distributor *d)
{
    uint64_t moves = 0;

    distr_for_each_record(d, sum_moves, &moves);
    return moves;
}

/* The results that tasks emitted.  Nothing runs any more, and every worker's last count was read by
 * acquire: its queue can be looked at. */
static bool sum_results(struct distr_record *record, void *context)
{
    uint64_t *results = context;

    if (record->worker) {
        struct distr_queue *output = &record->worker->output;
        *results += atomic_load_explicit(&output->count, memory_order_relaxed) + output->bottom;
        *results += atomic_load_explicit(&record->unqueued, memory_order_acquire);
        *results -= atomic_load_explicit(&record->failed, memory_order_acquire);
    }
    return true;
}

/* Whether work has run out in a run whose door is shut: Q2 to Q4. */
static bool is_over(struct distributor *d, distributor_summary_t *total)
{
    const uint32_t needed = DISTR_STARTED | DISTR_DOOR_SHUT;
    uint64_t refused;

    distr_full_fence(); /* Q2: of two that make the last counts at once, one sees both */
    if ((distr_state(d) & (needed | DISTR_ENDED)) != needed)
        return false;
    distr_sum_ended(d, total, &refused); /* Q3 */
    return count_added(d) == total->added + refused;
}

static bool find_result(struct distr_record *record, void *context)
{
    if (record->worker && distr_queue_peek(&record->worker->output) != DISTR_EMPTY)
        *(bool *)context = true;
    return true;
}

bool distr_has_unread(struct distributor *d)
{
    bool unread = false;

    distr_for_each_record(d, find_result, &unread);
    return unread;
}

/* Q3 and Q4 without a door: equal sums prove an instant at which nothing was outstanding, and the
 * results of what ended before it are there to be seen (Q0). */
static bool is_idle(struct distributor *d)
{
    distributor_summary_t total;
    uint64_t refused;

    distr_sum_ended(d, &total, &refused);
    return count_added(d) == total.added + refused && !distr_has_unread(d);
}

int distributor_is_idle(distributor_t *d)
{
    if (!d)
        return -EINVAL;
    int rc = distr_usable(d);
    if (rc != 0)
        return rc;
    if (distr_is_worker(d))
        return -EDEADLK;
    rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    if (distr_state(d) & DISTR_CLOSED) /* so it stays until join has returned */
        rc = -ESHUTDOWN;
    else
        rc = is_idle(d) ? 1 : 0;
    distr_call_end(d);
    return rc;
}

void distr_try_end(struct distributor *d)
{
    distributor_summary_t total;

    if (!is_over(d, &total))
        return;
    pthread_mutex_lock(&d->lock);
    /* Once more: this thread may have slept through the join and the start of another run, which
     * need the lock. */
    bool over = is_over(d, &total);
    if (over) {
        distr_for_each_record(d, sum_results, &total.results);
        d->total = total;
        d->ended_ns = distr_now();
        /* Q5 seq_cst: STOP; after it workers that lie down see it (P2), and so do readers (T3). */
        atomic_fetch_or_explicit(&d->state, DISTR_ENDED, memory_order_seq_cst);
    }
    pthread_mutex_unlock(&d->lock);
    if (!over)
        return;
    distr_wake_all_workers(d);
    distr_gate_open_all(&d->readers);
    distr_gate_open_all(&d->nappers); /* T7 */
    if (distr_fd_state(d) == DISTR_FD_CLEAR)
        distr_fd_signal(d);
    distr_pipe_tell(d);
    distr_gate_open_all(&d->ended);
}
