/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for results: how soon to look again, spinning, napping, sleeping until told; events T0 to
 * T4 and T7 in src/queue/README.md, "Emit and read".
 */
#include "pool/await.h"

#include <ck_pr.h>
#include <errno.h>
#include <sched.h>

#include "base/clock.h"
#include "pool/crowd.h"
#include "pool/fd.h"
#include "pool/idle.h"
#include "pool/reader.h"

#define SPIN_NS 20000
#define DISTANCE_NS 2000 /* from one look to the next, where many results come in that time: */
#define MANY 4           /* so many were there */
#define NAP_NS 100000
#define NAP_MAX_NS 200000 /* what is promised: no result waits for longer */
#define NAP_RARE_NS 6000  /* results that come more rarely are not kept waiting so long */

struct wait {
    int64_t deadline; /* 0: do not wait */
    int64_t since;    /* when it began to spin */
    bool napped;
};

/* How long to nap, by how fast results have come since the last nap began: each costs a CPU as much
 * as reading hundreds of them. */
static int64_t nap_length(const struct distributor *d, const struct distr_reader *reader,
                          int64_t now)
{
    /* With a limit workers would wait for a reader that naps. */
    if (reader->came == 0 || d->output_limit != UINT64_MAX)
        return NAP_NS;
    int64_t each = (now - reader->napped_at) / (int64_t)reader->came;
    return each > NAP_RARE_NS ? NAP_NS : NAP_MAX_NS;
}

/* Not at the gate of those that are told: a wake-up that is meant for a reader that counted itself
 * must not end here.  False: T7 ended it. */
static bool nap(struct distributor *d, struct distr_reader *reader, const struct wait *wait,
                int64_t now)
{
    int64_t until = now + nap_length(d, reader, now);
    int rc = 0;

    reader->napped_at = now;
    reader->came = 0;
    if (until > wait->deadline)
        until = wait->deadline;
    uint32_t sequence = distr_gate_enter(&d->nappers);
    if (distr_cpus_are_taken(d) && !(distr_state(d) & DISTR_ENDED))
        rc = distr_gate_wait(&d->nappers, &sequence, until);
    distr_gate_leave(&d->nappers);
    return rc == -ETIMEDOUT;
}

/* T2 to T4: sleeps until told.  0 or -ETIMEDOUT; the caller looks again in any case. */
static int sleep_until_told(struct distributor *d, const struct wait *wait)
{
    int rc = 0;
    uint32_t sequence = distr_gate_enter(&d->readers); /* T2 */

    /* A teller that was late may have told a reader that had left. */
    atomic_exchange_explicit(&d->reader_told, 0, memory_order_seq_cst);
    distr_heavy_fence(); /* pairs with E2 */
    if (!distr_any_result(d) && !(distr_state(d) & (DISTR_ENDED | DISTR_DESTROYED))) /* T3 */
        rc = distr_gate_wait(&d->readers, &sequence, wait->deadline);
    distr_gate_leave(&d->readers);
    /* T4 seq_cst: from here on another reader may be told; pairs with the fence in E3. */
    atomic_exchange_explicit(&d->reader_told, 0, memory_order_seq_cst);
    return rc;
}

/*
 * The reader has read all that the one worker has made, which is fast: each look takes the line
 * that it writes, and with it the time of several results.  Where it has a CPU to itself it lets
 * some come.  Not if it makes the work itself, a few tasks at a time, nor where others read, or
 * emitters wait for room.  Of several workers another one may have results by now.
 */
static void let_some_come(struct distributor *d, struct distr_record *record, int64_t deadline)
{
    struct distr_reader *reader = &record->reader;
    uint64_t added = atomic_load_explicit(&record->added, memory_order_relaxed);
    bool waits_only = added == reader->added;

    reader->added = added;
    if (!waits_only || d->order || distr_cpus_are_taken(d) ||
        atomic_load_explicit(&d->workers, memory_order_relaxed) != 1 ||
        atomic_load_explicit(&d->lone_reader, memory_order_relaxed) != record)
        return;
    int64_t now = distr_now();
    while (now < reader->looked_at + DISTANCE_NS && now < deadline) {
        for (unsigned i = 0; i < 8; i++)
            ck_pr_stall();
        now = distr_now();
    }
    reader->looked_at = now;
}

/* Nothing was there: waits a little, longer, or until told. */
static int wait_more(struct distributor *d, struct distr_record *record, struct wait *wait)
{
    struct distr_reader *reader = &record->reader;
    int64_t now = distr_now();

    if (wait->since == 0)
        wait->since = now;
    if (now >= wait->deadline)
        return -ETIMEDOUT;
    if (!distr_cpus_are_taken(d) && now - wait->since < SPIN_NS) {
        if (now - wait->since < SPIN_NS / 10)
            ck_pr_stall();
        else
            sched_yield();
        return 0;
    }
    distr_crowd_leave(record);
    if (distr_cpus_are_taken(d) && !wait->napped) {
        wait->napped = nap(d, reader, wait, now);
        return 0;
    }
    wait->since = 0;
    wait->napped = false;
    return sleep_until_told(d, wait);
}

/* The run is over and nothing comes any more: one last look at every worker. */
static ptrdiff_t last_look(struct distributor *d, struct distr_reader *reader, size_t count)
{
    while (distr_any_result(d)) {
        /* Nothing in spite of a result: another reader is just clearing that hint. */
        size_t taken = distr_reader_take(d, reader, count);
        if (taken > 0)
            return (ptrdiff_t)taken;
    }
    return 0;
}

/* What to return if nothing was taken; -EAGAIN: wait. */
static ptrdiff_t nothing(struct distributor *d, struct distr_reader *reader, size_t count)
{
    uint32_t state = distr_state(d);

    if (state & DISTR_DESTROYED)
        return -ESHUTDOWN;
    ptrdiff_t taken;
    do
        taken = last_look(d, reader, count);
    while (taken == 0 && distr_fd_found_nothing(d));
    if (taken > 0 || (state & DISTR_ENDED))
        return taken;
    return -EAGAIN;
}

ptrdiff_t distr_await_results(struct distributor *d, struct distr_record *record, size_t count,
                              int64_t deadline)
{
    struct distr_reader *reader = &record->reader;
    struct wait wait = {.deadline = deadline};

    distr_crowd_come(record);
    if (distr_unlikely(reader->found >= MANY) && deadline != 0)
        let_some_come(d, record, deadline);
    for (;;) {
        size_t taken = distr_reader_take(d, reader, count);
        if (taken > 0)
            return (ptrdiff_t)taken;
        /* The last look is long where workers are many: not at each turn of a spin. */
        if (deadline == 0 || wait.since == 0 ||
            (distr_state(d) & (DISTR_ENDED | DISTR_DESTROYED))) {
            ptrdiff_t rc = nothing(d, reader, count);
            if (rc != -EAGAIN || deadline == 0)
                return rc;
        }
        int rc = wait_more(d, record, &wait);
        if (rc != 0) {
            ptrdiff_t last = nothing(d, reader, count);
            return last != -EAGAIN ? last : rc;
        }
    }
}
