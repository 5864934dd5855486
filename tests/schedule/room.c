/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules of limits and readers: room in the input, room in the output, who is told. */
#include "schedule/book.h"

#include <errno.h>

#include "pool/state.h"

/* ---- the input ---- */

/* One place, and more tasks than that. */
static void input_limit(void)
{
    book_create(1, 1, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    for (unsigned i = 0; i < 3; i++)
        book_add(&book_quiet, 0);
    book_join();
    book_destroy();
}

/* Two adders wait for one place. */
static void input_limit_two(void)
{
    book_create(1, 1, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    book_add(&book_quiet, 0);
    book_add(&book_quiet, 0);
    book_wait_for(adder);
    book_join();
    book_destroy();
}

/* An adder waits for room while the door is shut. */
static void input_limit_close(void)
{
    book_create(1, 1, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(book_add_two);
    schedule_begin();
    schedule_check(distributor_close(book_pool) == 0);
    book_wait_for(adder);
    book_join();
    book_destroy();
}

/* An adder that has room is refused at the door: its room is there for the next run. */
static void input_limit_refused(void)
{
    book_create(1, 1, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    schedule_check(distributor_close(book_pool) == 0);
    book_wait_for(adder);
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_try_add(&book_quiet, 0);
    book_start();
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_destroy();
}

/* ---- the output ---- */

/* A task emits more than there is room; one reads. */
static void output_limit(void)
{
    book_create(1, 0, 1);
    book_add(&book_thrice, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* Two emitters and a failure wait for one place. */
static void output_limit_two(void)
{
    book_create(2, 0, 1);
    book_add(&book_emits, 0);
    book_add(&book_fails, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* ---- readers ---- */

static void *read_one(void *unused)
{
    (void)unused;
    int rc = book_read();
    schedule_check(rc == 1 || rc == 0);
    return NULL;
}

/* A reader that sleeps is told of each result. */
static void reader_told(void)
{
    book_create(1, 0, 0);
    book_start();
    pthread_t reader = book_thread(read_one);
    schedule_settle();
    schedule_begin();
    book_add(&book_emits, 0);
    /* The door is open: nothing but the result wakes the reader. */
    book_wait_for(reader);
    book_join();
    book_destroy();
}

/* Two readers, two results, and no STOP: each gets one. */
static void readers_told(void)
{
    book_create(1, 0, 0);
    book_start();
    pthread_t one = book_thread(read_one);
    pthread_t other = book_thread(read_one);
    schedule_settle();
    schedule_begin();
    book_add(&book_emits, 0);
    book_add(&book_emits, 0);
    book_wait_for(one);
    book_wait_for(other);
    book_join();
    book_destroy();
}

static void *read_two(void *unused)
{
    read_one(unused);
    return read_one(unused);
}

/* One was told and does not go on: one that sleeps makes room all the same. */
static void tell_one_that_is_frozen(void)
{
    book_start();
    pthread_t reader = book_thread(read_two);
    schedule_settle();
    atomic_store(&book_pool->reader_told, 1);
    schedule_begin();
    book_add(&book_emits, 0);
    book_add(&book_emits, 0);
    book_wait_for(reader);
    book_join();
    book_destroy();
}

static void reader_told_frozen(void)
{
    book_create(1, 0, 1);
    tell_one_that_is_frozen();
}

/* The same where the turn is left until there is room. */
static void reader_told_frozen_ordered(void)
{
    book_create_ordered(2, 0, 1);
    tell_one_that_is_frozen();
}

/* One that sleeps and one that just comes. */
static void reader_comes(void)
{
    book_create(1, 0, 0);
    book_start();
    pthread_t one = book_thread(read_one);
    schedule_settle();
    book_add(&book_emits, 0);
    book_add(&book_emits, 0);
    schedule_begin();
    schedule_check(book_read() == 1);
    book_wait_for(one);
    book_join();
    book_destroy();
}

/* The first reader takes alone, without a swap, until the second one comes (T5, T6). */
static void reader_alone(void)
{
    book_create(1, 0, 0);
    book_add(&book_many, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_settle();
    for (unsigned i = 0; i < 3; i++)
        schedule_check(book_read() == 1);
    pthread_t other = book_thread(read_two);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_wait_for(other);
    book_join();
    book_destroy();
}

/* One thread reads singly, then a batch, then singly: its cursor stands before the batch. */
static void reader_alone_batch(void)
{
    distributor_result_t results[2];

    book_create(1, 0, 0);
    for (unsigned i = 0; i < 8; i++)
        book_add(&book_emits, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_settle();
    schedule_begin();
    for (unsigned i = 0; i < 2; i++) {
        schedule_check(book_read() == 1);
        ptrdiff_t count = distributor_next_results(book_pool, results, 2);
        schedule_check(count > 0);
        for (ptrdiff_t k = 0; k < count; k++)
            book_note(&results[k]);
    }
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* The worker has the only CPU, so the reader naps; it is woken when the worker has lain down. */
static void reader_naps(void)
{
    book_create(1, 0, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_begin();
    schedule_check(book_read() == 1);
    schedule_check(schedule_idled() == 0);
    book_join();
    book_destroy();
}

/* The same with STOP. */
static void reader_naps_stop(void)
{
    book_create(1, 0, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    schedule_check(schedule_idled() == 0);
    book_join();
    book_destroy();
}

static void *drop(void *unused)
{
    (void)unused;
    distributor_drop_results(book_pool);
    return NULL;
}

/* The same with one that drops results instead of reading them. */
static void reader_alone_drop(void)
{
    book_create(1, 0, 0);
    book_add(&book_many, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_settle();
    for (unsigned i = 0; i < 3; i++)
        schedule_check(book_read() == 1);
    pthread_t other = book_thread(drop);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_wait_for(other);
    book_join();
    book_destroy();
}

/* STOP wakes readers that sleep, and none of them misses the last result. */
static void readers_stop(void)
{
    book_create(1, 0, 0);
    book_start();
    pthread_t one = book_thread(read_one);
    schedule_settle();
    book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_wait_for(one);
    book_join();
    book_destroy();
}

/* A reader with a deadline that passes at any moment. */
static void reader_deadline(void)
{
    distributor_result_t result;

    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t one = book_thread(read_one);
    schedule_begin();
    book_add(&book_emits, 0);
    int rc = distributor_next_result_until(book_pool, &result, distributor_now() + 100000);
    schedule_check(rc == 1 || rc == -ETIMEDOUT);
    if (rc == 1)
        book_note(&result);
    book_add(&book_emits, 0);
    book_wait_for(one);
    book_join();
    book_destroy();
}

static bool reader_is_gone;

/* Adds what emits as soon as a reader sleeps, or is about to, or has gone. */
static void *add_to_sleeper(void *unused)
{
    (void)unused;
    while (atomic_load(&book_pool->readers.waiters) == 0 && !reader_is_gone)
        schedule_yield();
    book_add(&book_emits, 0);
    return NULL;
}

/* A reader's deadline passes while it is being told: when it sleeps again it is told again. */
static void reader_told_late(void)
{
    distributor_result_t result;

    reader_is_gone = false;
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t first = book_thread(add_to_sleeper);
    schedule_begin();
    int rc = distributor_next_result_until(book_pool, &result, distributor_now() + 100000);
    if (rc == 1)
        book_note(&result);
    reader_is_gone = true;
    book_wait_for(first);
    schedule_settle();
    schedule_end();
    schedule_check(rc == 1 || book_read() == 1);
    reader_is_gone = false;
    pthread_t second = book_thread(add_to_sleeper);
    schedule_check(book_read() == 1);
    book_wait_for(second);
    book_join();
    book_destroy();
}

/* Results are dropped while another one reads. */
static void readers_drop(void)
{
    book_create(1, 0, 2);
    book_add(&book_thrice, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    pthread_t one = book_thread(read_one);
    schedule_begin();
    distributor_drop_results(book_pool);
    schedule_check(book_read_all() == 0);
    book_wait_for(one);
    book_join();
    book_destroy();
}

static void *add_emitting(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 2; i++)
        book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    return NULL;
}

/* An event loop watches the descriptor: it never sleeps over a result, or over STOP. */
static void descriptor(void)
{
    book_create(1, 0, 0);
    book_start();
    int fd = distributor_fd(book_pool);
    schedule_check(fd >= 0);
    while (book_try_read() == 1)
        ;
    schedule_settle();
    pthread_t adder = book_thread(add_emitting);
    schedule_begin();
    int rc = 1;
    while (rc != 0) {
        schedule_poll(fd);
        do
            rc = book_try_read();
        while (rc == 1);
        schedule_check(rc == 0 || rc == -EAGAIN);
    }
    book_wait_for(adder);
    book_all_ran();
    book_join();
    book_destroy();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "input_limit", .body = input_limit},
    {.name = "input_limit_two", .body = input_limit_two, .preemptions = 1},
    {.name = "input_limit_close", .body = input_limit_close},
    {.name = "input_limit_refused", .body = input_limit_refused},
    {.name = "output_limit", .body = output_limit},
    {.name = "output_limit_fallback", .body = output_limit, .fallback = true},
    {.name = "output_limit_two", .body = output_limit_two, .preemptions = 1},
    {.name = "reader_told", .body = reader_told},
    {.name = "reader_comes_napping", .body = reader_comes, .cpus = 1},
    {.name = "reader_naps", .body = reader_naps, .cpus = 1},
    {.name = "reader_naps_stop", .body = reader_naps_stop, .cpus = 1},
    {.name = "readers_told", .body = readers_told, .preemptions = 1},
    {.name = "reader_told_frozen", .body = reader_told_frozen},
    {.name = "reader_told_frozen_ordered", .body = reader_told_frozen_ordered, .preemptions = 1},
    {.name = "reader_comes", .body = reader_comes},
    {.name = "reader_comes_fallback", .body = reader_comes, .fallback = true},
    {.name = "reader_alone", .body = reader_alone},
    {.name = "reader_alone_batch", .body = reader_alone_batch},
    {.name = "reader_alone_drop", .body = reader_alone_drop},
    {.name = "readers_stop", .body = readers_stop},
    {.name = "reader_deadline", .body = reader_deadline, .preemptions = 1},
    {.name = "reader_told_late", .body = reader_told_late},
    {.name = "descriptor", .body = descriptor, .preemptions = 1},
    {.name = "readers_drop", .body = readers_drop, .preemptions = 1},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
