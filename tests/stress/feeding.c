/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distributors that feed each other, with both ends bounded.  In a ring, the results of one are
 * the tasks of the next: a mover that finds the next one full goes on reading, so nothing
 * deadlocks.  In a line, the tasks themselves add to the next distributor, and spawn themselves
 * again when it is full.  Every token goes its whole way, once.
 */
#include "support.h"

#include <distributor/pool.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STATIONS 4
#define MAX_TOKENS 2000
#define MAX_HOPS 12
#define MAGIC 0x66656564u

struct token {
    uint32_t magic;
    uint16_t id;
    uint8_t hop; /* how many stations it has passed */
    uint8_t station;
};

static struct round {
    bool line; /* else a ring */
    unsigned stations, tokens, hops;
    uint64_t reads; /* by the main thread, in a line */
    distributor_t *d[MAX_STATIONS];
    atomic_uint at_home; /* tokens that have passed all hops */
    atomic_uchar passed[MAX_TOKENS][MAX_HOPS];
    atomic_uint respawns[MAX_STATIONS];
} round_;

/* ---- Tasks ---- */

static distributor_run_fn run_in_ring, run_in_line;
static const distributor_task_type_t ring_type = {.name = "ring", .run = run_in_ring};
static const distributor_task_type_t line_type = {.name = "line", .run = run_in_line};

static struct token token_of(const void *bytes, size_t size)
{
    struct token token;
    STRESS_CHECK(size == sizeof token, "%zu bytes", size);
    memcpy(&token, bytes, size);
    STRESS_CHECK(token.magic == MAGIC && token.id < round_.tokens && token.hop <= round_.hops &&
                     token.station < round_.stations,
                 "magic %x, token %u, hop %u, station %u", token.magic, token.id, token.hop,
                 token.station);
    return token;
}

static struct token pass(struct token token)
{
    unsigned before = atomic_fetch_add(&round_.passed[token.id][token.hop], 1);
    STRESS_CHECK(before == 0, "token %u passes hop %u twice", token.id, token.hop);
    token.hop++;
    token.station = (uint8_t)((token.station + 1) % round_.stations);
    return token;
}

static int run_in_ring(distributor_task_t *self, const void *input, size_t size)
{
    struct token token = pass(token_of(input, size));
    STRESS_CHECK(distributor_emit(self, &token, sizeof token) == 0, "emit");
    return 0;
}

static int run_in_line(distributor_task_t *self, const void *input, size_t size)
{
    struct token token = token_of(input, size), next = token;
    if (token.station + 1u == round_.stations) {
        token = pass(token);
        STRESS_CHECK(distributor_emit(self, &token, sizeof token) == 0, "emit");
        return 0;
    }
    next.hop++;
    next.station++;
    int rc = distributor_try_add_task(round_.d[next.station], &line_type, &next, sizeof next);
    if (rc == 0) {
        (void)pass(token);
        return 0;
    }
    STRESS_CHECK(rc == -EAGAIN, "add: %d", rc);
    atomic_fetch_add(&round_.respawns[token.station], 1);
    sched_yield();
    STRESS_CHECK(distributor_spawn(self, &line_type, &token, sizeof token) == 0, "spawn");
    return 0;
}

/* ---- Movers of a ring ---- */

struct mover {
    unsigned from;
    struct token waiting[MAX_TOKENS]; /* read and not yet added: all tokens at most */
    unsigned first, count;
    uint64_t read;
    pthread_t thread;
};

static bool move_one(struct mover *mover)
{
    const struct token *token = &mover->waiting[mover->first];
    int rc = distributor_try_add_task(round_.d[token->station], &ring_type, token, sizeof *token);
    STRESS_CHECK(rc == 0 || rc == -EAGAIN, "add: %d", rc);
    if (rc == 0) {
        mover->first = (mover->first + 1) % MAX_TOKENS;
        mover->count--;
    }
    return rc == 0;
}

static void keep(struct mover *mover, const distributor_result_t *result)
{
    struct token token = token_of(result->data, result->size);
    mover->read++;
    if (token.hop == round_.hops) {
        atomic_fetch_add(&round_.at_home, 1);
        return;
    }
    mover->waiting[(mover->first + mover->count++) % MAX_TOKENS] = token;
}

static void *move(void *argument)
{
    struct mover *mover = argument;
    distributor_result_t result;
    for (;;) {
        bool moved = mover->count > 0 && move_one(mover);
        int rc = mover->count > 0 ? distributor_try_next_result(round_.d[mover->from], &result)
                                  : distributor_next_result(round_.d[mover->from], &result);
        if (rc == 1) {
            keep(mover, &result);
        } else if (rc == 0) {
            STRESS_CHECK(mover->count == 0, "STOP with %u tokens on the way", mover->count);
            return NULL;
        } else {
            STRESS_CHECK(rc == -EAGAIN, "read: %d", rc);
            if (!moved) {
                sched_yield();
            }
        }
    }
}

