/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - one job, three times: as a map that waits, as one that an event loop does not wait for,
 * and as one over a source, whose inputs and outputs are never all there.
 *
 *     map [COUNT]
 *
 * Counts, for each number below COUNT, the steps of the Collatz sequence to 1, and prints the
 * number with the most.  The work is the same static function all three times.
 */
#include <distributor.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 100000000ul

static int count_steps(void *context, const void *inputs, void *outputs, size_t count)
{
    const uint32_t *numbers = inputs;
    uint32_t *steps = outputs;

    (void)context;
    for (size_t i = 0; i < count; i++) {
        steps[i] = 0;
        for (uint64_t n = numbers[i]; n > 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1)
            steps[i]++;
    }
    return 0;
}

static void say_longest(const char *way, const uint32_t *steps, size_t count)
{
    size_t longest = 0;

    for (size_t i = 0; i < count; i++)
        if (steps[i] > steps[longest])
            longest = i;
    printf("%-5s  %zu has %u steps\n", way, longest, count > 0 ? steps[longest] : 0);
}

/* The calling thread helps, and goes on when all is done. */
static int wait_for_it(const uint32_t *numbers, uint32_t *steps, size_t count)
{
    return distributor_map(NULL, count_steps, NULL, numbers, sizeof *numbers, steps, sizeof *steps,
                           count);
}

/* Takes what the loop was woken for.  1: all outputs are there. */
static int take_ranges(distributor_t *d)
{
    distributor_result_t result;
    int rc;

    while ((rc = distributor_try_next_result(d, &result)) == 1) {
        const distributor_map_range_t *range = result.data;

        if (result.error != 0 || range->error != 0)
            return result.error != 0 ? result.error : range->error;
        if (range->last)
            return 1;
        /* range->count outputs, from range->first on, could be used now. */
    }
    return rc == -EAGAIN ? 0 : rc;
}

/* The loop of this program has a single descriptor; that of a server has more. */
static int loop(distributor_t *d)
{
    struct pollfd events = {.fd = distributor_fd(d), .events = POLLIN};
    int rc = events.fd < 0 ? events.fd : 0;

    while (rc == 0)
        if (poll(&events, 1, -1) == 1)
            rc = take_ranges(d);
    return rc < 0 ? rc : 0;
}

static int do_other_things_meanwhile(const uint32_t *numbers, uint32_t *steps, size_t count)
{
    distributor_t *d;
    int rc = distributor_create(&d, NULL);

    if (rc != 0)
        return rc;
    rc = distributor_start(d);
    if (rc == 0)
        rc = distributor_map_async(d, count_steps, NULL, numbers, sizeof *numbers, steps,
                                   sizeof *steps, count);
    if (rc == 0)
        rc = loop(d);
    distributor_destroy(d);
    return rc;
}

/* ---- over a source ---- */

struct numbers {
    uint32_t next, count;
};

static int next_number(void *context, void *input)
{
    struct numbers *numbers = context;

    if (numbers->next == numbers->count)
        return 0;
    *(uint32_t *)input = numbers->next++;
    return 1;
}

/* The outputs come in the order of the inputs, which are asked for while this loop runs. */
static int read_one_by_one(size_t count)
{
    struct numbers numbers = {.count = (uint32_t)count};
    distributor_lazy_map_t *map;
    uint32_t steps, most = 0, longest = 0, number = 0;

    int rc = distributor_map_lazy(&map, NULL, count_steps, NULL, next_number, &numbers,
                                  sizeof number, sizeof steps, 0);
    for (; rc == 0 && (rc = distributor_map_next(map, &steps)) == 1; number++, rc = 0) {
        if (steps > most) {
            most = steps;
            longest = number;
        }
    }
    if (rc == 0)
        printf("lazy   %u has %u steps\n", longest, most);
    distributor_map_destroy(map);
    return rc;
}

static int say_error(const char *way, int rc)
{
    fprintf(stderr, "map: %s: %s\n", way, distributor_strerror(rc));
    return 1;
}

static int all_three(uint32_t *numbers, uint32_t *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)i;
    int rc = wait_for_it(numbers, steps, count);
    if (rc != 0)
        return say_error("map", rc);
    say_longest("map", steps, count);
    memset(steps, 0, count * sizeof *steps);
    rc = do_other_things_meanwhile(numbers, steps, count);
    if (rc != 0)
        return say_error("async", rc);
    say_longest("async", steps, count);
    rc = read_one_by_one(count);
    return rc != 0 ? say_error("lazy", rc) : 0;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long count = argc > 1 ? strtoul(argv[1], &end, 10) : 300000;

    if (argc > 2 || (argc == 2 && (*argv[1] < '0' || *argv[1] > '9' || *end || count > MOST))) {
        fprintf(stderr, "usage: map [COUNT], at most %lu\n", MOST);
        return 2;
    }
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    uint32_t *steps = malloc((count + 1) * sizeof *steps);
    int status = numbers && steps ? all_three(numbers, steps, count) : say_error("arrays", -ENOMEM);
    free(numbers);
    free(steps);
    return status;
}
