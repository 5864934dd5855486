/* SPDX-License-Identifier: BSD-2-Clause */
/* The random workload of the stress programs; see workload.h. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <string.h>

#define MAX_DEPTH 4
#define MAX_BATCH 8

struct workload workload;

/* Written by its worker alone; a cache line each. */
static struct spawner {
    alignas(64) uint32_t sequence;
    uint32_t exits;
} spawners[WORKLOAD_MAX_WORKERS];

static distributor_run_fn run;

static const distributor_task_type_t types[2] = {
    {.name = "even", .run = run, .discard_input = ledger_discard_input,
     .discard_result = ledger_discard_result},
    {.name = "odd", .run = run, .discard_input = ledger_discard_input,
     .discard_result = ledger_discard_result},
};

void workload_reset(const struct workload *next)
{
    workload = *next;
    memset(spawners, 0, sizeof spawners);
}

void workload_order(distributor_options_t *options, struct stress_random *random)
{
    static const unsigned windows[] = {0, 1, 2, 3, 7, 64};
    unsigned window = windows[stress_below(random, sizeof windows / sizeof windows[0])];
    if (stress_chance(random, 50)) {
        options->order = DISTRIBUTOR_AS_ADDED;
        options->window = window;
        ledger_order(workload.adders);
    }
}

uint64_t workload_exits(void)
{
    uint64_t exits = 0;
    for (unsigned i = 0; i < WORKLOAD_MAX_WORKERS; i++) {
        exits += spawners[i].exits;
    }
    return exits;
}

const distributor_task_type_t *workload_type(unsigned owner)
{
    return &types[owner == LEDGER_ANONYMOUS ? 0 : owner & 1];
}

/* Mostly what fits into a slot, now and then what needs memory of its own. */
static size_t random_size(struct stress_random *random)
{
    return stress_chance(random, 70) ? 8 + stress_below(random, 9)
                                     : 17 + stress_below(random, LEDGER_MAX_SIZE - 16);
}

/* ---- Inside a task ---- */

struct run {
    distributor_task_t *self;
    struct ledger_log *log;
    struct ledger_item item;
    struct stress_random random;
    unsigned emitted;
};

static void emit_one(struct run *r)
{
    unsigned char bytes[LEDGER_MAX_SIZE];
    struct ledger_item item = r->item;
    size_t size = random_size(&r->random);
    bool anonymous = item.owner == LEDGER_ANONYMOUS || stress_chance(&r->random, 10);
    if (anonymous) {
        size = stress_below(&r->random, 8);
        item = (struct ledger_item){LEDGER_ANONYMOUS, 0, 0};
    }
    item.part = anonymous ? 0 : r->emitted++;
    ledger_fill(LEDGER_RESULT, item, bytes, size);
    int rc = distributor_emit(r->self, size > 0 ? bytes : NULL, size);
    memset(bytes, 0xee, sizeof bytes);
    STRESS_CHECK(rc == 0 || (rc == -ECANCELED && workload.ending), "emit: %d", rc);
    ledger_write(r->log, LEDGER_EMITTED, item);
}

static void spawn_one(struct run *r)
{
    alignas(max_align_t) unsigned char bytes[LEDGER_MAX_SIZE];
    unsigned worker = distributor_worker_index(r->self);
    size_t size = random_size(&r->random);
    struct ledger_item child = {workload.adders + worker, spawners[worker].sequence++,
                                r->item.part + 1};
    ledger_fill(LEDGER_TASK, child, bytes, size);
    bool by_add = stress_chance(&r->random, 20);
    int rc = by_add ? distributor_add_task(distributor_of(r->self), workload_type(child.owner),
                                           bytes, size)
                    : distributor_spawn(r->self, workload_type(child.owner), bytes, size);
    memset(bytes, 0xee, sizeof bytes);
    STRESS_CHECK(rc == 0 || (rc == -ESHUTDOWN && workload.ending), "spawn: %d", rc);
    if (rc == 0) {
        ledger_write(r->log, LEDGER_ADDED, child);
    }
}

