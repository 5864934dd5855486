/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * holding_server COUNT - a web server that answers nobody before COUNT requests are open at once.
 *
 * Prints its port, then holds each request for "/NUMBER" until it has COUNT of them, and answers
 * all with their numbers, and later ones at once.  So who gets an answer has had COUNT in flight.
 * Ends when its standard input ends, and prints how many requests there were, and how many of them
 * were open at once at most.
 */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_ROOM = 1024, EVENTS = 256, OTHER_FILES = 64 };

/* A connection, by its descriptor. */
struct connection {
    char *request; /* NULL: there is no such connection */
    size_t size;
    bool held; /* its request is whole and not answered */
};

static struct connection *connections;
static size_t room, count, requests, open_requests, most;
static bool answers;
static int events, listener;

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    must(epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void drop(int fd)
{
    struct connection *connection = &connections[fd];
    open_requests -= connection->held;
    free(connection->request);
    *connection = (struct connection){0};
    close(fd);
}

/* A few bytes: they fit into the socket's buffer. */
static void answer(int fd)
{
    char number[32], text[256];
    must(sscanf(connections[fd].request, "GET /%31[0-9] ", number) == 1, "a request");
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        strlen(number), number);
    must(write(fd, text, (size_t)size) == size, "write");
    drop(fd);
}

static void answer_all(void)
{
    answers = true;
    for (size_t fd = 0; fd < room; fd++)
        if (connections[fd].held)
            answer((int)fd);
}

static void hold(int fd)
{
    connections[fd].held = true;
    requests++;
    if (++open_requests > most)
        most = open_requests;
    if (answers)
        answer(fd);
    else if (open_requests == count)
        answer_all();
}

static void read_more(int fd)
{
    struct connection *connection = &connections[fd];
    char *end = connection->request + connection->size;
    ssize_t got = read(fd, end, REQUEST_ROOM - 1 - connection->size);
    if (got <= 0) { /* it has gone, or its request is too long */
        drop(fd);
        return;
    }
    connection->size += (size_t)got;
    connection->request[connection->size] = '\0';
    if (!connection->held && strstr(connection->request, "\r\n\r\n") != NULL)
        hold(fd);
}

static void take_connections(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        must((size_t)fd < room, "too many connections");
        connections[fd].request = malloc(REQUEST_ROOM);
        must(connections[fd].request != NULL, "malloc");
        watch(fd);
    }
    must(errno == EAGAIN || errno == ECONNABORTED || errno == EINTR, "accept4");
}

static void listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(listener >= 0, "socket");
    must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
    must(listen(listener, SOMAXCONN) == 0, "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void serve(void)
{
    struct epoll_event happened[EVENTS];
    for (;;) {
        int n = epoll_wait(events, happened, EVENTS, -1);
        must(n >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = happened[i].data.fd;
            if (fd == STDIN_FILENO)
                return;
            if (fd == listener)
                take_connections();
            else if (connections[fd].request != NULL) /* not dropped in this round */
                read_more(fd);
        }
    }
}

int main(int argc, char **argv)
{
    count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (count == 0) {
        fputs("usage: holding_server COUNT < PIPE\n", stderr);
        return 2;
    }
    room = 2 * count + OTHER_FILES;
    struct rlimit limit = {.rlim_cur = room, .rlim_max = room};
    struct rlimit old;
    must(getrlimit(RLIMIT_NOFILE, &old) == 0, "getrlimit");
    if (old.rlim_max >= room)
        limit.rlim_max = old.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fprintf(stderr, "%zu descriptors are more than this process may open\n", room);
        return 77;
    }
    connections = calloc(room, sizeof *connections);
    must(connections != NULL, "calloc");
    events = epoll_create1(EPOLL_CLOEXEC);
    must(events >= 0, "epoll_create1");
    listen_somewhere();
    watch(listener);
    watch(STDIN_FILENO);
    serve();
    printf("%zu requests, %zu at once\n", requests, most);
    return 0;
}
