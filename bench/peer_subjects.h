/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_subjects.h - what the files of subjects for the peers share: peer.c, peer_grain.c and
 * peer_waits.c.
 */
#ifndef BENCH_PEER_SUBJECTS_H
#define BENCH_PEER_SUBJECTS_H

#include "peer.h"

typedef void peer_subject_fn(unsigned workers);

/* Reads that many results, one call each, and gives their sum. */
uint64_t peer_read_sum(uint64_t count);

/* Adds the tasks 0 to total - 1, one call each, reads their results, checks the sum of squares;
 * gives the time from before the first add to after the last read. */
int64_t peer_stream(peer_fn *task, uint64_t total);

/* At most what this peer takes at once. */
uint64_t peer_cap(uint64_t total);

/* The task that emits its square. */
void peer_square(uint64_t number);

/* A pool that cannot wait for all its tasks has to count them: peer_count() is called by each, and
 * the last of `total` emits that number. */
void peer_count_from(uint64_t total);
void peer_count(uint64_t number);

peer_subject_fn peer_run_grain, peer_run_grain_1us, peer_run_grain_5us, peer_run_oversubscribed;
peer_subject_fn peer_run_blocking, peer_run_latency, peer_run_latency_quiet, peer_run_memory;
peer_subject_fn peer_run_ordered, peer_run_idle;

#endif
