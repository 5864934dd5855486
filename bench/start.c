/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.c - a whole process `distributor run --workers=WORKERS MODULE`, whose ten tasks do nothing:
 * from before it is started to when it has ended.  `start COMMAND MODULE WORKERS`; the median of
 * 100.  "start-cpu" is the time of its threads on a CPU, the kernel's part included.  The limit is
 * a process of the same kind that returns at once, `true`.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 100

extern char **environ;

static double wall_ms[PROCESSES], cpu_ms[PROCESSES];
static posix_spawn_file_actions_t quiet; /* nothing is printed */

static double milliseconds(const struct timeval *time)
{
    return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

static void start(unsigned number, char *const words[])
{
    int64_t began = bench_now();
    struct rusage used;
    pid_t process;
    int status;

    bench_must(words[0], -posix_spawnp(&process, words[0], &quiet, NULL, words, environ));
    while (wait4(process, &status, 0, &used) < 0)
        bench_check("wait4", errno == EINTR, 1);
    wall_ms[number] = (double)(bench_now() - began) / 1e6;
    cpu_ms[number] = milliseconds(&used.ru_utime) + milliseconds(&used.ru_stime);
    bench_check("status of the process", (uint64_t)status, 0);
}

static void measure(unsigned workers, char *const words[])
{
    start(0, words); /* its files are in memory from here on */
    for (unsigned i = 0; i < PROCESSES; i++)
        start(i, words);
    bench_sort(wall_ms, PROCESSES);
    bench_sort(cpu_ms, PROCESSES);
    bench_say("start", workers, "ms", bench_percentile(wall_ms, PROCESSES, 50));
    bench_say("start-cpu", workers, "ms", bench_percentile(cpu_ms, PROCESSES, 50));
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    char run[] = "run", nothing[] = "true", option[32];
    char *const ours[] = {argv[1], run, option, argv[2], NULL}, *const limit[] = {nothing, NULL};

    if (argc != 4) {
        fprintf(stderr, "usage: %s COMMAND MODULE WORKERS\n", argv[0]);
        return BENCH_USAGE;
    }
    if (access(argv[1], X_OK) != 0 || access(argv[2], R_OK) != 0)
        return BENCH_NO_SUBJECT; /* a build without shared libraries */
    snprintf(option, sizeof option, "--workers=%u", workers);
    bench_must("file actions", -posix_spawn_file_actions_init(&quiet));
    bench_must("file actions", -posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null",
                                                                 O_WRONLY, 0));
    measure(workers, ours);
    bench_peer = "limit";
    measure(workers, limit);
    return 0;
}
