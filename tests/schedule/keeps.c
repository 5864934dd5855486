/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules of a source that a worker keeps from one call to the next. */
#include "schedule/book.h"

#include <errno.h>

#include "pool/idle.h"
#include "pool/item.h"
#include "pool/keep.h"

static void end(void)
{
    book_join();
    book_destroy();
}

/* ---- the only worker keeps it ---- */

static void begin_alone(unsigned inputs, int last)
{
    book_create(1, 0, 0);
    book_add_source(&book_quiet, inputs, 1, last);
    book_start();
    schedule_begin();
}

/* It is said to be ready once, while or after it says "not now". */
static void not_now(void)
{
    begin_alone(3, -EAGAIN);
    book_slow_sources();
    while (!book_has_run(1))
        schedule_yield();
    book_source_ready(NULL);
    end();
}

/* When stop has returned nothing is asked any more. */
static void stopped(void)
{
    begin_alone(4, 0);
    schedule_check(distributor_stop(book_pool) == 0);
    book_no_more_inputs();
    end();
}

/* A second source comes: both are asked. */
static void second_comes(void)
{
    begin_alone(3, 0);
    book_add_source(&book_quiet, 2, 1, 0);
    end();
}

/* ---- another one watches: the keeper's task waits for the next input ---- */

/* The workers are awake, */
static void taken_over(void)
{
    book_create(2, 0, 0);
    book_add_source(&book_sleeps, 2, 1, 0);
    book_start();
    schedule_begin();
    end();
}

static void begin_asleep(void)
{
    book_create(2, 0, 0);
    book_start();
    schedule_settle();
    schedule_begin();
    book_add_source(&book_sleeps, 2, 1, 0);
}

/* or asleep. */
static void taken_over_asleep(void)
{
    begin_asleep();
    end();
}

/* Who watches is told of a task: somebody watches again. */
static void told_while_watching(void)
{
    begin_asleep();
    while (!atomic_load(&book_pool->has_watcher) && !book_has_run(1))
        schedule_yield();
    book_add(&book_quiet, 0);
    end();
}

/* ---- taking it away, step by step ---- */

static void run_input(struct distr_worker *worker)
{
    size_t size;
    const void *input = distr_item_bytes(&worker->task.item, &size);

    schedule_check(worker->task.item.type->run(&worker->task, input, size) == 0);
    distr_count(&worker->record.completed, 1);
}

/* A pool that does not run, with a source that its first worker owns, and may keep. */
static struct distr_worker *make_keeper(int last)
{
    book_create(2, 0, 0);
    book_add_source(&book_quiet, 8, 1, last);
    struct distr_worker *keeper = book_pool->all[0];
    schedule_check(distr_source_take(keeper) != NULL);
    keeper->source->row = 2;
    return keeper;
}

/* Takes away what is kept, asks it and gives it back, or keeps it. */
static void *take_away(void *unused)
{
    struct distr_worker *worker = book_pool->all[1];
    struct distr_source *source = book_pool->all[0]->source;

    (void)unused;
    pthread_mutex_lock(&book_pool->lock);
    bool mine = distr_take_away(book_pool, source);
    pthread_mutex_unlock(&book_pool->lock);
    if (!mine)
        return NULL;
    worker->source = source;
    if (distr_ask(worker, source))
        run_input(worker);
    return NULL;
}

/* The others and the keeper never call at the same time, and the source is left with nobody who
 * does not ask it. */
static void take_from_keeper(unsigned others)
{
    struct distr_worker *keeper = make_keeper(0);
    pthread_t threads[2];

    book_slow_sources();
    distr_keep(keeper, keeper->source);
    schedule_begin();
    for (unsigned i = 0; i < others; i++)
        threads[i] = book_thread(take_away);
    for (unsigned i = 0; i < 2; i++)
        if (keeper->kept && distr_ask_kept(keeper))
            run_input(keeper);
    for (unsigned i = 0; i < others; i++)
        book_wait_for(threads[i]);
    schedule_end();
    schedule_check(distr_source_kept(book_pool) || distr_source_is_ready(book_pool));
    book_destroy();
}

static void taken_away(void)
{
    take_from_keeper(1);
}

static void taken_away_twice(void)
{
    take_from_keeper(2);
}

/* What was taken away belongs to another, whatever is due for the keeper. */
static void taken_at_the_measure(void)
{
    struct distr_worker *keeper = make_keeper(0);
    struct distr_source *source = keeper->source;

    distr_keep(keeper, source);
    keeper->pace = (struct distr_pace){.since = INT64_MAX, .count = 1024, .left = 1};
    pthread_mutex_lock(&book_pool->lock);
    schedule_check(distr_take_away(book_pool, source));
    pthread_mutex_unlock(&book_pool->lock);
    source->keep_every = 7;
    schedule_check(!distr_ask_kept(keeper));
    schedule_check(source->keep_every == 7);
    schedule_check(distr_source_kind(atomic_load(&source->state)) == DISTR_SOURCE_ASKED);
    distr_source_give_back(keeper, source);
    book_destroy();
}

