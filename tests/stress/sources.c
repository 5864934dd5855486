/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources of every kind at once: quick ones, slow ones, ones that say "not now" and are told by a
 * thread that they are ready, ones that fail; beside adders and spawning tasks, with both limits,
 * until they end, are stopped or cancelled.  What a source gave ends once: it ran, or was
 * discarded; it is asked by one thread at a time, and not again after its end.
 */
#include "support.h"

#include <distributor.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SOURCES 80
#define MAX_INPUTS 4000

enum kind { QUICK, SLOW, AGAIN, FAILING, KINDS };

struct source {
    unsigned index;
    enum kind kind;
    unsigned end;              /* inputs that it has */
    unsigned given;            /* of those, so far; the library excludes two askers */
    struct stress_random random;
    atomic_uint inside;
    atomic_bool ended;         /* it said so, or failed */
    atomic_bool waits;         /* it said "not now" */
    _Atomic unsigned char seen[MAX_INPUTS];
};

static struct source sources[MAX_SOURCES];

static struct round {
    distributor_t *d;
    unsigned workers, sources, adders, tasks;
    uint64_t input_limit, output_limit;
    int end; /* 0: close, 1: stop, 2: cancel, 3: cancel twice */
    enum stress_placement placement;
    atomic_bool over;
    atomic_ullong ran, discarded, failures, read;
} now;

struct input {
    uint32_t magic;
    uint16_t source; /* MAX_SOURCES: an adder or a spawning task */
    uint16_t number;
};

#define MAGIC 0x50a1ce55u

static void see(const void *bytes, size_t size)
{
    struct input input;
    STRESS_CHECK(size >= sizeof input, "an input of %zu bytes", size);
    memcpy(&input, bytes, sizeof input);
    STRESS_CHECK(input.magic == MAGIC, "a damaged input: magic %x", input.magic);
    if (input.source == MAX_SOURCES) {
        return;
    }
    struct source *source = &sources[input.source];
    STRESS_CHECK(input.number < source->end, "input %u of %u", input.number, source->end);
    STRESS_CHECK(atomic_fetch_add(&source->seen[input.number], 1) == 0,
                 "input %u of source %u came twice", input.number, input.source);
}

static int run(distributor_task_t *self, const void *bytes, size_t size);

static void discard(void *bytes, size_t size)
{
    see(bytes, size);
    atomic_fetch_add(&now.discarded, 1);
}

static const distributor_task_type_t type = {.name = "input", .run = run, .discard_input = discard};

static int run(distributor_task_t *self, const void *bytes, size_t size)
{
    struct input input;
    memcpy(&input, bytes, sizeof input);
    see(bytes, size);
    atomic_fetch_add(&now.ran, 1);
    if (now.sources == 1 && input.number % 500 == 499)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); /* others take it away */
    if (input.source != MAX_SOURCES && input.number % 50 == 0) {
        input.source = MAX_SOURCES;
        int rc = distributor_spawn(self, &type, &input, sizeof input);
        STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN, "spawn: %d", rc);
    }
    if (input.number % 3 == 0) {
        int rc = distributor_emit(self, bytes, size);
        STRESS_CHECK(rc == 0 || rc == -ECANCELED, "emit: %d", rc);
    }
    return 0;
}

static int give(struct source *source, distributor_input_t *input)
{
    unsigned char bytes[64] = {0};
    struct input next = {MAGIC, (uint16_t)source->index, (uint16_t)source->given};
    memcpy(bytes, &next, sizeof next);
    source->given++;
    size_t size = sizeof next + (stress_chance(&source->random, 10) ? 40 : 0);
    STRESS_CHECK(distributor_set_input(input, bytes, size) == 1, "set_input");
    return 1;
}

static int answer(struct source *source, distributor_input_t *input)
{
    struct stress_random *random = &source->random;
    if (source->kind == SLOW || stress_chance(random, 1)) {
        stress_pause(random, 100);
    }
    if (source->kind == AGAIN && stress_chance(random, 20)) {
        atomic_store(&source->waits, true);
        stress_pause(random, 5);
        return -EAGAIN;
    }
    if (source->given < source->end) {
        return give(source, input);
    }
    atomic_store(&source->ended, true);
    if (source->kind != FAILING) {
        return 0;
    }
    atomic_fetch_add(&now.failures, 1);
    return -EIO;
}

static int ask(void *context, distributor_input_t *input)
{
    struct source *source = context;
    STRESS_CHECK(atomic_fetch_add(&source->inside, 1) == 0, "two threads ask a source");
    STRESS_CHECK(!atomic_load(&source->ended), "a source is asked after its end");
    int rc = answer(source, input);
    STRESS_CHECK(atomic_fetch_sub(&source->inside, 1) == 1, "two threads ask a source");
    return rc;
}

/* Says "ready" for those that wait, sometimes for all. */
static void *tell(void *unused)
{
    struct stress_random random = {stress.seed};
    (void)unused;
    while (!atomic_load(&now.over)) {
        for (unsigned i = 0; i < now.sources; i++) {
            if (atomic_exchange(&sources[i].waits, false) || stress_chance(&random, 1)) {
                STRESS_CHECK(distributor_source_ready(now.d, &sources[i]) == 0, "ready");
            }
        }
        stress_pause(&random, 50);
    }
    return NULL;
}

static void *add(void *unused)
{
    const struct input input = {MAGIC, MAX_SOURCES, 1};
    (void)unused;
    for (unsigned i = 0; i < now.tasks; i++) {
        int rc = distributor_add_task(now.d, &type, &input, sizeof input);
        STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN, "add: %d", rc);
    }
    return NULL;
}

