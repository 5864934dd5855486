/* SPDX-License-Identifier: BSD-2-Clause */
/* harness.c - see harness.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

const char *bench_peer = "distributor";

/* ---- arguments and figures ---- */

unsigned bench_workers(int argc, char **argv)
{
    char *end = NULL;
    unsigned long workers = argc >= 2 ? strtoul(argv[argc - 1], &end, 10) : 0;

    if (workers == 0 || workers > 65536 || *end != '\0') {
        fprintf(stderr, "usage: %s [SUBJECT] WORKERS\n", argv[0]);
        exit(BENCH_USAGE);
    }
    return (unsigned)workers;
}

void bench_say(const char *subject, unsigned workers, const char *unit, double value)
{
    printf("{\"subject\":\"%s\",\"peer\":\"%s\",\"workers\":%u,\"unit\":\"%s\",\"value\":%.6g}\n",
           subject, bench_peer, workers, unit, value);
    fflush(stdout);
}

void bench_say_warm(const char *subject, unsigned workers, const char *unit, int warm, double value)
{
    char name[64];

    snprintf(name, sizeof name, "%s%s", subject, warm ? "" : "-cold");
    bench_say(name, workers, unit, value);
}

void bench_say_latency(const char *subject, unsigned workers, double *times, size_t count)
{
    char name[64];

    bench_sort(times, count);
    snprintf(name, sizeof name, "%s-p99", subject);
    bench_say(subject, workers, "ns", bench_percentile(times, count, 50));
    bench_say(name, workers, "ns", bench_percentile(times, count, 99));
}

void bench_wrong(const char *what, uint64_t got, uint64_t expected)
{
    fprintf(stderr, "%s: %s is %llu, not %llu\n", bench_peer, what, (unsigned long long)got,
            (unsigned long long)expected);
    exit(BENCH_FAILED);
}

void bench_failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", bench_peer, what, strerror(-error));
    exit(BENCH_FAILED);
}

uint64_t bench_squares(uint64_t n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < n; i++)
        sum += i * i;
    return sum;
}

/* ---- time ---- */

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * BENCH_SECOND + t.tv_nsec;
}

int64_t bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_thread_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void bench_sleep(int64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / BENCH_SECOND), .tv_nsec = ns % BENCH_SECOND};

    nanosleep(&t, NULL);
}

/* ---- what the process uses ---- */

/* The number after `name` in a file of "name number" lines; -1 if it is not there. */
static double read_field(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char line[256];
    double value = -1;

    if (file == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtod(line + strlen(name), NULL);
    fclose(file);
    return value;
}

double bench_rss(void)
{
    return read_field("/proc/self/status", "VmRSS:") * 1024;
}

/* Not getrusage(): what that says begins with the peak of the process that started this one. */
double bench_peak_rss(void)
{
    return read_field("/proc/self/status", "VmHWM:") * 1024;
}

/* schedstat begins with the nanoseconds that the thread was on a CPU. */
static void add_thread(bench_threads_t *sum, const char *thread)
{
    char path[128];
    double ns;

    snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", thread);
    ns = read_field(path, "");
    sum->cpu_ns += ns > 0 ? (int64_t)ns : 0;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/status", thread);
    sum->switches += (int64_t)read_field(path, "voluntary_ctxt_switches:");
    sum->switches += (int64_t)read_field(path, "nonvoluntary_ctxt_switches:");
    sum->count++;
}

bench_threads_t bench_other_threads(void)
{
    bench_threads_t sum = {0, 0, 0};
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;

    if (directory == NULL)
        return sum;
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' && atol(entry->d_name) != (long)getpid())
            add_thread(&sum, entry->d_name);
    closedir(directory);
    return sum;
}

static cpu_set_t allowed; /* to the process when it began; a tied thread passes on its one CPU */

__attribute__((constructor)) static void keep_allowed(void)
{
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_ZERO(&allowed);
}

bool bench_pin(unsigned index)
{
    cpu_set_t one;

    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || index-- != 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
    }
    return false;
}

/* ---- a body of a known amount of work ---- */

/* A chain of multiplications, each of which waits for the one before: a step takes the same time in
 * every program and language.  The empty statement keeps a compiler from joining steps. */
void bench_work(uint64_t steps)
{
    uint64_t x = steps;

    for (uint64_t i = 0; i < steps; i++) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        __asm__ volatile("" : "+r"(x));
    }
}

/* Steps a millisecond, of the fastest of many trials: the one that nothing interrupted. */
static double measure_steps(void)
{
    const uint64_t steps = 100000;
    int64_t best = INT64_MAX;

    for (int trial = 0; trial < 100; trial++) {
        int64_t start = bench_now(), ns;

        bench_work(steps);
        ns = bench_now() - start;
        best = ns < best ? ns : best;
    }
    return (double)steps * (double)BENCH_MILLISECOND / (double)best;
}

uint64_t bench_steps(int64_t ns)
{
    static double per_millisecond;
    const char *given = getenv("BENCH_STEPS");

    if (per_millisecond <= 0)
        per_millisecond = given != NULL ? strtod(given, NULL) : 0;
    if (per_millisecond <= 0)
        per_millisecond = measure_steps();
    return (uint64_t)(per_millisecond * (double)ns / (double)BENCH_MILLISECOND);
}

/* ---- statistics ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void bench_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
}

double bench_percentile(const double *sorted, size_t count, double percent)
{
    double place = (double)(count - 1) * percent / 100;
    size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

/* ---- machine ---- */

static void read_cpu(char *model, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(model, size, "unknown CPU");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');

        if (colon == NULL || strncmp(line, "model name", 10) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(model, size, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

const char *bench_machine(void)
{
    static char text[512];
    char model[128];
    struct utsname kernel;

    read_cpu(model, sizeof model);
    if (uname(&kernel) != 0)
        memset(&kernel, 0, sizeof kernel);
    snprintf(text, sizeof text, "%s, %ld cores, %s %.60s %.20s, %s %s", model,
             sysconf(_SC_NPROCESSORS_ONLN), kernel.sysname, kernel.release, kernel.machine,
#ifdef __clang__
             "clang",
#else
             "gcc",
#endif
             __VERSION__);
    return text;
}
