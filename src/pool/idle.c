/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping and waking.  One word says how many workers search and how many sleep; who is counted
 * as sleeping has its bit set in its group.  At most one searcher is woken at a time, and it wakes
 * the next one if there is more.  Proofs: src/queue/README.md, "Park and wake".
 */
#include "pool/idle.h"

#include <ck_pr.h>
#include <errno.h>
#include <sched.h>

#include "base/clock.h"
#include "pool/crowd.h"
#include "pool/keep.h"
#include "pool/order.h"
#include "pool/quiesce.h"
#include "pool/source.h"

#define SPIN_NS 20000
#define SPIN_LOOKS 64u /* before it lets others run between two of them */
#define SOURCE_STALLS 16u
#define VAIN_PARKS 16u /* beside a source, before it takes what others hold in any case */

/* ---- waking ---- */

/* W2, W3: the caller has taken one sleeper off the count, so one bit is, or will be, for it. */
static void wake_reserved(struct distributor *d)
{
    for (struct distr_group *group = &d->first;;) {
        uint64_t bits = atomic_load_explicit(&group->sleeping, memory_order_acquire);

        while (bits != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(bits);
            uint64_t mask = (uint64_t)1 << bit;
            bits &= ~mask;
            /* W2 acq_rel: who clears the bit wakes its worker. */
            if (!(atomic_fetch_and_explicit(&group->sleeping, ~mask, memory_order_acq_rel) & mask))
                continue;
            struct distr_record *record =
                atomic_load_explicit(&group->records[bit], memory_order_acquire);
            /* W3 release: pairs with P4. */
            atomic_store_explicit(&record->worker->asleep, 0, memory_order_release);
            distr_futex_wake(&record->worker->asleep, 1);
            return;
        }
        group = atomic_load_explicit(&group->next, memory_order_acquire);
        if (!group) {
            /* The sleeper that is counted has its bit off for a moment (P1, P5): lets it go on. */
            sched_yield();
            group = &d->first;
        }
    }
}

/* W1: turns a sleeper into a searcher.  False: nobody sleeps. */
static bool reserve(struct distributor *d)
{
    uint64_t search = atomic_load_explicit(&d->search, memory_order_seq_cst);

    while (distr_sleeping(search) > 0)
        if (atomic_compare_exchange_weak_explicit(&d->search, &search,
                                                  search - DISTR_SLEEPING + DISTR_SEARCHING,
                                                  memory_order_seq_cst, memory_order_seq_cst))
            return true;
    return false;
}

static bool wake_one(struct distributor *d)
{
    if (!reserve(d))
        return false;
    wake_reserved(d);
    return true;
}

void distr_wake_all_workers(struct distributor *d)
{
    while (wake_one(d))
        ;
}

void distr_hint_tasks(struct distr_record *record)
{
    atomic_fetch_or_explicit(&record->group->tasks, record->mask, memory_order_seq_cst);
}

void distr_hint_own_tasks(struct distr_record *record)
{
    if (!atomic_load_explicit(&record->input.unhinted, memory_order_relaxed))
        return;
    /* Not hinted first: a taker that clears the hint in between says so again. */
    atomic_store_explicit(&record->input.unhinted, false, memory_order_seq_cst);
    distr_hint_tasks(record);
}

/*
 * The word, when somebody searches, or after a few looks.  A worker that is between two tasks will
 * search, or find this one, in less time than it takes to wake another, which would then be in the
 * way of both.
 */
static uint64_t look_for_searcher(struct distributor *d, const struct distr_record *record)
{
    uint64_t search = atomic_load_explicit(&d->search, memory_order_seq_cst);
    unsigned others = atomic_load_explicit(&d->workers, memory_order_relaxed) -
                      (record->worker ? 1 : 0);

    for (unsigned looks = 0; looks < DISTR_LOOKS_TO_WAKE; looks++) {
        if (distr_searching(search) > 0 || distr_sleeping(search) == 0 ||
            distr_sleeping(search) >= others)
            break;
        ck_pr_stall();
        search = atomic_load_explicit(&d->search, memory_order_seq_cst);
    }
    return search;
}

/*
 * N3: somebody sleeps.  If nobody searches, wakes one.  A searcher is relied on only after a full
 * fence: its look for more (P6) then sees what was published.  It may be frozen, so an adder that
 * meets searchers again and again wakes another now and then.
 */
