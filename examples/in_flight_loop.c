/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_flight: the thread that has all requests in flight.  libcurl says which sockets to watch and
 * when to call it next; epoll waits.  So one round costs as much as something happened, not as many
 * requests as there are.
 */
#include "in_flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <curl/curl.h>

enum { EVENTS = 256 };

struct loop {
    pthread_t thread;
    CURLM *multi;
    int events;  /* epoll */
    int doorbell; /* an eventfd: there are new requests, or it is to end */
    int64_t timeout; /* libcurl wants to be called then; -1: no matter when */
    size_t running, most;

    pthread_mutex_t lock; /* guards the rest */
    struct request *added;
    bool stop;
};

/* ---- libcurl tells us ---- */

/* Watch this socket, or do not any more.  `known` is not NULL from the second time on. */
static int watch(CURL *curl, curl_socket_t fd, int what, void *context, void *known)
{
    struct loop *loop = context;
    struct epoll_event event = {.data.fd = fd};
    (void)curl;
    if (what == CURL_POLL_REMOVE)
        return epoll_ctl(loop->events, EPOLL_CTL_DEL, fd, NULL) != 0 && errno != EBADF ? -1 : 0;
    if (what != CURL_POLL_OUT)
        event.events |= EPOLLIN;
    if (what != CURL_POLL_IN)
        event.events |= EPOLLOUT;
    curl_multi_assign(loop->multi, fd, loop);
    return epoll_ctl(loop->events, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

static int set_timeout(CURLM *multi, long milliseconds, void *context)
{
    struct loop *loop = context;
    (void)multi;
    loop->timeout = milliseconds < 0 ? -1 : distributor_now() + milliseconds * INT64_C(1000000);
    return 0;
}

static size_t take_bytes(char *bytes, size_t one, size_t count, void *context)
{
    struct request *request = context;
    size_t size = one * count;
    if (size > sizeof request->answer - 1 - request->size)
        return 0;
    memcpy(request->answer + request->size, bytes, size);
    request->size += size;
    return size;
}

/* ---- requests ---- */

/* The task is over; whoever reads gets the answer, or the failure. */
static void finish(struct request *request, int error)
{
    if (error == 0)
        error = distributor_emit(request->task, request->answer, request->size + 1);
    distributor_complete(request->task, error);
    free(request->address);
    free(request);
}

static int begin(struct loop *loop, struct request *request)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return -ENOMEM;
    curl_easy_setopt(curl, CURLOPT_URL, request->address);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, request);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, request->message);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 1024L); /* there are thousands */
    if (curl_multi_add_handle(loop->multi, curl) != CURLM_OK) {
        curl_easy_cleanup(curl);
        return -ENOMEM;
    }
    if (++loop->running > loop->most)
        loop->most = loop->running;
    return 0;
}

static void end(struct loop *loop, CURL *curl, CURLcode code)
{
    struct request *request = NULL;
    int error = 0;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &request);
    curl_multi_remove_handle(loop->multi, curl);
    curl_easy_cleanup(curl);
    loop->running--;
    if (code != CURLE_OK)
        error = distributor_fail(request->task, -EIO, "%s",
                                 *request->message ? request->message : curl_easy_strerror(code));
    finish(request, error);
}

static void end_those_that_are_done(struct loop *loop)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            end(loop, message->easy_handle, message->data.result);
}

/* False: the loop is to end. */
static bool begin_those_that_were_added(struct loop *loop)
{
    eventfd_t rings;
    eventfd_read(loop->doorbell, &rings);
    pthread_mutex_lock(&loop->lock);
    struct request *request = loop->added;
    bool stop = loop->stop;
    loop->added = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (request != NULL) {
        struct request *next = request->next;
        int error = begin(loop, request);
        if (error != 0)
            finish(request, error);
        request = next;
    }
    return !stop;
}

/* ---- the loop ---- */

static int milliseconds_left(const struct loop *loop)
{
    if (loop->timeout < 0)
        return -1;
    int64_t left = loop->timeout - distributor_now();
    return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static bool handle(struct loop *loop, const struct epoll_event *event)
{
    int happened = 0;
    int running;
    if (event->data.fd == loop->doorbell)
        return begin_those_that_were_added(loop);
    if (event->events & EPOLLIN)
        happened |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        happened |= CURL_CSELECT_OUT;
    if (event->events & (EPOLLERR | EPOLLHUP))
        happened |= CURL_CSELECT_ERR;
    curl_multi_socket_action(loop->multi, event->data.fd, happened, &running);
    return true;
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    struct epoll_event events[EVENTS];
    bool on = true;
    while (on) {
        int running;
        int count = epoll_wait(loop->events, events, EVENTS, milliseconds_left(loop));
        for (int i = 0; i < count; i++)
            on = handle(loop, &events[i]) && on;
        if (milliseconds_left(loop) == 0) {
            loop->timeout = -1; /* libcurl sets the next one */
            curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        end_those_that_are_done(loop);
    }
    return NULL;
}

/* ---- from other threads ---- */

void loop_add(struct loop *loop, struct request *request)
{
    pthread_mutex_lock(&loop->lock);
    request->next = loop->added;
    loop->added = request;
    pthread_mutex_unlock(&loop->lock);
    eventfd_write(loop->doorbell, 1);
}

static void free_loop(struct loop *loop)
{
    curl_multi_cleanup(loop->multi);
    if (loop->events >= 0)
        close(loop->events);
    if (loop->doorbell >= 0)
        close(loop->doorbell);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static int prepare(struct loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->doorbell};
    if (loop->multi == NULL)
        return -ENOMEM;
    if (loop->events < 0 || loop->doorbell < 0 ||
        epoll_ctl(loop->events, EPOLL_CTL_ADD, loop->doorbell, &event) != 0)
        return -errno;
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timeout);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    return -pthread_create(&loop->thread, NULL, run, loop);
}

int loop_start(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return -ENOMEM;
    loop->timeout = -1;
    loop->multi = curl_multi_init();
    loop->events = epoll_create1(EPOLL_CLOEXEC);
    loop->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&loop->lock, NULL);
    int error = prepare(loop);
    if (error != 0)
        free_loop(loop);
    else
        *out = loop;
    return error;
}

size_t loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    eventfd_write(loop->doorbell, 1);
    pthread_join(loop->thread, NULL);
    size_t most = loop->most;
    free_loop(loop);
    return most;
}