static void *add_second(void *unused)
{
    (void)unused;
    book_add_source(&book_quiet, 2, 1, 0);
    return NULL;
}

/* Of several sources none is left with a worker that may be busy for long. */
static void shared_again(void)
{
    struct distr_worker *keeper = make_keeper(0);
    struct distr_source *source = keeper->source;

    distr_hint_own_tasks(&keeper->record); /* which would be a fence */
    schedule_begin();
    pthread_t other = book_thread(add_second);
    if (distr_keep_is_due(keeper, source, true))
        distr_keep(keeper, source);
    else
        distr_source_give_back(keeper, source);
    keeper->pace.left = 100; /* it is not to let go by itself */
    if (keeper->kept && distr_ask_kept(keeper))
        run_input(keeper);
    book_wait_for(other);
    schedule_end();
    schedule_check(atomic_load(&source->state) == DISTR_SOURCE_READY);
    book_destroy();
}

/* One that said "not now" while it was kept is kept again when it goes on. */
static void kept_again(void)
{
    struct distr_worker *keeper = make_keeper(-EAGAIN);
    struct distr_source *source = keeper->source;

    schedule_check(distr_keep_is_due(keeper, source, true));
    distr_keep(keeper, source);
    keeper->pace.left = 100; /* it is not to let go by itself */
    while (distr_ask_kept(keeper))
        run_input(keeper);
    schedule_check(keeper->kept == NULL);
    book_source_ready(NULL);
    schedule_check(distr_source_own(source, DISTR_SOURCE_READY));
    schedule_check(distr_keep_is_due(keeper, source, true));
    distr_source_give_back(keeper, source);
    book_destroy();
}

static void *search(void *unused)
{
    (void)unused;
    schedule_check(distr_search(book_pool->all[1]));
    run_input(book_pool->all[1]);
    return NULL;
}

static atomic_bool taken;

static void *search_until_taken(void *unused)
{
    struct distr_worker *worker = book_pool->all[1];

    (void)unused;
    while (!worker->source) {
        schedule_check(distr_search(worker));
        run_input(worker);
    }
    atomic_store(&taken, true);
    return NULL;
}

/* The keeper is in a long task.  The other worker is told of a task again and again, sooner than it
 * would look after the keeper, and does so in between. */
static void told_again_and_again(void)
{
    struct distr_worker *keeper = make_keeper(0);

    distr_keep(keeper, keeper->source);
    atomic_store(&taken, false);
    schedule_begin();
    pthread_t other = book_thread(search_until_taken);
    for (unsigned i = 1; i < 60 && !atomic_load(&taken); i++) {
        book_add(&book_quiet, 0);
        while (atomic_load(&book_pool->all[1]->record.completed) < i && !atomic_load(&taken))
            schedule_yield();
    }
    schedule_check(atomic_load(&taken));
    book_wait_for(other);
    book_destroy();
}

/* It is kept just as another worker lies down: that one gets up, and watches. */
static void kept_meanwhile(void)
{
    struct distr_worker *keeper = make_keeper(0);

    schedule_begin();
    pthread_t other = book_thread(search);
    distr_keep(keeper, keeper->source);
    book_wait_for(other);
    book_destroy();
}

static const struct schedule_scenario scenarios[] = {
    {.name = "not_now", .body = not_now},
    {.name = "stopped", .body = stopped},
    {.name = "second_comes", .body = second_comes, .preemptions = 1},
    {.name = "taken_over", .body = taken_over, .preemptions = 1, .look_ns = 900},
    {.name = "taken_over_asleep", .body = taken_over_asleep, .preemptions = 1, .look_ns = 900},
    {.name = "told_while_watching",
     .body = told_while_watching,
     .preemptions = 1,
     .look_ns = 900},
    {.name = "taken_away", .body = taken_away, .look_ns = 100},
    {.name = "taken_away_twice", .body = taken_away_twice, .look_ns = 100},
    {.name = "taken_at_the_measure", .body = taken_at_the_measure},
    {.name = "shared_again", .body = shared_again, .look_ns = 100},
    {.name = "told_again_and_again",
     .body = told_again_and_again,
     .preemptions = 1,
     .look_ns = 20000},
    {.name = "kept_again", .body = kept_again},
    {.name = "kept_meanwhile", .body = kept_meanwhile, .look_ns = 20000},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
