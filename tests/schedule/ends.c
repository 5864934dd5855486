/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules of ends: the door, stop, cancel, destroy with calls inside, and the next run. */
#include "schedule/book.h"

#include <errno.h>

#include "pool/registry.h"

static void *add_emitting(void *unused)
{
    (void)unused;
    book_add(&book_emits, -ESHUTDOWN);
    return NULL;
}

/* ---- another thread with a record, and a call inside ---- */

/*
 * A call of another thread is inside when destroy begins: the thread has executed the step that
 * says so, though others may not see it yet.  A call that begins later is its caller's error.
 */
static struct distr_record *inside; /* of the other thread, which is ready to call */
static bool go;
static bool done;

static void prepare_other(void)
{
    inside = NULL;
    go = false;
    done = false;
}

/* The other thread: has a record, and waits for its cue. */
static void get_ready(void)
{
    struct distr_record *record;

    schedule_check(distr_record_self(book_pool, &record) == 0);
    inside = record;
    while (!go)
        schedule_yield();
}

/* From here on steps are explored, and the other thread calls. */
static void begin_beside_other(void)
{
    while (!inside)
        schedule_yield();
    schedule_begin();
    go = true;
}

/* Returns when the other thread is inside, or done. */
static void wait_until_inside(pthread_t thread)
{
    begin_beside_other();
    while (!done && schedule_peek(thread, &inside->inside) == 0)
        schedule_yield();
}

static void *add_inside(void *unused)
{
    (void)unused;
    get_ready();
    book_add(&book_quiet, -ESHUTDOWN);
    done = true;
    return NULL;
}

/* ---- the door: an add in flight ---- */

/* At close: it is refused, or it runs before STOP.  The door stays shut until a join. */
static void door_close(void)
{
    prepare_other();
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(add_inside);
    begin_beside_other();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_check(book_read_all() == 0);
    book_wait_for(adder);
    book_all_ran();
    book_join();
    book_destroy();
}

/* The last count may be that of an adder that is refused, while the worker sleeps. */
static void door_refused(void)
{
    prepare_other();
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(add_inside);
    begin_beside_other();
    book_join();
    book_wait_for(adder);
    book_destroy();
}

/* The same with a worker that runs a task, and then lies down. */
static void door_join(void)
{
    prepare_other();
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(add_inside);
    while (!inside)
        schedule_yield();
    book_add(&book_quiet, 0);
    begin_beside_other();
    book_join();
    book_wait_for(adder);
    book_destroy();
}

static void door_stop(void)
{
    book_create(1, 0, 0);
    book_add(&book_spawns, 0);
    book_start();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    schedule_check(distributor_stop(book_pool) == 0);
    book_join();
    book_wait_for(adder);
    book_destroy();
}

/* What was accepted runs or is discarded, and is counted as what happened. */
static void door_cancel(void)
{
    book_create(1, 0, 0);
    book_add(&book_emits, 0);
    book_start();
    pthread_t adder = book_thread(add_emitting);
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_join();
    book_wait_for(adder);
    book_destroy();
}

/* One add in flight, the worker asleep. */
static void begin_with_one_add(pthread_t *adder)
{
    prepare_other();
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    *adder = book_thread(add_inside);
    begin_beside_other();
}

static void door_stop_one(void)
{
    pthread_t adder;

    begin_with_one_add(&adder);
    schedule_check(distributor_stop(book_pool) == 0);
    schedule_check(book_read_all() == 0);
    book_wait_for(adder);
    book_all_ran();
    book_join();
    book_destroy();
}

static void door_cancel_one(void)
{
    pthread_t adder;

    begin_with_one_add(&adder);
    schedule_check(distributor_cancel(book_pool) == 0);
    schedule_check(book_read_all() == 0);
    book_wait_for(adder);
    book_check();
    book_join();
    book_destroy();
}

static void *close_pool(void *unused)
{
    (void)unused;
    schedule_check(distributor_close(book_pool) == 0);
    return NULL;
}

/* Two that shut the door at once, with no task at all. */
static void door_two_closers(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t closer = book_thread(close_pool);
    schedule_begin();
    book_join();
    book_wait_for(closer);
    book_destroy();
}

/* ---- cancel ---- */

