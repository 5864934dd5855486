/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules of tasks on their way: waking, claiming, taking back, spawning, coming and going. */
#include "schedule/book.h"

#include <errno.h>

#include "pool/idle.h"
#include "pool/take.h"

/* ---- park and wake ---- */

/* An adder finds the only worker asleep, or about to sleep. */
static void wake_one(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    book_add(&book_quiet, 0);
    book_add(&book_quiet, 0);
    book_join();
    book_destroy();
}

/* The worker goes to sleep just as a task comes. */
static void wake_falling_asleep(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_begin();
    book_add(&book_quiet, 0);
    book_add(&book_quiet, 0);
    schedule_settle();
    schedule_check(book_has_run(0) && book_has_run(1));
    book_join();
    book_destroy();
}

/* Two asleep, two tasks: both run although nobody adds more, and although one blocks. */
static void wake_two(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    book_add(&book_waits, 0);
    book_add(&book_quiet, 0);
    schedule_settle();
    schedule_check(book_has_run(0) && book_has_run(1));
    book_join();
    book_destroy();
}

/* Two adders at once, the only worker asleep: nothing is left when all are quiet. */
static void wake_two_adders(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    book_add(&book_quiet, 0);
    book_wait_for(adder);
    schedule_settle();
    schedule_check(book_has_run(0) && book_has_run(1));
    book_join();
    book_destroy();
}

/* Workers that lie down while another one takes the only task (UNCHECKED). */
static void wake_last_searcher(void)
{
    book_create(2, 0, 0);
    book_start();
    pthread_t adder = book_thread(book_add_one);
    schedule_begin();
    book_wait_for(adder);
    schedule_settle();
    schedule_check(book_has_run(0));
    book_join();
    book_destroy();
}

/*
 * One worker gives up its search and leaves the last look to the other (UNCHECKED), which then
 * finds a task that needs the next one.
 */
static void wake_unchecked(void)
{
    book_create(2, 0, 0);
    book_add(&book_quiet, 0);
    book_start();
    schedule_begin();
    schedule_yield();
    book_add(&book_waits, 0);
    book_add(&book_quiet, 0);
    schedule_settle();
    schedule_check(book_has_run(1) && book_has_run(2));
    book_join();
    book_destroy();
}

