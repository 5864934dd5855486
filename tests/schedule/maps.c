/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of the window of a lazy map by itself, with two places, so that a few items use each of
 * them again.  An item is a number and its output is twice that; the book says how often each ran.
 * And of the map that does not wait, on a distributor.
 */
#include "schedule/shim.h"

#include <distributor.h>
#include <errno.h>

#include "flow/window.h"

#define ITEMS_MAX 8u

static struct distr_window *window;
static unsigned ran[ITEMS_MAX];
static bool over;        /* the map has ended: nothing may begin */
static bool go_home;     /* helpers leave when they find nothing */
static uint64_t exiting; /* this item ends its thread */

static int twice(void *context, const void *inputs, void *outputs, size_t count)
{
    uint64_t item = *(const uint64_t *)inputs;

    (void)context;
    schedule_check(count == 1 && item < ITEMS_MAX && !over);
    ran[item]++;
    schedule_check(ran[item] == 1);
    *(uint64_t *)outputs = 2 * item;
    if (item == exiting)
        pthread_exit(NULL);
    return 0;
}

static void set_up(void)
{
    window = distr_window_make(sizeof(uint64_t), sizeof(uint64_t), 2);
    schedule_check(window != NULL);
    window->fn = twice;
    for (unsigned i = 0; i < ITEMS_MAX; i++)
        ran[i] = 0;
    over = false;
    go_home = false;
    exiting = UINT64_MAX;
}

static void leave(void *unused)
{
    (void)unused;
    distr_window_leave(window);
}

