/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger of a scenario; see book.h. */
#include "schedule/book.h"

#include <errno.h>
#include <string.h>

#include "base/os.h"

#define TASKS_MAX 24u
#define SOURCES_MAX 2u

distributor_t *book_pool;

/* Of each task. */
static struct entry {
    bool accepted;
    unsigned ran;
    unsigned discarded;
    unsigned emitted;
    unsigned failed;
    unsigned results; /* read or discarded */
} entries[TASKS_MAX];
static unsigned count;
static _Atomic uint32_t runs; /* of all, what the next ones sleep on */
static unsigned sleepers;
static _Atomic uint32_t let_go; /* what held tasks sleep on */
static const distributor_task_type_t *const *roles;
static bool drained; /* somebody read until STOP: no result is left then */
static bool ordered; /* and one thread reads */
static uint64_t last_serial;

/* The context of all is `sources`, so that one call says that they are ready. */
static struct book_source {
    unsigned next;
    unsigned step;
    unsigned left;
    int end;
    bool asked;
    bool held; /* asked, it waits */
} sources[SOURCES_MAX];
static bool slow_sources, sources_ready;
static unsigned calls_left; /* of sources */
static pthread_mutex_t hold_lock;
static pthread_cond_t released;
static unsigned source_count;
static unsigned source_failures; /* tasks without an entry */

static struct entry *entry_of(const void *data, size_t size)
{
    uint64_t number;

    schedule_check(size == sizeof number && data != NULL);
    memcpy(&number, data, sizeof number);
    schedule_check(number < count);
    return &entries[number];
}

bool book_has_run(unsigned number)
{
    return entries[number].ran > 0;
}

/* ---- tasks ---- */

static struct entry *begin(const void *input, size_t size)
{
    struct entry *entry = entry_of(input, size);

    entry->ran++;
    schedule_check(entry->ran == 1 && entry->discarded == 0);
    runs++;
    if (sleepers > 0)
        distr_futex_wake(&runs, INT32_MAX);
    return entry;
}

static int emit(distributor_task_t *self, struct entry *entry)
{
    uint64_t number = (uint64_t)(entry - entries);

    entry->emitted++;
    int rc = distributor_emit(self, &number, sizeof number);
    schedule_check(rc == 0 || rc == -ECANCELED);
    return rc;
}

static int run_emits(distributor_task_t *self, const void *input, size_t size)
{
    return emit(self, begin(input, size));
}

static int run_quiet(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    begin(input, size);
    return 0;
}

static int emit_times(distributor_task_t *self, struct entry *entry, unsigned times)
{
    int rc = 0;

    for (unsigned i = 0; i < times && rc == 0; i++)
        rc = emit(self, entry);
    return rc;
}

static int run_thrice(distributor_task_t *self, const void *input, size_t size)
{
    return emit_times(self, begin(input, size), 3);
}

static int run_many(distributor_task_t *self, const void *input, size_t size)
{
    return emit_times(self, begin(input, size), 7);
}

static int run_fails(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    begin(input, size)->failed++;
    return -EIO;
}

static int spawn_times(distributor_task_t *self, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        uint64_t number = count++;
        entries[number].accepted = true; /* before it can run */
        int rc = distributor_spawn(self, &book_quiet, &number, sizeof number);
        if (rc != 0)
            entries[number].accepted = false;
        schedule_check(rc == 0 || rc == -ESHUTDOWN);
    }
    return 0;
}

static int run_spawns(distributor_task_t *self, const void *input, size_t size)
{
    begin(input, size);
    return spawn_times(self, 2);
}

static int run_spawns_many(distributor_task_t *self, const void *input, size_t size)
{
    begin(input, size);
    return spawn_times(self, 5);
}

static int run_waits(distributor_task_t *self, const void *input, size_t size)
{
    const struct entry *entry = begin(input, size);

    (void)self;
    while (entry[1].ran == 0)
        schedule_yield();
    return 0;
}