/* By pthread_exit or by a cancellation of its own. */
static void end_thread(struct run *r)
{
    spawners[distributor_worker_index(r->self)].exits++;
    ledger_write(r->log, LEDGER_FAILED, r->item);
    if (stress_chance(&r->random, 50)) {
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    pthread_exit(NULL);
}

static int finish(struct run *r)
{
    static const int errors[] = {-EIO, -ENOENT, -ENOMEM, -ECANCELED, 7};
    if (stress_chance(&r->random, workload.exit_percent)) {
        end_thread(r);
    }
    if (!stress_chance(&r->random, workload.fail_percent)) {
        ledger_write(r->log, LEDGER_COMPLETED, r->item);
        return 0;
    }
    ledger_write(r->log, LEDGER_FAILED, r->item);
    int error = errors[stress_below(&r->random, sizeof errors / sizeof errors[0])];
    if (error < 0 && stress_chance(&r->random, 50)) {
        return distributor_fail(r->self, error, "owner %u number %u", r->item.owner,
                                r->item.sequence);
    }
    return error;
}

static int run(distributor_task_t *self, const void *input, size_t size)
{
    unsigned worker = distributor_worker_index(self);
    struct run r = {.self = self, .log = ledger_log(workload.adders + worker)};
    r.item = ledger_write_begun(r.log, self, input, size);
    bool anonymous = r.item.owner == LEDGER_ANONYMOUS;
    uint64_t chance = anonymous ? spawners[worker].sequence
                                : (uint64_t)r.item.owner << 32 | r.item.sequence;
    r.random.state = stress_mix(workload.seed ^ chance);
    unsigned emits = stress_chance(&r.random, workload.emit_percent)
                         ? 1 + stress_below(&r.random, 3) : 0;
    unsigned spawns = !anonymous && r.item.part < MAX_DEPTH &&
                              stress_chance(&r.random, workload.spawn_percent)
                          ? 1 + stress_below(&r.random, 3) : 0;
    while (emits + spawns > 0) {
        if (stress_below(&r.random, emits + spawns) < emits) {
            emit_one(&r);
            emits--;
        } else {
            spawn_one(&r);
            spawns--;
        }
    }
    if (stress_chance(&r.random, workload.pause_percent)) {
        stress_pause(&r.random, 100);
    }
    return finish(&r);
}

/* ---- Adders ---- */

void workload_adder(struct workload_adder *adder, distributor_t *d, unsigned owner,
                    struct stress_random *random)
{
    *adder = (struct workload_adder){d, owner, 0, {stress_random(random)}};
}

static int add_in_some_way(struct workload_adder *adder, const void *bytes, size_t size,
                           const distributor_task_type_t *type)
{
    switch (stress_below(&adder->random, 3)) {
    case 0:
        return distributor_add_task(adder->d, type, bytes, size);
    case 1:
        return distributor_try_add_task(adder->d, type, bytes, size);
    default:
        return distributor_add_task_until(adder->d, type, bytes, size,
                                          distributor_now() +
                                              stress_below(&adder->random, 200000));
    }
}

static int add_one(struct workload_adder *adder)
{
    alignas(max_align_t) unsigned char bytes[LEDGER_MAX_SIZE];
    struct ledger_item item = {adder->owner, adder->sequence, 0};
    size_t size = random_size(&adder->random);
    if (stress_chance(&adder->random, 3)) {
        item = (struct ledger_item){LEDGER_ANONYMOUS, 0, 0};
        size = stress_below(&adder->random, 8);
    } else {
        adder->sequence++;
    }
    ledger_fill(LEDGER_TASK, item, bytes, size);
    int rc = add_in_some_way(adder, size > 0 ? bytes : NULL, size, workload_type(item.owner));
    memset(bytes, 0xee, sizeof bytes);
    if (rc == 0) {
        ledger_write(ledger_log(adder->owner), LEDGER_ADDED, item);
    }
    return rc;
}

static int add_batch(struct workload_adder *adder)
{
    alignas(max_align_t) unsigned char bytes[MAX_BATCH * LEDGER_MAX_SIZE];
    size_t count = 1 + stress_below(&adder->random, MAX_BATCH);
    size_t size = random_size(&adder->random);
    struct ledger_item first = {adder->owner, adder->sequence, 0};
    for (size_t i = 0; i < count; i++) {
        struct ledger_item item = {adder->owner, adder->sequence++, 0};
        ledger_fill(LEDGER_TASK, item, bytes + i * size, size);
    }
    ptrdiff_t rc = distributor_add_tasks(adder->d, workload_type(adder->owner), bytes, size, count);
    memset(bytes, 0xee, sizeof bytes);
    STRESS_CHECK(rc != 0 && rc <= (ptrdiff_t)count, "add_tasks: %td of %zu", rc, count);
    for (ptrdiff_t i = 0; i < rc; i++) {
        ledger_write(ledger_log(adder->owner), LEDGER_ADDED, first);
        first.sequence++;
    }
    return rc > 0 ? 0 : (int)rc;
}

int workload_add_once(struct workload_adder *adder)
{
    int rc = stress_chance(&adder->random, 20) ? add_batch(adder) : add_one(adder);
    STRESS_CHECK(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT ||
                     (rc == -ESHUTDOWN && workload.ending), "add: %d", rc);
    return rc;
}

int workload_add(struct workload_adder *adder)
{
    int rc;
    /* A refused item is not tried again: the ledger knows that it must never appear. */
    while ((rc = workload_add_once(adder)) == -EAGAIN || rc == -ETIMEDOUT) {
        sched_yield();
    }
    return rc;
}

int workload_add_many(struct workload_adder *adder, unsigned count)
{
    int rc = 0;
    for (unsigned i = 0; i < count && rc == 0; i++) {
        rc = workload_add(adder);
    }
    return rc;
}

/* ---- Readers ---- */

void workload_take(struct ledger_log *log, const distributor_result_t *result)
{
    ledger_write_result(log, result);
    if (result->size >= sizeof(uint64_t) && result->error != 0) {
        struct ledger_item item = ledger_parse(LEDGER_TASK, result->data, result->size);
        STRESS_CHECK(result->type == workload_type(item.owner), "the type of another task");
        if (strncmp(result->message, "owner", 5) == 0) {
            char expected[64];
            snprintf(expected, sizeof expected, "owner %u number %u", item.owner, item.sequence);
            STRESS_CHECK(strcmp(result->message, expected) == 0, "message: %s", result->message);
        }
    } else if (result->size >= sizeof(uint64_t)) {
        struct ledger_item item = ledger_parse(LEDGER_RESULT, result->data, result->size);
        STRESS_CHECK(result->type == workload_type(item.owner), "the type of another task");
    }
}

static ptrdiff_t read_in_some_way(distributor_t *d, distributor_result_t *results, size_t count,
                                  struct stress_random *random)
{
    switch (stress_below(random, 4)) {
    case 0:
        return distributor_next_result(d, results);
    case 1:
        return distributor_try_next_result(d, results);
    case 2:
        return distributor_next_result_until(d, results,
                                             distributor_now() + stress_below(random, 200000));
    default:
        return distributor_next_results(d, results, 1 + stress_below(random, (unsigned)count));
    }
}

int workload_read_all(distributor_t *d, struct ledger_log *log, struct stress_random *random,
                      uint64_t *count)
{
    distributor_result_t results[MAX_BATCH];
    for (;;) {
        ptrdiff_t rc = read_in_some_way(d, results, MAX_BATCH, random);
        if (rc == -EAGAIN) {
            sched_yield();
        } else if (rc <= 0 && rc != -ETIMEDOUT) {
            STRESS_CHECK(rc == 0 || (rc == -ESHUTDOWN && workload.ending), "read: %td", rc);
            return (int)rc;
        }
        for (ptrdiff_t i = 0; i < rc; i++) {
            workload_take(log, &results[i]);
        }
        *count += rc > 0 ? (uint64_t)rc : 0;
    }
}
