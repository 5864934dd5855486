/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_loop - one thread with an epoll loop: lines of the standard input become tasks, and their
 * results are printed as they are made, while the loop never waits for either alone.
 */
#include <distributor.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Adds up what stands in a line. */
static int add_up(distributor_task_t *self, const void *input, size_t size)
{
    const char *line = input;
    char *end = NULL;
    int64_t sum = 0;
    errno = 0;
    for (const char *next = line; next < line + size - 1; next = end) {
        sum += strtoimax(next, &end, 10);
        if (end == next || errno != 0)
            return distributor_fail(self, -EDOM, "no numbers");
    }
    return distributor_emit(self, &sum, sizeof sum);
}

static const distributor_task_type_t type = {.name = "add up", .run = add_up};

/* The lines that are there.  0: more may come; 1: the input has ended; or a negative errno. */
static int read_lines(distributor_t *d)
{
    static char buffer[4096];
    static size_t held; /* of a line that is not whole yet */
    ssize_t got = read(STDIN_FILENO, buffer + held, sizeof buffer - held);
    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    held += (size_t)got;
    char *line = buffer;
    char *end;
    while ((end = memchr(line, '\n', held)) != NULL) {
        *end = '\0';
        size_t size = (size_t)(end - line) + 1;
        int error = distributor_add_task(d, &type, line, size);
        if (error != 0)
            return error;
        line += size;
        held -= size;
    }
    memmove(buffer, line, held);
    return got == 0 ? 1 : held == sizeof buffer ? -EMSGSIZE : 0;
}

/* The results that are there.  -EAGAIN: more will come; 0: STOP. */
static int print_results(distributor_t *d)
{
    distributor_result_t result;
    int got;
    while ((got = distributor_try_next_result(d, &result)) == 1) {
        if (result.error == 0)
            printf("%" PRId64 "\n", *(const int64_t *)result.data);
        else
            printf("%s: %s\n", (const char *)result.data, result.message);
    }
    return got;
}

static int watch(int loop, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int run_loop(distributor_t *d, int loop, int results)
{
    for (;;) {
        struct epoll_event event;
        int rc = epoll_wait(loop, &event, 1, -1);
        if (rc < 0 && errno != EINTR)
            return -errno;
        if (rc < 1)
            continue;
        if (event.data.fd == results) {
            rc = print_results(d);
            if (rc != -EAGAIN)
                return rc;
        } else if ((rc = read_lines(d)) != 0) {
            epoll_ctl(loop, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
            if (rc < 0 || (rc = distributor_close(d)) != 0)
                return rc;
        }
    }
}

int main(void)
{
    distributor_t *d;
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int rc = distributor_create(&d, NULL);
    if (rc == 0)
        rc = distributor_start(d);
    int results = rc == 0 ? distributor_fd(d) : rc;
    rc = results < 0 ? results : watch(loop, results);
    if (rc == 0)
        rc = watch(loop, STDIN_FILENO); /* a pipe or a terminal: epoll takes no file */
    if (rc == 0)
        rc = run_loop(d, loop, results);
    if (rc != 0)
        fprintf(stderr, "event_loop: %s\n", distributor_strerror(rc));
    if (loop >= 0)
        close(loop);
    distributor_destroy(d);
    return rc != 0;
}
