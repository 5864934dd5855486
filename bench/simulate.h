/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulate.h - a discrete simulation of a distributor on a machine with many cores, one thread on
 * each: adders, workers that claim, run and emit, readers.  What it knows of the machine is what a
 * step takes and what a cache line takes to change cores; lines that several threads want at once
 * make them wait for one another.
 */
#ifndef BENCH_SIMULATE_H
#define BENCH_SIMULATE_H

#define SIMULATE_CORES 320

/* What the machine and the library are; nanoseconds. */
typedef struct machine {
    double add, run, emit, read; /* the steps, with everything in the core's own cache */
    double line;                 /* a line from another core */
    double stream;               /* how much of it shows where lines are fetched in order */
    double poll;                 /* between two looks of one who found nothing */
    double wake;                 /* from waking a worker until it runs */
    double waking;               /* what that costs the one that wakes */
    double patience;             /* how long a worker looks before it sleeps */
    unsigned claim;              /* tasks that a claim takes at most */
    unsigned searchers;          /* who finds nothing while so many search sleeps at once */
    unsigned part;               /* 1: a reader that meets another one goes on to the next worker */
    unsigned look;               /* adds for each look at who sleeps */
    unsigned publish;            /* tasks or results that one store makes known */
} machine_t;

/* What runs on it. */
typedef struct load {
    /* No readers: tasks emit nothing.  No adders: workers do nothing but emit. */
    unsigned adders, workers, readers;
    double grain; /* nanoseconds of a task's body */
    unsigned long tasks;
} load_t;

/* How the time of each kind of thread was spent, as parts of all of its time. */
typedef struct use {
    double work, lines, idle;
} use_t;

typedef struct outcome {
    double ns; /* a task */
    use_t adders, workers, readers;
} outcome_t;

outcome_t simulate(const machine_t *machine, const load_t *load);

#endif
