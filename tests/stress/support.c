/* SPDX-License-Identifier: BSD-2-Clause */
/* The common ground of the stress programs; see support.h. */
#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A round that takes this long hangs; where each core has ten threads that want it, a healthy one
 * has taken two minutes. */
#define WATCHDOG_SECONDS 480

struct stress_options stress;

static uint64_t base_seed;
static atomic_uint rounds_begun;
static double deadline; /* of --seconds */

static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
static char state_line[400] = "starting";

static cpu_set_t all_cores;
static unsigned core_count;
static atomic_int current_placement = STRESS_OVER;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- Reports ---- */

void stress_state(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    pthread_mutex_lock(&state_lock);
    vsnprintf(state_line, sizeof state_line, format, list);
    pthread_mutex_unlock(&state_lock);
    va_end(list);
}

static void print_state(void)
{
    pthread_mutex_lock(&state_lock);
    fprintf(stderr, "%s: round %u, repeat with --seed %llu --rounds 1\n  state: %s\n", stress.name,
            atomic_load(&rounds_begun), (unsigned long long)stress.seed, state_line);
    pthread_mutex_unlock(&state_lock);
}

static void print_file(const char *thread, const char *file)
{
    char path[300], text[200];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, file);
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return;
    }
    if (fgets(text, sizeof text, stream) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        fprintf(stderr, " %s", text);
    }
    fclose(stream);
}

/* One line a thread: its name, the call it sleeps in, its time on a processor. */
static void print_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            fprintf(stderr, "  thread %s:", entry->d_name);
            print_file(entry->d_name, "comm");
            print_file(entry->d_name, "syscall");
            print_file(entry->d_name, "schedstat");
            fputc('\n', stderr);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

void stress_fail(const char *file, int line, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    print_state();
    abort();
}

/* Counts its own short sleeps: a machine that was stopped for a while is no hang. */
static void *watch(void *unused)
{
    (void)unused;
    unsigned seen = 0, sleeps = 0;
    for (;;) {
        stress_sleep_us(200000);
        unsigned rounds = atomic_load(&rounds_begun);
        sleeps = rounds == seen ? sleeps + 1 : 0;
        seen = rounds;
        if (sleeps > 5 * stress.watchdog) {
            fprintf(stderr, "%s: nothing has ended for too long\n", stress.name);
            print_state();
            print_threads();
            abort();
        }
    }
    return NULL;
}

static void start_watchdog(void)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    stress_thread(&thread, watch, NULL);
    pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- The command line ---- */

static void usage(void)
{
    fprintf(stderr,
            "usage: %s [--seconds S | --rounds N] [--seed N] [--tasks N] [--workers N]\n"
            "       [--adders N] [--readers N] [--placement apart|one|over] [--watchdog S]\n",
            stress.name);
    exit(2);
}

static int parse_placement(const char *word)
{
    for (int i = 0; i < STRESS_PLACEMENTS; i++) {
        if (strcmp(word, stress_placement_name((enum stress_placement)i)) == 0) {
            return i;
        }
    }
    usage();
    return -1;
}

static void parse_one(const char *option, const char *value)
{
    struct {
        const char *name;
        unsigned *field;
    } const numbers[] = {{"--rounds", &stress.rounds}, {"--tasks", &stress.tasks},
                         {"--workers", &stress.workers}, {"--adders", &stress.adders},
                         {"--readers", &stress.readers}, {"--watchdog", &stress.watchdog}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(option, numbers[i].name) == 0) {
            *numbers[i].field = (unsigned)strtoul(value, NULL, 10);
            if (numbers[i].field == &stress.rounds) {
                stress.seconds = 0; /* so many, however long they take */
            }
            return;
        }
    }
    if (strcmp(option, "--seconds") == 0) {
        stress.seconds = strtod(value, NULL);
    } else if (strcmp(option, "--seed") == 0) {
        stress.seed = strtoull(value, NULL, 10);
    } else if (strcmp(option, "--placement") == 0) {
        stress.placement = parse_placement(value);
    } else {
        usage();
    }
}

static unsigned scaled(unsigned count, unsigned slowdown)
{
    return count == 0 ? 0 : 1 + (count - 1) / slowdown;
}

static void find_cores(void)
{
    if (sched_getaffinity(0, sizeof all_cores, &all_cores) != 0) {
        CPU_SET(0, &all_cores);
    }
    core_count = (unsigned)CPU_COUNT(&all_cores);
}

void stress_begin(const struct stress_options *defaults, int argc, char **argv)
{
    stress = *defaults;
    unsigned preempted = &stress_preempted != NULL ? stress_preempted : 1;
    stress.rounds = scaled(stress.rounds, STRESS_SLOWDOWN * preempted);
    stress.tasks = scaled(stress.tasks, STRESS_SLOWDOWN);
    if (stress.seconds > 0 && getenv("STRESS_SECONDS") != NULL) {
        stress.seconds = strtod(getenv("STRESS_SECONDS"), NULL);
    }
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) {
            usage();
        }
        parse_one(argv[i], argv[i + 1]);
    }
    if (stress.seed == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        stress.seed = ((uint64_t)now.tv_sec << 20) + (uint64_t)now.tv_nsec / 1000;
    }
    if (stress.watchdog == 0) {
        stress.watchdog = WATCHDOG_SECONDS;
    }
    base_seed = stress.seed;
    deadline = stress.seconds > 0 ? seconds_now() + stress.seconds : 0;
    find_cores();
    start_watchdog();
}

