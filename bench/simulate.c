/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulate.c - see simulate.h.
 *
 * Time goes from event to event: always the thread that is furthest behind makes its next step.  A
 * step takes what it takes in its own cache, and a line's way for each line that another core has
 * written or read since.  A line is handed over to one core at a time.  Plain stores do not wait
 * for their line: the core goes on, and who reads gets the line when it has been there.
 *
 * Known of the library: a claim takes 1/(2 workers) of what is there; a worker that finds nothing
 * says so in a word that all share, and again when it has found something; adders look at that word
 * at each add; one worker at a time is woken, by an adder or by the one that was woken before.
 * Workers say by a hint that they have results, and readers look at those alone.
 */
#include "simulate.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH (2 * SIMULATE_CORES)    /* the line that says who searches and who sleeps */
#define HINTS (2 * SIMULATE_CORES + 1) /* and those that say which workers may have results */
#define GROUP 64                       /* workers whose hints share one */
#define FEW 4                          /* hints that are left when the queue was found empty */
#define LINES (HINTS + SIMULATE_CORES / GROUP + 1)
#define PER_LINE 4 /* narrow slots */

/* A word that several cores use: who wrote it last, and who has read it since. */
typedef struct line {
    double free_at; /* when the next core can have it */
    unsigned owner, readers;
    unsigned long version;
} line_t;

/* A queue: of an adder, with tasks, or of a worker, with results. */
typedef struct queue {
    unsigned long written, published, taken;
    unsigned word, bottom; /* its lines: takers' and owner's */
    bool hinted;           /* of a worker */
} queue_t;

typedef struct core {
    double now, work, lines, idle;
    unsigned at;   /* the queue that it looked at last */
    unsigned held; /* of a worker: tasks that it has claimed and not run */
    bool searches, sleeps;
    double since; /* when its search began */
    /* Of a reader that is alone: how far that queue was published. */
    unsigned long seen_end;
    /* The version of each line that it has in its cache. */
    unsigned long seen[LINES];
} core_t;

static machine_t m;
static load_t l;
static core_t *cores;
static line_t lines[LINES];
static queue_t tasks[SIMULATE_CORES], results[SIMULATE_CORES];
static unsigned long finished;
static unsigned searching, sleeping;
static unsigned hints[SIMULATE_CORES / GROUP + 1];

/* ---- whose turn it is ---- */

/* A heap of cores by their time, the one that is furthest behind on top. */
static unsigned heap[SIMULATE_CORES], place[SIMULATE_CORES], heap_size;

static void put_at(unsigned i, unsigned core)
{
    heap[i] = core;
    place[core] = i;
}

