/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of a node: tasks of the pool whose end the node waits for.  The node's word, 0 since it is
 * ready, counts its shares from the first part on: its function and that part make 2.  Who spawns
 * holds a share itself, so that the count cannot come to 0 meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flow/run.h"

struct distr_part {
    distributor_call_fn *run;
    uint32_t node;
    size_t size;
    _Alignas(max_align_t) unsigned char input[];
};

/* A part that may not begin any more fails its node, which has begun. */
static void run_share(struct distr_seat *seat, struct distr_part *part)
{
    distributor_call_t *call = distr_begin_share(seat, part->node);

    call->part = true;
    call->used = true;
    call->input = part->size != 0 ? part->input : NULL;
    call->input_size = part->size;
    int rc = distr_stopped(seat->run)
                 ? distributor_call_fail(call, -ECANCELED, "cancelled before all its parts ran")
                 : part->run(call);
    uint32_t next = distr_end_share(seat, rc);
    if (next != DISTR_NO_NODE)
        distr_walk(seat, next);
}

static int run_part(distributor_task_t *self, const void *input, size_t size)
{
    struct distr_seat *seat = distr_seat_of(self);
    struct distr_part *part = *(struct distr_part *const *)input;

    (void)size;
    pthread_cleanup_push(free, part);
    pthread_cleanup_push(distr_seat_lost, seat);
    run_share(seat, part);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(1);
    return 0;
}

static const distributor_task_type_t part_type = {.name = "part", .run = run_part};

int distributor_call_spawn(distributor_call_t *call, distributor_call_fn *run, const void *input,
                           size_t size)
{
    _Atomic uint32_t *shares = &call->run->history->state[call->node];

    if (!run || (size != 0 && !input))
        return -EINVAL;
    if (size > DISTRIBUTOR_MAX_SIZE - sizeof(struct distr_part))
        return -EMSGSIZE;
    if (distr_stopped(call->run))
        return -ECANCELED;
    struct distr_part *part = malloc(sizeof *part + size);
    if (!part)
        return -ENOMEM;
    part->run = run;
    part->node = call->node;
    part->size = size;
    if (size != 0)
        memcpy(part->input, input, size);
    bool first = !call->part && !call->parted;
    /* relaxed: the share of this call keeps the count from 0; the pool hands the part over. */
    atomic_fetch_add_explicit(shares, first ? 2 : 1, memory_order_relaxed);
    int rc = distributor_spawn(call->seat->self, &part_type, &part, sizeof part);
    if (rc != 0) {
        atomic_fetch_sub_explicit(shares, first ? 2 : 1, memory_order_relaxed);
        free(part);
        return rc;
    }
    call->parted = true;
    call->used = true;
    return 0;
}

const void *distributor_call_input(const distributor_call_t *call, size_t *size)
{
    if (size)
        *size = call->input_size;
    return call->input;
}