void distr_announce_slow(struct distributor *d, struct distr_record *record)
{
    distr_hint_own_tasks(record);
    uint64_t search = look_for_searcher(d, record);

    if (distr_sleeping(search) == 0)
        return;
    if (distr_searching(search) == 0) {
        record->met = 0;
        record->patience = 32;
    } else {
        distr_full_fence();
        distr_hint_own_tasks(record);
        search = atomic_load_explicit(&d->search, memory_order_seq_cst);
        if (distr_searching(search) > 0 && ++record->met < record->patience)
            return;
        if (distr_searching(search) > 0 && record->patience < 1u << 20)
            record->patience *= 2;
        record->met = 0;
    }
    while (distr_sleeping(search) > 0) {
        if (atomic_compare_exchange_weak_explicit(&d->search, &search,
                                                  search - DISTR_SLEEPING + DISTR_SEARCHING,
                                                  memory_order_seq_cst, memory_order_seq_cst)) {
            wake_reserved(d);
            return;
        }
    }
}

void distr_announce_source(struct distributor *d)
{
    distr_full_fence(); /* Y3: pairs with P3 and with the swap of P6 */
    if (distr_searching(atomic_load_explicit(&d->search, memory_order_seq_cst)) == 0)
        wake_one(d);
}

/* ---- a worker's search ---- */

/* P6: the worker has found a task and searches no more; the last one looks for more. */
static void found(struct distr_worker *worker, bool more)
{
    struct distributor *d = worker->record.owner;
    uint64_t search = atomic_load_explicit(&d->search, memory_order_relaxed);
    uint64_t after;

    do {
        after = search - DISTR_SEARCHING;
        if (distr_searching(search) == 1)
            after &= ~DISTR_UNCHECKED;
    } while (!atomic_compare_exchange_weak_explicit(&d->search, &search, after,
                                                    memory_order_seq_cst, memory_order_relaxed));
    if (distr_searching(search) != 1 || distr_sleeping(search) == 0)
        return;
    if (search & DISTR_UNCHECKED) {
        /* Some worker went to sleep while we searched, and left the last look to us. */
        distr_heavy_fence();
        more = distr_any_task(d);
    }
    if (more || distr_hinted_task(d) || distr_askable(d))
        wake_one(d);
}

/* P1, P2: the worker is counted as asleep.  True: it was the last that searched. */
static bool lie_down(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_group *group = worker->record.group;
    uint64_t search = atomic_load_explicit(&d->search, memory_order_relaxed);
    uint64_t after;

    atomic_store_explicit(&worker->asleep, 1, memory_order_relaxed);
    /* P1: the bit before the count, so that there are never more counted than bits. */
    atomic_fetch_or_explicit(&group->sleeping, worker->record.mask, memory_order_seq_cst);
    do {
        after = search - DISTR_SEARCHING + DISTR_SLEEPING;
        if (distr_searching(search) == 1)
            after &= ~DISTR_UNCHECKED;
        else
            after |= DISTR_UNCHECKED;
        /* P2 */
    } while (!atomic_compare_exchange_weak_explicit(&d->search, &search, after,
                                                    memory_order_seq_cst, memory_order_relaxed));
    return distr_searching(search) == 1;
}

/* P5: gets up again, unless somebody is waking this worker already. */
static void get_up(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    _Atomic uint64_t *sleeping = &worker->record.group->sleeping;
    uint64_t mask = worker->record.mask;

    if (!(atomic_fetch_and_explicit(sleeping, ~mask, memory_order_seq_cst) & mask)) {
        /* Our bit was taken for the count of another sleeper, or the other way round.  Who wakes
         * all at STOP may have looked before we were counted: then the rest is for us to do. */
        if (distr_state(d) & DISTR_ENDED)
            distr_wake_all_workers(d);
    } else if (reserve(d)) {
        atomic_store_explicit(&worker->asleep, 0, memory_order_relaxed);
    } else {
        /* All that are counted are being woken, so one of the wakers looks for this bit. */
        atomic_fetch_or_explicit(sleeping, mask, memory_order_seq_cst);
    }
}

/* What ended it. */
enum rest {
    TOLD, /* another thread */
    UP,   /* it has not slept, for something is there or was */
    SLEPT /* as long as who watches a source does */
};

static enum rest park(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    bool watches = distr_watch(d);
    int64_t deadline = watches ? distr_watch_until(worker) : INT64_MAX;
    enum rest rest = TOLD;

    if (lie_down(worker)) {
        distr_heavy_fence(); /* P3: pairs with N1 */
        distr_try_end(d);
        if (distr_any_task(d) || distr_askable(d))
            rest = UP;
    }
    if (rest == UP || (distr_state(d) & DISTR_ENDED))
        get_up(worker);
    else if (!distr_cpus_are_taken(d))
        distr_gate_open_all(&d->nappers); /* T7: P2 was M1 */
    /* P4 acquire: pairs with W3. */
    while (atomic_load_explicit(&worker->asleep, memory_order_acquire) != 0) {
        if (distr_futex_wait(&worker->asleep, 1, deadline) != -ETIMEDOUT)
            continue;
        deadline = INT64_MAX;
        rest = SLEPT;
        get_up(worker);
    }
    if (watches)
        distr_watch_ends(d);
    return rest;
}

