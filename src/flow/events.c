/* SPDX-License-Identifier: BSD-2-Clause */
/* See events.h. */
#include "flow/events.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/report.h"
#include "flow/run.h"

int distr_events_make(struct distr_events *events, size_t nodes)
{
    events->slots = calloc(nodes * DISTR_EVENTS + 1, sizeof *events->slots);
    return events->slots ? 0 : -ENOMEM;
}

void distr_events_free(struct distr_events *events)
{
    free(events->slots);
    events->slots = NULL;
}

void distr_events_push(struct distr_events *events, distributor_task_t *self, uint32_t node,
                       enum distr_event event)
{
    if (!events->slots)
        return;
    struct distr_slot *slot = &events->slots[(size_t)node * DISTR_EVENTS + event];
    struct distr_slot *newest = atomic_load_explicit(&events->newest, memory_order_relaxed);
    const uint64_t token = 0;

    /* U0 release: pairs with U2.  Who fails reads the newer one and tries again; another got on. */
    do
        slot->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&events->newest, &newest, slot,
                                                  memory_order_release, memory_order_relaxed));
    /* U1.  preempted here: the caller sleeps a little longer.  Without memory for the token the
     * next one, or the end of the run, wakes the caller. */
    if (!newest && self)
        (void)distributor_emit(self, &token, sizeof token);
}

static void call_back(struct distr_run *run, uint32_t node, enum distr_event event)
{
    const distributor_graph_events_t *to = run->options.events;

    if (event == DISTR_EVENT_START && to->task_start)
        to->task_start(to->context, run->graph, node);
    else if (event == DISTR_EVENT_RUN && to->task_run)
        to->task_run(to->context, run->graph, node, run->history->worker[node],
                     run->seats[run->history->worker[node]].name);
    else if (event == DISTR_EVENT_DONE && to->task_done)
        to->task_done(to->context, run->graph, node, distr_outcome_of(run->history, node));
}

void distr_events_deliver(struct distr_run *run)
{
    struct distr_events *events = &run->events;
    /* U2 acquire: pairs with U0. */
    struct distr_slot *slot = atomic_exchange_explicit(&events->newest, NULL, memory_order_acquire);
    struct distr_slot *oldest = NULL;

    while (slot) {
        struct distr_slot *next = slot->next;
        slot->next = oldest;
        oldest = slot;
        slot = next;
    }
    while (oldest) {
        size_t place = (size_t)(oldest - events->slots);
        oldest = oldest->next;
        call_back(run, (uint32_t)(place / DISTR_EVENTS), (enum distr_event)(place % DISTR_EVENTS));
    }
}
