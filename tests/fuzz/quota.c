/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as the files of the cgroups: the CPUs that they leave are those of the least quota in
 * the files that were asked for, at least one, and no more than there are.  Each file that is
 * opened has the next of the texts, which end at zero bytes; where none is left there is no file.
 * What opens files and what knows the CPUs is wrapped at link time.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

#define CPUS CPU_SETSIZE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *texts, *texts_end; /* NULL: the files are those of the system */
static unsigned least;          /* of the CPUs that the files left so far */
static long limit;              /* of a file of version 1, whose period comes next */

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* ---- What the files say ---- */

static void leave(long quota, long period)
{
    if (quota <= 0 || period <= 0)
        return;
    unsigned long cpus = (unsigned long)(quota / period) + (quota % period != 0);
    if (cpus < least)
        least = (unsigned)cpus;
}

static bool ends_in(const char *path, const char *name)
{
    size_t size = strlen(path), length = strlen(name);

    return size > length && strcmp(path + size - length, name) == 0;
}

static void take_account(const char *path, const char *text)
{
    long first = 0, second = 0;
    int count = sscanf(text, "%ld %ld", &first, &second);

    if (strcmp(path, "/proc/self/cgroup") == 0)
        return;
    must(strncmp(path, "/sys/fs/cgroup", 14) == 0 && !strchr(path, '\n'));
    if (ends_in(path, "/cpu.max")) {
        if (count == 2)
            leave(first, second);
    } else if (ends_in(path, "/cpu.cfs_quota_us")) {
        limit = count >= 1 ? first : 0;
    } else {
        must(ends_in(path, "/cpu.cfs_period_us"));
        if (count >= 1)
            leave(limit, first);
    }
}

/* ---- What is wrapped ---- */

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!texts)
        return __real_fopen(path, mode);
    char *text = texts;
    take_account(path, text < texts_end ? text : "");
    if (text >= texts_end) {
        errno = ENOENT;
        return NULL;
    }
    texts += strlen(text) + 1;
    return fmemopen(text, strlen(text), "r");
}

int __real_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    if (!texts)
        return __real_sched_getaffinity(process, size, set);
    memset(set, 0xff, size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *all = malloc(size + 1);

    if (!all)
        return 0;
    memcpy(all, data, size);
    all[size] = '\0';
    least = CPUS;
    limit = 0;
    texts_end = all + size;
    texts = all;
    unsigned count = distr_cpu_count();
    texts = NULL;
    free(all);
    must(count >= 1 && count == least);
    return 0;
}
