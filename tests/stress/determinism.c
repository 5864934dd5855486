/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordered means serial: random programs of tasks that emit, spawn and fail, added before start and
 * given by sources, yield on 1, 2, 3 and 16 workers, again and again, the sequence of a serial run
 * with a FIFO queue, result by result; any window, any limits.  The serial run is a loop in this
 * file that knows nothing of the library.
 */
#include "support.h"

#include <distributor/pool.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 6
#define MAX_TASKS 100000u /* of a serial run; a program that would have more is not grown further */
#define BIG 300           /* bytes of a big result */
#define SOURCES 4u
#define TICKETS ((uint64_t)1 << 43) /* the serials of sources' inputs begin here */

/* Everything that a task does follows from its word. */
struct task {
    uint64_t word;
    uint64_t depth;
};

struct plan {
    unsigned emits, spawns, when; /* it spawns after so many emits */
    bool big, pauses;
    int error;
};

/* A source gives `inputs` tasks, then the error, or 0. */
struct source {
    uint64_t seed;
    unsigned inputs;
    int error;
    unsigned given; /* in this run */
};

/* What a reader must see. */
struct expected {
    uint64_t word;   /* of the task; 0: a source has failed */
    uint64_t serial; /* its place */
    uint64_t part;   /* which of its results; of a failure the number of them */
    int error;
};

static struct program {
    unsigned emit_percent, spawn_percent, big_percent, fail_percent, pause_percent;
    unsigned roots;
    unsigned sources;
    struct source source[SOURCES];
    struct task *tasks;
    struct expected *expected;
    size_t count, results;
} program;

static struct plan plan_of(const struct task *task)
{
    struct stress_random random = {task->word};
    struct plan plan = {0};
    if (stress_chance(&random, program.emit_percent)) {
        plan.emits = 1 + stress_below(&random, stress_chance(&random, 3) ? 60 : 3);
    }
    if (task->depth < MAX_DEPTH && stress_chance(&random, program.spawn_percent)) {
        plan.spawns = 1 + stress_below(&random, stress_chance(&random, 3) ? 40 : 3);
    }
    plan.when = stress_below(&random, plan.emits + 1);
    plan.big = stress_chance(&random, program.big_percent);
    plan.error = stress_chance(&random, program.fail_percent) ? -1 - (int)stress_below(&random, 9)
                                                              : 0;
    plan.pauses = stress_chance(&random, program.pause_percent);
    return plan;
}

static struct task child_of(const struct task *task, unsigned index)
{
    return (struct task){stress_mix(task->word + 1 + index), task->depth + 1};
}

static struct task root(uint64_t seed, unsigned index)
{
    return (struct task){stress_mix(seed ^ stress_mix(index)), 0};
}

/* ---- The serial run ---- */

static void expect(const struct task *task, uint64_t serial, unsigned part, int error)
{
    program.expected = realloc(program.expected,
                               (program.results + 1) * sizeof *program.expected);
    STRESS_CHECK(program.expected != NULL, "no memory");
    program.expected[program.results++] =
        (struct expected){.word = task->word, .serial = serial, .part = part, .error = error};
}

static void enqueue(struct task task)
{
    STRESS_CHECK(program.count < 2 * MAX_TASKS, "too many tasks");
    program.tasks[program.count++] = task;
}

static void run_task(const struct task *task, uint64_t serial)
{
    struct plan plan = plan_of(task);
    for (unsigned part = 0; part < plan.emits; part++) {
        expect(task, serial, part, 0);
    }
    for (unsigned i = 0; i < plan.spawns; i++) {
        enqueue(child_of(task, i));
    }
    if (plan.error != 0) {
        expect(task, serial, plan.emits, plan.error);
    }
}

static void run_queue(size_t *next)
{
    for (; *next < program.count; ++*next) {
        struct task task = program.tasks[*next];
        run_task(&task, *next);
    }
}

/* Asks the source for its next input.  False: it has ended. */
static bool give(struct source *source, struct task *task)
{
    if (source->given == source->inputs) {
        return false;
    }
    *task = root(source->seed, source->given++);
    return true;
}