static void *read_results(void *unused)
{
    distributor_result_t result;
    int rc;
    (void)unused;
    while ((rc = distributor_next_result(now.d, &result)) == 1) {
        STRESS_CHECK(result.error == 0 || (result.error == -EIO && result.data == NULL),
                     "a result with error %d", result.error);
        atomic_fetch_add(&now.read, 1);
    }
    STRESS_CHECK(rc == 0 || rc == -ESHUTDOWN, "read: %d", rc);
    return NULL;
}

static void plan(struct stress_random *random)
{
    static const unsigned workers[] = {1, 2, 3, 8, 16}, limits[] = {0, 0, 1, 3, 64};
    static const unsigned numbers[] = {1, 2, 5, MAX_SOURCES};
    memset(&now, 0, sizeof now);
    now.placement = (enum stress_placement)stress_below(random, STRESS_PLACEMENTS);
    now.workers = workers[stress_below(random, 5)];
    now.sources = numbers[stress_below(random, 4)];
    now.input_limit = limits[stress_below(random, 5)];
    now.output_limit = limits[stress_below(random, 5)];
    now.adders = stress_below(random, 3);
    now.tasks = 1 + stress_below(random, stress.tasks / 4);
    now.end = stress_chance(random, 60) ? 0 : 1 + (int)stress_below(random, 3);
    if (stress_chance(random, 30)) { /* one that a worker may keep */
        now.sources = 1;
        now.input_limit = 0;
    }
    if (stress.workers > 0) {
        now.workers = stress.workers;
    }
    if (stress.placement >= 0) {
        now.placement = (enum stress_placement)stress.placement;
    }
    unsigned most = stress.tasks / now.sources + 1;
    for (unsigned i = 0; i < now.sources; i++) {
        memset(&sources[i], 0, sizeof sources[i]);
        sources[i].index = i;
        sources[i].kind = (enum kind)stress_below(random, KINDS);
        sources[i].end = stress_below(random, most < MAX_INPUTS ? most : MAX_INPUTS);
        sources[i].random.state = stress_random(random);
    }
    stress_state("%s: %u workers, %u sources, %u adders of %u, limits %llu %llu, end %d",
                 stress_placement_name(now.placement), now.workers, now.sources, now.adders,
                 now.tasks, (unsigned long long)now.input_limit,
                 (unsigned long long)now.output_limit, now.end);
}

/* All that was given has been seen once. */
static void check_sources(void)
{
    for (unsigned i = 0; i < now.sources; i++) {
        STRESS_CHECK(now.end != 0 || sources[i].given == sources[i].end,
                     "source %u of kind %d gave %u of %u", i, (int)sources[i].kind,
                     sources[i].given, sources[i].end);
        for (unsigned n = 0; n < sources[i].end; n++) {
            STRESS_CHECK(atomic_load(&sources[i].seen[n]) == (n < sources[i].given),
                         "input %u of source %u, which gave %u, was lost", n, i, sources[i].given);
        }
    }
}

static void end_round(pthread_t reader)
{
    distributor_summary_t summary;
    if (now.end == 3) {
        STRESS_CHECK(distributor_cancel(now.d) == 0, "cancel");
    }
    STRESS_CHECK(distributor_join(now.d, &summary) == 0, "join");
    stress_join(reader);
    check_sources();
    STRESS_CHECK(summary.completed == atomic_load(&now.ran), "completed");
    STRESS_CHECK(summary.discarded == atomic_load(&now.discarded), "discarded");
    STRESS_CHECK(summary.failed + summary.cancelled == atomic_load(&now.failures), "failed");
    STRESS_CHECK(summary.added == summary.completed + summary.failed + summary.cancelled +
                                      summary.discarded, "the summary does not add up");
    if (now.end < 2) {
        STRESS_CHECK(summary.results + summary.failed == atomic_load(&now.read), "results");
    }
}

static void run_round(struct stress_random *random)
{
    pthread_t adders[2], teller, reader;
    bool early = stress_chance(random, 50);
    STRESS_CHECK(!early || distributor_start(now.d) == 0, "start");
    for (unsigned i = 0; i < now.sources; i++) {
        STRESS_CHECK(distributor_add_source(now.d, &type, ask, &sources[i]) == 0, "add_source");
    }
    STRESS_CHECK(early || distributor_start(now.d) == 0, "start");
    stress_thread(&reader, read_results, NULL);
    stress_thread(&teller, tell, NULL);
    for (unsigned i = 0; i < now.adders; i++) {
        stress_thread(&adders[i], add, NULL);
    }
    if (now.end != 0) {
        stress_pause(random, 2000);
        int rc = now.end == 1 ? distributor_stop(now.d) : distributor_cancel(now.d);
        STRESS_CHECK(rc == 0, "stop or cancel");
    }
    for (unsigned i = 0; i < now.adders; i++) {
        stress_join(adders[i]);
    }
    end_round(reader);
    atomic_store(&now.over, true);
    stress_join(teller);
    STRESS_CHECK(distributor_destroy(now.d) == 0, "destroy");
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "sources", .rounds = 200, .tasks = 4000,
                                          .placement = -1}, argc, argv);
    while (stress_next(&random)) {
        plan(&random);
        distributor_options_t options = {.size = sizeof options,
                                         .workers = now.workers,
                                         .input_limit = now.input_limit,
                                         .output_limit = now.output_limit,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement(now.placement);
        STRESS_CHECK(distributor_create(&now.d, &options) == 0, "create");
        run_round(&random);
    }
    return stress_end();
}
