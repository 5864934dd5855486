/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules of ordered results: segments, the turn, what is held back, the window. */
#include "schedule/book.h"

#include <errno.h>

#include "pool/order.h"

/* The results of tasks 0, 1, ... that emit once each, all of them, and then STOP. */
static void read_in_order(unsigned tasks)
{
    distributor_result_t result;

    for (unsigned i = 0; i < tasks; i++) {
        schedule_check(distributor_next_result(book_pool, &result) == 1);
        book_note(&result);
        schedule_check(*(const uint64_t *)result.data == i && result.serial == i);
    }
    schedule_check(book_read() == 0);
}

static void add_emits(unsigned tasks)
{
    for (unsigned i = 0; i < tasks; i++)
        book_add(&book_emits, 0);
}

static void run_in_order(unsigned workers, uint64_t window, uint64_t output_limit, unsigned tasks)
{
    book_create_ordered(workers, window, output_limit);
    add_emits(tasks);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    read_in_order(tasks);
    book_join();
    book_destroy();
}

static void turn(void)
{
    run_in_order(2, 0, 0, 3);
}

/* Claims of two, so that segments go on, end early, and are taken back. */
static void segments(void)
{
    run_in_order(2, 32, 0, 6);
}

static void window_one(void)
{
    run_in_order(2, 1, 0, 3);
}

static void window_two(void)
{
    run_in_order(2, 2, 0, 3);
}

/* One task waits for room, the next one for the window, and its worker sleeps. */
static void window_opens(void)
{
    book_create_ordered(2, 1, 1);
    book_add(&book_thrice, 0);
    book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_settle();
    schedule_check(book_read() == 1);
    schedule_settle();
    schedule_check(!book_has_run(1));
    schedule_begin();
    schedule_check(book_read() == 1 && book_read() == 1);
    schedule_end();
    schedule_check(book_read() == 1 && book_read() == 0);
    book_join();
    book_destroy();
}

/* A worker has two tasks at the head, the other one all the rest but the last, which is beyond the
 * window until the second task begins, and for which that one waits. */