static int run_sleeps(distributor_task_t *self, const void *input, size_t size)
{
    const struct entry *entry = begin(input, size);

    (void)self;
    sleepers++;
    while (entry + 1 < entries + count && entry[1].ran == 0)
        distr_futex_wait(&runs, runs, INT64_MAX);
    sleepers--;
    return 0;
}

/* Emits first: a step that others can see, between its begin and its sleep. */
static int run_waits_last(distributor_task_t *self, const void *input, size_t size)
{
    int rc = emit(self, begin(input, size));

    sleepers++;
    while (entries[count - 1].ran == 0)
        distr_futex_wait(&runs, runs, INT64_MAX);
    sleepers--;
    return rc;
}

static int run_held(distributor_task_t *self, const void *input, size_t size)
{
    int rc = emit(self, begin(input, size));

    while (let_go == 0)
        distr_futex_wait(&let_go, 0, INT64_MAX);
    return rc;
}

static int run_as_told(distributor_task_t *self, const void *input, size_t size)
{
    const distributor_task_type_t *type = roles[entry_of(input, size) - entries];

    return type ? type->run(self, input, size) : run_quiet(self, input, size);
}

static int run_answered(distributor_task_t *self, const void *input, size_t size)
{
    struct entry *entry = begin(input, size);
    int rc = emit(self, entry);

    while (rc == 0 && entry->results == 0)
        schedule_yield();
    return rc;
}

static int run_needs_child(distributor_task_t *self, const void *input, size_t size)
{
    unsigned child = count;

    begin(input, size);
    spawn_times(self, 1);
    while (entries[child].accepted && entries[child].ran == 0)
        schedule_yield();
    return 0;
}

static int run_parents(distributor_task_t *self, const void *input, size_t size)
{
    struct entry *entry = begin(input, size);
    uint64_t child = (uint64_t)(entry - entries) + 1;

    emit(self, entry);
    entries[child].accepted = true; /* before it can run */
    int rc = distributor_spawn(self, &book_emits, &child, sizeof child);
    if (rc != 0)
        entries[child].accepted = false;
    schedule_check(rc == 0 || rc == -ESHUTDOWN);
    return 0;
}

static int run_heirs(distributor_task_t *self, const void *input, size_t size)
{
    const struct entry *entry = entry_of(input, size);

    sleepers++;
    while (entry > entries && entry[-1].ran == 0)
        distr_futex_wait(&runs, runs, INT64_MAX);
    sleepers--;
    return run_parents(self, input, size);
}

static int run_exits(distributor_task_t *self, const void *input, size_t size)
{
    (void)self;
    begin(input, size)->failed++;
    pthread_exit(NULL);
}

static void discard_input(void *input, size_t size)
{
    struct entry *entry = entry_of(input, size);

    entry->discarded++;
    schedule_check(entry->ran == 0 && entry->discarded == 1);
}

static void count_result(struct entry *entry)
{
    entry->results++;
    schedule_check(entry->results <= entry->emitted + entry->failed);
}

static void discard_result(void *result, size_t size)
{
    count_result(entry_of(result, size));
}

#define BOOK_TYPE(how) \
    { \
        .name = #how, .run = run_##how, .discard_input = discard_input, \
        .discard_result = discard_result \
    }
const distributor_task_type_t book_emits = BOOK_TYPE(emits);
const distributor_task_type_t book_quiet = BOOK_TYPE(quiet);
const distributor_task_type_t book_thrice = BOOK_TYPE(thrice);
const distributor_task_type_t book_many = BOOK_TYPE(many);
const distributor_task_type_t book_fails = BOOK_TYPE(fails);
const distributor_task_type_t book_spawns = BOOK_TYPE(spawns);
const distributor_task_type_t book_spawns_many = BOOK_TYPE(spawns_many);
const distributor_task_type_t book_waits = BOOK_TYPE(waits);
const distributor_task_type_t book_sleeps = BOOK_TYPE(sleeps);
const distributor_task_type_t book_waits_last = BOOK_TYPE(waits_last);
const distributor_task_type_t book_held = BOOK_TYPE(held);
const distributor_task_type_t book_as_told = BOOK_TYPE(as_told);
const distributor_task_type_t book_answered = BOOK_TYPE(answered);
const distributor_task_type_t book_needs_child = BOOK_TYPE(needs_child);
const distributor_task_type_t book_exits = BOOK_TYPE(exits);
const distributor_task_type_t book_parents = BOOK_TYPE(parents);
const distributor_task_type_t book_heirs = BOOK_TYPE(heirs);

