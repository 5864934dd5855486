/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scaling.c - one cell of `make bench-scaling`: `scaling TASKS WORKERS BYTES ADDERS READERS GRAIN`.
 *
 * Adding threads share out the tasks, each of them BYTES of input; a task works for GRAIN
 * nanoseconds and emits a result of as many bytes; reading threads read to STOP.  The clock runs
 * from before start to after join, in the second run of one distributor; the first one, of at most
 * 1,000,000 tasks, warms it up.  Sums of squares and counts are checked.
 *
 * Prints ns/task on the clock and on the CPUs, and the peak of resident memory.  The process may
 * have 4 GiB of data.  So that 100,000,000 tasks stay within, an adder waits while too much that
 * was added is unread; the distributor has no limits.
 */
#include "ours.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define DATA_LIMIT (UINT64_C(4) << 30)
#define PENDING_BYTES (UINT64_C(1) << 30) /* of what is added and not read, all copies included */
#define LOOK_EVERY 1024                   /* adds or reads */
#define THREADS_MAX 64
#define BYTES_MAX 65536
#define WARM_TASKS UINT64_C(1000000)

typedef struct cell {
    uint64_t tasks;
    unsigned workers, adders, readers;
    size_t bytes;
    int64_t grain_ns;
} cell_t;

/* One adding or reading thread. */
typedef struct side {
    pthread_t thread;
    distributor_t *d;
    uint64_t first, count; /* of an adder: its tasks; of a reader: what it read */
    uint64_t sum;
} side_t;

static cell_t cell;
static uint64_t steps, window;
static _Alignas(128) atomic_ullong added;
static _Alignas(128) atomic_ullong read_so_far;

static int run_task(distributor_task_t *self, const void *input, size_t size)
{
    char result[BYTES_MAX];
    uint64_t number = ours_number(input), square = number * number;

    bench_work(steps);
    memcpy(result, input, size);
    memcpy(result, &square, sizeof square);
    return distributor_emit(self, result, size);
}

static const distributor_task_type_t task = {.name = "task", .run = run_task};

static void await_room(uint64_t more)
{
    uint64_t all = atomic_fetch_add(&added, more) + more;

    while (all - atomic_load(&read_so_far) > window)
        bench_sleep(100000);
}

static void *run_adder(void *argument)
{
    side_t *self = argument;
    char input[BYTES_MAX] = {0};

    for (uint64_t i = 0; i < self->count; i++) {
        uint64_t number = self->first + i;

        if (i % LOOK_EVERY == 0)
            await_room(self->count - i < LOOK_EVERY ? self->count - i : LOOK_EVERY);
        memcpy(input, &number, sizeof number);
        bench_must("add", distributor_add_task(self->d, &task, input, cell.bytes));
    }
    return NULL;
}

static void *run_reader(void *argument)
{
    side_t *self = argument;
    distributor_result_t result;

    while (bench_must("next_result", distributor_next_result(self->d, &result)) == 1) {
        bench_must("task", result.error);
        bench_check("bytes of a result", result.size, cell.bytes);
        self->sum += ours_number(result.data);
        if (++self->count % LOOK_EVERY == 0)
            atomic_fetch_add(&read_so_far, LOOK_EVERY);
    }
    return NULL;
}

static void begin(side_t *side, void *(*run)(void *))
{
    bench_must("pthread_create", -pthread_create(&side->thread, NULL, run, side));
}

static void run(distributor_t *d, uint64_t tasks)
{
    static side_t adders[THREADS_MAX], readers[THREADS_MAX];
    uint64_t sum = 0, count = 0;

    atomic_store(&added, 0);
    atomic_store(&read_so_far, 0);
    bench_must("start", distributor_start(d));
    for (unsigned i = 0; i < cell.readers; i++) {
        readers[i] = (side_t){.d = d};
        begin(&readers[i], run_reader);
    }
    for (unsigned i = 0; i < cell.adders; i++) {
        uint64_t first = tasks * i / cell.adders, end = tasks * (i + 1) / cell.adders;

        adders[i] = (side_t){.d = d, .first = first, .count = end - first};
        begin(&adders[i], run_adder);
    }
    for (unsigned i = 0; i < cell.adders; i++)
        pthread_join(adders[i].thread, NULL);
    bench_must("close", distributor_close(d));
    for (unsigned i = 0; i < cell.readers; i++) {
        pthread_join(readers[i].thread, NULL);
        sum += readers[i].sum;
        count += readers[i].count;
    }
    bench_must("join", distributor_join(d, NULL));
    bench_check("number of results", count, tasks);
    bench_check("sum of squares", sum, bench_squares(tasks));
}

static double cpu_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t argument(char **argv, int index, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(argv[index], &end, 10);

    if (*argv[index] < '0' || *argv[index] > '9' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "%s: argument %d is %s, not a number from %llu to %llu\n", argv[0], index,
                argv[index], (unsigned long long)least, (unsigned long long)most);
        exit(BENCH_USAGE);
    }
    return value;
}

static void read_cell(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: %s TASKS WORKERS BYTES ADDERS READERS GRAIN\n", argv[0]);
        exit(BENCH_USAGE);
    }
    cell.tasks = argument(argv, 1, 1, UINT64_C(10000000000));
    cell.workers = (unsigned)argument(argv, 2, 1, 65535);
    cell.bytes = (size_t)argument(argv, 3, 8, BYTES_MAX);
    cell.adders = (unsigned)argument(argv, 4, 1, THREADS_MAX);
    cell.readers = (unsigned)argument(argv, 5, 1, THREADS_MAX);
    cell.grain_ns = (int64_t)argument(argv, 6, 0, BENCH_SECOND);
}

int main(int argc, char **argv)
{
    struct rlimit limit = {.rlim_cur = DATA_LIMIT, .rlim_max = DATA_LIMIT};
    distributor_t *d;
    int64_t wall;
    double cpu;

    read_cell(argc, argv);
    setrlimit(RLIMIT_DATA, &limit);
    steps = cell.grain_ns > 0 ? bench_steps(cell.grain_ns) : 0;
    window = PENDING_BYTES / (64 + 2 * cell.bytes);
    d = ours_create(cell.workers);
    run(d, cell.tasks < WARM_TASKS ? cell.tasks : WARM_TASKS);
    wall = bench_now();
    cpu = cpu_now();
    run(d, cell.tasks);
    wall = bench_now() - wall;
    cpu = cpu_now() - cpu;
    bench_must("destroy", distributor_destroy(d));
    printf("%llu %u %zu %u %u %lld %.6g %.6g %.6g\n", (unsigned long long)cell.tasks, cell.workers,
           cell.bytes, cell.adders, cell.readers, (long long)cell.grain_ns,
           (double)wall / (double)cell.tasks, cpu / (double)cell.tasks,
           bench_peak_rss() / (1 << 20));
    return 0;
}
