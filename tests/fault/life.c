/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults while a distributor is made, given workers, started and ended: the owner's calls. */
#define _GNU_SOURCE
#include "book.h"
#include "inject.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static distributor_order_t order; /* of all that are made */

static distributor_t *make(unsigned workers)
{
    distributor_t *d = NULL;
    distributor_options_t options = {
        .size = sizeof options, .workers = workers, .name = "w", .order = order};
    int rc = distributor_create(&d, &options);
    FAULT_CHECK(rc == 0 && d != NULL, "create: %d\n", rc);
    return d;
}

static void destroy(distributor_t *d)
{
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

/* It works: adds a few tasks, starts it if it does not run, reads all. */
static void use(distributor_t *d, bool start)
{
    fault_say("is used afterwards");
    for (unsigned i = 100; i < 110; i++) {
        FAULT_CHECK(book_add(d, i, i % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(!start || distributor_start(d) == 0, "start\n");
    book_finish(d);
    FAULT_CHECK(book_accepted() >= 10, "%u tasks\n", book_accepted());
}

/* ---- create ---- */

static void create(void)
{
    distributor_t *d = (distributor_t *)&d;
    distributor_options_t options = {.size = sizeof options, .workers = 3, .name = "named",
                                     .input_limit = 5, .output_limit = 5, .stack_size = 1 << 18,
                                     .order = order};
    book_reset(NULL);
    fault_arm();
    int rc = distributor_create(&d, &options);
    fault_disarm();
    FAULT_MAY(rc, 0, -ENOMEM);
    FAULT_CHECK((rc == 0) == (d != NULL), "%d and %p\n", rc, (void *)d);
    destroy(d);
    d = make(2);
    use(d, true);
    destroy(d);
}

/* The very first one of a process makes what all share: each turn in a process of its own. */
static void first_create(void)
{
    pid_t child = fork();
    FAULT_CHECK(child >= 0, "fork\n");
    if (child == 0) {
        distributor_t *d;
        fault_arm();
        int rc = distributor_create(&d, NULL);
        fault_disarm();
        FAULT_MAY(rc, 0, -ENOMEM);
        FAULT_CHECK((rc == 0) == (d != NULL), "%d and %p\n", rc, (void *)d);
        destroy(d);
        book_reset(NULL);
        d = make(2);
        use(d, true);
        destroy(d);
        _exit(fault_fired() ? 3 : 0);
    }
    int status = 0;
    FAULT_CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "status %x\n", status);
    FAULT_CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3, "status %x\n", status);
    fault_note(WEXITSTATUS(status) == 3);
}

/* ---- add_worker ---- */

/* Adds `count` workers, with a name and without in turn; a failed one must not be there. */
static void add_workers(distributor_t *d, unsigned before, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "extra%u", i);
        int rc = distributor_add_worker(d, i % 2 == 0 ? name : NULL);
        if (rc >= 0) {
            FAULT_CHECK(rc == (int)before, "index %d, not %u\n", rc, before);
            before++;
            continue;
        }
        FAULT_CHECK((rc == -ENOMEM || rc == -EAGAIN) && fault_fired(), "add_worker: %d\n", rc);
        FAULT_CHECK(i % 2 != 0 || distributor_find_worker(d, name) == -ENOENT,
                    "a worker that failed has a name\n");
        FAULT_CHECK(distributor_send(d, before, "x", 1) == -ENOENT,
                    "a worker that failed has a mailbox\n");
    }
    fault_disarm();
    FAULT_CHECK(distributor_send(d, before - 1, "x", 1) == 0, "worker %u is lost\n", before - 1);
}

static void add_worker(void)
{
    distributor_t *d = make(1);
    book_reset(NULL);
    fault_arm();
    add_workers(d, 1, 20);
    use(d, true);
    destroy(d);
}

static void add_worker_running(void)
{
    distributor_t *d = make(1);
    book_reset(NULL);
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    fault_arm();
    add_workers(d, 1, 10);
    use(d, false);
    destroy(d);
}

/* More than one group of records, so that the list of them grows. */
static void add_many_workers(void)
{
    distributor_t *d = make(62);
    book_reset(NULL);
    fault_arm();
    add_workers(d, 62, 6);
    use(d, true);
    destroy(d);
}

/* ---- start ---- */

static unsigned started, stopped;

static void hook_started(void *context, unsigned worker, const char *name)
{
    (void)context;
    (void)worker;
    (void)name;
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
}

static void hook_stopped(void *context, unsigned worker, const char *name)
{
    (void)context;
    (void)worker;
    (void)name;
    __atomic_fetch_add(&stopped, 1, __ATOMIC_SEQ_CST);
}

