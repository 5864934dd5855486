/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults inside a task: spawn, emit, fail, the worker's value, messages, the end of a thread. */
#include "book.h"
#include "inject.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define MANY 12000 /* enough for several blocks of a queue, and several of its pool */
#define FIRST 0    /* the task that does it */
#define OTHERS 10  /* the ids of what it spawns begin here */

static distributor_order_t order; /* of all that are made */

static distributor_t *make(void)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2, .order = order};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    return d;
}

/* Ids rise with the places of the tasks. */
static void begin_book(book_body_fn *body)
{
    book_reset(body);
    if (order == DISTRIBUTOR_AS_ADDED) {
        book_expect_order();
    }
}

/* Runs the body as task FIRST, then shows that the distributor works. */
static void run_first(book_body_fn *body, size_t size)
{
    distributor_t *d = make();
    begin_book(body);
    FAULT_CHECK(book_add(d, FIRST, size) == 0, "add\n");
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    book_finish(d);
    fault_disarm();
    fault_say("is used afterwards");
    begin_book(NULL);
    for (unsigned id = 0; id < 10; id++) {
        FAULT_CHECK(book_add(d, id, id % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    book_finish(d);
    FAULT_CHECK(book_read() == 10, "%u results of 10\n", book_read());
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

/* ---- spawn ---- */

static int spawn_many(distributor_task_t *self, unsigned id, size_t size)
{
    if (id != FIRST) {
        return book_emit(self, id, BOOK_INLINE);
    }
    fault_arm();
    for (unsigned i = 0; i < (size == BOOK_LARGE ? 20 : MANY); i++) {
        int rc = book_spawn(self, OTHERS + i, size);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    fault_disarm();
    FAULT_CHECK(book_spawn(self, OTHERS + MANY, size) == 0, "a spawn with memory\n");
    return 0;
}

static void spawn_inline(void)
{
    run_first(spawn_many, BOOK_INLINE);
}

static void spawn_large(void)
{
    run_first(spawn_many, BOOK_LARGE);
}

/* ---- emit ---- */

static int emit_many(distributor_task_t *self, unsigned id, size_t size)
{
    fault_arm();
    for (unsigned i = 0; i < (size == BOOK_LARGE ? 20 : MANY); i++) {
        int rc = book_emit(self, id, size);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    fault_disarm();
    FAULT_CHECK(book_emit(self, id, size) == 0, "an emit with memory\n");
    return 0;
}

static void emit_inline(void)
{
    run_first(emit_many, BOOK_INLINE);
}

static void emit_large(void)
{
    run_first(emit_many, BOOK_LARGE);
}

/* ---- defer ---- */

static int defer_many(distributor_task_t *self, unsigned id, size_t size)
{
    distributor_task_t *task = NULL;
    if (id != FIRST) {
        return book_emit(self, id, BOOK_INLINE);
    }
    fault_arm();
    int rc = distributor_defer(self, &task);
    FAULT_MAY(rc, 0, -ENOMEM);
    for (unsigned i = 0; rc == 0 && i < (size == BOOK_LARGE ? 20 : MANY); i++) {
        int late = book_emit(task, id, size);
        FAULT_MAY(late, 0, -ENOMEM);
        late = book_spawn(task, OTHERS + i, size);
        FAULT_MAY(late, 0, -ENOMEM);
    }
    fault_disarm();
    FAULT_CHECK(rc == 0 || distributor_defer(self, &task) == 0, "a deferral with memory\n");
    FAULT_CHECK(book_emit(task, id, size) == 0, "an emit with memory\n");
    FAULT_CHECK(distributor_complete(task, 0) == 0, "complete\n");
    return 0;
}

static void defer_inline(void)
{
    run_first(defer_many, BOOK_INLINE);
}

static void defer_large(void)
{
    run_first(defer_many, BOOK_LARGE);
}

/* ---- fail ---- */

/* Stays armed until the reader has the record: its room was made before the task ran. */
static int fail_with_message(distributor_task_t *self, unsigned id, size_t size)
{
    (void)id;
    fault_arm();
    int rc = distributor_fail(self, -EIO, "first of %zu", size);
    FAULT_CHECK(rc == -EIO, "fail: %d\n", rc);
    return distributor_fail(self, -ENOENT, "then of %zu", size);
}

static void fail_with(book_body_fn *body, int error, size_t size)
{
    distributor_t *d = make();
    distributor_result_t result;
    char expected[40];
    snprintf(expected, sizeof expected, "then of %zu", size);
    book_reset(body);
    FAULT_CHECK(book_add(d, FIRST, size) == 0 && distributor_start(d) == 0, "start\n");
    int rc;
    while ((rc = distributor_next_result(d, &result)) == -ENOMEM && fault_fired()) {
        fault_disarm();
    }
    fault_disarm();
    FAULT_CHECK(rc == 1, "read: %d\n", rc);
    /* An error that no errno has needs memory; the failure itself needs none. */
    bool lost = fault_fired() && error < -4095 && result.error == -EOVERFLOW;
    FAULT_CHECK((result.error == error || lost) && result.size == size, "error %d, size %zu\n",
                result.error, result.size);
    FAULT_CHECK(strcmp(result.message, expected) == 0 ||
                    strcmp(result.message, distributor_strerror(result.error)) == 0,
                "message: %s\n", result.message);
    FAULT_CHECK(fault_fired() || body != fail_with_message ||
                    strcmp(result.message, expected) == 0,
                "no message\n");
    book_take(&result);
    book_finish(d);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

static void fail_inline(void)
{
    fail_with(fail_with_message, -ENOENT, BOOK_INLINE);
}

static void fail_large(void)
{
    fail_with(fail_with_message, -ENOENT, BOOK_LARGE);
}

static int fail_plainly(distributor_task_t *self, unsigned id, size_t size)
{
    (void)self;
    (void)id;
    (void)size;
    fault_arm();
    return -ENOENT;
}

static void fail_without_message(void)
{
    fail_with(fail_plainly, -ENOENT, BOOK_LARGE);
}

/* No errno of the system is as large, but it is a negative int. */
static int fail_unusually(distributor_task_t *self, unsigned id, size_t size)
{
    (void)self;
    (void)id;
    (void)size;
    fault_arm();
    return -1000000;
}

static void fail_with_large_error(void)
{
    fail_with(fail_unusually, -1000000, BOOK_INLINE);
}

#define FAILING 6 /* tasks: in order they are several segments, each with a first block */

static void emit_until_refused(distributor_task_t *self, unsigned id)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < MANY; i++) {
        rc = book_emit(self, id, BOOK_INLINE);
    }
    FAULT_MAY(rc, 0, -ENOMEM);
}

/* Emits until there is no memory, and fails; the next ones find no place for their failure, nor for
 * a result, and the last one has memory again. */
static int use_up_and_fail(distributor_task_t *self, unsigned id, size_t size)
{
    (void)size;
    if (id == FIRST) {
        fault_arm();
        emit_until_refused(self, id);
    }
    if (id > FIRST && id < FIRST + FAILING - 1) {
        int rc = book_emit(self, id, BOOK_INLINE);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    if (id == FIRST + FAILING - 1) {
        fault_disarm();
    }
    return distributor_fail(self, -EIO, "task %u", id);
}

static atomic_uint lost;

static void count_lost(void *context, distributor_log_level_t level, const char *worker,
                       const char *line)
{
    (void)context;
    if (strcmp(line, "no memory: a failure has no record") == 0) {
        FAULT_CHECK(level == DISTRIBUTOR_LOG_ERROR && worker != NULL, "level %d\n", (int)level);
        atomic_fetch_add(&lost, 1);
    }
}

/* Each failure has its record, or is told to the log; the summary has it in any case. */
static void fail_without_place(void)
{
    distributor_t *d = NULL;
    distributor_options_t options = {
        .size = sizeof options, .workers = 1, .order = order, .log = count_lost};
    distributor_summary_t summary;
    distributor_result_t result;
    unsigned records = 0;
    atomic_store(&lost, 0);
    begin_book(use_up_and_fail);
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    for (unsigned id = FIRST; id < FIRST + FAILING; id++) {
        FAULT_CHECK(book_add(d, id, BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_run(d, &summary) == 0, "run\n");
    FAULT_CHECK(summary.failed == FAILING && summary.results == book_emitted(),
                "%llu failed, %llu results of %u\n", (unsigned long long)summary.failed,
                (unsigned long long)summary.results, book_emitted());
    while (distributor_next_result(d, &result) == 1) {
        records += result.error == -EIO;
        book_take(&result);
    }
    book_close();
    FAULT_CHECK(records + atomic_load(&lost) == FAILING && (records == FAILING || fault_fired()),
                "%u records, %u lost\n", records, atomic_load(&lost));
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

/* ---- The worker's value ---- */

static atomic_int values_alive;

static void destroy_value(void *value)
{
    FAULT_CHECK(value == &values_alive, "another value\n");
    atomic_fetch_sub(&values_alive, 1);
}

static int set_value(distributor_task_t *self, unsigned id, size_t size)
{
    (void)id;
    (void)size;
    fault_arm();
    atomic_fetch_add(&values_alive, 1);
    int rc = distributor_set_worker_value(self, &values_alive, destroy_value);
    FAULT_CHECK(rc == 0, "set_worker_value: %d\n", rc);
    FAULT_CHECK(distributor_worker_value(self) == &values_alive, "another value\n");
    fault_disarm();
    return book_emit(self, id, BOOK_INLINE);
}

static void worker_value(void)
{
    run_first(set_value, BOOK_INLINE);
    FAULT_CHECK(atomic_load(&values_alive) == 0, "%d values are left\n", values_alive);
}

/* ---- Messages ---- */

static int exchange(distributor_task_t *self, unsigned id, size_t size)
{
    char text[300];
    unsigned sent = 0, received = 0;
    distributor_message_t message;
    memset(text, 'm', sizeof text);
    fault_arm();
    for (unsigned i = 0; i < 20; i++) {
        int rc = distributor_send(distributor_of(self), distributor_worker_index(self), text,
                                  i % 2 == 0 ? 4 : sizeof text);
        FAULT_MAY(rc, 0, -ENOMEM);
        sent += rc == 0;
    }
    int rc;
    while ((rc = distributor_receive(self, &message)) == 1) {
        FAULT_CHECK((message.size == 4 || message.size == sizeof text) &&
                        memcmp(message.data, text, message.size) == 0,
                    "a message of %zu\n", message.size);
        received++;
    }
    FAULT_CHECK(rc == 0 && received == sent, "receive: %d, %u of %u\n", rc, received, sent);
    fault_disarm();
    (void)size;
    return book_emit(self, id, BOOK_INLINE);
}

static void messages(void)
{
    run_first(exchange, BOOK_INLINE);
}

/* ---- The end of the thread ---- */

static unsigned leaving; /* how many tasks, of the first ones */
static bool handling;    /* they have a handler, which stands in the way out of the C library */
static unsigned handled;

static void handle(void *unused)
{
    (void)unused;
    handled++;
}

static void leave_with_handler(void)
{
    pthread_cleanup_push(handle, NULL);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
}

static int end_thread(distributor_task_t *self, unsigned id, size_t size)
{
    (void)self;
    (void)size;
    if (id >= leaving) {
        return book_emit(self, id, BOOK_INLINE);
    }
    fault_arm();
    if (handling) {
        leave_with_handler();
    }
    pthread_exit(NULL);
}

static atomic_uint seated, begins; /* threads that have the worker now, and ever had it */

static void sit_down(void *unused, unsigned worker, const char *name)
{
    (void)unused, (void)worker, (void)name;
    FAULT_CHECK(atomic_fetch_add(&seated, 1) == 0, "two threads have one worker\n");
    atomic_fetch_add(&begins, 1);
}

static void stand_up(void *unused, unsigned worker, const char *name)
{
    (void)unused, (void)worker, (void)name;
    FAULT_CHECK(atomic_fetch_sub(&seated, 1) == 1, "the worker had no thread\n");
}

/* One worker, whose thread ends: the task has failed, the others run all the same, and each time
 * the worker goes on once. */
static void thread_ends_with(unsigned leavers)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options,
                                     .workers = 1,
                                     .order = order,
                                     .worker_started = sit_down,
                                     .worker_stopped = stand_up};
    distributor_result_t result;
    unsigned records = 0, results = 0;
    int rc;
    leaving = leavers;
    atomic_store(&begins, 0);
    begin_book(end_thread);
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    for (unsigned id = 0; id < 5; id++) {
        FAULT_CHECK(book_add(d, id, BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_start(d) == 0 && distributor_close(d) == 0, "start\n");
    while ((rc = distributor_next_result(d, &result)) != 0) {
        FAULT_MAY(rc, 1, -ENOMEM);
        if (rc == -ENOMEM) {
            fault_disarm(); /* the task was faster than the first read, which needs memory too */
        }
        if (rc == 1) {
            book_take(&result);
            records += result.error == -EOWNERDEAD;
            results += result.error == 0;
        }
    }
    fault_disarm();
    FAULT_CHECK(records == leavers && results == 5 - leavers, "%u records, %u results\n", records,
                results);
    FAULT_CHECK(distributor_join(d, NULL) == 0, "join\n");
    FAULT_CHECK(atomic_load(&begins) == leavers + 1 && atomic_load(&seated) == 0,
                "the worker began %u times, %u threads have it\n", atomic_load(&begins),
                atomic_load(&seated));
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

static void thread_ends(void)
{
    thread_ends_with(1);
}

/* Where the system gives no thread in its place it goes on, and is ended again. */
static void thread_ends_again(void)
{
    thread_ends_with(3);
}

static void thread_ends_with_handlers(void)
{
    handling = true;
    handled = 0;
    thread_ends_with(3);
    handling = false;
    FAULT_CHECK(handled == 3, "%u handlers were called\n", handled);
}

/* ---- In order ---- */

/* Tasks that hold a child back each.  With such a window every claim is of one task, so that each
 * is a segment of its own, whose children need a block of their own: more than there are. */
#define HOLDERS 60
#define HOLDING_WORKERS 8
#define HOLDING_WINDOW 63
#define CHILDREN 100 /* their ids, from here on */

static atomic_bool used_up, all_ended;
static atomic_uint ended;

static void await_flag(atomic_bool *flag)
{
    const struct timespec pause = {.tv_nsec = 100000};
    while (!atomic_load(flag)) {
        nanosleep(&pause, NULL);
    }
}

static void use_up(distributor_task_t *self)
{
    fault_arm();
    emit_until_refused(self, FIRST);
    atomic_store(&used_up, true);
    await_flag(&all_ended);
    fault_disarm();
}

/* The first task uses up the memory and runs on; the others have to hold their children back. */
static int use_up_and_spawn(distributor_task_t *self, unsigned id, size_t size)
{
    (void)size;
    if (id >= CHILDREN) {
        return book_emit(self, id, BOOK_INLINE);
    }
    if (id == FIRST) {
        use_up(self);
        return 0;
    }
    await_flag(&used_up);
    int rc = book_spawn(self, CHILDREN + id, BOOK_LARGE);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (atomic_fetch_add(&ended, 1) + 1 == HOLDERS) {
        atomic_store(&all_ended, true);
    }
    return 0;
}

/* What found no place is refused: it comes neither later nor before its turn. */
static void hold_without_place(void)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options,
                                     .workers = HOLDING_WORKERS,
                                     .order = DISTRIBUTOR_AS_ADDED,
                                     .window = HOLDING_WINDOW};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    book_reset(use_up_and_spawn);
    book_expect_order();
    atomic_store(&used_up, false);
    atomic_store(&all_ended, false);
    atomic_store(&ended, 0);
    for (unsigned id = FIRST; id <= FIRST + HOLDERS; id++) {
        FAULT_CHECK(book_add(d, id, BOOK_INLINE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_run(d, NULL) == 0, "run\n");
    book_read_all(d);
    book_close();
    FAULT_CHECK(book_read() == book_emitted(), "%u of %u\n", book_read(), book_emitted());
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

BOOK_ORDERED(spawn_inline)
BOOK_ORDERED(spawn_large)
BOOK_ORDERED(emit_inline)
BOOK_ORDERED(emit_large)
BOOK_ORDERED(fail_large)
BOOK_ORDERED(fail_with_large_error)
BOOK_ORDERED(fail_without_place)
BOOK_ORDERED(thread_ends)
BOOK_ORDERED(thread_ends_again)

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"spawn_inline", spawn_inline},
        {"spawn_large", spawn_large},
        {"defer_inline", defer_inline},
        {"defer_large", defer_large},
        {"emit_inline", emit_inline},
        {"emit_large", emit_large},
        {"fail_inline", fail_inline},
        {"fail_large", fail_large},
        {"fail_without_message", fail_without_message},
        {"fail_with_large_error", fail_with_large_error},
        {"fail_without_place", fail_without_place},
        {"worker_value", worker_value},
        {"messages", messages},
        {"thread_ends", thread_ends},
        {"thread_ends_again", thread_ends_again},
        {"thread_ends_with_handlers", thread_ends_with_handlers},
        {"hold_without_place", hold_without_place},
        {"spawn_inline_ordered", spawn_inline_ordered},
        {"spawn_large_ordered", spawn_large_ordered},
        {"emit_inline_ordered", emit_inline_ordered},
        {"emit_large_ordered", emit_large_ordered},
        {"fail_large_ordered", fail_large_ordered},
        {"fail_with_large_error_ordered", fail_with_large_error_ordered},
        {"fail_without_place_ordered", fail_without_place_ordered},
        {"thread_ends_ordered", thread_ends_ordered},
        {"thread_ends_again_ordered", thread_ends_again_ordered},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
