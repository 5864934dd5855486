/* SPDX-License-Identifier: BSD-2-Clause */
/* After a run: how it ended, node by node and in sum. */
#include "flow/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/graph.h"
#include "flow/value.h"

distributor_outcome_t distr_outcome_of(const struct distr_history *h, uint32_t node)
{
    /* relaxed: see mark() in node.c. */
    switch (atomic_load_explicit(&h->state[node], memory_order_relaxed)) {
    case DISTR_NODE_PASSED:
        return DISTRIBUTOR_PASSED;
    case DISTR_NODE_FAILED:
        return DISTRIBUTOR_FAILED;
    case DISTR_NODE_SKIPPED:
        return DISTRIBUTOR_SKIPPED;
    case DISTR_NOT_CHOSEN:
        return DISTRIBUTOR_NOT_RUN;
    default:
        return DISTRIBUTOR_CANCELLED;
    }
}

void distr_count_outcomes(const struct distr_history *h, distributor_graph_summary_t *summary)
{
    size_t count[DISTRIBUTOR_CANCELLED + 1] = {0};

    for (uint32_t n = 0; n < h->count; n++)
        count[distr_outcome_of(h, n)]++;
    summary->passed = count[DISTRIBUTOR_PASSED];
    summary->failed = count[DISTRIBUTOR_FAILED];
    summary->skipped = count[DISTRIBUTOR_SKIPPED];
    summary->cancelled = count[DISTRIBUTOR_CANCELLED];
    summary->ran = summary->passed + summary->failed;
    summary->nodes = summary->ran + summary->skipped + summary->cancelled;
}

/* The sentence for a node that was skipped. */
static int say_cause(distributor_graph_t *graph, size_t cause)
{
    char name[24];
    char *text;

    if (asprintf(&text, "%s failed", distr_graph_called(graph, cause, name)) < 0)
        return distr_graph_say(graph, -ENOMEM, "no memory for a report");
    free(graph->report_text);
    graph->report_text = text;
    return 0;
}

static int explain(distributor_graph_t *graph, uint32_t node, distributor_report_t *report)
{
    struct distr_history *h = &graph->history;

    if (report->outcome == DISTRIBUTOR_FAILED) {
        report->error = h->error[node];
        report->message = h->text[node] ? h->text[node] : distributor_strerror(report->error);
    } else if (report->outcome == DISTRIBUTOR_SKIPPED) {
        report->error = -ECANCELED;
        report->cause = h->cause[node] - 1;
        int rc = say_cause(graph, report->cause);
        report->message = rc == 0 ? graph->report_text : "";
        return rc;
    } else if (report->outcome == DISTRIBUTOR_CANCELLED) {
        report->error = -ECANCELED;
        report->message = "the run was cancelled before it began";
    }
    return 0;
}

int distributor_graph_report(distributor_graph_t *graph, size_t node, distributor_report_t *report)
{
    int rc = report ? distr_graph_usable(graph) : -EINVAL;

    if (rc == 0)
        rc = distr_graph_has(graph, node);
    if (rc != 0)
        return rc;
    struct distr_history *h = &graph->history;
    memset(report, 0, sizeof *report);
    report->message = "";
    report->cause = node;
    if (!h->ran || node >= h->count)
        return 0;
    report->outcome = distr_outcome_of(h, (uint32_t)node);
    if (h->worker) {
        report->started_ns = h->started[node];
        report->ended_ns = report->started_ns != 0 ? h->ended[node] : 0;
        report->worker = h->worker[node];
    }
    return explain(graph, (uint32_t)node, report);
}

int distributor_graph_result(const distributor_graph_t *graph, size_t node,
                             distributor_value_t *value)
{
    if (!graph || !value)
        return -EINVAL;
    if (node >= graph->count)
        return -ENOENT;
    /* Y1 acquire: pairs with Y0. */
    if (node >= graph->history.count ||
        !atomic_load_explicit(&graph->history.has_value[node], memory_order_acquire))
        return -ENODATA;
    *value = graph->history.value[node];
    return 0;
}

int distributor_graph_set_result(distributor_graph_t *graph, size_t node,
                                 const distributor_value_t *value)
{
    distributor_value_t copy;
    int rc = distr_graph_usable(graph);

    if (rc == 0)
        rc = distr_graph_has(graph, node);
    if (rc == 0 && distr_value_check(value) != 0)
        rc = distr_graph_say(graph, -EINVAL, "the result has no valid type or no bytes");
    if (rc != 0)
        return rc;
    rc = distr_history_fit(&graph->history, graph->count, false);
    if (rc == 0)
        rc = distr_value_copy(&copy, value);
    if (rc != 0)
        return distr_graph_say(graph, rc, "no memory for a result");
    distr_history_set(&graph->history, node, &copy);
    return 0;
}