/* An emitter that waits for room is let go. */
static void cancel_emitter(void)
{
    book_create(1, 0, 1);
    book_add(&book_thrice, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_join();
    book_destroy();
}

/* ---- destroy ---- */

/* Tasks are left, some have begun, some results are made. */
static void destroy_with_left(void)
{
    book_create(1, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        book_add(&book_emits, 0);
    book_start();
    schedule_begin();
    book_destroy();
}

static void *add_quickly(void *unused)
{
    for (unsigned i = 0; i < 3; i++) /* from the fourth on an add takes the short way */
        book_add(&book_quiet, 0);
    return add_inside(unused);
}

static void destroy_beside(void *(*routine)(void *argument), bool started)
{
    prepare_other();
    book_create(1, 0, 0);
    if (started)
        book_start();
    schedule_settle();
    pthread_t other = book_thread(routine);
    wait_until_inside(other);
    schedule_check(distributor_destroy(book_pool) == 0);
    book_wait_for(other);
    book_check();
}

static void destroy_adder(void)
{
    destroy_beside(add_inside, true);
}

static void destroy_quick_adder(void)
{
    destroy_beside(add_quickly, false);
}

/* An add waits for room that never comes, because nothing was started. */
static void destroy_waiting_adder(void)
{
    prepare_other();
    book_create(1, 1, 0);
    book_add(&book_quiet, 0);
    pthread_t adder = book_thread(add_inside);
    wait_until_inside(adder);
    schedule_check(distributor_destroy(book_pool) == 0);
    book_wait_for(adder);
    book_check();
}

static void *read_inside(void *unused)
{
    (void)unused;
    get_ready();
    int rc = book_read();
    schedule_check(rc == -ESHUTDOWN || rc == 0);
    done = true;
    return NULL;
}

/* A reader waits for results. */
static void destroy_waiting_reader(void)
{
    destroy_beside(read_inside, true);
}

static void *join_inside(void *unused)
{
    (void)unused;
    int rc = distributor_join(book_pool, NULL);
    schedule_check(rc == -ESHUTDOWN || rc == 0);
    done = true;
    return NULL;
}

/* Somebody joins while another one destroys. */
static void destroy_waiting_joiner(void)
{
    done = false;
    book_create(1, 0, 0);
    book_add(&book_quiet, 0);
    book_start();
    pthread_t joiner = book_thread(join_inside);
    schedule_begin();
    while (!done && schedule_peek(joiner, &book_pool->calls) == 0)
        schedule_yield();
    schedule_check(distributor_destroy(book_pool) == 0);
    book_wait_for(joiner);
    book_check();
}

/* ---- the next run ---- */

/* An adder's look at the state is as old as the run before. */
static void next_run(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_start();
    schedule_settle();
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_wait_for(adder);
    book_destroy();
}

/* Tasks that were added between two runs belong to the second. */
static void next_run_tasks(void)
{
    book_create(1, 0, 0);
    book_add(&book_quiet, 0);
    book_start();
    schedule_begin();
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_add(&book_quiet, 0);
    book_start();
    book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    schedule_check(book_read_all() == 0);
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_destroy();
}

/* A closer that found the work over sleeps through the join, and goes on in the next run. */
static void next_run_closer(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t closer = book_thread(close_pool);
    schedule_begin();
    schedule_yield();
    schedule_check(distributor_join(book_pool, NULL) == 0);
    book_start();
    schedule_settle();
    book_add(&book_quiet, -ESHUTDOWN);
    book_join();
    book_wait_for(closer);
    book_all_ran();
    book_destroy();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "door_close", .body = door_close},
    {.name = "door_close_fallback", .body = door_close, .fallback = true},
    {.name = "door_refused", .body = door_refused},
    {.name = "door_join", .body = door_join},
    {.name = "door_stop", .body = door_stop, .preemptions = 1},
    {.name = "door_cancel", .body = door_cancel, .preemptions = 1},
    {.name = "door_stop_one", .body = door_stop_one},
    {.name = "door_cancel_one", .body = door_cancel_one},
    {.name = "door_two_closers", .body = door_two_closers},
    {.name = "cancel_emitter", .body = cancel_emitter},
    {.name = "destroy_with_left", .body = destroy_with_left},
    {.name = "destroy_adder", .body = destroy_adder},
    {.name = "destroy_adder_fallback", .body = destroy_adder, .fallback = true},
    {.name = "destroy_quick_adder", .body = destroy_quick_adder, .preemptions = 4},
    {.name = "destroy_quick_adder_fallback", .body = destroy_quick_adder, .fallback = true},
    {.name = "destroy_waiting_adder", .body = destroy_waiting_adder},
    {.name = "destroy_waiting_reader", .body = destroy_waiting_reader},
    {.name = "destroy_waiting_joiner", .body = destroy_waiting_joiner},
    {.name = "next_run", .body = next_run, .preemptions = 1},
    {.name = "next_run_tasks", .body = next_run_tasks, .preemptions = 1},
    {.name = "next_run_closer", .body = next_run_closer, .preemptions = 1},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
