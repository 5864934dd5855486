/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle.c - what the workers use in 5 s, from 1 s after the last task on.
 *
 * "idle" is their time on a CPU, "idle-switches" how often any of them was switched out: a thread
 * that slept all the time was not, so 0 also says that it made no system call.  `idle trace
 * WORKERS` lets strace count the calls instead and reports "idle-syscalls"; the two are not done at
 * once, since strace stops the threads as it comes.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ours.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIET_NS BENCH_SECOND
#define IDLE_NS (5 * BENCH_SECOND)

static int run_nap(distributor_task_t *self, const void *input, size_t size)
{
    bench_sleep(BENCH_MILLISECOND);
    return ours_square(self, input, size);
}

static const distributor_task_type_t nap = {.name = "nap", .run = run_nap};

static void measure(unsigned workers)
{
    bench_threads_t before = bench_other_threads(), after;

    bench_sleep(IDLE_NS);
    after = bench_other_threads();
    bench_check("number of threads", after.count, workers);
    bench_say("idle", workers, "us", (double)(after.cpu_ns - before.cpu_ns) / 1e3);
    bench_say("idle-switches", workers, "switches", (double)(after.switches - before.switches));
}

/* The argument -p of strace: all threads but this one. */
static void list_threads(char *list, size_t size)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    size_t used = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' && atol(entry->d_name) != (long)getpid())
            used += (size_t)snprintf(list + used, size - used, "%s%s", used > 0 ? "," : "",
                                     entry->d_name);
    if (directory != NULL)
        closedir(directory);
}

static pid_t start_strace(FILE *table)
{
    static char list[1 << 17];
    char path[32];
    pid_t tracer;

    list_threads(list, sizeof list);
    snprintf(path, sizeof path, "/dev/fd/%d", fileno(table));
    tracer = fork();
    if (tracer == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL)
            execlp("strace", "strace", "-c", "-o", path, "-p", list, (char *)NULL);
        _exit(BENCH_NO_SUBJECT);
    }
    bench_must("fork", tracer);
    /* Where a process may trace its children only, this lets one child trace it. */
    prctl(PR_SET_PTRACER, (unsigned long)tracer, 0UL, 0UL, 0UL);
    return tracer;
}

/* The sum of the calls in the table of strace -c, whose lines are: percent, seconds, microseconds a
 * call, calls, errors (or nothing), name. */
static uint64_t count_calls(FILE *table)
{
    unsigned long calls, sum = 0;
    char line[256];

    rewind(table);
    while (fgets(line, sizeof line, table) != NULL)
        if (strstr(line, "total") == NULL && sscanf(line, "%*f %*f %*u %lu", &calls) == 1)
            sum += calls;
    return sum;
}

static void trace(unsigned workers)
{
    FILE *table = tmpfile();
    pid_t tracer;
    int status;

    bench_check("a temporary file", table != NULL, 1);
    tracer = start_strace(table);
    bench_sleep(IDLE_NS);
    if (waitpid(tracer, &status, WNOHANG) != 0) {
        fprintf(stderr, "idle: strace is not there or may not trace\n");
        exit(BENCH_NO_SUBJECT);
    }
    kill(tracer, SIGINT);
    waitpid(tracer, &status, 0);
    bench_say("idle-syscalls", workers, "calls", (double)count_calls(table));
    fclose(table);
}

int main(int argc, char **argv)
{
    bool traced = argc == 3 && strcmp(argv[1], "trace") == 0;
    unsigned workers = bench_workers(argc, argv);
    distributor_t *d = ours_create(workers);
    const uint64_t tasks = 4 * (uint64_t)workers;

    bench_must("start", distributor_start(d));
    for (uint64_t i = 0; i < tasks; i++)
        bench_must("add", distributor_add_task(d, &nap, &i, sizeof i));
    bench_check("sum of squares", ours_read(d, tasks), bench_squares(tasks));
    bench_sleep(QUIET_NS);
    if (traced)
        trace(workers);
    else
        measure(workers);
    bench_must("join", distributor_join(d, NULL));
    bench_must("destroy", distributor_destroy(d));
    return 0;
}
