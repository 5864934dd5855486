/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - one thread tells others that something has happened: set, is_set, wait.
 *
 * First by hand, a flag with a mutex and a condition, which is what an event is made of and what is
 * easy to get wrong: the flag must be looked at again after each wake-up, and always under the
 * mutex.  Then distributor_event_t, between the main thread and a task.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include <distributor.h>

/* ---- by hand ---- */

struct flag {
    pthread_mutex_t mutex; /* guards `set` */
    pthread_cond_t changed;
    bool set;
};

static void set_flag(struct flag *flag)
{
    pthread_mutex_lock(&flag->mutex);
    flag->set = true;
    pthread_cond_broadcast(&flag->changed);
    pthread_mutex_unlock(&flag->mutex);
}

static bool is_flag_set(struct flag *flag)
{
    pthread_mutex_lock(&flag->mutex);
    bool set = flag->set;
    pthread_mutex_unlock(&flag->mutex);
    return set;
}

static void wait_for_flag(struct flag *flag)
{
    pthread_mutex_lock(&flag->mutex);
    while (!flag->set)
        pthread_cond_wait(&flag->changed, &flag->mutex);
    pthread_mutex_unlock(&flag->mutex);
}

static struct flag begun = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
static struct flag enough = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

/* It does not wait for the flag: it goes on with its work, and looks now and then. */
static void *count_until_flag(void *argument)
{
    unsigned long *rounds = argument;
    do {
        ++*rounds;
        set_flag(&begun);
    } while (!is_flag_set(&enough));
    return NULL;
}

static int by_hand(void)
{
    unsigned long rounds = 0;
    pthread_t thread;
    int error = pthread_create(&thread, NULL, count_until_flag, &rounds);
    if (error != 0)
        return -error;
    wait_for_flag(&begun);
    set_flag(&enough);
    pthread_join(thread, NULL);
    printf("by hand: the thread %s\n", rounds > 0 ? "worked, and saw the flag" : "did nothing");
    return 0;
}

/* ---- events ---- */

struct events {
    distributor_event_t *begun, *enough;
};

static int count_until_event(distributor_task_t *self, const void *input, size_t size)
{
    const struct events *events = input;
    unsigned long rounds = 0;
    (void)size;
    do {
        rounds++;
        distributor_event_set(events->begun);
    } while (!distributor_event_is_set(events->enough));
    return distributor_emit(self, &rounds, sizeof rounds);
}

static const distributor_task_type_t count_type = {.name = "count", .run = count_until_event};

static int tell_task(distributor_t *d, const struct events *events)
{
    distributor_result_t result;
    int error = distributor_add_task(d, &count_type, events, sizeof *events);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_event_wait(events->begun);
    if (error == 0)
        error = distributor_event_set(events->enough);
    if (error == 0)
        error = distributor_join(d, NULL);
    if (error == 0 && distributor_next_result(d, &result) == 1 && result.error == 0)
        printf("event: the task %s\n", *(const unsigned long *)result.data > 0
                                           ? "worked, and saw the event"
                                           : "did nothing");
    return error;
}

/* What may never happen is waited for with a deadline. */
static int wait_in_vain(distributor_event_t *event)
{
    int error = distributor_event_clear(event);
    if (error == 0)
        error = distributor_event_wait_until(event, distributor_now() + 1000000);
    printf("event: cleared, and waited for: %s\n", distributor_strerror(error));
    return 0;
}

static int with_events(void)
{
    struct events events = {NULL, NULL};
    distributor_t *d = NULL;
    int error = distributor_event_create(&events.begun);
    if (error == 0)
        error = distributor_event_create(&events.enough);
    if (error == 0)
        error = distributor_create(&d, NULL);
    if (error == 0)
        error = tell_task(d, &events);
    if (error == 0)
        error = wait_in_vain(events.begun);
    distributor_destroy(d); /* first: its task uses the events */
    distributor_event_destroy(events.enough);
    distributor_event_destroy(events.begun);
    return error;
}

int main(void)
{
    int error = by_hand();
    if (error == 0)
        error = with_events();
    if (error != 0)
        fprintf(stderr, "event: %s\n", distributor_strerror(error));
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