/* ---- Rounds ---- */

static void plan(struct stress_random *random)
{
    memset(&round_, 0, sizeof round_);
    round_.line = stress_chance(random, 50);
    round_.stations = 2 + stress_below(random, MAX_STATIONS - 1);
    round_.tokens = 1 + stress_below(random, stress.tasks < MAX_TOKENS ? stress.tasks : MAX_TOKENS);
    round_.hops = round_.line ? round_.stations : 1 + stress_below(random, MAX_HOPS);
}

static void create(struct stress_random *random)
{
    static const unsigned limits[] = {1, 3, 8, 64};
    char limits_text[100] = "";
    for (unsigned i = 0; i < round_.stations; i++) {
        distributor_options_t options = {.size = sizeof options,
                                         .workers = 1 + stress_below(random, 3),
                                         .input_limit = limits[stress_below(random, 4)],
                                         .output_limit = limits[stress_below(random, 4)],
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        size_t used = strlen(limits_text);
        snprintf(limits_text + used, sizeof limits_text - used, " %u:%llu/%llu", options.workers,
                 (unsigned long long)options.input_limit,
                 (unsigned long long)options.output_limit);
        STRESS_CHECK(distributor_create(&round_.d[i], &options) == 0, "create");
        STRESS_CHECK(distributor_start(round_.d[i]) == 0, "start");
    }
    stress_state("%s of %u stations%s, %u tokens, %u hops", round_.line ? "line" : "ring",
                 round_.stations, limits_text, round_.tokens, round_.hops);
}

static void *put_tokens(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < round_.tokens; i++) {
        unsigned station = round_.line ? 0 : i % round_.stations;
        struct token token = {MAGIC, (uint16_t)i, 0, (uint8_t)station};
        int rc = distributor_add_task(round_.d[station], round_.line ? &line_type : &ring_type,
                                      &token, sizeof token);
        STRESS_CHECK(rc == 0, "add: %d", rc);
    }
    return NULL;
}

static void run_ring(void)
{
    static struct mover movers[MAX_STATIONS];
    for (unsigned i = 0; i < round_.stations; i++) {
        movers[i] = (struct mover){.from = i};
        stress_thread(&movers[i].thread, move, &movers[i]);
    }
    (void)put_tokens(NULL);
    while (atomic_load(&round_.at_home) < round_.tokens) {
        stress_sleep_us(200);
    }
    for (unsigned i = 0; i < round_.stations; i++) {
        STRESS_CHECK(distributor_close(round_.d[i]) == 0, "close");
    }
    for (unsigned i = 0; i < round_.stations; i++) {
        stress_join(movers[i].thread);
    }
}

static void run_line(void)
{
    distributor_result_t result;
    pthread_t thread;
    stress_thread(&thread, put_tokens, NULL);
    while (round_.reads < round_.tokens) {
        int rc = distributor_next_result(round_.d[round_.stations - 1], &result);
        STRESS_CHECK(rc == 1, "read: %d", rc);
        struct token token = token_of(result.data, result.size);
        STRESS_CHECK(token.hop == round_.hops, "token %u at hop %u", token.id, token.hop);
        round_.reads++;
    }
    stress_join(thread);
}

static void check(void)
{
    uint64_t runs = 0, respawns = 0;
    for (unsigned i = 0; i < round_.stations; i++) {
        distributor_summary_t summary;
        STRESS_CHECK(distributor_join(round_.d[i], &summary) == 0, "join");
        STRESS_CHECK(summary.added == summary.completed, "station %u lost tasks", i);
        runs += summary.completed;
        respawns += atomic_load(&round_.respawns[i]);
        STRESS_CHECK(distributor_destroy(round_.d[i]) == 0, "destroy");
    }
    STRESS_CHECK(runs == (uint64_t)round_.tokens * round_.hops + respawns,
                 "%llu runs for %u tokens of %u hops and %llu respawns", (unsigned long long)runs,
                 round_.tokens, round_.hops, (unsigned long long)respawns);
    for (unsigned i = 0; i < round_.tokens; i++) {
        for (unsigned hop = 0; hop < round_.hops; hop++) {
            STRESS_CHECK(atomic_load(&round_.passed[i][hop]) == 1, "token %u, hop %u", i, hop);
        }
    }
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "feeding", .rounds = 100, .tasks = 300,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        plan(&random);
        create(&random);
        if (round_.line) {
            run_line();
        } else {
            run_ring();
        }
        check();
    }
    return stress_end();
}
