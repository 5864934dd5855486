#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# distributor run --trace: a file that holds to its format, and in it what ran.
. "${srcdir:-.}/tests/cli/support.sh"
examples=$source/examples/modules

# traces WORDS STATUS ARGUMENT...: the run ends so, and its trace is right and has so much.
traces() {
    words=$1 status=$2
    shift 2
    rm -f "$work/trace.json"
    run "$status" run --trace="$work/trace.json" "$@"
    found=$(tests/cli/trace_check "$work/trace.json") || wrong "$*: $found"
    # shellcheck disable=SC2254 # they are a pattern
    case $found in
    $words) ;;
    *) wrong "$*: $found, not $words" ;;
    esac
}

traces "6 slices, 6 arrows, [1-9] lanes" 0 "$examples/simple.c"
traces "6 slices, 6 arrows, 1 lanes" 0 --workers=1 "$examples/simple.c"
# What was skipped, left out or given a result is not there, nor are the arrows to it.
traces "5 slices, 4 arrows, [1-9] lanes" 1 "$examples/failing.c"
traces "1 slices, 0 arrows, 1 lanes" 0 --result-test_a=1 "$examples/failing.c::test_b"

# Messages that JSON has to escape, on several workers, which wait for each other.
module meets << 'MODULE'
#include <errno.h>
#include <semaphore.h>
static sem_t left, right;
int setup_state(distributor_state_t *state)
{
    (void)state;
    return sem_init(&left, 0, 0) != 0 || sem_init(&right, 0, 0) != 0 ? -errno : 0;
}
static void meet(sem_t *mine, sem_t *other)
{
    sem_post(other);
    while (sem_wait(mine) != 0)
        ;
}
DISTRIBUTOR_TASK(begin) { return 0; }
DISTRIBUTOR_TASK(one, .after = {"begin"}) { meet(&left, &right); return 0; }
DISTRIBUTOR_TASK(two, .after = {"begin"}) { meet(&right, &left); return 0; }
DISTRIBUTOR_TASK(end, .after = {"one", "two"})
{
    return distributor_call_fail(call, -EIO, "\"quoted\\\t\n\001\xc3\xa4");
}
MODULE
traces "4 slices, 4 arrows, [2-3] lanes" 1 --workers=3 "$work/meets.c"

# A task that waits for its parts while its worker runs another one: with one worker, which takes
# the oldest now and then, that is so each time.
module parts << 'MODULE'
static int part(distributor_call_t *call)
{
    size_t size;
    const int *more = distributor_call_input(call, &size);
    int fewer = *more - 1;
    return fewer > 0 ? distributor_call_spawn(call, part, &fewer, sizeof fewer) : 0;
}
DISTRIBUTOR_TASK(whole)
{
    int more = 1000;
    return distributor_call_spawn(call, part, &more, sizeof more);
}
DISTRIBUTOR_TASK(other) { return 0; }
MODULE
traces "2 slices, 0 arrows, 2 lanes" 0 --workers=1 "$work/parts.c"

# JSON is UTF-8, and a message need not be.
module bytes << 'MODULE'
DISTRIBUTOR_TASK(a) { return distributor_call_fail(call, -5, "\xff\xfe"); }
MODULE
traces "1 slices, 0 arrows, 1 lanes" 1 "$work/bytes.c"
finish
