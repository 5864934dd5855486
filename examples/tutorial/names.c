/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names - every line of a log says which thread wrote it.
 *
 * A plain thread is given its name by hand.  Workers have names, "NAME-INDEX" of the options or
 * those of distributor_add_worker: the system shows them too, tasks and hooks are told theirs, and
 * so is the log hook, to which the library says what it has to say.  It prints nothing itself.
 */
#define _GNU_SOURCE /* pthread_setname_np */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <distributor.h>

enum { NAME_SIZE = 16 };

/* One line at once: a call of a stream is never mixed with another one's. */
static void say(const char *thread, const char *text)
{
    char clock[sizeof "00:00:00"];
    time_t now = time(NULL);
    struct tm parts;
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &parts));
    printf("%s %-8s %s\n", clock, thread, text);
}

/* ---- a plain thread ---- */

static void *say_own_name(void *argument)
{
    char name[NAME_SIZE];
    (void)argument;
    pthread_setname_np(pthread_self(), "plain");
    pthread_getname_np(pthread_self(), name, sizeof name);
    say(name, "a thread that named itself");
    return NULL;
}

static int name_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, say_own_name, NULL);
    if (error == 0)
        pthread_join(thread, NULL);
    return -error;
}

/* ---- workers ---- */

static void say_started(void *context, unsigned worker, const char *name)
{
    (void)context, (void)worker;
    say(name, "started");
}

static void say_stopped(void *context, unsigned worker, const char *name)
{
    (void)context, (void)worker;
    say(name, "stopped");
}

static void say_message(void *context, distributor_log_level_t level, const char *worker,
                        const char *message)
{
    (void)context, (void)level;
    say(worker != NULL ? worker : "library", message);
}

/* The name that the system shows is the worker's. */
static int greet(distributor_task_t *self, const void *input, size_t size)
{
    const char *worker = distributor_worker_name(self);
    char name[NAME_SIZE];
    char text[64];
    (void)size;
    int error = pthread_getname_np(pthread_self(), name, sizeof name);
    if (error != 0 || strcmp(name, worker) != 0)
        return distributor_fail(self, -EPROTO, "the system calls %s %s", worker, name);
    snprintf(text, sizeof text, "says %s", (const char *)input);
    say(worker, text);
    return 0;
}

static int fail(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    return distributor_fail(self, -EIO, "it did not work");
}

static int name_workers(void)
{
    static const distributor_task_type_t greet_type = {.name = "greet", .run = greet};
    static const distributor_task_type_t fail_type = {.name = "fail", .run = fail};
    distributor_options_t options = {
        .size = sizeof options,
        .worker_started = say_started,
        .worker_stopped = say_stopped,
        .log = say_message,
    };
    distributor_t *d;
    int error = distributor_create(&d, &options);
    if (error == 0 && distributor_add_worker(d, "alice") < 0)
        error = -ENOMEM;
    if (error == 0)
        error = distributor_add_task(d, &greet_type, "hello", sizeof "hello");
    if (error == 0)
        error = distributor_add_task(d, &fail_type, NULL, 0);
    if (error == 0)
        error = distributor_run(d, NULL);
    distributor_destroy(d);
    return error;
}

int main(void)
{
    int error = name_thread();
    say("main", "the plain thread is done");
    if (error == 0)
        error = name_workers();
    if (error != 0)
        fprintf(stderr, "names: %s\n", distributor_strerror(error));
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