/* The queue is empty: asks the next of those that take turns.  False: all have ended. */
static bool run_input(struct source **turns, unsigned *open, uint64_t ticket)
{
    static const struct task none;
    struct source *source = turns[0];
    struct task task;
    if (*open == 0) {
        return false;
    }
    memmove(turns, turns + 1, (*open - 1) * sizeof(struct source *));
    if (give(source, &task)) {
        turns[*open - 1] = source;
        run_task(&task, ticket);
        return true;
    }
    --*open;
    if (source->error != 0) {
        expect(&none, ticket, 0, source->error);
    }
    return true;
}

static void run_serially(uint64_t seed)
{
    struct source *turns[SOURCES];
    unsigned open = program.sources;
    uint64_t ticket = TICKETS;
    size_t next = 0;
    program.count = program.results = 0;
    for (unsigned i = 0; i < program.roots; i++) {
        enqueue(root(seed, i));
    }
    for (unsigned i = 0; i < program.sources; i++) {
        turns[i] = &program.source[i];
        turns[i]->given = 0;
    }
    do {
        run_queue(&next);
    } while (run_input(turns, &open, ticket++));
}

/* ---- The same by the library ---- */

static distributor_run_fn run;
static const distributor_task_type_t type = {.name = "task", .run = run};

static void spawn_all(distributor_task_t *self, const struct task *task, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct task child = child_of(task, i);
        STRESS_CHECK(distributor_spawn(self, &type, &child, sizeof child) == 0, "spawn");
    }
}

/* The first two words of a result, which may be longer. */
static void emit(distributor_task_t *self, const struct task *task, unsigned part, bool big)
{
    uint64_t bytes[BIG / sizeof(uint64_t)] = {task->word, part};
    size_t size = big ? sizeof bytes : 2 * sizeof bytes[0];
    STRESS_CHECK(distributor_emit(self, bytes, size) == 0, "emit");
}

static int run(distributor_task_t *self, const void *input, size_t size)
{
    struct task task;
    STRESS_CHECK(size == sizeof task, "%zu bytes", size);
    memcpy(&task, input, sizeof task);
    struct plan plan = plan_of(&task);
    struct stress_random random = {stress_mix(task.word)};
    for (unsigned part = 0; part <= plan.emits; part++) {
        if (plan.pauses) {
            stress_pause(&random, 60);
        }
        if (part == plan.when) {
            spawn_all(self, &task, plan.spawns);
        }
        if (part < plan.emits) {
            emit(self, &task, part, plan.big);
        }
    }
    return plan.error;
}

static int ask(void *context, distributor_input_t *input)
{
    struct source *source = context;
    struct task task;
    return give(source, &task) ? distributor_set_input(input, &task, sizeof task) : source->error;
}

static void compare(size_t at, const distributor_result_t *result)
{
    STRESS_CHECK(at < program.results, "more than %zu results", program.results);
    const struct expected *want = &program.expected[at];
    uint64_t words[2] = {0};
    STRESS_CHECK(result->size >= sizeof words || want->word == 0, "%zu bytes", result->size);
    if (want->word != 0) {
        memcpy(words, result->data, sizeof words);
    }
    STRESS_CHECK(result->error == want->error && words[0] == want->word,
                 "result %zu of %zu: error %d, not %d, task %llx, not %llx", at, program.results,
                 result->error, want->error, (unsigned long long)words[0],
                 (unsigned long long)want->word);
    STRESS_CHECK(result->serial == want->serial, "serial %llu, not %llu",
                 (unsigned long long)result->serial, (unsigned long long)want->serial);
    STRESS_CHECK(want->error != 0 || words[1] == want->part, "part %llu, not %llu",
                 (unsigned long long)words[1], (unsigned long long)want->part);
}

static void read_all(distributor_t *d, struct stress_random *random)
{
    distributor_result_t results[16];
    bool slow = stress_chance(random, 20);
    size_t at = 0;
    ptrdiff_t n;
    while ((n = distributor_next_results(d, results, 1 + stress_below(random, 16))) > 0) {
        for (ptrdiff_t i = 0; i < n; i++) {
            compare(at++, &results[i]);
        }
        if (slow && stress_chance(random, 5)) {
            stress_pause(random, 60);
        }
    }
    STRESS_CHECK(n == 0 && at == program.results, "%zu results of %zu, then %td", at,
                 program.results, n);
}

