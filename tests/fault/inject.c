/* SPDX-License-Identifier: BSD-2-Clause */
/* The two loops over fault sites, the count of what is alive, the watchdog; see inject.h. */
#define _GNU_SOURCE
#include "inject.h"
#include "wrappers.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALARM_SECONDS 10
#define ALARMS 12 /* of a turn that hangs; several, so that a machine that was stopped is none */

static const struct fault_scenario *current;
static const char *step = "";
static unsigned failing; /* the k of this turn; 0: none fails */
static bool persistent;
static volatile sig_atomic_t alarms;

static void report(void)
{
    fprintf(stderr, "scenario %s, %s: call %u %s\n", current->name, step, failing,
            persistent ? "and all after it fail" : "fails");
}

void fault_fail(const char *file, int line)
{
    fprintf(stderr, "%s:%d\n", file, line);
    report();
    wrappers_print_failed();
    abort();
}

void fault_say(const char *what)
{
    step = what;
}

void fault_arm(void)
{
    wrappers_arm(failing, persistent);
}

void fault_disarm(void)
{
    wrappers_disarm();
}

bool fault_fired(void)
{
    return wrappers_fired();
}

void fault_note(bool failed)
{
    wrappers_note(failed);
}

static void hangs(int signal_number)
{
    (void)signal_number;
    if (++alarms < ALARMS) {
        alarm(ALARM_SECONDS);
        return;
    }
    wrappers_disarm();
    fprintf(stderr, "nothing has ended for %d seconds\n", ALARMS * ALARM_SECONDS);
    report();
    wrappers_print_failed();
    abort();
}

static void watch(void)
{
    alarms = 0;
    alarm(ALARM_SECONDS);
}

/* ---- What a turn must leave as it was ---- */

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

/* A thread that was joined stays listed for a moment; the watchdog ends a longer one. */
static void await_threads(unsigned wanted)
{
    struct timespec pause = {0, 100000};
    step = "waits for threads to be gone";
    while (count_threads() != wanted) {
        nanosleep(&pause, NULL);
    }
}

/* One turn; true if its call number k was reached. */
static bool turn(unsigned threads)
{
    watch();
    step = "";
    wrappers_begin();
    current->run();
    wrappers_disarm();
    await_threads(threads);
    if (!wrappers_nothing_left()) {
        fprintf(stderr, "memory is left over\n");
        fault_fail(__FILE__, __LINE__);
    }
    return wrappers_fired();
}

/* How many calls there were to fail. */
static unsigned loop(bool for_ever, unsigned threads)
{
    persistent = for_ever;
    failing = 1;
    while (turn(threads)) {
        failing++;
    }
    return failing - 1;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc < 2;
}

/* clang links the sanitizer into the program: its own calls would be wrapped, and fail, too. */
static bool is_possible(void)
{
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#endif
#endif
    return true;
}

int fault_main(const struct fault_scenario *scenarios, size_t count, int argc, char **argv)
{
    if (!is_possible()) {
        printf("skipped: the sanitizer's own calls would fail\n");
        return 77;
    }
    signal(SIGALRM, hangs);
    unsigned threads = count_threads(); /* before the first was made: none is about to be gone */
    for (size_t i = 0; i < count; i++) {
        current = &scenarios[i];
        if (!is_wanted(current->name, argc, argv)) {
            continue;
        }
        /* The first turn makes what the process keeps: its end is the base of the others. */
        failing = 0;
        watch();
        current->run();
        await_threads(threads);
        wrappers_keep_rest();
        unsigned once = loop(false, threads);
        unsigned ever = loop(true, threads);
        printf("%-24s %u calls failed once, %u for ever\n", current->name, once, ever);
        fflush(stdout);
    }
    printf("%u places in all\n", wrappers_places());
    return 0;
}
