/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quiescence: tiny runs by the thousand.  0 to 30 tasks, alone, in chains or as a tree; start,
 * add, close and read in random orders, closed by the main thread, another thread or a task,
 * workers added meanwhile, the same distributor again and again.  STOP comes when the last task
 * has ended: never before, and never not at all.
 */
#include "support.h"

#include <distributor/pool.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define MAX_TASKS 30
#define MAGIC 0x71756965u

/* Task i of a run; a result is the same four numbers. */
struct item {
    uint32_t magic;
    uint16_t run;
    uint8_t id;
    uint8_t shape; /* the distance to the child of a chain; 0: no child, TREE: two children */
};

#define TREE 255

enum closer { BY_MAIN, BY_JOIN, BY_THREAD, BY_TASK, CLOSERS };

static struct run {
    distributor_t *d;
    unsigned number;
    unsigned tasks;         /* ids in use */
    unsigned roots;         /* ids that are added from outside */
    uint8_t shape;
    enum closer closer;
    bool stops;             /* closes by distributor_stop: spawns may be refused, too */
    bool last;              /* the distributor is not used again */
    bool reader;            /* a thread reads from before the start */
    bool more_workers;      /* a thread adds workers meanwhile */
    atomic_bool stopped;    /* a reader has seen STOP */
    atomic_ulong accepted;  /* bit i: task i was accepted */
    atomic_ulong ended;     /* bit i: task i is at its end */
    atomic_ulong read;      /* bit i: its result was read */
    struct stress_random random, reader_random, worker_random, closer_random;
} run;

static void set_once(atomic_ulong *bits, unsigned bit, const char *what)
{
    unsigned long before = atomic_fetch_or(bits, 1ul << bit);
    STRESS_CHECK((before & 1ul << bit) == 0, "task %u: %s twice", bit, what);
}

/* ---- Inside a task ---- */

static distributor_run_fn run_task;
static const distributor_task_type_t type = {.name = "tiny", .run = run_task};

static void spawn(distributor_task_t *self, const struct item *parent, unsigned id)
{
    struct item child = *parent;
    if (id >= run.tasks) {
        return;
    }
    child.id = (uint8_t)id;
    int rc = distributor_spawn(self, &type, &child, sizeof child);
    STRESS_CHECK(rc == 0 || (rc == -ESHUTDOWN && run.stops), "spawn: %d", rc);
    if (rc == 0) {
        set_once(&run.accepted, id, "accepted");
    }
}

static void close_or_stop(void)
{
    int rc = run.stops ? distributor_stop(run.d) : distributor_close(run.d);
    STRESS_CHECK(rc == 0, "close or stop: %d", rc);
}

static int run_task(distributor_task_t *self, const void *input, size_t size)
{
    struct item item;
    STRESS_CHECK(size == sizeof item, "%zu bytes", size);
    memcpy(&item, input, size);
    STRESS_CHECK(item.magic == MAGIC && item.run == (run.number & 0xffff) && item.id < run.tasks,
                 "magic %x, run %u, id %u", item.magic, item.run, item.id);
    STRESS_CHECK(!atomic_load(&run.stopped), "task %u begins after STOP", item.id);
    if (run.closer == BY_TASK && item.id == 0) {
        close_or_stop();
    }
    if (item.shape == TREE) {
        spawn(self, &item, 2u * item.id + 1);
        spawn(self, &item, 2u * item.id + 2);
    } else if (item.shape > 0) {
        spawn(self, &item, item.id + item.shape);
    }
    STRESS_CHECK(distributor_emit(self, &item, sizeof item) == 0, "emit");
    STRESS_CHECK(!atomic_load(&run.stopped), "task %u ends after STOP", item.id);
    set_once(&run.ended, item.id, "ended");
    return 0;
}

/* ---- Outside ---- */

static void read_results(struct stress_random *random)
{
    distributor_result_t results[4];
    ptrdiff_t rc;
    while ((rc = stress_chance(random, 50) ? distributor_next_result(run.d, results)
                                           : distributor_next_results(run.d, results, 4)) > 0) {
        for (ptrdiff_t i = 0; i < rc; i++) {
            struct item item;
            STRESS_CHECK(results[i].size == sizeof item && results[i].error == 0, "a result");
            memcpy(&item, results[i].data, sizeof item);
            STRESS_CHECK(item.magic == MAGIC && item.run == (run.number & 0xffff), "a result");
            set_once(&run.read, item.id, "read");
        }
    }
    STRESS_CHECK(rc == 0, "read: %td", rc);
    atomic_store(&run.stopped, true);
}

static void *reader_thread(void *unused)
{
    (void)unused;
    read_results(&run.reader_random);
    return NULL;
}

static void *worker_thread(void *unused)
{
    (void)unused;
    for (unsigned i = 1 + stress_below(&run.worker_random, 3); i > 0; i--) {
        stress_pause(&run.worker_random, 30);
        int rc = distributor_add_worker(run.d, NULL);
        STRESS_CHECK(rc >= 0 || rc == -ESHUTDOWN, "add_worker: %d", rc);
    }
    return NULL;
}

static void *closer_thread(void *unused)
{
    (void)unused;
    stress_pause(&run.closer_random, 60);
    close_or_stop();
    return NULL;
}