static void run_once(uint64_t seed, unsigned workers, struct stress_random *random)
{
    static const unsigned windows[] = {0, 0, 1, 2, 3, 5, 31, 64, 1024};
    static const unsigned limits[] = {0, 0, 1, 2, 7};
    distributor_options_t options = {.size = sizeof options, .workers = workers,
                                     .order = DISTRIBUTOR_AS_ADDED,
                                     .window = windows[stress_below(random, 9)],
                                     .output_limit = limits[stress_below(random, 5)],
                                     .input_limit = program.roots + limits[stress_below(random, 5)],
                                     .worker_started = stress_worker_started,
                                     .deadlock_ns = DISTRIBUTOR_FOREVER};
    distributor_summary_t summary;
    distributor_t *d;
    stress_state("seed %llx, %zu tasks, %zu results, %u workers, window %llu, output %llu",
                 (unsigned long long)seed, program.count, program.results, workers,
                 (unsigned long long)options.window, (unsigned long long)options.output_limit);
    STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
    for (unsigned i = 0; i < program.sources; i++) {
        program.source[i].given = 0;
        STRESS_CHECK(distributor_add_source(d, &type, ask, &program.source[i]) == 0, "source");
    }
    for (unsigned i = 0; i < program.roots; i++) {
        struct task task = root(seed, i);
        STRESS_CHECK(distributor_add_task(d, &type, &task, sizeof task) == 0, "add");
    }
    STRESS_CHECK(distributor_start(d) == 0 && distributor_close(d) == 0, "start");
    read_all(d, random);
    STRESS_CHECK(distributor_join(d, &summary) == 0, "join");
    STRESS_CHECK(summary.added >= program.count && summary.discarded == 0 &&
                     summary.results + summary.failed == program.results,
                 "%llu tasks, %llu results", (unsigned long long)summary.added,
                 (unsigned long long)summary.results);
    STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
}

/* Programs of every kind: wide or deep, silent or talkative; most are small. */
static uint64_t draw(struct stress_random *random)
{
    uint64_t seed = stress_random(random);
    program.emit_percent = stress_below(random, 101);
    program.spawn_percent = stress_below(random, 70);
    program.big_percent = stress_chance(random, 30) ? 50 : 2;
    program.fail_percent = stress_below(random, 30);
    program.pause_percent = stress_below(random, 3);
    program.roots = 1 + stress_below(random, stress_chance(random, 20) ? stress.tasks : 20);
    program.sources = stress_chance(random, 60) ? 1 + stress_below(random, SOURCES) : 0;
    if (program.sources > 0 && stress_chance(random, 50)) {
        program.roots = 0;
    }
    for (unsigned i = 0; i < program.sources; i++) {
        program.source[i] = (struct source){
            .seed = stress_random(random),
            .inputs = stress_below(random, stress_chance(random, 20) ? stress.tasks : 20),
            .error = stress_chance(random, 30) ? -1 - (int)stress_below(random, 9) : 0};
    }
    run_serially(seed);
    while (program.count > stress.tasks) {
        program.spawn_percent /= 2;
        run_serially(seed);
    }
    return seed;
}

/* Two processes draw half of the programs each, since a run waits for most of its time.  The seeds
 * of one are far from those of the other. */
static pid_t halve(uint64_t *seed)
{
    pid_t other = fork();
    STRESS_CHECK(other >= 0, "fork");
    if (other == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    *seed = stress_mix((uint64_t)time(NULL) << 32 ^ (uint64_t)getpid());
    return other;
}

static void await_half(pid_t other)
{
    int status;
    STRESS_CHECK(other == 0 || (waitpid(other, &status, 0) == other && status == 0),
                 "the other half failed");
}

int main(int argc, char **argv)
{
    static const unsigned workers[] = {1, 2, 3, 16};
    struct stress_random random;
    unsigned runs = 20 / STRESS_SLOWDOWN;
    uint64_t seed_of_half = 0;
    pid_t other = argc > 1 ? 0 : halve(&seed_of_half);
    stress_begin(&(struct stress_options){.name = "determinism", .rounds = 100, .tasks = 1000,
                                          .placement = -1, .seed = seed_of_half}, argc, argv);
    program.tasks = malloc(2 * MAX_TASKS * sizeof *program.tasks);
    STRESS_CHECK(program.tasks != NULL, "no memory");
    while (stress_next(&random)) {
        uint64_t seed = draw(&random);
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        for (unsigned run = 0; run < 4 * runs; run++) {
            run_once(seed, stress.workers > 0 ? stress.workers : workers[run % 4], &random);
        }
    }
    free(program.tasks);
    free(program.expected);
    await_half(other);
    return stress_end();
}
