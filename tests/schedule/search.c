/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which thread goes on.  Depth first: all schedules with at most so many preemptions, of which some
 * leave stores in the buffer of the thread that is left.  At random: a few preemptions at random
 * places, more than could be searched.  As a replay: what a report says.
 */
#include "schedule/internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 20000u
#define LEARNING_RUNS 100u
#define CHANGES_MAX 8u

enum mode { MODE_DEPTH_FIRST, MODE_RANDOM, MODE_REPLAY };

/* A choice that the depth-first search has made. */
struct node {
    uint16_t chosen;
    uint16_t count;
};

/* A choice that was not the first one, as reports give it. */
struct decision {
    uint64_t moment;
    struct move move;
};

static struct {
    /* What the command line says. */
    unsigned preemptions; /* 0: what the scenario says */
    unsigned delays;
    uint64_t random_runs;
    uint64_t limit; /* of schedules of one scenario, depth first */
    uint64_t seed;
    bool fallback;
    const char *only;
    const char *replay;

    const struct schedule_scenario *scenario;
    enum mode mode;
    unsigned bound; /* of the present search */

    /* What the present run has left, and what it chose. */
    unsigned preemptions_left;
    unsigned delays_left;
    struct decision decisions[DEPTH_MAX];
    unsigned decided;

    struct node nodes[DEPTH_MAX]; /* depth first: the present path */
    unsigned depth;
    unsigned known; /* so much of the path is to be gone again */

    uint64_t random;               /* state of the generator */
    uint64_t changes[CHANGES_MAX]; /* moments of preemptions, in order */
    unsigned changes_left;
    uint64_t longest; /* moments of a run */
    uint64_t runs;
    bool learning; /* what is shared */
} search;

bool search_may_preempt(void)
{
    return search.preemptions_left > 0;
}

bool search_may_delay(void)
{
    return search.delays_left > 0;
}

bool search_counts_all(void)
{
    return search.mode == MODE_REPLAY || search.learning;
}

/* ---- choosing ---- */

static uint64_t next_random(void)
{
    search.random ^= search.random << 13;
    search.random ^= search.random >> 7;
    search.random ^= search.random << 17;
    return search.random * 0x2545f4914f6cdd1d >> 16;
}

static unsigned choose_known(unsigned count)
{
    if (search.depth == DEPTH_MAX)
        schedule_fail("more than %u choices", DEPTH_MAX);
    struct node *node = &search.nodes[search.depth++];
    if (search.depth > search.known) {
        *node = (struct node){.chosen = 0, .count = (uint16_t)count};
        search.known = search.depth;
    }
    if (node->count != count)
        schedule_fail("a run is not like the one before it: %u moves, not %u", count, node->count);
    return node->chosen;
}

/* Free choices are free; others are made at the moments that were drawn. */
static unsigned choose_random(const struct move *moves, unsigned count)
{
    unsigned free_moves = 0;

    while (free_moves < count && moves[0].kind == MOVE_SWITCH &&
           moves[free_moves].kind == MOVE_SWITCH)
        free_moves++;
    if (search.changes_left > 0 && world.moment >= search.changes[search.changes_left - 1] &&
        count > 1) {
        search.changes_left--;
        return 1 + (unsigned)(next_random() % (count - 1));
    }
    return free_moves > 1 ? (unsigned)(next_random() % free_moves) : 0;
}

static const char move_letters[] = {'=', '>', '+', '!'};

static bool same_move(const struct move *one, const struct move *other)
{
    return one->kind == other->kind && one->thread == other->thread &&
           (one->kind != MOVE_SWITCH || one->keep == other->keep);
}

static unsigned choose_replayed(const struct move *moves, unsigned count)
{
    const struct decision *next = &search.decisions[search.decided];

    if (search.decided == search.known || next->moment != world.moment)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        if (same_move(&moves[i], &next->move)) {
            search.decided++;
            return i;
        }
    }
    schedule_fail("the replay does not fit: no move %c%u at moment %" PRIu64,
                  move_letters[next->move.kind], next->move.thread, world.moment);
}

static void charge(const struct move *moves, const struct move *move)
{
    bool forced = moves[0].kind == MOVE_SWITCH && move->kind == MOVE_SWITCH &&
                  self()->state != THREAD_RUNNABLE;

    if (!forced && search.preemptions_left > 0)
        search.preemptions_left--;
    if (move->kind == MOVE_SWITCH && move->keep != KEEP_NONE && search.delays_left > 0)
        search.delays_left--;
}

