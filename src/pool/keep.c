/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping a source from one call to the next; see keep.h. */
#include "pool/keep.h"

#include "base/clock.h"
#include "pool/idle.h"
#include "pool/quiesce.h"

/* A source is kept while an input, with its task, takes no longer than when several ask; */
#define KEEP_NS_MAX 400
/* or than this, which several never reach. */
#define KEEP_NS 50
/* Inputs that several must have asked for to be compared with. */
#define SHARED_MIN 64u
/* The first one of a try finds cold caches. */
#define FIRST_NS 500
/* Inputs from one measurement to the next, from the second and the third on. */
#define PACE_MORE 32u
#define PACE_MAX 1024u
/* Measurements after which others may try again, and the rows that they have for it. */
#define PACE_TIMES 256u
#define TRY_ROWS 64u
/* Inputs and ends of a keeper between two looks of who watches, if it is to keep its source. */
#define MOVES_MIN (DISTR_NAP_NS / KEEP_NS_MAX)
/* Rows between two tries, at most. */
#define KEEP_EVERY_MAX 65536u

/* ---- the keeper ---- */

/* Nanoseconds that are few for an input: those that one took when several could ask. */
static int64_t shared_pace(struct distributor *d, const struct distr_source *source, int64_t now)
{
    uint64_t inputs = (distr_moves(d) - source->shared_moves) / 2; /* added, and ended */
    int64_t pace = inputs < SHARED_MIN ? KEEP_NS : (now - source->shared_since) / (int64_t)inputs;

    return pace < KEEP_NS ? KEEP_NS : pace > KEEP_NS_MAX ? KEEP_NS_MAX : pace;
}

void distr_keep_shared(struct distributor *d, struct distr_source *source)
{
    source->shared_since = distr_now();
    source->shared_moves = distr_moves(d);
}

void distr_keep(struct distr_worker *worker, struct distr_source *source)
{
    struct distributor *d = worker->record.owner;
    int64_t now = distr_now();

    source->until_keep = source->keep_every;
    worker->kept = source;
    worker->pace = (struct distr_pace){
        .since = now, .enough = shared_pace(d, source, now), .count = 1, .left = 1};
    /* Y9 release: pairs with Y12. */
    atomic_store_explicit(&source->state, distr_source_kept_by(worker), memory_order_release);
    distr_full_fence(); /* Y9: pairs with Y6, and with P3 */
    distr_announce_fenced(d, &worker->record); /* Y3: one that sleeps is to watch */
    if (distr_unlikely(atomic_load_explicit(&d->open_sources, memory_order_relaxed) != 1))
        distr_let_go(worker);
    else
        distr_source_end_if_stopped(d, source, distr_source_kept_by(worker));
}

bool distr_keeps_pace(struct distr_worker *worker)
{
    struct distr_source *source = worker->kept;
    struct distr_pace *pace = &worker->pace;
    int64_t now = distr_now();
    int64_t span = now - pace->since - FIRST_NS;
    bool alone = atomic_load_explicit(&worker->record.owner->workers, memory_order_relaxed) == 1;
    bool slow = span > pace->count * pace->enough && !alone;

    /* Once it may have been another worker's search, or another process. */
    if (slow && (pace->slow || pace->count < PACE_MAX))
        return false;
    if (++pace->times == PACE_TIMES && span > (int64_t)pace->count * KEEP_NS && !alone) {
        source->keep_every = TRY_ROWS / 2;
        return false;
    }
    if (!slow && pace->count == PACE_MAX)
        source->keep_every = 1;
    pace->slow = slow;
    pace->since = now;
    pace->count = pace->count < PACE_MAX ? pace->count * PACE_MORE : PACE_MAX;
    pace->left = pace->count;
    return true;
}

void distr_keep_owns(struct distr_worker *worker)
{
    struct distr_source *source = worker->kept;
    uint32_t asked = DISTR_SOURCE_ASKED;

    worker->kept = NULL;
    distr_keep_shared(worker->record.owner, source);
    /* Whatever Y12 has made of it: who finds the call running leaves the source to its keeper.
     * seq_cst: pairs with Y5. */
    atomic_store_explicit(&source->state, DISTR_SOURCE_ASKED, memory_order_seq_cst);
    /* Y11 release. */
    atomic_store_explicit(&worker->asked, NULL, memory_order_release);
    /* Y5, late: what was said while it was kept is said to it as asked.  It fails if that was said
     * again. */
    if (atomic_exchange_explicit(&source->said, false, memory_order_seq_cst))
        atomic_compare_exchange_strong_explicit(&source->state, &asked, DISTR_SOURCE_AGAIN,
                                                memory_order_seq_cst, memory_order_relaxed);
}