/* ---- calls ---- */

static void create(const distributor_options_t *options)
{
    memset(entries, 0, sizeof entries);
    count = 0;
    sleepers = 0;
    let_go = 0;
    ordered = options->order == DISTRIBUTOR_AS_ADDED;
    last_serial = 0;
    drained = false;
    source_count = 0;
    slow_sources = sources_ready = false;
    calls_left = UINT32_MAX;
    source_failures = 0;
    schedule_check(distributor_create(&book_pool, options) == 0);
}

void book_create(unsigned workers, uint64_t input_limit, uint64_t output_limit)
{
    create(&(distributor_options_t){.size = sizeof(distributor_options_t),
                                    .workers = workers,
                                    .input_limit = input_limit,
                                    .output_limit = output_limit,
                                    .deadlock_ns = DISTRIBUTOR_FOREVER});
}

void book_create_ordered(unsigned workers, uint64_t window, uint64_t output_limit)
{
    create(&(distributor_options_t){.size = sizeof(distributor_options_t),
                                    .workers = workers,
                                    .order = DISTRIBUTOR_AS_ADDED,
                                    .window = window,
                                    .output_limit = output_limit,
                                    .deadlock_ns = DISTRIBUTOR_FOREVER});
}

void book_start(void)
{
    schedule_check(distributor_start(book_pool) == 0);
}

/* The entry is there before the call: the task may run before the call returns. */
static int note_add(uint64_t number, int rc, int refusal)
{
    if (rc != 0) {
        schedule_check(rc == refusal);
        schedule_check(entries[number].ran == 0 && entries[number].discarded == 0);
    }
    entries[number].accepted = rc == 0;
    return rc;
}

int book_add(const distributor_task_type_t *type, int refusal)
{
    uint64_t number = count++;

    return note_add(number, distributor_add_task(book_pool, type, &number, sizeof number), refusal);
}

int book_try_add(const distributor_task_type_t *type, int refusal)
{
    uint64_t number = count++;

    return note_add(number, distributor_try_add_task(book_pool, type, &number, sizeof number),
                    refusal);
}

void book_add_roles(const distributor_task_type_t *const *types, unsigned tasks)
{
    roles = types;
    for (unsigned i = 0; i < tasks; i++)
        book_add(&book_as_told, 0);
}

void book_let_go(void)
{
    let_go = 1;
    distr_futex_wake(&let_go, INT32_MAX);
}

/* ---- sources ---- */

static void wait_until_released(const struct book_source *source)
{
    pthread_mutex_lock(&hold_lock);
    while (source->held)
        pthread_cond_wait(&released, &hold_lock);
    pthread_mutex_unlock(&hold_lock);
}

static int answer(struct book_source *source, distributor_input_t *input)
{
    uint64_t number = source->next;

    if (source->held)
        wait_until_released(source);
    if (source->end == -EAGAIN && source->left <= 1) {
        if (!sources_ready)
            return -EAGAIN;
        source->end = 0;
    }
    if (source->left == 0) {
        source_failures += source->end != 0;
        return source->end;
    }
    source->left--;
    source->next += source->step;
    entries[number].accepted = true; /* before it can run */
    return distributor_set_input(input, &number, sizeof number);
}

/* Nobody else may ask it meanwhile. */
static int ask(struct book_source *source, distributor_input_t *input)
{
    schedule_check(!source->asked && calls_left-- > 0);
    source->asked = true;
    int rc = answer(source, input);
    if (slow_sources)
        schedule_yield();
    source->asked = false;
    return rc;
}

void book_slow_sources(void)
{
    slow_sources = true;
}

void book_no_more_inputs(void)
{
    calls_left = 1;
}