const struct move *search_choose(const struct move *moves, unsigned count)
{
    unsigned chosen = 0;

    if (search.mode == MODE_REPLAY)
        return &moves[choose_replayed(moves, count)];
    if (count > 1)
        chosen = search.mode == MODE_RANDOM ? choose_random(moves, count) : choose_known(count);
    if (chosen == 0)
        return moves;
    if (search.mode == MODE_DEPTH_FIRST)
        charge(moves, &moves[chosen]);
    if (search.decided < DEPTH_MAX)
        search.decisions[search.decided++] =
            (struct decision){.moment = world.moment, .move = moves[chosen]};
    return &moves[chosen];
}

/* ---- reports ---- */

static void print_replay(void)
{
    unsigned count = search.mode == MODE_REPLAY ? search.known : search.decided;

    for (unsigned i = 0; i < count; i++) {
        const struct decision *decision = &search.decisions[i];
        fprintf(stderr, "%s%" PRIu64 "%c%u", i == 0 ? "" : ",", decision->moment,
                move_letters[decision->move.kind], decision->move.thread);
        if (decision->move.kind == MOVE_SWITCH && decision->move.keep != KEEP_NONE)
            fprintf(stderr, ":%u", decision->move.keep);
    }
}

void schedule_fail(const char *format, ...)
{
    va_list arguments;

    world.inside = false;
    fflush(stdout);
    fprintf(stderr, "FAILED %s, schedule %" PRIu64 ": ",
            search.scenario ? search.scenario->name : "?", search.runs);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    threads_report();
    fprintf(stderr, "  see it: --scenario %s --replay '",
            search.scenario ? search.scenario->name : "?");
    print_replay();
    fprintf(stderr, "'\n");
    exit(1);
}

void trace(const char *what, const volatile void *address, uint64_t value, const char *here)
{
    if (!world.tracing || !world.inside)
        return;
    const char *file = strrchr(here, '/');
    printf("%6" PRIu64 " %*s%u %-7s %-24s", world.moment, (int)world.current * 4, "", world.current,
           what, file ? file + 1 : here);
    if (address)
        printf(" ..%05" PRIxPTR " %" PRIx64, (uintptr_t)address & 0xfffff, value);
    printf("\n");
}

/* ---- searching ---- */

static void run_once(void)
{
    search.preemptions_left = search.mode == MODE_DEPTH_FIRST ? search.bound : UINT32_MAX;
    search.delays_left = search.mode == MODE_DEPTH_FIRST ? search.delays : UINT32_MAX;
    search.depth = 0;
    search.decided = 0;
    search.runs++;
    world.fallback = search.fallback || search.scenario->fallback;
    threads_run(search.scenario);
    if (world.moment > search.longest)
        search.longest = world.moment;
}

/* The next path: the last choice that has another one left is changed.  False: that was all. */
static bool next_path(void)
{
    unsigned depth = search.depth;

    while (depth > 0 && search.nodes[depth - 1].chosen + 1 == search.nodes[depth - 1].count)
        depth--;
    search.known = depth;
    if (depth == 0)
        return false;
    search.nodes[depth - 1].chosen++;
    return true;
}

static int compare_descending(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;

    return (a < b) - (a > b);
}

static void run_at_random(uint64_t seed)
{
    search.mode = MODE_RANDOM;
    search.random = seed * 0x9e3779b97f4a7c15 | 1;
    next_random();
    search.changes_left = 1 + (unsigned)(next_random() % CHANGES_MAX);
    for (unsigned i = 0; i < search.changes_left; i++)
        search.changes[i] = next_random() % (search.longest + 1);
    qsort(search.changes, search.changes_left, sizeof *search.changes, compare_descending);
    run_once();
}

/*
 * All schedules of up to `bound` preemptions.  A location that was not known to be shared begins
 * the search anew: its steps are places for a preemption as well.  Returns how many there are; 0:
 * more than the limit.
 */
