/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_call.c - what a call into the library takes that does nothing.  The median of many rounds;
 * the loop around it, which takes less than a nanosecond, is in it.
 */
#include "ours.h"

#include <distributor/version.h>

#define CALLS 100000
#define ROUNDS 101

int main(int argc, char **argv)
{
    static double times[ROUNDS];
    unsigned workers = bench_workers(argc, argv);

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t good = 0;
        int64_t start = bench_now();
        for (unsigned i = 0; i < CALLS; i++)
            good += *distributor_version() == DISTRIBUTOR_VERSION[0];
        times[round] = (double)(bench_now() - start) / CALLS;
        bench_check("versions", good, CALLS);
    }
    bench_sort(times, ROUNDS);
    bench_peer = "limit";
    bench_say("call", workers, "ns", bench_percentile(times, ROUNDS, 50));
    return 0;
}
