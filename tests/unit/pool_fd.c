/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptor: when it is readable, when it is not, and whose it is. */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

TestSuite(fd, .timeout = 240);

/* Waits for it as long as it takes. */
static void await_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    expect(poll(&poller, 1, -1), 1);
    expect(poller.revents, POLLIN);
}

static bool readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static void add_numbers(distributor_t *d, int count)
{
    for (int i = 0; i < count; i++)
        expect(distributor_add_task(d, &echo, &i, sizeof(i)), 0);
}

/* Reads `count` results as they become ready, in the way of an event loop. */
static void read_some(distributor_t *d, int fd, int count)
{
    distributor_result_t r;
    while (count > 0) {
        await_readable(fd);
        int rc = distributor_try_next_result(d, &r);
        ensure(rc == 1 || rc == -EAGAIN);
        count -= rc == 1;
    }
}

/* Who finds nothing makes it unreadable; after that a worker may still be on its way to say so of a
 * result that was read before, once for each. */
static void expect_nothing(distributor_t *d, int fd)
{
    distributor_result_t r;
    do
        expect(distributor_try_next_result(d, &r), -EAGAIN);
    while (readable(fd));
}

/* STOP comes, and stays. */
static void expect_stop(distributor_t *d, int fd)
{
    distributor_result_t r;
    int rc;
    do
        await_readable(fd);
    while ((rc = distributor_try_next_result(d, &r)) == -EAGAIN); /* as in expect_nothing */
    expect(rc, 0);
    for (int i = 0; i < 3; i++) {
        ensure(readable(fd));
        expect(distributor_try_next_result(d, &r), 0);
    }
}

Test(fd, is_readable_while_a_result_waits)
{
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    int fd = distributor_fd(d);
    ensure(fd >= 0);
    expect(distributor_fd(d), fd);
    for (int round = 0; round < 3; round++) {
        expect_nothing(d, fd);
        add_numbers(d, 3);
        ensure(!readable(fd));
        expect(distributor_start(d), 0);
        await_readable(fd);
        read_some(d, fd, 2);
        await_readable(fd); /* the third one, or that nobody has found nothing yet */
        read_some(d, fd, 1);
        expect_nothing(d, fd);
        add_numbers(d, 100);
        read_some(d, fd, 100);
        expect_nothing(d, fd);
        expect(distributor_close(d), 0);
        expect_stop(d, fd);
        expect(sum_up(d).completed, 103);
        ensure(readable(fd));
        expect(distributor_start(d), 0);
        ensure(!readable(fd));
        expect(distributor_stop(d), 0);
        await_readable(fd);
        expect(distributor_join(d, NULL), 0);
        expect(distributor_try_next_result(d, &r), 0);
        expect(distributor_start(d), 0);
        expect_nothing(d, fd);
        expect(distributor_join(d, NULL), 0);
        expect(distributor_start(d), 0); /* of the next round: nothing is added before it */
        expect(distributor_cancel(d), 0);
        expect(distributor_join(d, NULL), 0);
        ensure(readable(fd));
        distributor_destroy(d);
        d = make(OPTIONS(.workers = 2));
        fd = distributor_fd(d);
        ensure(fd >= 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* Made when there is something already. */
Test(fd, can_be_asked_for_late)
{
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 1));
    add_numbers(d, 2);
    expect(distributor_start(d), 0);
    while (distributor_try_next_result(d, &r) != 1)
        nap(100000);
    nap(MILLISECONDS(5));
    int fd = distributor_fd(d);
    read_some(d, fd, 1);
    expect_nothing(d, fd);
    expect(distributor_join(d, NULL), 0);
    ensure(readable(fd));
    expect(distributor_destroy(d), 0);

    d = make(OPTIONS(.workers = 1));
    add_numbers(d, 1);
    expect(run(d).completed, 1);
    ensure(readable(distributor_fd(d)));
    expect(distributor_next_result(d, &r), 1);
    ensure(readable(distributor_fd(d)));
    expect(distributor_destroy(d), 0);
    finish();
}

/* Whoever finds nothing makes it unreadable, not only who polls. */
Test(fd, other_ways_of_reading)
{
    distributor_result_t results[8];
    distributor_t *d = make(OPTIONS(.workers = 1));
    int fd = distributor_fd(d);
    expect(distributor_start(d), 0);
    add_numbers(d, 5);
    for (ptrdiff_t n = 0; n < 5;) {
        ptrdiff_t rc = distributor_next_results(d, results, 8);
        ensure(rc >= 1);
        n += rc;
    }
    do
        expect(distributor_next_result_until(d, results, 0), -ETIMEDOUT);
    while (readable(fd)); /* as in expect_nothing */
    add_numbers(d, 5);
    await_readable(fd);
    nap(MILLISECONDS(5));
    while (readable(fd))
        distributor_drop_results(d);
    expect(sum_up(d).completed, 10);
    expect(distributor_destroy(d), 0);
    finish();
}

/* A blocking reader waits while it is unreadable: both are told. */
static void *read_to_the_end(void *d)
{
    static uint64_t n;
    n = drain(d);
    return &n;
}

Test(fd, beside_a_reader_that_waits)
{
    void *n;
    uint64_t polled = 0;
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 2));
    int fd = distributor_fd(d), rc = -EAGAIN;
    expect(distributor_start(d), 0);
    pthread_t reader = begin_thread(read_to_the_end, d);
    for (int i = 0; i < 200; i++) {
        add_numbers(d, 1);
        if (i % 4 == 0)
            nap(200000);
    }
    expect(distributor_close(d), 0);
    while (rc != 0) {
        await_readable(fd);
        while ((rc = distributor_try_next_result(d, &r)) == 1)
            polled++;
        ensure(rc == 0 || rc == -EAGAIN);
    }
    pthread_join(reader, &n);
    expect(*(uint64_t *)n + polled, 200);
    expect(sum_up(d).completed, 200);
    expect(distributor_destroy(d), 0);
    finish();
}

static int ask_for_it(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    task_assert(distributor_fd(distributor_of(self)) == *(const int *)input);
    return 0;
}

static void *destroy(void *d)
{
    task_assert(distributor_destroy(d) == 0);
    return NULL;
}

Test(fd, is_the_librarys)
{
    static const distributor_task_type_t type = {.run = ask_for_it};
    distributor_t *d = make(OPTIONS(.workers = 1));
    int fd = distributor_fd(d), status;
    expect(fcntl(fd, F_GETFD), FD_CLOEXEC);
    expect(distributor_add_task(d, &type, &fd, sizeof(fd)), 0);
    expect(run(d).completed, 1);
    pid_t child = fork();
    if (child == 0)
        end_child(distributor_fd(d) != -ECHILD || distributor_destroy(d) != 0 ||
                  fcntl(fd, F_GETFD) != -1);
    expect(waitpid(child, &status, 0), child);
    expect(status, 0);
    ensure(readable(fd));
    end_thread(begin_thread(destroy, d));
    expect(fcntl(fd, F_GETFD), -1);
    finish();
}

Test(fd, there_may_be_none)
{
    struct rlimit before, none;
    expect(distributor_fd(NULL), -EINVAL);
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    expect(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = distributor_fd(d);
    expect(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect(rc, -EMFILE);
    add_numbers(d, 1);
    expect(distributor_start(d), 0);
    int fd = distributor_fd(d);
    ensure(fd >= 0);
    read_some(d, fd, 1);
    expect(sum_up(d).completed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}
