/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_flight: what its two files share.
 *
 *     in_flight.c       the command, the task, the reader
 *     in_flight_loop.c  the thread that has all requests in flight: libcurl, epoll
 */
#ifndef IN_FLIGHT_H
#define IN_FLIGHT_H

#include <stddef.h>

#include <distributor.h>

/* One request, from the task that begins it to its completion. */
struct request {
    distributor_task_t *task; /* deferred */
    char *address;
    struct request *next; /* in the list of those that have not begun */
    size_t size;
    char answer[32]; /* what has come; longer ones are no answer of ours */
    char message[256];
};

struct loop;

/* Starts the thread.  Returns 0 or a negative errno. */
int loop_start(struct loop **out);

/* Any thread: the loop sends the request, emits the answer, completes the task, and frees the
 * request and its address. */
void loop_add(struct loop *loop, struct request *request);

/* Ends the thread; there are no requests left.  Returns how many there were at once at most. */
size_t loop_stop(struct loop *loop);

#endif