static int ask_first(void *context, distributor_input_t *input)
{
    (void)context;
    return ask(&sources[0], input);
}

static int ask_second(void *context, distributor_input_t *input)
{
    (void)context;
    return ask(&sources[1], input);
}

void book_add_source(const distributor_task_type_t *type, unsigned inputs, unsigned step, int end)
{
    schedule_check(source_count < SOURCES_MAX);
    sources[source_count] =
        (struct book_source){.next = count, .step = step, .left = inputs, .end = end};
    count += inputs * step;
    ordered = false; /* their serials are not those of the input */
    distributor_source_fn *first = source_count == 0 ? ask_first : ask_second;
    schedule_check(distributor_add_source(book_pool, type, first, sources) == 0);
    source_count++;
}

void book_hold_source(void)
{
    pthread_mutex_init(&hold_lock, NULL);
    pthread_cond_init(&released, NULL);
    sources[source_count - 1].held = true;
}

void book_release_source(void)
{
    pthread_mutex_lock(&hold_lock);
    for (unsigned i = 0; i < source_count; i++)
        sources[i].held = false;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&hold_lock);
}

void *book_source_ready(void *unused)
{
    (void)unused;
    sources_ready = true;
    schedule_check(distributor_source_ready(book_pool, sources) == 0);
    return NULL;
}

/* ---- results ---- */

void book_note(const distributor_result_t *result)
{
    if (!result->data) { /* of a source */
        schedule_check(result->error != 0 && source_failures > 0);
        return;
    }
    count_result(entry_of(result->data, result->size));
    schedule_check(!ordered || result->serial >= last_serial);
    last_serial = result->serial;
}

static int note_read(int rc, const distributor_result_t *result)
{
    if (rc == 1)
        book_note(result);
    return rc;
}

int book_read(void)
{
    distributor_result_t result;

    return note_read(distributor_next_result(book_pool, &result), &result);
}

int book_try_read(void)
{
    distributor_result_t result;

    return note_read(distributor_try_next_result(book_pool, &result), &result);
}

int book_read_all(void)
{
    int rc;

    do
        rc = book_read();
    while (rc == 1);
    drained = drained || rc == 0;
    return rc;
}

/* Adds that are still inside may be accepted after it: they belong to the next run. */
void book_join(void)
{
    distributor_summary_t summary;
    uint64_t ran = 0;
    uint64_t discarded = 0;
    uint64_t emitted = 0;

    schedule_check(distributor_join(book_pool, &summary) == 0);
    for (unsigned i = 0; i < count; i++) {
        ran += entries[i].ran;
        discarded += entries[i].discarded;
        emitted += entries[i].emitted;
    }
    schedule_check(summary.completed + summary.failed + summary.cancelled ==
                   ran + source_failures);
    schedule_check(summary.discarded == discarded);
    schedule_check(summary.results == emitted);
    schedule_check(summary.added == ran + source_failures + discarded);
}

void book_all_ran(void)
{
    for (unsigned i = 0; i < count; i++)
        schedule_check(entries[i].ran == entries[i].accepted);
}

void book_check(void)
{
    for (unsigned i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        schedule_check(entry->ran + entry->discarded == entry->accepted);
        /* A failure that nobody read is discarded without a call. */
        schedule_check(entry->results <= entry->emitted + entry->failed);
        schedule_check(entry->results >= entry->emitted);
        schedule_check(!drained || entry->results == entry->emitted + entry->failed);
    }
}

void book_destroy(void)
{
    schedule_check(distributor_destroy(book_pool) == 0);
    book_check();
}

pthread_t book_thread(void *(*routine)(void *argument))
{
    pthread_t thread;

    schedule_check(pthread_create(&thread, NULL, routine, NULL) == 0);
    return thread;
}

void book_wait_for(pthread_t thread)
{
    pthread_join(thread, NULL);
}

void *book_add_one(void *unused)
{
    (void)unused;
    book_add(&book_quiet, -ESHUTDOWN);
    return NULL;
}

void *book_add_two(void *unused)
{
    book_add_one(unused);
    return book_add_one(unused);
}
