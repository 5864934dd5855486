/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - numbers that a source gives, one call an input, summed up by tasks that emit nothing.
 * `source [INPUTS] WORKERS`: 10,000,000 inputs if none are named; 1,000,000,000 need no more
 * memory.
 *
 * "source" is the time of an input, from before start to after join; "source-rss" the peak of the
 * process.
 */
#include "ours.h"

#include <stdlib.h>

#define INPUTS UINT64_C(10000000)

typedef struct numbers {
    uint64_t next, end;
} numbers_t;

/* What one worker has run; two cache lines for each. */
typedef struct sum {
    uint64_t sum, count;
    char gap[112];
} sum_t;

static sum_t *sums;

static int give_number(void *context, distributor_input_t *input)
{
    numbers_t *numbers = context;
    uint64_t number = numbers->next;

    if (number == numbers->end)
        return 0;
    numbers->next++;
    return distributor_set_input(input, &number, sizeof number);
}

static int run_sum(distributor_task_t *self, const void *input, size_t size)
{
    sum_t *mine = &sums[distributor_worker_index(self)];

    (void)size;
    mine->sum += ours_number(input);
    mine->count++;
    return 0;
}

static const distributor_task_type_t sum = {.name = "sum", .run = run_sum};

static void check_sums(unsigned workers, uint64_t inputs)
{
    uint64_t total = 0, count = 0;

    for (unsigned i = 0; i < workers; i++) {
        total += sums[i].sum;
        count += sums[i].count;
        sums[i] = (sum_t){.sum = 0};
    }
    bench_check("number of inputs", count, inputs);
    bench_check("sum of inputs", total,
                inputs % 2 == 0 ? inputs / 2 * (inputs - 1) : (inputs - 1) / 2 * inputs);
}

static double run(distributor_t *d, unsigned workers, uint64_t inputs)
{
    numbers_t numbers = {.end = inputs};
    int64_t start = bench_now();

    bench_must("start", distributor_start(d));
    bench_must("add_source", distributor_add_source(d, &sum, give_number, &numbers));
    bench_must("join", distributor_join(d, NULL));
    start = bench_now() - start;
    check_sums(workers, inputs);
    return (double)start / (double)inputs;
}

int main(int argc, char **argv)
{
    unsigned workers = bench_workers(argc, argv);
    uint64_t inputs = argc == 3 ? strtoull(argv[1], NULL, 10) : INPUTS;
    distributor_t *d = ours_create(workers);

    sums = calloc(workers, sizeof *sums);
    bench_check("inputs, and memory for the sums", inputs > 0 && sums != NULL, 1);
    for (int warm = 0; warm < 2; warm++)
        bench_say_warm("source", workers, "ns/input", warm, run(d, workers, inputs));
    bench_say("source-rss", workers, "MiB", bench_peak_rss() / (1 << 20));
    bench_must("destroy", distributor_destroy(d));
    free(sums);
    return 0;
}
