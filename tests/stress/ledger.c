/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity of tasks and results, and the check that none is lost or doubled; see ledger.h. */
#include "ledger.h"
#include "support.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct record {
    uint64_t serial; /* of what a reader got */
    uint32_t sequence;
    uint16_t owner;
    uint16_t worker; /* of a beginning and of what a reader got */
    uint8_t event;
    uint8_t part;
};

/* Apart by more than a cache line, so that two logs share none. */
struct ledger_log {
    struct record *records;
    size_t count;
    size_t capacity;
    uint64_t last_serial; /* of what it read */
    char apart[96];
};

/* Owners below this one add in the order of serials; all of them, unless results are ordered. */
static unsigned serial_owners;

/* What the replay finds of one task. */
struct tally {
    uint64_t serial;
    uint8_t once[LEDGER_EVENTS]; /* the events of a task, each at most once */
    uint8_t emitted, read, discarded; /* bit i: result i */
    bool has_serial, has_worker;
    uint16_t worker;
};

struct owner {
    struct tally *tallies;
    size_t count;
    size_t begun; /* one more than the number of its task that began last */
};

static struct ledger_log *logs;
static unsigned log_count;

/* Discard callbacks are called by any thread, and are given no context. */
static pthread_mutex_t discard_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ledger_log discards;

void ledger_order(unsigned owners)
{
    serial_owners = owners;
}

void ledger_reset(unsigned count)
{
    serial_owners = LEDGER_ANONYMOUS;
    for (unsigned i = 0; i < log_count; i++) {
        free(logs[i].records);
    }
    free(logs);
    free(discards.records);
    discards = (struct ledger_log){0};
    log_count = count;
    logs = calloc(count, sizeof *logs);
    STRESS_CHECK(logs != NULL, "no memory");
}

struct ledger_log *ledger_log(unsigned index)
{
    STRESS_CHECK(index < log_count, "log %u of %u", index, log_count);
    return &logs[index];
}

/* ---- Words ---- */

static uint64_t word_of(enum ledger_kind kind, struct ledger_item item)
{
    STRESS_CHECK(item.sequence < 1u << 24 && item.owner < 4096 && item.part < 16, "no word");
    uint64_t low = item.sequence | (uint64_t)item.owner << 24 | (uint64_t)item.part << 36;
    uint64_t magic = stress_mix(low ^ (kind == LEDGER_TASK ? 0x7461736bull << 20 : 0)) >> 40;
    return low | magic << 40;
}

static unsigned char pattern_of(uint64_t word, size_t size, size_t index)
{
    return (unsigned char)((word >> 40) + size * 31 + index * 7);
}

void ledger_fill(enum ledger_kind kind, struct ledger_item item, void *bytes, size_t size)
{
    uint64_t word = size < sizeof(uint64_t) ? 0 : word_of(kind, item);
    size_t from = size < sizeof word ? 0 : sizeof word;
    memcpy(bytes, &word, from);
    for (size_t i = from; i < size; i++) {
        ((unsigned char *)bytes)[i] = pattern_of(word, size, i);
    }
}

struct ledger_item ledger_parse(enum ledger_kind kind, const void *bytes, size_t size)
{
    uint64_t word = 0;
    size_t from = size < sizeof word ? 0 : sizeof word;
    STRESS_CHECK((bytes == NULL) == (size == 0), "%zu bytes at %p", size, bytes);
    STRESS_CHECK((uintptr_t)bytes % alignof(max_align_t) == 0, "unaligned: %p", bytes);
    STRESS_CHECK(size <= LEDGER_MAX_SIZE, "%zu bytes", size);
    if (from > 0) {
        memcpy(&word, bytes, from);
    }
    struct ledger_item item = {(unsigned)(word >> 24) & 0xfff, word & 0xffffff,
                               (unsigned)(word >> 36) & 0xf};
    if (from == 0) {
        item.owner = LEDGER_ANONYMOUS;
        item.sequence = (uint32_t)size;
    } else {
        STRESS_CHECK(word == word_of(kind, item), "wrong magic: %016llx",
                     (unsigned long long)word);
    }
    for (size_t i = from; i < size; i++) {
        STRESS_CHECK(((const unsigned char *)bytes)[i] == pattern_of(word, size, i),
                     "byte %zu of %zu of %016llx", i, size, (unsigned long long)word);
    }
    return item;
}

/* ---- Logs ---- */

