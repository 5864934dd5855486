/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real exhaustion: a process that may have only so many threads, and one that may have only so
 * much address space, starts a distributor of more workers than it can get.  The start fails, the
 * threads it had got are gone, and with fewer workers everything works.
 *
 * The limits are set in a child, as another user: for the superuser the number of processes has
 * no limit.  77 (skipped) where that cannot be done.
 */
#define _GNU_SOURCE
#include <distributor/pool.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SKIPPED 77
#define WATCHDOG_SECONDS 120
#define STRANGERS 20000 /* from here on are users that run nothing else, one for each process */
#define ALLOWED_THREADS 20
#define ALLOWED_SPACE (200ul << 20)
#define WORKERS 2000

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/task");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = {.name = "echo", .run = echo};

/* Whether the system really refuses: else there is nothing to test here. */
static bool start_fails(distributor_t *d)
{
    unsigned threads = count_threads();
    struct timespec pause = {0, 100000};
    int rc = distributor_start(d);
    if (rc == 0) {
        return false;
    }
    CHECK(rc == -EAGAIN || rc == -ENOMEM, "start: %d\n", rc);
    while (count_threads() != threads) { /* a joined thread stays listed for a moment */
        nanosleep(&pause, NULL);
    }
    CHECK(distributor_join(d, NULL) == -EINVAL, "it can be joined\n");
    return true;
}

/* The same with two workers: adds, runs, reads. */
static void works_with_two(void)
{
    distributor_t *d;
    distributor_summary_t summary;
    distributor_result_t result;
    distributor_options_t options = {.size = sizeof options, .workers = 2, .stack_size = 1 << 16};
    CHECK(distributor_create(&d, &options) == 0, "create\n");
    for (uint64_t i = 0; i < 100; i++) {
        CHECK(distributor_add_task(d, &type, &i, sizeof i) == 0, "add\n");
    }
    CHECK(distributor_run(d, &summary) == 0, "run\n");
    unsigned count = 0;
    while (distributor_next_result(d, &result) == 1) {
        count++;
    }
    CHECK(count == 100 && summary.completed == 100, "%u results\n", count);
    CHECK(distributor_destroy(d) == 0, "destroy\n");
}

/* In the child, with the limit set.  Its exit code: 0, or 77. */
static int try_too_many(void)
{
    distributor_t *d;
    distributor_options_t options = {.size = sizeof options, .workers = WORKERS};
    uint64_t number = 1;
    alarm(WATCHDOG_SECONDS);
    int rc = distributor_create(&d, &options);
    CHECK(rc == 0 || rc == -ENOMEM, "create: %d\n", rc);
    if (rc == 0) {
        CHECK(distributor_add_task(d, &type, &number, sizeof number) == 0, "add\n");
        for (unsigned i = 0; i < 3; i++) {
            if (!start_fails(d)) {
                return SKIPPED;
            }
        }
        CHECK(distributor_add_task(d, &type, &number, sizeof number) == 0, "add\n");
        CHECK(distributor_destroy(d) == 0, "destroy\n");
    }
    works_with_two();
    return 0;
}

/* The limit counts all threads of a user, also those of another run of this test. */
static bool become_stranger(void)
{
    uid_t stranger = STRANGERS + (uid_t)getpid() % STRANGERS;
    return setgroups(0, NULL) == 0 && setgid(stranger) == 0 && setuid(stranger) == 0;
}

static int with_limit(const char *name, __rlimit_resource_t resource, rlim_t limit)
{
    struct rlimit both = {limit, limit};
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0, "fork\n");
    if (child == 0) {
        if (setrlimit(resource, &both) != 0 ||
            (resource == RLIMIT_NPROC && !become_stranger())) {
            _exit(SKIPPED);
        }
        _exit(try_too_many());
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child, "waitpid\n");
    CHECK(WIFEXITED(status), "%s: ended by signal %d\n", name, WTERMSIG(status));
    int code = WEXITSTATUS(status);
    CHECK(code == 0 || code == SKIPPED, "%s: exit code %d\n", name, code);
    printf("%s: %s\n", name, code == 0 ? "ok" : "skipped");
    return code;
}

/* A sanitizer takes terabytes of address space before it begins. */
static bool space_can_be_limited(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#endif
#endif
    return true;
}

int main(void)
{
    int threads = with_limit("threads", RLIMIT_NPROC, ALLOWED_THREADS);
    int space = space_can_be_limited() ? with_limit("address space", RLIMIT_AS, ALLOWED_SPACE)
                                       : SKIPPED;
    return threads == SKIPPED && space == SKIPPED ? SKIPPED : 0;
}
