/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * squares [COUNT [WORKERS]] - one task spawns COUNT tasks (1,000,000), each emits its square, and
 * the main thread adds them up while the workers (one per CPU) are still at it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <distributor.h>

static int square(distributor_task_t *self, const void *input, size_t size)
{
    const uint64_t *number = input;
    uint64_t result = *number * *number;
    (void)size;
    return distributor_emit(self, &result, sizeof result);
}

static const distributor_task_type_t square_type = {.name = "square", .run = square};

static int spawn_squares(distributor_task_t *self, const void *input, size_t size)
{
    const uint64_t *count = input;
    int error = 0;
    (void)size;
    for (uint64_t i = 0; i < *count && error == 0; i++)
        error = distributor_spawn(self, &square_type, &i, sizeof i);
    return error;
}

static const distributor_task_type_t spawn_type = {.name = "spawn", .run = spawn_squares};

/* Reads to the end of the run.  The sum is exact up to 3,810,778 squares, then it wraps. */
static int add_up(distributor_t *d, uint64_t *count, uint64_t *sum)
{
    distributor_result_t result;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        if (result.error != 0) {
            fprintf(stderr, "squares: task %s: %s\n", result.type->name, result.message);
            return result.error;
        }
        *sum += *(const uint64_t *)result.data;
        ++*count;
    }
    return got;
}

static int print_squares(distributor_t *d, uint64_t tasks)
{
    uint64_t count = 0;
    uint64_t sum = 0;
    int64_t begin = distributor_now();
    int error = distributor_add_task(d, &spawn_type, &tasks, sizeof tasks);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_close(d); /* no more from outside: STOP can come */
    if (error == 0)
        error = add_up(d, &count, &sum);
    if (error == 0)
        error = distributor_join(d, NULL);
    if (error != 0)
        return error;
    double seconds = (double)(distributor_now() - begin) / 1e9;
    printf("count %" PRIu64 "\nsum   %" PRIu64 "\n", count, sum);
    printf("rate  %.0f tasks a second\n", (double)count / seconds);
    return 0;
}

/* A decimal number from 0 to `most`. */
static bool parse(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoumax(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number <= most;
}

int main(int argc, char **argv)
{
    uint64_t count = 1000000;
    uint64_t workers = 0; /* the library chooses */
    if (argc > 3 || (argc > 1 && !parse(argv[1], UINT64_MAX, &count)) ||
        (argc > 2 && !parse(argv[2], DISTRIBUTOR_MAX_WORKERS, &workers))) {
        fprintf(stderr, "usage: squares [COUNT [WORKERS]]\n");
        return 2;
    }
    distributor_options_t options = {.size = sizeof options, .workers = (unsigned)workers};
    distributor_t *d;
    int error = distributor_create(&d, &options);
    if (error == 0)
        error = print_squares(d, count);
    if (error != 0)
        fprintf(stderr, "squares: %s\n", distributor_strerror(error));
    distributor_destroy(d);
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