static struct record *append(struct ledger_log *log, enum ledger_event event,
                             struct ledger_item item)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 256 : log->capacity * 2;
        log->records = realloc(log->records, log->capacity * sizeof *log->records);
        STRESS_CHECK(log->records != NULL, "no memory");
    }
    struct record *record = &log->records[log->count++];
    *record = (struct record){.sequence = item.sequence, .owner = (uint16_t)item.owner,
                              .event = (uint8_t)event, .part = (uint8_t)item.part};
    return record;
}

void ledger_write(struct ledger_log *log, enum ledger_event event, struct ledger_item item)
{
    (void)append(log, event, item);
}

struct ledger_item ledger_write_begun(struct ledger_log *log, const distributor_task_t *self,
                                      const void *input, size_t size)
{
    struct ledger_item item = ledger_parse(LEDGER_TASK, input, size);
    append(log, LEDGER_BEGUN, item)->worker = (uint16_t)distributor_worker_index(self);
    return item;
}

void ledger_write_result(struct ledger_log *log, const distributor_result_t *result)
{
    bool failure = result->error != 0;
    STRESS_CHECK(result->error <= 0 && result->attempt == 1 && result->type != NULL,
                 "error %d, attempt %u", result->error, result->attempt);
    STRESS_CHECK(!failure || result->message != NULL, "a failure without a message");
    STRESS_CHECK(serial_owners == LEDGER_ANONYMOUS || result->serial >= log->last_serial,
                 "serial %llu was read after %llu", (unsigned long long)result->serial,
                 (unsigned long long)log->last_serial);
    log->last_serial = result->serial;
    struct ledger_item item =
        ledger_parse(failure ? LEDGER_TASK : LEDGER_RESULT, result->data, result->size);
    struct record *record = append(log, failure ? LEDGER_FAILURE_READ : LEDGER_READ, item);
    record->serial = result->serial;
    record->worker = (uint16_t)result->worker;
}

static void discard(enum ledger_kind kind, enum ledger_event event, void *bytes, size_t size)
{
    struct ledger_item item = ledger_parse(kind, bytes, size);
    pthread_mutex_lock(&discard_lock);
    (void)append(&discards, event, item);
    pthread_mutex_unlock(&discard_lock);
}

void ledger_discard_input(void *input, size_t size)
{
    discard(LEDGER_TASK, LEDGER_INPUT_DISCARDED, input, size);
}

void ledger_discard_result(void *result, size_t size)
{
    discard(LEDGER_RESULT, LEDGER_RESULT_DISCARDED, result, size);
}

/* ---- Replay ---- */

static void replay_first(struct owner *owners, struct ledger_totals *totals,
                         const struct ledger_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct record *record = &log->records[i];
        struct owner *owner = &owners[record->owner];
        totals->count[record->event]++;
        if (record->owner != LEDGER_ANONYMOUS && owner->count <= record->sequence) {
            owner->count = (size_t)record->sequence + 1;
        }
    }
}

static void once(uint8_t *bits, unsigned bit, const struct record *record)
{
    STRESS_CHECK((*bits & 1u << bit) == 0, "doubled: event %u, owner %u, number %u, result %u",
                 record->event, record->owner, record->sequence, record->part);
    *bits = (uint8_t)(*bits | 1u << bit);
}

static void check_origin(struct tally *tally, const struct record *record)
{
    if (record->event != LEDGER_BEGUN) {
        STRESS_CHECK(!tally->has_serial || tally->serial == record->serial,
                     "serial %llu and %llu of one task", (unsigned long long)tally->serial,
                     (unsigned long long)record->serial);
        tally->serial = record->serial;
        tally->has_serial = true;
    }
    STRESS_CHECK(!tally->has_worker || tally->worker == record->worker,
                 "worker %u and %u of one task", tally->worker, record->worker);
    tally->worker = record->worker;
    tally->has_worker = true;
}

/* What one thread began of one owner, against what it began of that owner before. */
static void check_begun(struct owner *owner, const struct record *record)
{
    STRESS_CHECK(owner->begun == 0 || record->sequence >= owner->begun,
                 "task %u of %u begins after task %zu", record->sequence, record->owner,
                 owner->begun - 1);
    owner->begun = (size_t)record->sequence + 1;
}