/* After a core's time has changed. */
static void move_core(unsigned core)
{
    unsigned i = place[core];

    while (i > 0 && cores[core].now < cores[heap[(i - 1) / 2]].now) {
        put_at(i, heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        unsigned child = 2 * i + 1;

        if (child + 1 < heap_size && cores[heap[child + 1]].now < cores[heap[child]].now)
            child++;
        if (child >= heap_size || cores[heap[child]].now >= cores[core].now)
            break;
        put_at(i, heap[child]);
        i = child;
    }
    put_at(i, core);
}

/* ---- lines ---- */

static void wait_for_line(core_t *core, line_t *line, double held)
{
    double begin = core->now > line->free_at ? core->now : line->free_at;

    core->lines += begin + m.line - core->now;
    core->now = begin + m.line;
    line->free_at = begin + held;
}

/* Copies for reading can be given out faster than the line can change its owner. */
static void read_line(core_t *core, unsigned index)
{
    line_t *line = &lines[index];

    if (core->seen[index] == line->version)
        return;
    wait_for_line(core, line, m.line / 4);
    core->seen[index] = line->version;
    line->readers++;
}

static void own_line(core_t *core, unsigned index)
{
    line_t *line = &lines[index];

    line->owner = (unsigned)(core - cores);
    line->readers = 0;
    core->seen[index] = ++line->version;
}

static bool owns_line(const core_t *core, unsigned index)
{
    return lines[index].owner == (unsigned)(core - cores) && lines[index].readers == 0;
}

/* A swap: waits until the line is here. */
static void swap_line(core_t *core, unsigned index)
{
    if (!owns_line(core, index))
        wait_for_line(core, &lines[index], m.line);
    own_line(core, index);
}

/* A store: the line comes while the core goes on, and later stores join it. */
static void store_line(core_t *core, unsigned index)
{
    line_t *line = &lines[index];

    if (!owns_line(core, index))
        line->free_at = (core->now > line->free_at ? core->now : line->free_at) + m.line;
    own_line(core, index);
}

static void work(core_t *core, double ns)
{
    core->now += ns;
    core->work += ns;
}

/* Slots in order: every fourth one begins a line that comes from another core, ahead of time. */
static void stream_slots(core_t *core, unsigned long from, unsigned long count)
{
    unsigned long fresh = (from + count) / PER_LINE - from / PER_LINE;
    double ns = (double)fresh * m.line * m.stream;

    core->now += ns;
    core->lines += ns;
}

/* A look that began then found nothing: it was no work, nor was the waiting for its lines. */
static void idle_since(core_t *core, double begin, double lines_before)
{
    core->lines = lines_before;
    core->now += m.poll;
    core->idle += core->now - begin;
}

/* ---- queues ---- */

static void append(core_t *core, queue_t *queue)
{
    stream_slots(core, queue->written, 1);
    queue->written++;
    if (queue->written % m.publish == 0 || m.publish == 1) {
        store_line(core, queue->bottom);
        queue->published = queue->written;
    }
}

/* A claim: a look at both lines, and the swap for a share of what is there.  Claims that meet wait
 * for the line one after the other; that one of them would have to look again is left out. */
static unsigned claim(core_t *core, queue_t *queue)
{
    unsigned long there, taken;

    read_line(core, queue->word);
    read_line(core, queue->bottom);
    taken = queue->taken;
    if (queue->published <= taken)
        return 0;
    there = (queue->published - taken) / (2 * l.workers);
    there = there < 1 ? 1 : there > m.claim ? m.claim : there;
    stream_slots(core, taken, there);
    swap_line(core, queue->word);
    queue->taken = taken + there;
    return (unsigned)there;
}

/* ---- sleeping ---- */

/* If somebody sleeps and nobody searches, wakes one. */
static void wake_one(core_t *core)
{
    unsigned i = l.adders;

    if (sleeping == 0 || searching > 0)
        return;
    while (!cores[i].sleeps)
        i++;
    swap_line(core, SEARCH);
    work(core, m.waking);
    sleeping--;
    searching++;
    cores[i].sleeps = false;
    cores[i].searches = true;
    cores[i].now = core->now + m.wake;
    cores[i].idle += cores[i].now - cores[i].since;
    cores[i].since = cores[i].now;
    move_core(i);
}

static bool any_task(void)
{
    for (unsigned i = 0; i < l.adders; i++)
        if (tasks[i].published > tasks[i].taken)
            return true;
    return false;
}

static void found(core_t *core)
{
    if (!core->searches)
        return;
    swap_line(core, SEARCH);
    core->searches = false;
    searching--;
    if (any_task())
        wake_one(core);
}

static void found_nothing(core_t *core, double begin, double lines_before)
{
    if (!core->searches) {
        swap_line(core, SEARCH);
        core->searches = true;
        core->since = core->now;
        searching++;
    } else if (core->now - core->since > m.patience || searching > m.searchers) {
        swap_line(core, SEARCH);
        core->searches = false;
        core->sleeps = true;
        core->since = core->now;
        core->now = DBL_MAX;
        searching--;
        sleeping++;
    } else {
        idle_since(core, begin, lines_before);
    }
}

/* ---- threads ---- */

static void step_adder(core_t *core, unsigned index)
{
    if (tasks[index].written >= l.tasks / l.adders) {
        tasks[index].published = tasks[index].written;
        idle_since(core, core->now, core->lines);
    } else {
        work(core, m.add);
        append(core, &tasks[index]);
        if (tasks[index].written % m.look != 0)
            return;
    }
    read_line(core, SEARCH);
    if (any_task())
        wake_one(core);
}

static void hint(core_t *core, unsigned worker, bool on)
{
    swap_line(core, HINTS + worker / GROUP);
    results[worker].hinted = on;
    hints[worker / GROUP] += on ? 1 : -1u;
}

static void run_one(core_t *core, unsigned index)
{
    work(core, (l.adders > 0 ? m.run : 0) + l.grain);
    if (l.readers > 0) {
        work(core, m.emit);
        append(core, &results[index]);
        if (!results[index].hinted)
            hint(core, index, true);
    } else {
        finished++;
    }
}

/* Before it looks for tasks in vain, a worker makes known what it has kept back. */
static void publish_rest(core_t *core, unsigned index)
{
    if (results[index].published == results[index].written)
        return;
    store_line(core, results[index].bottom);
    results[index].published = results[index].written;
    if (!results[index].hinted)
        hint(core, index, true);
}

static void step_worker(core_t *core, unsigned index)
{
    double begin = core->now, lines_before = core->lines;

    if (l.adders == 0) {
        run_one(core, index);
        return;
    }
    for (unsigned i = 0; i < l.adders && core->held == 0; i++) {
        core->held = claim(core, &tasks[core->at]);
        if (core->held == 0)
            core->at = (core->at + 1) % l.adders;
    }
    if (core->held == 0) {
        publish_rest(core, index);
        found_nothing(core, begin, lines_before);
        return;
    }
    found(core);
    core->held--;
    run_one(core, index);
}

/* A reader that is alone goes through what it saw; of several each swaps for every result. */
static bool read_one(core_t *core, queue_t *queue)
{
    if (l.readers > 1)
        read_line(core, queue->word);
    if (l.readers > 1 || core->seen_end <= queue->taken) {
        read_line(core, queue->bottom);
        core->seen_end = queue->published;
    }
    if (queue->taken >= core->seen_end)
        return false;
    work(core, m.read);
    stream_slots(core, queue->taken, 1);
    if (l.readers > 1)
        swap_line(core, queue->word);
    else
        store_line(core, queue->word);
    queue->taken++;
    finished++;
    return true;
}

/* Whether another reader took from that queue last. */
static bool meets_reader(const core_t *core, const queue_t *queue)
{
    unsigned owner = lines[queue->word].owner;

    return owner != (unsigned)(core - cores) && owner >= l.adders + l.workers;
}

static void step_reader(core_t *core)
{
    double begin = core->now, lines_before = core->lines;

    for (unsigned i = 0; i < l.workers; i++) {
        if (i == 0 || core->at % GROUP == 0)
            read_line(core, HINTS + core->at / GROUP);
        if (results[core->at].hinted) {
            bool met = meets_reader(core, &results[core->at]);

            if (read_one(core, &results[core->at])) {
                core->at = (core->at + (m.part && met)) % l.workers;
                return;
            }
            if (hints[core->at / GROUP] > FEW)
                hint(core, core->at, false);
        }
        core->at = (core->at + 1) % l.workers;
        core->seen_end = 0;
    }
    idle_since(core, begin, lines_before);
}

static void step(unsigned index)
{
    core_t *core = &cores[index];

    if (index < l.adders)
        step_adder(core, index);
    else if (index < l.adders + l.workers)
        step_worker(core, index - l.adders);
    else
        step_reader(core);
}

/* ---- all of it ---- */

static void set_up(unsigned count)
{
    memset(cores, 0, count * sizeof *cores);
    memset(lines, 0, sizeof lines);
    memset(tasks, 0, sizeof tasks);
    memset(results, 0, sizeof results);
    memset(hints, 0, sizeof hints);
    for (unsigned i = 0; i < count; i++) {
        queue_t *queue = i < l.adders ? &tasks[i] : &results[i - l.adders];

        if (i >= l.adders + l.workers)
            continue;
        queue->word = 2 * i;
        queue->bottom = 2 * i + 1;
    }
    for (unsigned i = 0; i < count; i++)
        cores[i].at = i < l.adders + l.workers ? i % (l.adders + (l.adders == 0))
                                               : i % (l.workers + (l.workers == 0));
    heap_size = count;
    for (unsigned i = 0; i < count; i++)
        put_at(i, i);
    finished = 0;
    searching = sleeping = 0;
}

/* Who sleeps at the end has been idle until then. */
static void end_sleep(unsigned count, double now)
{
    for (unsigned i = 0; i < count; i++)
        if (cores[i].sleeps) {
            cores[i].idle += now - cores[i].since;
            cores[i].now = now;
        }
}

static use_t use_of(unsigned from, unsigned count)
{
    use_t sum = {0, 0, 0};
    double all = 0;

    for (unsigned i = from; i < from + count; i++) {
        sum.work += cores[i].work;
        sum.lines += cores[i].lines;
        sum.idle += cores[i].idle;
        all += cores[i].now;
    }
    if (all > 0)
        sum = (use_t){sum.work / all, sum.lines / all, sum.idle / all};
    return sum;
}

outcome_t simulate(const machine_t *machine, const load_t *load)
{
    unsigned count = load->adders + load->workers + load->readers, behind = 0;
    outcome_t outcome;

    m = *machine;
    l = *load;
    if (l.adders > 0)
        l.tasks -= l.tasks % l.adders;
    cores = calloc(count, sizeof *cores);
    if (cores == NULL)
        abort();
    set_up(count);
    while (finished < l.tasks) {
        behind = heap[0];
        step(behind);
        move_core(behind);
    }
    end_sleep(count, cores[behind].now);
    outcome = (outcome_t){.ns = cores[behind].now / (double)finished,
                          .adders = use_of(0, l.adders),
                          .workers = use_of(l.adders, l.workers),
                          .readers = use_of(l.adders + l.workers, l.readers)};
    free(cores);
    return outcome;
}
