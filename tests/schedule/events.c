/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules of events (Z1 to Z4): some wait, asleep or about to be, while one sets and clears.  Who
 * waited when it was set goes on.
 */
#include "schedule/schedule.h"

#include <distributor.h>
#include <errno.h>

static distributor_event_t *event;

static void set_up(void)
{
    schedule_check(distributor_event_create(&event) == 0);
}

static pthread_t start(void *(*routine)(void *))
{
    pthread_t thread;

    schedule_check(pthread_create(&thread, NULL, routine, NULL) == 0);
    return thread;
}

static void set(void)
{
    schedule_check(distributor_event_set(event) == 0);
}

static void clear(void)
{
    schedule_check(distributor_event_clear(event) == 0);
}

/* All threads but this one have ended. */
static void finish(void)
{
    schedule_end();
    distributor_event_destroy(event);
}

static void *wait_for_it(void *unused)
{
    schedule_check(distributor_event_wait(event) == 0);
    return unused;
}

/* ---- set and clear ---- */

/* Two sleep and one comes: all go on. */
static void set_wakes(void)
{
    set_up();
    pthread_t one = start(wait_for_it);
    pthread_t other = start(wait_for_it);
    schedule_settle();
    pthread_t late = start(wait_for_it);
    schedule_begin();
    set();
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    pthread_join(late, NULL);
    finish();
}

/* Two sleep, and go on though it is no longer set when they look. */
static void cleared_at_once(void)
{
    set_up();
    pthread_t one = start(wait_for_it);
    pthread_t other = start(wait_for_it);
    schedule_settle();
    schedule_begin();
    set();
    clear();
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    schedule_check(!distributor_event_is_set(event));
    finish();
}

/* One comes at any moment, and is about to sleep as it is set, cleared and set. */
static void set_again(void)
{
    set_up();
    pthread_t late = start(wait_for_it);
    schedule_begin();
    set();
    clear();
    set();
    pthread_join(late, NULL);
    schedule_check(distributor_event_is_set(event));
    finish();
}

/* ---- those that leave ---- */

static void *wait_until(void *unused)
{
    int rc = distributor_event_wait_until(event, distributor_now() + 1000);

    schedule_check(rc == 0 || rc == -ETIMEDOUT);
    return unused;
}

/* One of two has a deadline, which passes at any moment: the other one is woken. */
static void deadline(void)
{
    set_up();
    pthread_t patient = start(wait_for_it);
    pthread_t other = start(wait_until);
    schedule_begin();
    set();
    pthread_join(patient, NULL);
    pthread_join(other, NULL);
    finish();
}

static void *wait_and_destroy(void *unused)
{
    schedule_check(distributor_event_wait(event) == 0);
    schedule_check(distributor_event_destroy(event) == 0);
    return unused;
}

/* Who waited destroys it while the one that set it is in the call. */
static void destroyed_at_once(void)
{
    set_up();
    pthread_t last = start(wait_and_destroy);
    schedule_begin();
    schedule_yield();
    set();
    pthread_join(last, NULL);
}

static const struct schedule_scenario scenarios[] = {
    {.name = "set_wakes", .body = set_wakes},
    {.name = "cleared_at_once", .body = cleared_at_once},
    {.name = "set_again", .body = set_again},
    {.name = "deadline", .body = deadline},
    {.name = "destroyed_at_once", .body = destroyed_at_once},
};

int main(int argc, char **argv)
{
    return schedule_main(argc, argv, scenarios, sizeof scenarios / sizeof scenarios[0]);
}