static void replay(struct owner *owners, const struct ledger_log *log, unsigned in_order)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct record *record = &log->records[i];
        if (record->owner == LEDGER_ANONYMOUS) {
            continue;
        }
        struct tally *tally = &owners[record->owner].tallies[record->sequence];
        if (record->event == LEDGER_EMITTED) {
            once(&tally->emitted, record->part, record);
        } else if (record->event == LEDGER_READ) {
            once(&tally->read, record->part, record);
        } else if (record->event == LEDGER_RESULT_DISCARDED) {
            once(&tally->discarded, record->part, record);
        } else {
            once(&tally->once[record->event], 0, record);
        }
        if (record->event == LEDGER_BEGUN && record->owner < in_order) {
            check_begun(&owners[record->owner], record);
        }
        if (record->event == LEDGER_BEGUN || record->event == LEDGER_READ ||
            record->event == LEDGER_FAILURE_READ) {
            check_origin(tally, record);
        }
    }
}

/* ---- Checks ---- */

/* One task; returns how many of its results no reader got and no callback. */
static unsigned check_task(const struct tally *tally, unsigned owner, size_t sequence,
                           const struct ledger_rules *rules)
{
    const uint8_t *is = tally->once;
    STRESS_CHECK(is[LEDGER_ADDED] == is[LEDGER_BEGUN] + is[LEDGER_INPUT_DISCARDED],
                 "task %zu of %u: added %u, begun %u, discarded %u", sequence, owner,
                 is[LEDGER_ADDED], is[LEDGER_BEGUN], is[LEDGER_INPUT_DISCARDED]);
    STRESS_CHECK(is[LEDGER_BEGUN] == is[LEDGER_COMPLETED] + is[LEDGER_FAILED],
                 "task %zu of %u began %u times and ended %u times", sequence, owner,
                 is[LEDGER_BEGUN], is[LEDGER_COMPLETED] + is[LEDGER_FAILED]);
    STRESS_CHECK(is[LEDGER_FAILURE_READ] <= is[LEDGER_FAILED],
                 "task %zu of %u: a record of a failure that was none", sequence, owner);
    STRESS_CHECK((tally->read & tally->discarded) == 0, "task %zu of %u: read and discarded: %x",
                 sequence, owner, tally->read & tally->discarded);
    unsigned got = tally->read | tally->discarded;
    STRESS_CHECK((got & ~(unsigned)tally->emitted) == 0, "task %zu of %u: never emitted: %x",
                 sequence, owner, got & ~(unsigned)tally->emitted);
    bool record_missing = is[LEDGER_FAILED] && !is[LEDGER_FAILURE_READ] && !rules->cancelled &&
                          !rules->dropped;
    return (unsigned)__builtin_popcount(tally->emitted & ~got) + record_missing;
}

