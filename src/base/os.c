/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux: futex, mmap, and the CPUs that the affinity mask and the cgroup leave us. */
#include "base/os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

int distr_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct timespec at;
    struct timespec *until = NULL;

    if (deadline != INT64_MAX) {
        at.tv_sec = (time_t)(deadline / 1000000000);
        at.tv_nsec = (long)(deadline % 1000000000);
        until = &at;
    }
    /* WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, plain WAIT does not. */
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until,
                      NULL, FUTEX_BITSET_MATCH_ANY);
    return rc != 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void distr_sleep_until(int64_t deadline)
{
    struct timespec at = {.tv_sec = (time_t)(deadline / 1000000000),
                          .tv_nsec = (long)(deadline % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

void distr_futex_wake(_Atomic uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
}

void *distr_pages_map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    /* A page fault can cost as much as a hundred tasks: take few and large ones where the
     * memory is large anyway.  Only advice, so its failure is none. */
    if (size >= 4 * HUGE_PAGE)
        (void)madvise(pages, size, MADV_HUGEPAGE);
    return pages;
}

void distr_pages_unmap(void *pages, size_t size)
{
    munmap(pages, size);
}

uint64_t distr_random(void)
{
    struct timespec now;
    uint64_t number;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number)
        return number;
    /* Right after the system began, or where it does not let us: better than nothing. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec << 32 ^ (uint64_t)(uintptr_t)&now;
}

int distr_event_make(void)
{
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

    return fd >= 0 ? fd : -errno;
}

/* The count is far from its end. */
void distr_event_set(int fd)
{
    (void)eventfd_write(fd, 1);
}

bool distr_event_clear(int fd)
{
    eventfd_t count;

    return eventfd_read(fd, &count) == 0;
}

void distr_event_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Reads up to two numbers of a file; "max" reads as no number.  Returns how many were read. */
static int read_numbers(const char *path, long *first, long *second)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return 0;
    int count = fscanf(file, "%ld %ld", first, second);
    fclose(file);
    return count < 0 ? 0 : count;
}

/* The whole CPUs, rounded up, that one cgroup's quota amounts to; UINT_MAX: it has none. */
static unsigned quota_of(const char *folder)
{
    char path[PATH_MAX + 64];
    long limit = 0;
    long period = 0;
    long unused;

    snprintf(path, sizeof path, "%s/cpu.max", folder); /* version 2 */
    bool found = read_numbers(path, &limit, &period) == 2;
    if (!found) {
        snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder); /* version 1 */
        found = read_numbers(path, &limit, &unused) >= 1;
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        found = found && read_numbers(path, &period, &unused) >= 1;
    }
    if (!found || limit <= 0 || period <= 0)
        return UINT_MAX;
    unsigned long count = (unsigned long)(limit / period) + (limit % period != 0);
    return count < UINT_MAX ? (unsigned)count : UINT_MAX;
}

/* The least quota of a cgroup and those around it.  Cuts the path up to the root's. */
static unsigned least_quota(const char *root, char *group)
{
    char folder[PATH_MAX + 32];
    unsigned least = UINT_MAX;
    char *end = group + strlen(group);

    while (end) {
        *end = '\0';
        snprintf(folder, sizeof folder, "%s%s", root, group);
        unsigned count = quota_of(folder);
        least = count < least ? count : least;
        end = strrchr(group, '/');
    }
    return least;
}

/* The CPUs that the quota of this process's cgroup leaves it; UINT_MAX: there is no quota. */
static unsigned quota(void)
{
    char line[PATH_MAX];
    unsigned least = UINT_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (!file)
        return least;
    /* "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1 */
    while (fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        unsigned count = UINT_MAX;
        if (controllers[1] == '\0')
            count = least_quota("/sys/fs/cgroup", group);
        else if (strstr(controllers, "cpu,") || strstr(controllers, "cpu") == controllers + 1)
            count = least_quota("/sys/fs/cgroup/cpu", group);
        least = count < least ? count : least;
    }
    fclose(file);
    return least;
}

unsigned distr_cpu_count(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = online > 0 ? (unsigned)online : 1;

    /* Fails on machines of more than 1024 CPUs: then all that are online. */
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        count = (unsigned)CPU_COUNT(&set);
    unsigned limit = quota();
    return limit < count ? limit : count;
}