static void start_with(unsigned workers)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = workers,
                                     .worker_started = hook_started,
                                     .worker_stopped = hook_stopped};
    book_reset(NULL);
    started = stopped = 0;
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    FAULT_CHECK(book_add(d, 0, BOOK_INLINE) == 0 && book_add(d, 1, BOOK_LARGE) == 0, "add\n");
    fault_arm();
    int rc = distributor_start(d);
    fault_disarm();
    FAULT_CHECK(rc == 0 || ((rc == -EAGAIN || rc == -ENOMEM) && fault_fired()), "start: %d\n", rc);
    if (rc != 0) {
        /* As it was: nothing ran, nobody joins, everything can be tried again. */
        fault_say("looks at what a failed start has left");
        FAULT_CHECK(book_begun() == 0, "%u tasks ran\n", book_begun());
        FAULT_CHECK(distributor_join(d, NULL) == -EINVAL, "it can be joined\n");
        FAULT_CHECK(book_add(d, 2, BOOK_INLINE) == 0, "add\n");
    }
    use(d, rc != 0);
    destroy(d);
    FAULT_CHECK(started == stopped, "%u workers started, %u stopped\n", started, stopped);
}

static void start(void)
{
    start_with(5);
}

static void start_automatic(void)
{
    start_with(0);
}

/* ---- run ---- */

static void run(void)
{
    distributor_t *d = make(3);
    distributor_summary_t summary;
    book_reset(NULL);
    for (unsigned i = 0; i < 20; i++) {
        FAULT_CHECK(book_add(d, i, i % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    fault_arm();
    int rc = distributor_run(d, &summary);
    fault_disarm();
    FAULT_CHECK(rc == 0 || ((rc == -EAGAIN || rc == -ENOMEM) && fault_fired()), "run: %d\n", rc);
    if (rc == 0) {
        book_read_all(d);
        book_close();
        FAULT_CHECK(summary.added == 20, "%llu tasks\n", (unsigned long long)summary.added);
        book_reset(NULL);
    }
    use(d, true);
    destroy(d);
}

/* ---- the descriptor ---- */

static void descriptor(void)
{
    distributor_t *d = make(2);
    book_reset(NULL);
    fault_arm();
    int rc = distributor_fd(d);
    fault_disarm();
    FAULT_CHECK(rc >= 0 || (rc == -EMFILE && fault_fired()), "fd: %d\n", rc);
    int fd = distributor_fd(d);
    FAULT_CHECK(fd >= 0 && (rc < 0 || rc == fd), "fd: %d, then %d\n", rc, fd);
    use(d, true);
    destroy(d);
}

/* ---- endings: no memory is no reason to fail ---- */

static void end_with(int (*end)(distributor_t *))
{
    distributor_t *d = make(2);
    book_reset(NULL);
    for (unsigned i = 0; i < 50; i++) {
        FAULT_CHECK(book_add(d, i, i % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    fault_arm();
    int rc = end(d);
    int joined = distributor_join(d, NULL);
    distributor_drop_results(d);
    int destroyed = distributor_destroy(d);
    fault_disarm();
    FAULT_CHECK(rc == 0 && joined == 0 && destroyed == 0, "%d, %d, %d\n", rc, joined, destroyed);
    book_close();
}

static void close_it(void)
{
    end_with(distributor_close);
}

static void stop_it(void)
{
    end_with(distributor_stop);
}

static void cancel_it(void)
{
    end_with(distributor_cancel);
}

static void destroy_it(void)
{
    distributor_t *d = make(2);
    book_reset(NULL);
    for (unsigned i = 0; i < 50; i++) {
        FAULT_CHECK(book_add(d, i, i % 2 == 0 ? BOOK_INLINE : BOOK_LARGE) == 0, "add\n");
    }
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    fault_arm();
    int rc = distributor_destroy(d);
    fault_disarm();
    FAULT_CHECK(rc == 0, "destroy: %d\n", rc);
    book_close();
}

/* ---- in order ---- */

static void create_ordered(void)
{
    order = DISTRIBUTOR_AS_ADDED;
    create();
    order = DISTRIBUTOR_AS_COMPLETED;
}

/* More workers than the first blocks of the pool are for. */
static void add_workers_ordered(void)
{
    order = DISTRIBUTOR_AS_ADDED;
    distributor_t *d = make(1);
    order = DISTRIBUTOR_AS_COMPLETED;
    book_reset(NULL);
    fault_arm();
    add_workers(d, 1, 60);
    use(d, true);
    destroy(d);
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"first_create", first_create},
        {"create", create},
        {"add_worker", add_worker},
        {"add_worker_running", add_worker_running},
        {"add_many_workers", add_many_workers},
        {"start", start},
        {"start_automatic", start_automatic},
        {"run", run},
        {"descriptor", descriptor},
        {"close", close_it},
        {"stop", stop_it},
        {"cancel", cancel_it},
        {"destroy", destroy_it},
        {"create_ordered", create_ordered},
        {"add_workers_ordered", add_workers_ordered},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
