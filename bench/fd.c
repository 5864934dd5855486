/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd.c - the same 1,000,000 results read in two ways while the tasks run that a first one spawns:
 * by an epoll loop on distributor_fd(), which takes what there is one call each ("fd"), and in
 * distributor_next_results(), up to 256 a call ("fd-next-results").  Each has a distributor of its
 * own, since one whose descriptor was asked for keeps it.  "fd-waits" is how often the loop asked
 * epoll.
 */
#include "ours.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TASKS UINT64_C(1000000)
#define BATCH 256

static int loop;
static uint64_t waits;

static const distributor_task_type_t square = {.name = "square", .run = ours_square};

static int run_root(distributor_task_t *self, const void *input, size_t size)
{
    int error = 0;

    (void)input, (void)size;
    for (uint64_t i = 0; i < TASKS && error == 0; i++)
        error = distributor_spawn(self, &square, &i, sizeof i);
    return error;
}

static const distributor_task_type_t root = {.name = "root", .run = run_root};

static void take(const distributor_result_t *result, uint64_t *count, uint64_t *sum)
{
    bench_must("task", result->error);
    *sum += ours_number(result->data);
    ++*count;
}

/* Takes what there is; false: STOP. */
static bool read_ready(distributor_t *d, uint64_t *count, uint64_t *sum)
{
    distributor_result_t result;
    int rc;

    while ((rc = distributor_try_next_result(d, &result)) == 1)
        take(&result, count, sum);
    if (rc != -EAGAIN)
        bench_must("try_next_result", rc);
    return rc == -EAGAIN;
}

static void read_by_loop(distributor_t *d, uint64_t *count, uint64_t *sum)
{
    struct epoll_event event;

    do {
        waits++;
        bench_check("epoll_wait", (uint64_t)epoll_wait(loop, &event, 1, -1), 1);
    } while (read_ready(d, count, sum));
}

static void read_by_calls(distributor_t *d, uint64_t *count, uint64_t *sum)
{
    distributor_result_t results[BATCH];
    int got;

    while ((got = bench_must("next_results", (int)distributor_next_results(d, results, BATCH))) > 0)
        for (int i = 0; i < got; i++)
            take(&results[i], count, sum);
}

static double run(distributor_t *d, void (*read)(distributor_t *, uint64_t *, uint64_t *))
{
    uint64_t count = 0, sum = 0;
    int64_t start = bench_now();

    bench_must("start", distributor_start(d));
    bench_must("add", distributor_add_task(d, &root, NULL, 0));
    bench_must("close", distributor_close(d));
    read(d, &count, &sum);
    bench_must("join", distributor_join(d, NULL));
    start = bench_now() - start;
    bench_check("number of squares", count, TASKS);
    bench_check("sum of squares", sum, bench_squares(TASKS));
    return (double)start / (double)TASKS;
}

static void watch(distributor_t *d)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = bench_must("distributor_fd", distributor_fd(d));

    loop = epoll_create1(EPOLL_CLOEXEC);
    bench_check("a watched descriptor", epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0, 1);
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    distributor_t *watched = ours_create(workers), *other = ours_create(workers);

    watch(watched);
    for (int warm = 0; warm < 2; warm++) {
        waits = 0;
        bench_say_warm("fd", workers, "ns/result", warm, run(watched, read_by_loop));
        bench_say_warm("fd-next-results", workers, "ns/result", warm, run(other, read_by_calls));
    }
    bench_say("fd-waits", workers, "calls", (double)waits);
    close(loop);
    bench_must("destroy", distributor_destroy(watched));
    bench_must("destroy", distributor_destroy(other));
    return 0;
}