static void *help(void *unused)
{
    struct distr_part part;

    (void)unused;
    pthread_cleanup_push(leave, NULL);
    while (!go_home) {
        if (distr_window_claim(window, &part))
            distr_window_work(window, &part);
        else
            schedule_yield();
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static pthread_t start_helper(void)
{
    pthread_t thread;

    atomic_fetch_add_explicit(&window->users, 1, memory_order_relaxed); /* L1 */
    schedule_check(pthread_create(&thread, NULL, help, NULL) == 0);
    return thread;
}

static void publish(uint64_t item, size_t count)
{
    for (uint64_t i = item; i < item + count; i++)
        *(uint64_t *)distr_window_input(window, i) = i;
    distr_window_publish(window, count);
}

/* What the reader does with a part; the rest of one whose thread has ended included. */
static void read_part(uint64_t item, size_t count, bool helps)
{
    struct distr_part part;

    while (helps && !distr_window_is_done(window, item) && distr_window_claim(window, &part))
        distr_window_work(window, &part);
    distr_window_await(window, item);
    struct distr_slot *first = distr_window_slot(window, item);
    schedule_check(first->count == count && first->reached <= count);
    for (uint64_t i = item; i < item + count; i++) {
        if (i >= item + first->reached)
            distr_window_run(window, i);
        schedule_check(ran[i] == 1);
        schedule_check(*(uint64_t *)distr_window_output(window, i) == 2 * i);
        schedule_check(distr_window_slot(window, i)->error == (i == exiting ? -EOWNERDEAD : 0));
    }
}

static void clean_up(pthread_t *helpers, unsigned count)
{
    schedule_end();
    go_home = true;
    for (unsigned i = 0; i < count; i++)
        schedule_check(pthread_join(helpers[i], NULL) == 0);
    schedule_check(atomic_load(&window->users) == 1);
    distr_window_leave(window);
}

/* ---- scenarios ---- */

/* The reader sleeps for each item; slots are used twice and more. */
static void items(void)
{
    set_up();
    pthread_t helper = start_helper();
    schedule_begin();
    publish(0, 1);
    for (uint64_t item = 0; item < 4; item++) {
        publish(item + 1, 1);
        read_part(item, 1, false);
    }
    read_part(4, 1, false);
    clean_up(&helper, 1);
}

/* Two helpers lose claims to each other, while the reader goes round. */
static void two_helpers(void)
{
    set_up();
    pthread_t helpers[] = {start_helper(), start_helper()};
    schedule_begin();
    publish(0, 1);
    publish(1, 1);
    read_part(0, 1, false);
    publish(2, 1);
    read_part(1, 1, false);
    read_part(2, 1, false);
    clean_up(helpers, 2);
}

/* The reader claims as well. */
static void reader_helps(void)
{
    set_up();
    pthread_t helper = start_helper();
    schedule_begin();
    publish(0, 1);
    publish(1, 1);
    read_part(0, 1, true);
    publish(2, 1);
    read_part(1, 1, true);
    read_part(2, 1, true);
    clean_up(&helper, 1);
}

/* A part of two items takes the place of two of one: a claim that comes late must fail. */
static void parts_change(void)
{
    set_up();
    pthread_t helpers[] = {start_helper(), start_helper()};
    schedule_begin();
    publish(0, 1);
    publish(1, 1);
    read_part(0, 1, true);
    read_part(1, 1, true);
    publish(2, 2);
    read_part(2, 2, true);
    clean_up(helpers, 2);
}

/* The map ends while a helper claims: what it has is waited for, nothing begins later. */
static void early_end(void)
{
    struct distr_part part;

    set_up();
    pthread_t helper = start_helper();
    schedule_begin();
    publish(0, 1);
    publish(1, 1);
    uint64_t claimed = distr_window_end(window);
    schedule_check(claimed <= 2);
    for (uint64_t item = 0; item < claimed; item++)
        distr_window_await(window, item);
    over = true;
    schedule_check(!distr_window_claim(window, &part));
    for (uint64_t item = 0; item < 2; item++)
        schedule_check(ran[item] == (item < claimed));
    clean_up(&helper, 1);
}

/* A callback ends the helper's thread in the middle of a part. */
static void thread_ends(void)
{
    set_up();
    exiting = 0;
    pthread_t helper = start_helper();
    schedule_begin();
    publish(0, 2);
    read_part(0, 2, false);
    clean_up(&helper, 1);
}

/* Who leaves last frees the window: whoever that is. */
static void last_one_frees(void)
{
    set_up();
    go_home = true;
    pthread_t helpers[] = {start_helper(), start_helper()};
    schedule_begin();
    distr_window_leave(window);
    schedule_end();
    for (unsigned i = 0; i < 2; i++)
        schedule_check(pthread_join(helpers[i], NULL) == 0);
}

/* ---- the map that does not wait ---- */

static int end_thread(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)context, (void)inputs, (void)outputs, (void)count;
    pthread_exit(NULL);
}

/* Its only item ends the thread of a helper, while others find nothing to do and leave: the reader
 * gets the failure, and the range that says it is over. */
static void async_thread_ends(void)
{
    const distributor_options_t options = {.size = sizeof options, .workers = 2};
    distributor_t *d;
    distributor_result_t result;
    unsigned failures = 0, ends = 0;

    schedule_check(distributor_create(&d, &options) == 0);
    schedule_check(distributor_map_async(d, end_thread, NULL, NULL, 0, NULL, 0, 1) == 0);
    schedule_check(distributor_start(d) == 0);
    schedule_begin();
    while (failures + ends < 2) {
        schedule_check(distributor_next_result(d, &result) == 1);
        failures += result.error == -EOWNERDEAD;
        ends += result.error == 0 && ((const distributor_map_range_t *)result.data)->last;
    }
    schedule_end();
    schedule_check(failures == 1 && ends == 1);
    schedule_check(distributor_destroy(d) == 0);
}

int main(int argc, char **argv)
{
    static const struct schedule_scenario scenarios[] = {
        {.name = "items", .body = items},
        {.name = "two_helpers", .body = two_helpers},
        {.name = "reader_helps", .body = reader_helps},
        {.name = "parts_change", .body = parts_change},
        {.name = "early_end", .body = early_end},
        {.name = "thread_ends", .body = thread_ends},
        {.name = "last_one_frees", .body = last_one_frees},
        {.name = "async_thread_ends", .body = async_thread_ends, .preemptions = 1},
    };

    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
