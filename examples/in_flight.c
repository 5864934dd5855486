/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_flight ADDRESS COUNT - thousands of requests in flight on two workers.
 *
 * Asks for ADDRESS/0, ADDRESS/1 and so on, COUNT of them, all at once, and adds up the numbers that
 * are the answers.  A task only begins its request: it is deferred, and holds no worker while it
 * waits.  One thread has all requests in hand and completes the tasks as the answers come.
 *
 * Prints how many answers came, their sum, and how many requests were in flight at once; requests
 * that failed are named on the standard error.  Ends with 0; 1 if some failed; 2 if it could not
 * run at all.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "in_flight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <curl/curl.h>

enum { EXIT_FAILED = 1, EXIT_TROUBLE = 2 };

enum { WORKERS = 2, MOST = 20000, OTHER_FILES = 64 };

/* ---- the task ---- */

static int ask(distributor_task_t *self, const void *input, size_t size)
{
    struct loop *loop = distributor_context(distributor_of(self));
    struct request *request = calloc(1, sizeof *request);
    char *address = malloc(size);
    if (request == NULL || address == NULL) {
        free(request);
        free(address);
        return -ENOMEM;
    }
    request->address = memcpy(address, input, size);
    int error = distributor_defer(self, &request->task);
    if (error != 0) {
        free(address);
        free(request);
        return error;
    }
    loop_add(loop, request); /* from here on the task may be over at any time */
    return 0;
}

static const distributor_task_type_t ask_type = {.name = "ask", .run = ask};

/* ---- the reader ---- */

struct sum {
    uint64_t answers, sum;
};

static void take(struct sum *sum, const distributor_result_t *result)
{
    if (result->error != 0) {
        fprintf(stderr, "in_flight: %s: %s\n", (const char *)result->data, result->message);
        return;
    }
    sum->answers++;
    sum->sum += strtoull(result->data, NULL, 10);
}

static int add_requests(distributor_t *d, const char *address, unsigned long count)
{
    size_t room = strlen(address) + 32;
    char *text = malloc(room);
    int error = text != NULL ? 0 : -ENOMEM;
    for (unsigned long i = 0; i < count && error == 0; i++) {
        int length = snprintf(text, room, "%s/%lu", address, i);
        error = distributor_add_task(d, &ask_type, text, (size_t)length + 1);
    }
    free(text);
    return error;
}

/* Returns how many requests failed, or a negative errno. */
static int64_t run(distributor_t *d, const char *address, unsigned long count, struct sum *sum)
{
    distributor_summary_t summary;
    distributor_result_t result;
    int got;
    int error = add_requests(d, address, count);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_close(d);
    if (error != 0)
        return error;
    while ((got = distributor_next_result(d, &result)) == 1)
        take(sum, &result);
    error = got == 0 ? distributor_join(d, &summary) : got;
    return error == 0 ? (int64_t)summary.failed : error;
}

static int64_t run_with_loop(const char *address, unsigned long count)
{
    struct sum sum = {0};
    struct loop *loop;
    distributor_t *d;
    int64_t failed = loop_start(&loop);
    if (failed != 0)
        return failed;
    distributor_options_t options = {
        .size = sizeof options,
        .workers = WORKERS,
        .context = loop,
    };
    failed = distributor_create(&d, &options);
    if (failed == 0)
        failed = run(d, address, count, &sum);
    size_t most = loop_stop(loop); /* the tasks are over, or they never began */
    distributor_destroy(d);
    if (failed >= 0)
        printf("%" PRIu64 " answers, sum %" PRIu64 ", %zu in flight at once on %d workers\n",
               sum.answers, sum.sum, most, WORKERS);
    return failed;
}

/* ---- the command line ---- */

/* Each request has a socket.  The limit that a process begins with is often 1024. */
static int make_room_for(unsigned long count)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)count + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -errno;
    if (limit.rlim_cur >= wanted)
        return 0;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted)
        limit.rlim_max = wanted; /* for who may */
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

static int complain(const char *about, const char *what)
{
    fprintf(stderr, "in_flight: %s: %s\n", about, what);
    return EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long count = argc == 3 ? strtoul(argv[2], &end, 10) : 0;
    if (argc != 3 || *argv[2] < '0' || *argv[2] > '9' || *end != '\0' || count > MOST) {
        fprintf(stderr, "usage: in_flight ADDRESS COUNT, at most %d\n", MOST);
        return EXIT_TROUBLE;
    }
    if (make_room_for(count) != 0)
        return complain(argv[2], "more sockets than this process may open (ulimit -n)");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return complain("libcurl", "it cannot be used");
    int64_t failed = run_with_loop(argv[1], count);
    curl_global_cleanup();
    if (failed < 0)
        return complain("cannot go on", distributor_strerror((int)failed));
    return failed > 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_SUCCESS;
}