/* A try, or what became of it, is over: the next one is further away. */
static void try_later(struct distributor *d, struct distr_source *source)
{
    distr_keep_shared(d, source);
    if (source->keep_every < KEEP_EVERY_MAX)
        source->keep_every *= 2;
    source->until_keep = source->keep_every;
}

void distr_let_go(struct distr_worker *worker)
{
    struct distr_source *source = worker->kept;
    uint32_t kept = distr_source_kept_by(worker);
    uint32_t wanted = kept - DISTR_SOURCE_KEPT + DISTR_SOURCE_WANTED;

    worker->kept = NULL;
    if (distr_source_own(source, kept) || distr_source_own(source, wanted)) {
        try_later(worker->record.owner, source);
        distr_source_give_back(worker, source);
    }
    /* release: pairs with Y12. */
    atomic_store_explicit(&worker->asked, NULL, memory_order_release);
}

/* ---- others ---- */

bool distr_keep_says(struct distr_source *source, uint32_t *state)
{
    uint32_t before = *state;

    /* Y5 seq_cst, both: pairs with distr_keep_owns. */
    atomic_store_explicit(&source->said, true, memory_order_seq_cst);
    *state = atomic_load_explicit(&source->state, memory_order_seq_cst);
    return *state == before;
}

bool distr_take_away(struct distributor *d, struct distr_source *source)
{
    uint32_t state = atomic_load_explicit(&source->state, memory_order_relaxed);

    if (distr_source_kind(state) != DISTR_SOURCE_KEPT)
        return false;
    uint32_t wanted = state - DISTR_SOURCE_KEPT + DISTR_SOURCE_WANTED;
    /* Y12 seq_cst: pairs with Y10 and Y11, whose fences are light. */
    if (!atomic_compare_exchange_strong_explicit(&source->state, &state, wanted,
                                                 memory_order_seq_cst, memory_order_relaxed))
        return false;
    distr_heavy_fence();
    /* acquire: pairs with Y11 */
    return atomic_load_explicit(&d->all[distr_source_keeper(wanted)]->asked,
                                memory_order_acquire) != source &&
           distr_source_own(source, wanted);
}

bool distr_watch_is_free(struct distributor *d)
{
    return distr_source_kept(d) && !atomic_load_explicit(&d->has_watcher, memory_order_seq_cst);
}

bool distr_watch(struct distributor *d)
{
    return distr_has_sources(d) && distr_watch_is_free(d) &&
           !atomic_exchange_explicit(&d->has_watcher, true, memory_order_seq_cst);
}

void distr_watch_ends(struct distributor *d)
{
    /* seq_cst: before P2 and P6, whose look is for who watches next. */
    atomic_store_explicit(&d->has_watcher, false, memory_order_seq_cst);
}

int64_t distr_watch_until(const struct distr_worker *worker)
{
    int64_t now = distr_now();

    return now < worker->visit_at ? worker->visit_at : now + DISTR_NAP_NS;
}

/* Under the lock: whether its keeper has added and ended little since the worker looked last. */
static bool is_slow(struct distr_worker *worker, const struct distr_source *source)
{
    struct distributor *d = worker->record.owner;
    uint32_t state = atomic_load_explicit(&source->state, memory_order_relaxed);

    if (distr_source_kind(state) != DISTR_SOURCE_KEPT)
        return false;
    uint64_t moves = distr_record_moves(&d->all[distr_source_keeper(state)]->record);
    bool slow = moves - worker->watched_moves < MOVES_MIN;
    worker->watched_moves = moves;
    return slow;
}

struct distr_source *distr_take_over(struct distr_worker *worker)
{
    struct distributor *d = worker->record.owner;
    struct distr_source *source = distr_has_sources(d) ? distr_source_kept(d) : NULL;

    if (!source) {
        worker->visit_at = 0;
        return NULL;
    }
    int64_t now = distr_now();
    if (now < worker->visit_at || pthread_mutex_trylock(&d->lock) != 0)
        return NULL;
    bool first = worker->visit_at == 0; /* there are no moves to compare with */
    bool mine = is_slow(worker, source) && !first && distr_take_away(d, source);
    pthread_mutex_unlock(&d->lock);
    worker->visit_at = mine ? 0 : now + DISTR_NAP_NS;
    if (!mine)
        return NULL;
    worker->source = source;
    try_later(d, source);
    return source;
}