static uint64_t search_all(unsigned bound)
{
    uint64_t begin = search.runs;
    uint64_t first = begin;

    search.mode = MODE_DEPTH_FIRST;
    search.bound = bound;
    search.known = 0;
    for (;;) {
        run_once();
        if (memory_learned()) {
            search.known = 0;
            first = search.runs;
        } else if (!next_path()) {
            return search.runs - first;
        }
        if (search.runs - begin >= search.limit)
            return 0;
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* True: all schedules of two preemptions or more were gone through. */
static bool search_scenario(const struct schedule_scenario *scenario)
{
    double begin = seconds();
    uint64_t before = search.runs;
    uint64_t complete = 0;
    unsigned preemptions = search.preemptions ? search.preemptions : 2;

    if (search.preemptions == 0 && scenario->preemptions != 0)
        preemptions = scenario->preemptions;
    search.scenario = scenario;
    search.longest = 200;
    memory_forget();
    search.learning = true;
    for (uint64_t i = 0; i < LEARNING_RUNS; i++)
        run_at_random(search.seed + i);
    search.learning = false;
    for (uint64_t i = 0; i < search.random_runs; i++)
        run_at_random(search.seed + LEARNING_RUNS + i);
    for (unsigned bound = 0; bound <= preemptions; bound++) {
        complete = search_all(bound);
        if (complete == 0)
            break;
    }
    if (complete > 0)
        printf("%-22s all %8" PRIu64, scenario->name, complete);
    else
        printf("%-22s not all, %8" PRIu64, scenario->name, search.limit);
    printf(" schedules of %u preemptions, %8" PRIu64 " in all, up to %3" PRIu64 " steps, %.1f s\n",
           preemptions, search.runs - before, search.longest, seconds() - begin);
    fflush(stdout);
    return complete > 0 && preemptions >= 2;
}

/* ---- the command line ---- */

static bool read_replay(const char *text)
{
    while (*text) {
        struct decision *decision = &search.decisions[search.known];
        char *end;

        decision->moment = strtoull(text, &end, 10);
        const char *letter = memchr(move_letters, *end, sizeof move_letters);
        if (end == text || !letter || *end == '\0' || search.known == DEPTH_MAX)
            return false;
        decision->move.kind = (enum move_kind)(letter - move_letters);
        decision->move.thread = (unsigned)strtoul(end + 1, &end, 10);
        decision->move.keep = KEEP_NONE;
        if (*end == ':')
            decision->move.keep = (unsigned)strtoul(end + 1, &end, 10);
        if (*end != ',' && *end != '\0')
            return false;
        text = *end ? end + 1 : end;
        search.known++;
    }
    return true;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--scenario NAME] [--preemptions N] [--delays N] [--limit SCHEDULES]\n"
            "       [--random RUNS] [--seed N] [--fallback 1] [--replay SCHEDULE] [--list]\n",
            program);
    return 2;
}

static bool read_number(const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "--preemptions") == 0)
        search.preemptions = (unsigned)number;
    else if (strcmp(name, "--delays") == 0)
        search.delays = (unsigned)number;
    else if (strcmp(name, "--limit") == 0)
        search.limit = number;
    else if (strcmp(name, "--random") == 0)
        search.random_runs = number;
    else if (strcmp(name, "--seed") == 0)
        search.seed = number;
    else if (strcmp(name, "--fallback") == 0)
        search.fallback = number != 0;
    else
        return false;
    return true;
}

static bool read_arguments(int argc, char **argv)
{
    search.delays = 1;
    search.random_runs = 1000;
    search.limit = UINT64_MAX;
    search.seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--scenario") == 0)
            search.only = argv[i + 1];
        else if (strcmp(argv[i], "--replay") == 0)
            search.replay = argv[i + 1];
        else if (!read_number(argv[i], argv[i + 1]))
            return false;
    }
    return argc % 2 == 1;
}

/* Runs one schedule and shows every step of it. */
static int replay(const struct schedule_scenario *scenario)
{
    search.scenario = scenario;
    search.mode = MODE_REPLAY;
    if (!read_replay(search.replay)) {
        fprintf(stderr, "'%s' is no schedule\n", search.replay);
        return 2;
    }
    world.tracing = true;
    run_once();
    printf("%s: nothing fails in this schedule\n", scenario->name);
    return 0;
}

int schedule_main(int argc, char **argv, const struct schedule_scenario *scenarios, size_t count)
{
    unsigned complete = 0;
    bool any = false;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++)
            printf("%s\n", scenarios[i].name);
        return 0;
    }
    if (!read_arguments(argc, argv))
        return usage(argv[0]);
    threads_init();
    for (size_t i = 0; i < count; i++) {
        if (search.only && strcmp(search.only, scenarios[i].name) != 0)
            continue;
        any = true;
        if (search.replay)
            return replay(&scenarios[i]);
        complete += search_scenario(&scenarios[i]);
    }
    if (!any) {
        fprintf(stderr, "%s: no scenario is called %s\n", argv[0], search.only);
        return 2;
    }
    printf("%" PRIu64 " schedules; %u scenarios complete at two preemptions or more\n", search.runs,
           complete);
    return 0;
}