/* A task needs the one that it spawned, while the other worker goes to sleep. */
static void wake_for_child(void)
{
    book_create(2, 0, 0);
    book_add(&book_needs_child, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* ---- quiescence ---- */

/* STOP without any task wakes all sleepers, also those that are just lying down. */
static void stop_wakes_all(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* STOP while a worker sleeps and another is just lying down. */
static void stop_some_asleep(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_settle();
    book_add(&book_quiet, 0);
    schedule_begin();
    book_join();
    book_destroy();
}

/* A tree: the end of the work is where its last leaf is. */
static void quiescence_tree(void)
{
    book_create(2, 0, 0);
    book_add(&book_spawns, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* The same by one worker: what is counted while the closer takes its sums. */
static void quiescence_one(void)
{
    book_create(1, 0, 0);
    book_add(&book_spawns, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* So many that the last ones are spawned the short way. */
static void quiescence_many(void)
{
    book_create(2, 0, 0);
    book_add(&book_spawns_many, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* The same with the second worker asleep at first. */
static void quiescence_wakes(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_settle();
    book_add(&book_spawns, 0);
    schedule_begin();
    book_join();
    book_destroy();
}

/* A reader sees STOP only after the last result. */
static void quiescence_reader(void)
{
    book_create(1, 0, 0);
    book_add(&book_emits, 0);
    book_add(&book_emits, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read() == 1);
    schedule_check(book_read() == 1);
    schedule_check(book_read() == 0);
    book_join();
    book_destroy();
}

/* The same where the last result is a failure, which the worker makes itself. */
static void quiescence_failure(void)
{
    book_create(2, 0, 0);
    book_add(&book_fails, 0);
    book_start();
    schedule_check(distributor_close(book_pool) == 0);
    schedule_begin();
    schedule_check(book_read_all() == 0);
    book_join();
    book_destroy();
}

/* ---- claims ---- */

/* A worker claims two tasks, and the first waits for the second: the other worker takes it back. */
static void take_back(void)
{
    book_create(2, 0, 0);
    for (unsigned i = 0; i < 16; i++)
        book_add(i == 0 ? &book_waits : &book_quiet, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

/* Four tasks among two workers, claimed in batches and by blocks that come back. */
static void claim_batches(void)
{
    book_create(2, 0, 0);
    for (unsigned i = 0; i < 16; i++)
        book_add(&book_quiet, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

static struct distr_item numbered(uint64_t serial)
{
    return (struct distr_item){.type = &book_quiet,
                               .meta = distr_meta(serial, DISTR_INLINE, sizeof(uint64_t))};
}

/* Two tasks that one worker holds, `top` is the one it would begin; another one takes both. */
static void take_both(struct distr_worker *worker, struct distr_worker *other, uint64_t top)
{
    struct distr_item items[2] = {numbered(top), numbered(3 - top)};
    struct distr_item item;
    bool more = false;

    schedule_check(distr_deque_reserve(&other->claims) == 0);
    distr_deque_push(&other->claims, items, 2);
    schedule_check(distr_any_task(book_pool) && distr_hinted_task(book_pool));
    schedule_check(distr_take(worker, true, &more) && more);
    schedule_check(distr_meta_serial(worker->task.item.meta) == 1);
    schedule_check(distr_deque_pop(&worker->claims, &item));
    schedule_check(distr_meta_serial(item.meta) == 2);
    schedule_check(!distr_any_task(book_pool));
}

/*
 * What is claimed is seen by who is about to sleep, and is taken back in the order of adding, also
 * from one that asks a source and has its newest task on top.  One order of steps: a worker that
 * sleeps over the claims of another needs more hints than a schedule can have.
 */
static void claims_are_seen(void)
{
    book_create(2, 0, 0);
    take_both(book_pool->all[0], book_pool->all[1], 1);
    take_both(book_pool->all[1], book_pool->all[0], 2);
    schedule_begin();
    book_destroy();
}

/* What a worker spawned is taken from it while it pops. */
static void spawned_taken(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_settle();
    book_add(&book_spawns, 0);
    book_add(&book_spawns, 0);
    schedule_begin();
    book_join();
    book_destroy();
}

/* Beside a source that has no input; looks are slow. */
static void held_beside_source(void)
{
    book_create(2, 0, 0);
    book_add(&book_needs_child, 0);
    book_add_source(&book_quiet, 1, 1, -EAGAIN);
    schedule_check(distributor_close(book_pool) == 0);
    book_start();
    schedule_begin();
    schedule_settle();
    book_source_ready(NULL);
    book_join();
    book_destroy();
}

/* ---- workers and adders that come and go ---- */

static void *add_worker(void *unused)
{
    (void)unused;
    int rc = distributor_add_worker(book_pool, NULL);
    schedule_check(rc == 1 || rc == -ESHUTDOWN);
    return NULL;
}

/* A worker joins in while the work ends. */
static void worker_joins_in(void)
{
    book_create(1, 0, 0);
    book_add(&book_spawns, 0);
    book_start();
    pthread_t thread = book_thread(add_worker);
    schedule_begin();
    book_join();
    book_wait_for(thread);
    book_destroy();
}

/* One comes while the only other sleeps, and a task as well. */
static void worker_comes(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    add_worker(NULL);
    book_add(&book_quiet, 0);
    schedule_settle();
    schedule_check(book_has_run(0));
    schedule_end();
    book_join();
    book_destroy();
}

/* An adder's thread ends, and the next thread goes on with its record. */
static void adder_ends(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    book_wait_for(book_thread(book_add_two));
    book_wait_for(book_thread(book_add_one));
    book_join();
    book_destroy();
}

static void adder_ends_one(void)
{
    book_create(1, 0, 0);
    book_start();
    schedule_settle();
    book_wait_for(book_thread(book_add_one));
    schedule_begin();
    book_wait_for(book_thread(book_add_one));
    schedule_end();
    book_join();
    book_destroy();
}

/* Two adders at once, one of them gone before its tasks have begun. */
static void adders_come_and_go(void)
{
    book_create(1, 0, 0);
    book_start();
    pthread_t first = book_thread(book_add_one);
    schedule_begin();
    pthread_t second = book_thread(book_add_one);
    book_wait_for(first);
    book_wait_for(second);
    book_join();
    book_destroy();
}

/* Two come when one has ended: one of them gets its record, and the other one does not. */
static void adders_take_over(void)
{
    book_create(1, 0, 0);
    book_start();
    book_wait_for(book_thread(book_add_one));
    pthread_t one = book_thread(book_add_one);
    pthread_t other = book_thread(book_add_one);
    schedule_begin();
    book_wait_for(one);
    book_wait_for(other);
    book_join();
    book_destroy();
}

/* A task ends its own thread; the worker goes on in another. */
static void thread_lost(void)
{
    book_create(1, 0, 0);
    book_add(&book_exits, 0);
    book_add(&book_quiet, 0);
    book_start();
    schedule_begin();
    book_join();
    book_destroy();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "wake_one", .body = wake_one},
    {.name = "wake_falling_asleep", .body = wake_falling_asleep},
    {.name = "wake_falling_asleep_fallback", .body = wake_falling_asleep, .fallback = true},
    {.name = "wake_two", .body = wake_two, .preemptions = 1},
    {.name = "wake_two_adders", .body = wake_two_adders, .preemptions = 1},
    {.name = "wake_last_searcher", .body = wake_last_searcher, .preemptions = 1},
    {.name = "wake_unchecked", .body = wake_unchecked, .preemptions = 1, .look_ns = 1000},
    {.name = "wake_for_child", .body = wake_for_child, .preemptions = 1},
    {.name = "stop_wakes_all", .body = stop_wakes_all},
    {.name = "stop_some_asleep", .body = stop_some_asleep},
    {.name = "stop_some_asleep_fallback", .body = stop_some_asleep, .fallback = true},
    {.name = "quiescence_tree", .body = quiescence_tree, .preemptions = 1},
    {.name = "quiescence_one", .body = quiescence_one},
    {.name = "quiescence_one_fallback", .body = quiescence_one, .fallback = true},
    {.name = "quiescence_many", .body = quiescence_many, .preemptions = 1},
    {.name = "quiescence_wakes", .body = quiescence_wakes, .preemptions = 1},
    {.name = "quiescence_reader", .body = quiescence_reader},
    {.name = "quiescence_failure", .body = quiescence_failure, .preemptions = 1},
    {.name = "take_back", .body = take_back, .preemptions = 1},
    {.name = "claims_are_seen", .body = claims_are_seen},
    {.name = "claim_batches", .body = claim_batches, .preemptions = 1},
    {.name = "spawned_taken", .body = spawned_taken, .preemptions = 1},
    /* Each look is so slow that a worker searches no longer than two of them: what another one
     * holds is taken all the same, where its task needs it. */
    {.name = "held_slow_looks", .body = wake_for_child, .preemptions = 1, .look_ns = 20000},
    {.name = "held_beside_source",
     .body = held_beside_source,
     .preemptions = 1,
     .look_ns = 20000},
    {.name = "worker_joins_in", .body = worker_joins_in, .preemptions = 1},
    {.name = "worker_comes", .body = worker_comes},
    {.name = "adder_ends_one", .body = adder_ends_one},
    {.name = "adder_ends", .body = adder_ends, .preemptions = 1},
    {.name = "adders_come_and_go", .body = adders_come_and_go, .preemptions = 1},
    {.name = "adders_take_over", .body = adders_take_over, .preemptions = 1},
    {.name = "thread_lost", .body = thread_lost},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
