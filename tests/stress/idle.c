/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Idle: when its last task has ended and all have gone to sleep, a distributor with many workers
 * and a waiting reader uses no processor time in two seconds, or as many as are given: none of its
 * threads is scheduled.  idle_calls.sh runs this under strace and looks for system calls between
 * the two lines that it prints.
 *
 *     idle [WORKERS [SECONDS]]
 */
#define _GNU_SOURCE
#include <distributor/pool.h>

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 120
#define REST_MS 500 /* who has not run for so long does not go on by itself */
#define TASKS 5000
#define MAX_THREADS 1024

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct usage {
    unsigned count;
    struct {
        char thread[16];
        unsigned long long ns;
        bool sleeps;
    } threads[MAX_THREADS];
};

static struct usage before, after;

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = {.name = "echo", .run = echo};

/* Reads all, and then waits for more. */
static void *read_results(void *argument)
{
    distributor_result_t result;
    while (distributor_next_result(argument, &result) == 1) {
    }
    return NULL;
}

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static unsigned long long time_of(const char *thread)
{
    char path[80];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/self/task/%.16s/schedstat", thread);
    FILE *stream = fopen(path, "re");
    CHECK(stream != NULL, "no %s\n", path);
    CHECK(fscanf(stream, "%llu", &ns) == 1, "no time in %s\n", path);
    fclose(stream);
    return ns;
}

/* It is not one that only waits for a processor. */
static bool sleeps(const char *thread)
{
    char path[80], line[300] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.16s/stat", thread);
    FILE *stream = fopen(path, "re");
    CHECK(stream != NULL && fgets(line, sizeof line, stream) != NULL, "no %s\n", path);
    fclose(stream);
    const char *state = strrchr(line, ')');
    return state != NULL && state[1] == ' ' && state[2] == 'S';
}

/* The processor time of every thread but this one. */
static void look(struct usage *usage)
{
    char self[16];
    const struct dirent *entry;
    DIR *folder = opendir("/proc/self/task");
    CHECK(folder != NULL, "no /proc\n");
    snprintf(self, sizeof self, "%d", (int)getpid());
    usage->count = 0;
    while ((entry = readdir(folder)) != NULL && usage->count < MAX_THREADS) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, self) != 0) {
            snprintf(usage->threads[usage->count].thread, sizeof usage->threads[0].thread, "%.15s",
                     entry->d_name);
            usage->threads[usage->count].sleeps = sleeps(entry->d_name);
            usage->threads[usage->count++].ns = time_of(entry->d_name);
        }
    }
    closedir(folder);
}

/* Whether all slept, and none has run between the two looks. */
static bool has_rested(void)
{
    for (unsigned i = 0; i < before.count; i++) {
        if (!before.threads[i].sleeps || before.threads[i].ns != after.threads[i].ns ||
            strcmp(before.threads[i].thread, after.threads[i].thread) != 0) {
            return false;
        }
    }
    return before.count == after.count;
}

/* All have gone to sleep, which takes a loaded machine longer. */
static void await_rest(void)
{
    do {
        look(&before);
        sleep_ms(REST_MS);
        look(&after);
    } while (!has_rested());
    before = after;
}

static void compare(void)
{
    CHECK(before.count == after.count, "%u, then %u threads\n", before.count, after.count);
    for (unsigned i = 0; i < before.count; i++) {
        unsigned long long used = after.threads[i].ns - before.threads[i].ns;
        CHECK(strcmp(before.threads[i].thread, after.threads[i].thread) == 0, "other threads\n");
        CHECK(used == 0, "thread %s ran for %llu ns\n", after.threads[i].thread, used);
    }
}

static void say(const char *line)
{
    CHECK(write(STDOUT_FILENO, line, strlen(line)) == (ssize_t)strlen(line), "write\n");
}

int main(int argc, char **argv)
{
    distributor_t *d;
    pthread_t reader;
    unsigned workers = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;
    distributor_options_t options = {.size = sizeof options, .workers = workers};
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    alarm(WATCHDOG_SECONDS + seconds);
    CHECK(distributor_create(&d, &options) == 0 && distributor_start(d) == 0, "start\n");
    CHECK(pthread_create(&reader, NULL, read_results, d) == 0, "no thread\n");
    for (uint64_t i = 0; i < TASKS; i++) {
        CHECK(distributor_add_task(d, &type, &i, sizeof i) == 0, "add\n");
    }
    await_rest();
    say("idle begins\n");
    sleep_ms(1000 * (long)seconds);
    say("idle ends\n");
    look(&after);
    compare();
    CHECK(before.count >= workers + 1, "%u threads\n", before.count);
    CHECK(distributor_join(d, NULL) == 0, "join\n");
    pthread_join(reader, NULL);
    CHECK(distributor_destroy(d) == 0, "destroy\n");
    return 0;
}