bool stress_next(struct stress_random *random)
{
    unsigned round = atomic_load(&rounds_begun);
    if (deadline > 0 ? seconds_now() >= deadline && round > 0 : round >= stress.rounds) {
        return false;
    }
    stress.seed = base_seed + round;
    random->state = stress_mix(stress.seed);
    atomic_store(&rounds_begun, round + 1);
    return true;
}

int stress_end(void)
{
    printf("%s: %u rounds, seed %llu: ok\n", stress.name, atomic_load(&rounds_begun),
           (unsigned long long)base_seed);
    return 0;
}

/* ---- Chance ---- */

uint64_t stress_mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint64_t stress_random(struct stress_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return stress_mix(random->state);
}

unsigned stress_below(struct stress_random *random, unsigned limit)
{
    return (unsigned)(stress_random(random) % limit);
}

bool stress_chance(struct stress_random *random, unsigned percent)
{
    return stress_below(random, 100) < percent;
}

void stress_sleep_us(unsigned us)
{
    struct timespec pause = {us / 1000000, (long)(us % 1000000) * 1000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}

void stress_pause(struct stress_random *random, unsigned max_us)
{
    switch (stress_below(random, 4)) {
    case 0:
        break;
    case 1:
        for (unsigned i = stress_below(random, 1000); i > 0; i--) {
            atomic_signal_fence(memory_order_seq_cst);
        }
        break;
    case 2:
        sched_yield();
        break;
    default:
        stress_sleep_us(stress_below(random, max_us + 1));
    }
}

/* ---- Threads and cores ---- */

const char *stress_placement_name(enum stress_placement placement)
{
    static const char *const names[STRESS_PLACEMENTS] = {"apart", "one", "over"};
    return names[placement];
}

void stress_set_placement(enum stress_placement placement)
{
    atomic_store(&current_placement, placement);
}

void stress_place(unsigned index)
{
    int placement = atomic_load(&current_placement);
    unsigned wanted = placement == STRESS_ONE_CORE ? 0 : index % core_count;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &all_cores) && wanted-- == 0) {
            CPU_SET(core, &set);
            break;
        }
    }
    /* A refusal only makes the round less pointed. */
    (void)sched_setaffinity(0, sizeof set, placement == STRESS_OVER ? &all_cores : &set);
}

void stress_worker_started(void *context, unsigned worker, const char *name)
{
    (void)context;
    (void)name;
    stress_place(worker);
}

void stress_thread(pthread_t *thread, void *(*function)(void *), void *argument)
{
    int error = pthread_create(thread, NULL, function, argument);
    STRESS_CHECK(error == 0, "pthread_create: %s", strerror(error));
}

void stress_join(pthread_t thread)
{
    int error = pthread_join(thread, NULL);
    STRESS_CHECK(error == 0, "pthread_join: %s", strerror(error));
}

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

unsigned stress_count_threads(void)
{
    return count_entries("/proc/self/task");
}

unsigned stress_count_descriptors(void)
{
    return count_entries("/proc/self/fd");
}

long stress_resident_kb(void)
{
    long pages = 0;
    FILE *stream = fopen("/proc/self/statm", "re");
    if (stream == NULL || fscanf(stream, "%*s %ld", &pages) != 1) {
        pages = 0;
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void stress_check_growth(long first_kb, long allowed_kb)
{
    long last_kb = stress_resident_kb();
    printf("%s: %ld KiB after a hundredth of the rounds, %ld KiB at the end\n", stress.name,
           first_kb, last_kb);
    STRESS_CHECK(stress.rounds < 100 || STRESS_SLOWDOWN > 1 || last_kb <= first_kb + allowed_kb,
                 "the memory grew by %ld KiB", last_kb - first_kb);
}

void stress_await_threads(unsigned count)
{
    unsigned now = stress_count_threads();
    while (now != count) {
        stress_state("%u threads are left, not %u", now, count);
        stress_sleep_us(100);
        now = stress_count_threads();
    }
}

pid_t stress_thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static bool sleeps_now(const char *path)
{
    char text[300] = "";
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return false;
    }
    const char *line = fgets(text, sizeof text, stream);
    fclose(stream);
    /* PID (NAME) STATE: a name may hold anything, so the last parenthesis counts. */
    const char *end = line != NULL ? strrchr(line, ')') : NULL;
    return end != NULL && end[1] == ' ' && end[2] == 'S';
}

bool stress_asleep(pid_t thread)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    for (int look = 0; look < 4; look++) {
        if (!sleeps_now(path)) {
            return false;
        }
        stress_sleep_us(150);
    }
    return true;
}
