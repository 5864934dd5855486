/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * src/base/os.c: the CPUs that a quota leaves, of cgroups as they are written here: what opens the
 * files of the system is wrapped at link time.
 */
#include "base/os.h"
#include "support.h"

TestSuite(quota, .timeout = 60);

static const char *const (*files)[2]; /* path and text, then NULL; NULL: those of the system */

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (files == NULL)
        return __real_fopen(path, mode);
    for (size_t i = 0; files[i][0] != NULL; i++)
        if (strcmp(files[i][0], path) == 0)
            return fmemopen((void *)(uintptr_t)files[i][1], strlen(files[i][1]), "r");
    errno = ENOENT;
    return NULL;
}

static unsigned cpus_of(const char *const given[][2])
{
    files = given;
    unsigned count = distr_cpu_count();
    files = NULL;
    return count;
}

/* Of the CPUs that there are. */
static unsigned at_most(unsigned count)
{
    static const char *const none[][2] = {{NULL, NULL}};
    unsigned all = cpus_of(none);
    return count < all ? count : all;
}

Test(quota, the_least_of_a_group_and_those_around_it)
{
    static const char *const given[][2] = {
        {"/proc/self/cgroup", "0::/outer/inner\n"},
        {"/sys/fs/cgroup/outer/inner/cpu.max", "900000 100000\n"},
        {"/sys/fs/cgroup/outer/cpu.max", "40000 100000\n"},
        {"/sys/fs/cgroup/cpu.max", "max 100000\n"},
        {NULL, NULL},
    };
    expect(cpus_of(given), 1);
    finish();
}

Test(quota, whole_cpus_are_rounded_up)
{
    static const char *const given[][2] = {
        {"/proc/self/cgroup", "12:memory:/x\n4:cpu,cpuacct:/x\n"},
        {"/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "110000\n"},
        {"/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"},
        {NULL, NULL},
    };
    expect(cpus_of(given), at_most(2));
    finish();
}

Test(quota, none_where_there_is_none)
{
    static const char *const given[][2] = {
        {"/proc/self/cgroup", "neither this\nnor:this\n0::/v2\n4:cpu:/v1\n"},
        {"/sys/fs/cgroup/v2/cpu.max", "max 100000\n"},
        {"/sys/fs/cgroup/cpu/v1/cpu.cfs_quota_us", "-1\n"},
        {"/sys/fs/cgroup/cpu/v1/cpu.cfs_period_us", "100000\n"},
        {NULL, NULL},
    };
    expect(cpus_of(given), at_most(UINT32_MAX));
    finish();
}

/* The kernel has none of these; a file system that stands in for it may. */
Test(quota, numbers_at_the_end_of_their_type)
{
    static const char *const largest[][2] = {
        {"/proc/self/cgroup", "0::/x\n"},
        {"/sys/fs/cgroup/x/cpu.max", "9223372036854775807 2\n"},
        {NULL, NULL},
    };
    static const char *const wraps[][2] = {
        {"/proc/self/cgroup", "0::/x\n"},
        {"/sys/fs/cgroup/x/cpu.max", "4294967296 1\n"},
        {NULL, NULL},
    };
    expect(cpus_of(largest), at_most(UINT32_MAX));
    expect(cpus_of(wraps), at_most(UINT32_MAX));
    finish();
}