static void add_roots(void)
{
    for (unsigned id = 0; id < run.roots; id++) {
        struct item item = {MAGIC, (uint16_t)run.number, (uint8_t)id, run.shape};
        int rc = distributor_add_task(run.d, &type, &item, sizeof item);
        if (rc == 0) {
            set_once(&run.accepted, id, "accepted");
        } else {
            STRESS_CHECK(rc == -ESHUTDOWN && run.closer >= BY_THREAD, "add: %d", rc);
        }
        if (stress_chance(&run.random, 10)) {
            stress_pause(&run.random, 20);
        }
    }
}

/* ---- A run ---- */

static void plan(distributor_t *d, unsigned number, bool last, struct stress_random *random)
{
    memset(&run, 0, sizeof run);
    run.d = d;
    run.number = number;
    run.tasks = stress_below(random, MAX_TASKS + 1);
    unsigned shape = stress_below(random, 4);
    run.shape = (uint8_t)(shape == 0 ? 0 : shape == 3 ? TREE : shape);
    run.roots = run.shape == 0 || run.shape > run.tasks ? run.tasks : run.shape;
    if (run.shape == TREE) {
        run.roots = run.tasks > 0;
    }
    run.closer = (enum closer)stress_below(random, CLOSERS);
    run.stops = stress_chance(random, 30);
    run.last = last;
    /* A reader that comes before the start of a second run would see the STOP of the first. */
    run.reader = number == 1 && stress_chance(random, 50);
    run.more_workers = stress_chance(random, 30);
    run.random.state = stress_random(random);
    run.reader_random.state = stress_random(random);
    run.worker_random.state = stress_random(random);
    run.closer_random.state = stress_random(random);
    stress_state("run %u: %u tasks, %u roots, shape %u, closer %d, stops %d, reader %d, more %d",
                 number, run.tasks, run.roots, run.shape, run.closer, run.stops, run.reader,
                 run.more_workers);
}

static void check(const distributor_summary_t *summary)
{
    unsigned long accepted = atomic_load(&run.accepted);
    STRESS_CHECK(accepted == atomic_load(&run.ended), "accepted %lx, ended %lx", accepted,
                 atomic_load(&run.ended));
    STRESS_CHECK(accepted == atomic_load(&run.read), "accepted %lx, read %lx", accepted,
                 atomic_load(&run.read));
    uint64_t count = (uint64_t)__builtin_popcountl(accepted);
    STRESS_CHECK(summary->added == count && summary->completed == count &&
                     summary->results == count && summary->discarded == 0,
                 "summary: added %llu, completed %llu, results %llu of %llu",
                 (unsigned long long)summary->added, (unsigned long long)summary->completed,
                 (unsigned long long)summary->results, (unsigned long long)count);
    bool all = run.closer < BY_THREAD && !run.stops;
    STRESS_CHECK(!all || count == run.tasks, "%llu of %u tasks", (unsigned long long)count,
                 run.tasks);
}

static void run_once(void)
{
    distributor_summary_t summary;
    pthread_t reader, more, closer;
    bool add_first = stress_chance(&run.random, 50);
    if (run.reader) {
        stress_thread(&reader, reader_thread, NULL);
    }
    if (run.more_workers) {
        stress_thread(&more, worker_thread, NULL);
    }
    if (run.closer == BY_THREAD) {
        stress_thread(&closer, closer_thread, NULL);
    }
    if (add_first) {
        add_roots();
    }
    if (run.closer == BY_MAIN && add_first && stress_chance(&run.random, 50)) {
        close_or_stop();
    }
    STRESS_CHECK(distributor_start(run.d) == 0, "start");
    if (!add_first) {
        add_roots();
    }
    if (run.closer == BY_MAIN) {
        close_or_stop();
    }
    bool read_here = !run.reader && run.closer == BY_MAIN && stress_chance(&run.random, 50);
    if (read_here) {
        read_results(&run.random);
    }
    if (run.more_workers) {
        stress_join(more);
    }
    /* A close that comes after the join would close the next run. */
    if (run.closer == BY_THREAD && !run.last) {
        stress_join(closer);
    }
    STRESS_CHECK(distributor_join(run.d, &summary) == 0, "join");
    if (run.closer == BY_THREAD && run.last) {
        stress_join(closer);
    }
    if (run.reader) {
        stress_join(reader);
    } else if (!read_here) {
        read_results(&run.random);
    }
    check(&summary);
}

int main(int argc, char **argv)
{
    struct stress_random random;
    stress_begin(&(struct stress_options){.name = "quiescence", .rounds = 1500, .placement = -1},
                 argc, argv);
    while (stress_next(&random)) {
        distributor_t *d;
        unsigned workers = stress.workers > 0 ? stress.workers : 1 + stress_below(&random, 4);
        distributor_options_t options = {.size = sizeof options, .workers = workers,
                                         .worker_started = stress_worker_started,
                                         .deadlock_ns = DISTRIBUTOR_FOREVER};
        stress_set_placement((enum stress_placement)stress_below(&random, STRESS_PLACEMENTS));
        STRESS_CHECK(distributor_create(&d, &options) == 0, "create");
        unsigned runs = 1 + stress_below(&random, 4);
        for (unsigned i = 0; i < runs; i++) {
            plan(d, i + 1, i + 1 == runs, &random);
            run_once();
        }
        STRESS_CHECK(distributor_destroy(d) == 0, "destroy");
    }
    return stress_end();
}