static void window_moves(void)
{
    static const distributor_task_type_t *const types[17] = {[1] = &book_waits_last};

    book_create_ordered(2, 16, 0);
    book_add_roles(types, 17);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* The same of a segment before which the turn is parked: a reader gives it on as the second task
 * begins, and the other worker is asleep. */
static void window_moves_at_turn(void)
{
    static const distributor_task_type_t *const types[19] = {
        [0] = &book_thrice, [2] = &book_held, [3] = &book_waits_last};

    book_create_ordered(2, 16, 2);
    book_add_roles(types, 19);
    book_start();
    schedule_settle();
    schedule_bar(&distr_segment_at(book_pool->order, 2)->running);
    book_let_go();
    schedule_settle();
    schedule_check(book_read() == 1);
    schedule_settle();
    schedule_check(book_has_run(17) && !book_has_run(3));
    schedule_begin();
    schedule_unbar();
    while (!book_has_run(3))
        schedule_yield();
    schedule_check(book_read() == 1);
    schedule_settle();
    schedule_check(book_has_run(18));
    schedule_end();
    schedule_check(distributor_close(book_pool) == 0 && book_read_all() == 0);
    book_join();
    book_destroy();
}

/* The turn is parked while the output is full. */
static void parked(void)
{
    run_in_order(2, 0, 1, 3);
}

static void parked_window(void)
{
    run_in_order(2, 2, 1, 4);
}

/* What the second task emitted waits for the first result to be read, and so does the window. */
static void parked_unread(void)
{
    book_create_ordered(2, 2, 1);
    add_emits(4);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    schedule_settle();
    schedule_check(!book_has_run(3));
    read_in_order(4);
    book_join();
    book_destroy();
}

static void *read_all(void *unused)
{
    distributor_result_t result;

    (void)unused;
    while (distributor_next_result(book_pool, &result) == 1)
        ;
    return NULL;
}

/* Two readers until STOP, of whom each makes room for the task whose turn it is. */
static void two_readers(void)
{
    book_create_ordered(1, 0, 1);
    book_add(&book_fails, 0);
    book_add(&book_fails, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    pthread_t reader = book_thread(read_all);
    schedule_begin();
    read_all(NULL);
    book_wait_for(reader);
    book_join();
    book_destroy();
}

static void *read_one(void *unused)
{
    (void)unused;
    schedule_check(book_read() == 1);
    return NULL;
}

/* The turn is parked before the second task, which has ended. */
static void park(void)
{
    book_create_ordered(2, 0, 2);
    book_add(&book_thrice, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_settle();
    schedule_check(book_read() == 1);
    schedule_settle();
}

/* Two readers make room at once, and one of them gives the turn on. */
static void parked_two_readers(void)
{
    park();
    pthread_t reader = book_thread(read_one);
    schedule_begin();
    read_one(NULL);
    book_wait_for(reader);
    schedule_check(book_read() == 1);
    book_join();
    book_destroy();
}

/* Nobody reads: who cancels gives it on. */
static void parked_cancel(void)
{
    park();
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_join();
    book_destroy();
}

/* All but the second task have ended.  Its worker parks the turn and is overtaken by the reader,
 * who takes it, moves head, and parks it again. */
static void parked_again(void)
{
    book_create_ordered(2, 0, 1);
    add_emits(4);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_settle();
    schedule_begin();
    for (unsigned i = 0; i < 3; i++)
        schedule_check(book_read() == 1);
    schedule_end();
    schedule_check(book_read() == 1 && book_read() == 0);
    book_join();
    book_destroy();
}

/* Nobody reads: retiring needs no reader, and STOP is neither early nor late. */
static void no_reader(void)
{
    book_create_ordered(2, 2, 0);
    add_emits(4);
    book_start();
    schedule_begin();
    book_join();
    read_in_order(4);
    book_destroy();
}

/* A reader sleeps until the turn comes to what the second task has emitted before.  Nothing else
 * wakes it: nobody closes. */
static void told(const distributor_task_type_t *second)
{
    book_create_ordered(2, 0, 0);
    book_add(&book_waits, 0);
    book_add(second, 0);
    book_start();
    schedule_begin();
    schedule_check(book_read() == 1);
    book_join();
    book_destroy();
}

static void told_when_retired(void)
{
    told(&book_emits);
}

/* The task goes on when its result was read. */
static void told_when_given(void)
{
    told(&book_answered);
}

/* Tasks that emit more than their first block holds, and fail. */
static void many_results(void)
{
    book_create_ordered(2, 0, 0);
    book_add(&book_fails, 0);
    book_add(&book_many, 0);
    book_add(&book_fails, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* Children that are held back, appended by the one who brings the turn, or by their parent. */
static void children(void)
{
    book_create_ordered(2, 0, 0);
    book_add(&book_spawns, 0);
    book_add(&book_spawns, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* A task that waits for the next one, which is in the same claim: another worker takes it. */
static void waiting(void)
{
    book_create_ordered(2, 2, 0);
    book_add(&book_waits, 0);
    book_add(&book_quiet, 0);
    book_start();
    schedule_begin();
    schedule_settle();
    schedule_check(book_has_run(0) && book_has_run(1));
    book_join();
    book_destroy();
}

/* Two adders at once: the favoured one, and one that takes its favour away. */
static void adders(void)
{
    book_create_ordered(1, 0, 0);
    book_start();
    book_add(&book_quiet, 0);
    pthread_t adder = book_thread(book_add_two);
    schedule_begin();
    book_add(&book_quiet, 0);
    book_add(&book_quiet, 0);
    book_wait_for(adder);
    schedule_settle();
    for (unsigned i = 0; i < 5; i++)
        schedule_check(book_has_run(i));
    book_join();
    book_destroy();
}

/* Adds while the worker is asleep, or about to sleep; the window opens as others lie down. */
static void wake(void)
{
    book_create_ordered(2, 1, 0);
    book_start();
    schedule_begin();
    book_add(&book_quiet, 0);
    book_add(&book_quiet, 0);
    schedule_settle();
    schedule_check(book_has_run(0) && book_has_run(1));
    book_join();
    book_destroy();
}

/* What a reader gets after cancel are the first tasks' results, without a gap. */
static void cancel_with(uint64_t output_limit)
{
    distributor_result_t result;
    uint64_t next = 0;

    book_create_ordered(2, 0, output_limit);
    add_emits(4);
    book_start();
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_join();
    while (distributor_next_result(book_pool, &result) == 1) {
        book_note(&result);
        schedule_check(result.serial == next++);
    }
    book_destroy();
}

static void cancel(void)
{
    cancel_with(0);
}

static void cancel_full(void)
{
    cancel_with(1);
}

/* Destroy while the turn is anywhere. */
static void destroy(void)
{
    book_create_ordered(2, 0, 1);
    add_emits(3);
    book_add(&book_spawns, 0);
    book_start();
    schedule_begin();
    book_destroy();
}

/* A task that ends its thread in the middle of a segment. */
static void exits(void)
{
    book_create_ordered(2, 0, 0);
    book_add(&book_emits, 0);
    book_add(&book_exits, 0);
    book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* ---- sources ---- */

/* Reads what tasks of these numbers emitted, in this order, and a failure if there is one, then
 * STOP. */
static void read_these(const char *numbers)
{
    distributor_result_t result;

    for (; *numbers; numbers++) {
        schedule_check(distributor_next_result(book_pool, &result) == 1);
        book_note(&result);
        if (*numbers == 'x')
            schedule_check(result.error == -EIO && !result.data);
        else
            schedule_check(*(const uint64_t *)result.data == (uint64_t)(*numbers - '0'));
    }
    schedule_check(book_read() == 0);
}

/* Runs what was added. */
static void run_sources(const char *numbers)
{
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    read_these(numbers);
    book_join();
    book_destroy();
}

/* What an input spawns stands before the next input. */
static void source(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_parents, 2, 2, 0);
    run_sources("0123");
}

static void source_window(void)
{
    book_create_ordered(2, 2, 0);
    book_add_source(&book_parents, 2, 2, 0);
    run_sources("0123");
}

static void source_window_one(void)
{
    book_create_ordered(2, 1, 0);
    book_add_source(&book_parents, 2, 2, 0);
    run_sources("0123");
}

/* The turn is parked with what an input, or its child, has emitted. */
static void source_parked(void)
{
    book_create_ordered(2, 0, 1);
    book_add_source(&book_parents, 2, 2, 0);
    run_sources("0123");
}

/* Nor is the source asked then: a worker is left for the children, for which the others wait. */
static void source_heirs(void)
{
    book_create_ordered(2, 0, 1);
    book_add_source(&book_heirs, 4, 2, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_settle();
    schedule_begin();
    read_these("01234567");
    book_join();
    book_destroy();
}

static void source_alone(void)
{
    book_create_ordered(1, 0, 1);
    book_add_source(&book_parents, 2, 2, -EIO);
    run_sources("0123x");
}

/* Two take turns, and end; tasks that were added come first. */
static void sources(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_emits, 2, 1, 0);
    book_add_source(&book_emits, 1, 1, -EIO);
    book_add(&book_emits, 0);
    run_sources("3021x");
}

/* Adds from outside while the turn is idle, and goes to whoever opens its segment first. */
static void source_adder(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_parents, 1, 2, 0);
    book_start();
    schedule_begin();
    book_add(&book_emits, 0);
    schedule_check(distributor_close(book_pool) == 0);
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* Nothing is left: the turn stands idle when the source can go on, and when it ends. */
static void source_not_now(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_emits, 2, 1, -EAGAIN);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    pthread_t ready = book_thread(book_source_ready);
    schedule_settle();
    book_source_ready(NULL);
    read_these("01");
    book_wait_for(ready);
    book_join();
    book_destroy();
}

/* One is passed over while it has nothing. */
static void sources_not_now(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_emits, 1, 1, -EAGAIN);
    book_add_source(&book_emits, 1, 1, 0);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    schedule_settle();
    schedule_check(book_has_run(1) && !book_has_run(0));
    book_source_ready(NULL);
    read_these("10");
    book_join();
    book_destroy();
}

static void source_cancel(void)
{
    distributor_result_t result;
    uint64_t next = 0;

    book_create_ordered(2, 0, 1);
    book_add_source(&book_parents, 3, 2, 0);
    book_start();
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_join();
    while (distributor_next_result(book_pool, &result) == 1) {
        book_note(&result);
        schedule_check(*(const uint64_t *)result.data == next++);
    }
    book_destroy();
}

static void source_stop(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_parents, 2, 2, 0);
    book_start();
    schedule_begin();
    schedule_check(distributor_stop(book_pool) == 0);
    book_join();
    schedule_check(book_read_all() == 0);
    book_destroy();
}

static void source_destroy(void)
{
    book_create_ordered(2, 0, 1);
    book_add_source(&book_parents, 3, 2, 0);
    book_start();
    schedule_begin();
    book_destroy();
}

/* One worker has the turn and waits for room, the next one asks a source, the third has run a task
 * of another source, whose children are held back.  Cancel cuts the first short: the turn is given
 * on, or stands idle, while the second opens its segment. */
static void source_cut(void)
{
    book_create_ordered(3, 0, 1);
    book_add(&book_thrice, 0);
    book_add_source(&book_emits, 1, 1, 0);
    book_hold_source();
    book_add_source(&book_spawns, 1, 1, 0);
    book_start();
    schedule_settle();
    schedule_check(book_has_run(0) && !book_has_run(1) && book_has_run(2));
    schedule_begin();
    schedule_check(distributor_cancel(book_pool) == 0);
    book_release_source();
    book_join();
    book_destroy();
}

/* A source is given back while STOP is asked for: its worker ends it, or the next one that asks. */
static void source_back_at_stop(void)
{
    book_create_ordered(2, 0, 0);
    book_add_source(&book_quiet, 2, 1, 0);
    book_hold_source();
    book_start();
    schedule_settle();
    schedule_check(distributor_stop(book_pool) == 0);
    schedule_begin();
    book_release_source();
    book_join();
    book_destroy();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "turn", .body = turn, .preemptions = 1},
    {.name = "segments", .body = segments, .preemptions = 1},
    {.name = "window_one", .body = window_one, .preemptions = 1},
    {.name = "window_two", .body = window_two, .preemptions = 1},
    {.name = "window_opens", .body = window_opens},
    {.name = "window_moves", .body = window_moves, .preemptions = 1},
    {.name = "window_moves_at_turn", .body = window_moves_at_turn},
    {.name = "parked", .body = parked, .preemptions = 1},
    {.name = "parked_window", .body = parked_window, .preemptions = 1},
    {.name = "parked_unread", .body = parked_unread, .preemptions = 1},
    {.name = "two_readers", .body = two_readers, .preemptions = 1},
    {.name = "parked_two_readers", .body = parked_two_readers},
    {.name = "parked_cancel", .body = parked_cancel},
    {.name = "parked_again", .body = parked_again},
    {.name = "no_reader", .body = no_reader, .preemptions = 1},
    {.name = "told_when_retired", .body = told_when_retired, .preemptions = 1},
    {.name = "told_when_given", .body = told_when_given, .preemptions = 1},
    {.name = "many_results", .body = many_results, .preemptions = 1},
    {.name = "children", .body = children, .preemptions = 1},
    {.name = "waiting", .body = waiting, .preemptions = 1},
    {.name = "adders", .body = adders, .preemptions = 1},
    {.name = "wake", .body = wake, .preemptions = 1},
    {.name = "cancel", .body = cancel, .preemptions = 1},
    {.name = "cancel_full", .body = cancel_full, .preemptions = 1},
    {.name = "destroy", .body = destroy, .preemptions = 1},
    {.name = "exits", .body = exits, .preemptions = 1},
    {.name = "source", .body = source, .preemptions = 1},
    {.name = "source_window", .body = source_window, .preemptions = 1},
    {.name = "source_window_one", .body = source_window_one, .preemptions = 1},
    {.name = "source_parked", .body = source_parked, .preemptions = 1},
    {.name = "source_heirs", .body = source_heirs, .preemptions = 1},
    {.name = "source_alone", .body = source_alone, .preemptions = 1},
    {.name = "sources", .body = sources, .preemptions = 1},
    {.name = "source_adder", .body = source_adder, .preemptions = 1},
    {.name = "source_not_now", .body = source_not_now, .preemptions = 1},
    {.name = "sources_not_now", .body = sources_not_now, .preemptions = 1},
    {.name = "source_cancel", .body = source_cancel, .preemptions = 1},
    {.name = "source_back_at_stop", .body = source_back_at_stop},
    {.name = "source_cut", .body = source_cut, .preemptions = 1},
    {.name = "source_stop", .body = source_stop, .preemptions = 1},
    {.name = "source_destroy", .body = source_destroy, .preemptions = 1},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
