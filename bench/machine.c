/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - prints the machine line; `machine steps` the steps of bench_work() in a millisecond,
 * which run.sh hands to all programs, so that their bodies are the same to the last step.
 */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        printf("%" PRIu64 "\n", bench_steps(BENCH_MILLISECOND));
    else
        printf("%s\n", bench_machine());
    return 0;
}
