/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults at the two ends of a distributor: adding tasks and reading results. */
#include "book.h"
#include "inject.h"

#include <errno.h>
#include <pthread.h>

#define MANY 12000 /* tasks: enough for several blocks of a queue, and several of its pool */

static distributor_order_t order; /* of all that are made */

static distributor_t *make(unsigned workers, bool started)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = workers, .order = order};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    FAULT_CHECK(!started || distributor_start(d) == 0, "start\n");
    return d;
}

/* Memory is back: it takes and runs tasks as before. */
static void use_and_destroy(distributor_t *d, bool started)
{
    fault_disarm();
    fault_say("is used afterwards");
    for (unsigned id = BOOK_TASKS - 10; id < BOOK_TASKS; id++) {
        FAULT_CHECK(book_add(d, id, id % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(started || distributor_start(d) == 0, "start\n");
    book_finish(d);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

/* ---- Adding ---- */

typedef int add_fn(distributor_t *d, unsigned id, size_t size);

static void add_with(add_fn *add, size_t size, unsigned count, bool started)
{
    distributor_t *d = make(2, started);
    book_reset(NULL);
    fault_arm();
    for (unsigned id = 0; id < count; id++) {
        int rc = add(d, id, size);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    use_and_destroy(d, started);
}

static void add_inline(void)
{
    add_with(book_add, BOOK_INLINE, MANY, false);
}

static void add_large(void)
{
    add_with(book_add, BOOK_LARGE, 20, false);
}

static void add_running(void)
{
    add_with(book_add, BOOK_LARGE, 20, true);
}

static void try_add(void)
{
    add_with(book_try_add, BOOK_LARGE, 10, false);
}

static void try_add_inline(void)
{
    add_with(book_try_add, BOOK_INLINE, MANY, false);
}

static void add_until(void)
{
    add_with(book_add_until, BOOK_LARGE, 10, true);
}

static void add_array(size_t size, unsigned count)
{
    distributor_t *d = make(2, false);
    book_reset(NULL);
    fault_arm();
    ptrdiff_t rc = book_add_several(d, 0, size, count);
    FAULT_CHECK(rc == (ptrdiff_t)count ||
                    (fault_fired() && (rc == -ENOMEM || (rc > 0 && rc < (ptrdiff_t)count))),
                "add_tasks: %td\n", rc);
    use_and_destroy(d, false);
}

static void add_array_inline(void)
{
    add_array(BOOK_INLINE, MANY);
}

static void add_array_large(void)
{
    add_array(BOOK_LARGE, 20);
}

/* With a limit: what was refused has taken no place of the room. */
static void add_limited(void)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2, .input_limit = 20,
                                     .deadlock_ns = DISTRIBUTOR_FOREVER};
    unsigned id = 0;
    book_reset(NULL);
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    fault_arm();
    for (; id < 20; id++) {
        int rc = book_try_add(d, id, BOOK_LARGE);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    fault_disarm();
    while (book_accepted() < 20) {
        FAULT_CHECK(book_try_add(d, id++, BOOK_LARGE) == 0, "the room is lost\n");
    }
    FAULT_CHECK(book_try_add(d, id, BOOK_INLINE) == -EAGAIN, "no limit\n");
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    use_and_destroy(d, true);
}

static void *add_one(void *d)
{
    int rc = book_add(d, 0, BOOK_LARGE);
    FAULT_MAY(rc, 0, -ENOMEM);
    rc = book_add(d, 1, BOOK_INLINE);
    FAULT_MAY(rc, 0, -ENOMEM);
    return NULL;
}

static void *read_one(void *argument)
{
    distributor_t *d = argument;
    distributor_result_t result;
    int rc = distributor_next_result(d, &result);
    FAULT_MAY(rc, 1, -ENOMEM);
    if (rc == 1) {
        book_take(&result);
    }
    return NULL;
}

/* A thread that comes, does one thing, and ends: its own records are made meanwhile. */
static void in_a_thread(void *(*what)(void *), distributor_t *d)
{
    pthread_t thread;
    FAULT_CHECK(pthread_create(&thread, NULL, what, d) == 0, "no thread\n");
    FAULT_CHECK(pthread_join(thread, NULL) == 0, "join\n");
}

static void *arm_and_add(void *d)
{
    fault_arm();
    return add_one(d);
}

static void *arm_and_read(void *d)
{
    fault_arm();
    return read_one(d);
}

static void add_in_new_thread(void)
{
    distributor_t *d = make(2, true);
    book_reset(NULL);
    in_a_thread(arm_and_add, d);
    use_and_destroy(d, true);
}

/* Its record is the first one of a group. */
static void add_in_65th_thread(void)
{
    distributor_t *d = make(64, false);
    book_reset(NULL);
    in_a_thread(arm_and_add, d);
    use_and_destroy(d, false);
}

/* ---- Reading ---- */

/* A run of `count` tasks whose results are all unread. */
static distributor_t *with_results(unsigned count)
{
    distributor_t *d = make(2, false);
    distributor_summary_t summary;
    book_reset(NULL);
    for (unsigned id = 0; id < count; id++) {
        FAULT_CHECK(book_add(d, id, id % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_run(d, &summary) == 0 && summary.results == count, "run\n");
    return d;
}

/* All that was emitted is still there for the reader. */
static void read_rest(distributor_t *d, unsigned count)
{
    fault_disarm();
    book_read_all(d);
    book_close();
    FAULT_CHECK(book_read() == count, "%u of %u results\n", book_read(), count);
    book_reset(NULL);
    use_and_destroy(d, false);
}

static void next_result(void)
{
    distributor_t *d = with_results(30);
    distributor_result_t result;
    fault_arm();
    for (unsigned i = 0; i < 10; i++) {
        int rc = i % 2 == 0 ? distributor_next_result(d, &result)
                            : distributor_try_next_result(d, &result);
        FAULT_MAY(rc, 1, -ENOMEM);
        if (rc == 1) {
            book_take(&result);
        }
    }
    read_rest(d, 30);
}

static void next_results(void)
{
    distributor_t *d = with_results(MANY);
    static distributor_result_t results[MANY];
    fault_arm();
    for (size_t wanted = 1; wanted <= 512; wanted *= 8) {
        ptrdiff_t rc = distributor_next_results(d, results, wanted);
        FAULT_CHECK((rc > 0 && rc <= (ptrdiff_t)wanted) || (rc == -ENOMEM && fault_fired()),
                    "next_results: %td\n", rc);
        for (ptrdiff_t i = 0; i < rc; i++) {
            book_take(&results[i]);
        }
    }
    read_rest(d, MANY);
}

static void read_in_new_thread(void)
{
    distributor_t *d = with_results(4);
    in_a_thread(arm_and_read, d);
    read_rest(d, 4);
}

/* Drops what it can: what is left is read or dropped later. */
static void drop_results(void)
{
    distributor_t *d = with_results(MANY);
    fault_arm();
    distributor_drop_results(d);
    fault_disarm();
    book_read_all(d);
    book_close();
    book_reset(NULL);
    use_and_destroy(d, false);
}

/* ---- In order ---- */

BOOK_ORDERED(add_inline)
BOOK_ORDERED(add_large)
BOOK_ORDERED(try_add_inline)
BOOK_ORDERED(add_array_inline)
BOOK_ORDERED(next_results)

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"add_inline", add_inline},
        {"add_large", add_large},
        {"add_running", add_running},
        {"try_add", try_add},
        {"try_add_inline", try_add_inline},
        {"add_until", add_until},
        {"add_array_inline", add_array_inline},
        {"add_array_large", add_array_large},
        {"add_limited", add_limited},
        {"add_in_new_thread", add_in_new_thread},
        {"add_in_65th_thread", add_in_65th_thread},
        {"next_result", next_result},
        {"next_results", next_results},
        {"read_in_new_thread", read_in_new_thread},
        {"drop_results", drop_results},
        {"add_inline_ordered", add_inline_ordered},
        {"add_large_ordered", add_large_ordered},
        {"try_add_inline_ordered", try_add_inline_ordered},
        {"add_array_inline_ordered", add_array_inline_ordered},
        {"next_results_ordered", next_results_ordered},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