/* Waits a moment between two looks; false: it has looked long enough. */
static bool spin(struct distributor *d, unsigned round, int64_t *since)
{
    uint64_t search = atomic_load_explicit(&d->search, memory_order_relaxed);
    unsigned workers = atomic_load_explicit(&d->workers, memory_order_relaxed);

    if (round == 0)
        *since = distr_now();
    /* With a worker for every CPU awake, who finds nothing is in the way of the others. */
    if (round >= DISTR_LOOKS_TO_YIELD && distr_searching(search) > 1 &&
        workers - distr_sleeping(search) >= d->cpus)
        return false;
    /* A task that comes now is seen at once; the input of a source can wait for the row that a
     * worker asks for. */
    unsigned stalls = distr_has_sources(d) ? SOURCE_STALLS : 1;
    if (round < SPIN_LOOKS)
        for (unsigned i = 0; i < stalls; i++)
            ck_pr_stall();
    else
        sched_yield();
    return distr_now() - *since < SPIN_NS;
}

/* Asks a source, which the worker owns, for a task.  A worker that is counted as searching is not
 * while it asks, since a callback may block: who adds a task must not rely on it. */
static bool ask_source(struct distr_worker *worker, struct distr_source *source, bool counted)
{
    if (counted)
        found(worker, false);
    if (worker->order ? distr_ask_in_turn(worker, source) : distr_ask(worker, source))
        return true;
    if (counted)
        atomic_fetch_add_explicit(&worker->record.owner->search, DISTR_SEARCHING,
                                  memory_order_seq_cst);
    return false;
}

/* Nothing is pending: asks a source. */
static bool ask(struct distr_worker *worker, bool counted)
{
    struct distr_source *source =
        worker->order ? distr_order_ticket(worker) : distr_source_take(worker);
    if (!source && !worker->order)
        source = distr_take_over(worker);
    return source && ask_source(worker, source, counted);
}

/* Whether some thread has added or ended a task since this worker's last look. */
static bool others_move(struct distr_worker *worker)
{
    uint64_t moves = distr_moves(worker->record.owner);
    bool moved = moves != worker->watched;

    worker->watched = moves;
    return moved;
}

/* Whether to take what others hold.  Who asks a source holds a row for a moment, and runs it sooner
 * than the interruption would be over. */
static bool may_freeze(struct distr_worker *worker, unsigned round)
{
    return round >= DISTR_LOOKS_TO_FREEZE &&
           (!distr_has_sources(worker->record.owner) || !others_move(worker));
}

/* The worker got up again from P3: looks may be so slow that it never comes to those that freeze,
 * or others may move at each of them, and what is held may be what its owner waits for. */
static bool must_freeze(struct distributor *d, unsigned *parks)
{
    return ++*parks % (distr_has_sources(d) ? VAIN_PARKS : 1) == 0;
}

/* The worker is counted as searching: looks until it has found something, or STOP. */
static distr_apart bool look_on(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    int64_t since = 0;
    unsigned round = 0, parks = 0;
    bool freeze = false;
    bool more;

    while (!(distr_state(d) & DISTR_ENDED)) {
        if (distr_take(worker, freeze || may_freeze(worker, round), &more)) {
            found(worker, more);
            return true;
        }
        if (distr_has_sources(d) && ask(worker, true))
            return true;
        freeze = false;
        if (spin(d, round, &since)) {
            round++;
            continue;
        }
        enum rest rest = park(worker);
        freeze = rest == UP && must_freeze(d, &parks);
        round = rest == SLEPT ? 1 : 0; /* who watches takes one look */
    }
    atomic_fetch_sub_explicit(&d->search, DISTR_SEARCHING, memory_order_seq_cst);
    return false;
}

/* The same for a worker that is not counted, and may keep a source. */
static bool ask_first(struct distr_worker *worker)
{
    return (worker->kept && distr_ask_kept(worker)) || ask(worker, false);
}

bool distr_search(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    bool more;

    if (worker->order && !distr_order_goes_on(worker))
        distr_order_close(worker);
    if (!worker->order || !worker->order->segment)
        distr_give_way(worker);
    /* The one input of an order has no hint, and comes first. */
    if (distr_has_sources(d) && !worker->order && distr_nothing_is_hinted(worker) &&
        ask_first(worker))
        return true;
    /* A first look that is not counted: it mostly finds something. */
    if (distr_take(worker, false, &more)) {
        if (more)
            distr_announce(d, &worker->record);
        return true;
    }
    if (distr_has_sources(d) && ask_first(worker))
        return true;
    if (worker->order)
        distr_order_close(worker);
    atomic_fetch_add_explicit(&d->search, DISTR_SEARCHING, memory_order_seq_cst);
    return look_on(worker);
}
