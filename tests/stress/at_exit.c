/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process ends while a distributor runs, with threads inside its calls: by return from main, by
 * exit from another thread, by exit inside a task, and with handlers of atexit that stop, join and
 * destroy it, or try to.  The process ends with its own code, each time.
 *
 *     at_exit [TURNS]
 */
#define _GNU_SOURCE
#include <distributor/pool.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 60
#define CODE 42
#define ABANDONED 3 /* workers */

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static distributor_t *d;
static distributor_summary_t summary;
static atomic_uint begun;

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    atomic_fetch_add(&begun, 1);
    return distributor_emit(self, input, size);
}

/* Spawns itself for ever, until it is told. */
static int go_on(distributor_task_t *self, const void *input, size_t size);
static const distributor_task_type_t echo_type = {.name = "echo", .run = echo};
static const distributor_task_type_t go_on_type = {.name = "go on", .run = go_on};

static int go_on(distributor_task_t *self, const void *input, size_t size)
{
    atomic_fetch_add(&begun, 1);
    (void)distributor_spawn(self, &go_on_type, input, size);
    int rc = distributor_emit(self, input, size);
    return distributor_should_stop(self) ? -ECANCELED : rc;
}

static int end_process(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    exit(CODE);
}

static const distributor_task_type_t end_type = {.name = "exit", .run = end_process};

static void *add(void *unused)
{
    uint64_t i = 0;
    while (distributor_add_task(d, &echo_type, &i, sizeof i) == 0) {
        i++;
    }
    return unused;
}

static void *read_results(void *unused)
{
    distributor_result_t result;
    while (distributor_next_result(d, &result) == 1) {
    }
    return unused;
}

static void *end_from_here(void *unused)
{
    (void)unused;
    exit(CODE);
}

/* Runs until everything has moved, and goes on. */
static void begin(pthread_t *adder, pthread_t *reader)
{
    distributor_options_t options = {.size = sizeof options, .workers = ABANDONED,
                                     .input_limit = 10, .output_limit = 10,
                                     .deadlock_ns = DISTRIBUTOR_FOREVER};
    uint64_t one = 1;
    CHECK(distributor_create(&d, &options) == 0 && distributor_start(d) == 0, "start\n");
    CHECK(pthread_create(adder, NULL, add, NULL) == 0, "no thread\n");
    CHECK(pthread_create(reader, NULL, read_results, NULL) == 0, "no thread\n");
    CHECK(distributor_add_task(d, &go_on_type, &one, sizeof one) == 0, "add\n");
    while (atomic_load(&begun) < 100) {
        sched_yield();
    }
}

/* ---- Handlers of atexit ---- */

static void add_up(void)
{
    CHECK(summary.added == summary.completed + summary.failed + summary.cancelled +
                               summary.discarded && summary.added >= 100,
          "the summary\n");
}

static pthread_t the_adder, the_reader;

static void join_threads(void)
{
    pthread_join(the_adder, NULL);
    pthread_join(the_reader, NULL);
}

/* What is added after the join waits for another run, which does not come. */
static void destroy_at_exit(void)
{
    CHECK(distributor_cancel(d) == 0, "cancel\n");
    join_threads();
    CHECK(distributor_join(d, &summary) == 0, "join\n");
    add_up();
    CHECK(distributor_destroy(d) == 0, "destroy\n");
    d = NULL;
}

/* exit was called by a task. */
static void try_to_destroy_at_exit(void)
{
    CHECK(distributor_join(d, NULL) == -EDEADLK, "join\n");
    CHECK(distributor_destroy(d) == -EDEADLK, "destroy\n");
    pthread_detach(the_adder);
    CHECK(distributor_stop(d) == 0, "stop\n");
}

/* ---- Ends ---- */

static void return_from_main(void)
{
    exit(CODE); /* what the C library does with what main returns */
}

static void exit_from_a_thread(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, end_from_here, NULL) == 0, "no thread\n");
    pthread_join(thread, NULL);
    pause();
}

static void exit_inside_a_task(void)
{
    int rc = distributor_add_task(d, &end_type, NULL, 0);
    CHECK(rc == 0 || rc == -ESHUTDOWN, "add: %d\n", rc); /* the handler may have stopped it */
    for (;;) {
        pause();
    }
}

static void end_at_once(void)
{
    quick_exit(CODE);
}

static const struct end {
    const char *name;
    void (*handler)(void);
    void (*end)(void);
} ends[] = {
    {"return from main", NULL, return_from_main},
    {"exit from a thread", NULL, exit_from_a_thread},
    {"exit inside a task", NULL, exit_inside_a_task},
    {"quick_exit", NULL, end_at_once},
    {"a handler that cancels, joins, destroys", destroy_at_exit, return_from_main},
    {"the same, called by a thread", destroy_at_exit, exit_from_a_thread},
    {"a handler inside a task", try_to_destroy_at_exit, exit_inside_a_task},
};

static void live_and_end(const struct end *end)
{
    alarm(WATCHDOG_SECONDS);
    CHECK(end->handler == NULL || atexit(end->handler) == 0, "atexit\n");
    begin(&the_adder, &the_reader);
    end->end();
    abort();
}

int main(int argc, char **argv)
{
    unsigned turns = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    for (unsigned i = 0; i < turns * (sizeof ends / sizeof ends[0]); i++) {
        const struct end *end = &ends[i / turns];
        int status = 0;
        fflush(NULL);
        pid_t child = fork(); /* this process has one thread */
        CHECK(child >= 0, "fork\n");
        if (child == 0) {
            live_and_end(end);
        }
        CHECK(waitpid(child, &status, 0) == child, "waitpid\n");
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CODE, "%s: status %x\n", end->name,
              (unsigned)status);
    }
    printf("%u ends of %zu kinds\n", turns * (unsigned)(sizeof ends / sizeof ends[0]),
           sizeof ends / sizeof ends[0]);
    return 0;
}
