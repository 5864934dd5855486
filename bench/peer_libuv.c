/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_libuv.c - libuv: uv_queue_work() for the tasks; what comes back through the after-work
 * callbacks, in the loop of the main thread, are the results.  Only the main thread can add, so the
 * tree unfolds in the callbacks, and what needs a task that adds is left out.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

const char *const peer_name = "libuv";

typedef struct job {
    uv_work_t work;
    peer_fn *run;
    uint64_t number, result;
    bool emitted;
    struct job *next;
} job_t;

static job_t *first, **last = &first; /* of those with a result, the loop's thread alone */
static __thread job_t *running;
static uint64_t leaf_count;

static job_t *new_job(peer_fn *run, uint64_t number)
{
    job_t *job = malloc(sizeof *job);

    bench_check("memory for a task", job != NULL, 1);
    job->run = run;
    job->number = number;
    job->emitted = false;
    return job;
}

static void queue(job_t *job, uv_work_cb work, uv_after_work_cb after)
{
    bench_must("uv_queue_work", uv_queue_work(uv_default_loop(), &job->work, work, after));
}

static void work_of(uv_work_t *work)
{
    running = (job_t *)(void *)work;
    running->run(running->number);
}

static void after_work(uv_work_t *work, int status)
{
    job_t *job = (job_t *)(void *)work;

    bench_must("a task", status);
    if (!job->emitted) {
        free(job);
        return;
    }
    job->next = NULL;
    *last = job;
    last = &job->next;
}

bool peer_nests(void)
{
    return false;
}

void peer_open(unsigned workers)
{
    char text[16];

    snprintf(text, sizeof text, "%u", workers);
    setenv("UV_THREADPOOL_SIZE", text, 1);
}

void peer_add(peer_fn *run, uint64_t number)
{
    queue(new_job(run, number), work_of, after_work);
}

void peer_emit(uint64_t result)
{
    running->result = result;
    running->emitted = true;
}

uint64_t peer_read(void)
{
    uint64_t result;
    job_t *job;

    while (first == NULL)
        uv_run(uv_default_loop(), UV_RUN_ONCE);
    job = first;
    first = job->next;
    if (first == NULL)
        last = &first;
    result = job->result;
    free(job);
    return result;
}

/* ---- the tree ---- */

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

static void after_node(uv_work_t *work, int status)
{
    job_t *job = (job_t *)(void *)work;

    bench_must("a task", status);
    if (job->number == 0) {
        leaf_count++;
    } else {
        queue(new_job(NULL, job->number - 1), do_nothing, after_node);
        queue(new_job(NULL, job->number - 1), do_nothing, after_node);
    }
    free(job);
}

bool peer_tree(unsigned workers, unsigned depth, uint64_t *leaves)
{
    (void)workers;
    leaf_count = 0;
    queue(new_job(NULL, depth), do_nothing, after_node);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    *leaves = leaf_count;
    return true;
}