static int compare_serials(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void check_unique(const struct owner *owners, size_t tasks)
{
    uint64_t *serials = calloc(tasks + 1, sizeof *serials);
    size_t count = 0;
    STRESS_CHECK(serials != NULL, "no memory");
    for (unsigned o = 0; o < LEDGER_ANONYMOUS; o++) {
        for (size_t i = 0; i < owners[o].count; i++) {
            if (owners[o].tallies[i].has_serial) {
                serials[count++] = owners[o].tallies[i].serial;
            }
        }
    }
    qsort(serials, count, sizeof *serials, compare_serials);
    for (size_t i = 1; i < count; i++) {
        STRESS_CHECK(serials[i] != serials[i - 1], "two tasks have the serial %llu",
                     (unsigned long long)serials[i]);
    }
    free(serials);
}

/* Serials grow in the order of adding among the tasks of one thread. */
static void check_order(const struct owner *owner, unsigned index)
{
    const struct tally *last = NULL;
    for (size_t i = 0; i < owner->count; i++) {
        const struct tally *tally = &owner->tallies[i];
        if (tally->has_serial) {
            STRESS_CHECK(last == NULL || last->serial < tally->serial,
                         "serial %llu of task %zu of %u is not after %llu",
                         (unsigned long long)tally->serial, i, index,
                         (unsigned long long)(last != NULL ? last->serial : 0));
            last = tally;
        }
    }
}

static void check_items(struct owner *owners, const struct ledger_rules *rules)
{
    uint64_t missing = 0;
    size_t tasks = 0;
    for (unsigned o = 0; o < LEDGER_ANONYMOUS; o++) {
        tasks += owners[o].count;
        for (size_t i = 0; i < owners[o].count; i++) {
            missing += check_task(&owners[o].tallies[i], o, i, rules);
        }
        if (!rules->several && !rules->threads_change && o < serial_owners) {
            check_order(&owners[o], o);
        }
    }
    STRESS_CHECK(missing <= rules->blind, "%llu results lost", (unsigned long long)missing);
    if (!rules->several) {
        check_unique(owners, tasks);
    }
}

/* The sums, which are all there is of anonymous items. */
static void check_totals(const uint64_t *count, const struct ledger_rules *rules)
{
    uint64_t got = count[LEDGER_READ] + count[LEDGER_RESULT_DISCARDED];
    STRESS_CHECK(count[LEDGER_ADDED] == count[LEDGER_BEGUN] + count[LEDGER_INPUT_DISCARDED],
                 "tasks do not add up");
    STRESS_CHECK(count[LEDGER_BEGUN] == count[LEDGER_COMPLETED] + count[LEDGER_FAILED],
                 "beginnings do not add up");
    STRESS_CHECK(got <= count[LEDGER_EMITTED] && count[LEDGER_EMITTED] <= got + rules->blind,
                 "results: %llu emitted, %llu read, %llu discarded",
                 (unsigned long long)count[LEDGER_EMITTED],
                 (unsigned long long)count[LEDGER_READ],
                 (unsigned long long)count[LEDGER_RESULT_DISCARDED]);
    STRESS_CHECK(rules->cancelled || rules->dropped || rules->blind > 0 ||
                     count[LEDGER_FAILURE_READ] == count[LEDGER_FAILED],
                 "%llu tasks failed, %llu records", (unsigned long long)count[LEDGER_FAILED],
                 (unsigned long long)count[LEDGER_FAILURE_READ]);
}

static void check_summary(const distributor_summary_t *sum, const uint64_t *count,
                          const struct ledger_rules *rules)
{
    stress_state("summary: added %llu completed %llu failed %llu cancelled %llu discarded %llu "
                 "results %llu; here %llu %llu %llu - %llu %llu",
                 (unsigned long long)sum->added, (unsigned long long)sum->completed,
                 (unsigned long long)sum->failed, (unsigned long long)sum->cancelled,
                 (unsigned long long)sum->discarded, (unsigned long long)sum->results,
                 (unsigned long long)count[LEDGER_ADDED],
                 (unsigned long long)count[LEDGER_COMPLETED],
                 (unsigned long long)count[LEDGER_FAILED],
                 (unsigned long long)count[LEDGER_INPUT_DISCARDED],
                 (unsigned long long)count[LEDGER_EMITTED]);
    STRESS_CHECK(sum->added == sum->completed + sum->failed + sum->cancelled + sum->discarded,
                 "the summary does not add up");
    STRESS_CHECK(sum->added == count[LEDGER_ADDED], "added");
    STRESS_CHECK(sum->completed == count[LEDGER_COMPLETED], "completed");
    STRESS_CHECK(sum->discarded == count[LEDGER_INPUT_DISCARDED], "discarded");
    STRESS_CHECK(sum->failed + sum->cancelled == count[LEDGER_FAILED], "failed and cancelled");
    STRESS_CHECK(rules->cancelled || sum->cancelled == 0, "cancelled without a cancel");
    STRESS_CHECK(sum->results == count[LEDGER_EMITTED], "results");
    STRESS_CHECK(sum->retried == 0 && sum->duration_ns >= 0, "retried or duration");
    STRESS_CHECK(count[LEDGER_FAILURE_READ] <= sum->failed, "more records than failures");
}

struct ledger_totals ledger_check(const distributor_summary_t *summary,
                                  const struct ledger_rules *rules)
{
    static struct owner owners[LEDGER_ANONYMOUS + 1];
    struct ledger_totals totals = {{0}};
    memset(owners, 0, sizeof owners);
    for (unsigned i = 0; i <= log_count; i++) {
        replay_first(owners, &totals, i < log_count ? &logs[i] : &discards);
    }
    for (unsigned o = 0; o < LEDGER_ANONYMOUS; o++) {
        if (owners[o].count > 0) {
            owners[o].tallies = calloc(owners[o].count, sizeof *owners[o].tallies);
            STRESS_CHECK(owners[o].tallies != NULL, "no memory");
        }
    }
    for (unsigned i = 0; i <= log_count; i++) {
        replay(owners, i < log_count ? &logs[i] : &discards, rules->in_order);
    }
    check_items(owners, rules);
    check_totals(totals.count, rules);
    if (summary != NULL) {
        check_summary(summary, totals.count, rules);
    }
    for (unsigned o = 0; o < LEDGER_ANONYMOUS; o++) {
        free(owners[o].tallies);
    }
    return totals;
}
