/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last run in the trace event format of Chrome, which Perfetto opens: a lane for each worker, a
 * slice for each task, an arrow for each dependency.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* The file, and what is read from the graph. */
struct trace {
    FILE *out;
    const struct tasks *tasks;
    int64_t zero_ns;      /* when the run began */
    json_int_t arrows;    /* how many were drawn */
    bool is_first, is_lost; /* no event yet; there was no memory for one */
};

static double microseconds(const struct trace *trace, int64_t time_ns)
{
    return (double)(time_ns - trace->zero_ns) / 1000;
}

static void write_event(struct trace *trace, json_t *event)
{
    fputs(trace->is_first ? "\n" : ",\n", trace->out);
    trace->is_first = false;
    if (!event || json_dumpf(event, trace->out, JSON_COMPACT) != 0)
        trace->is_lost = true;
    json_decref(event);
}

/* The report of a node that ran; false: it did not. */
static bool report_of(const struct trace *trace, size_t node, distributor_report_t *report)
{
    return distributor_graph_report(trace->tasks->graph, node, report) == 0 &&
        (report->outcome == DISTRIBUTOR_PASSED || report->outcome == DISTRIBUTOR_FAILED);
}

static void write_lanes(struct trace *trace)
{
    unsigned lanes = 0;
    distributor_report_t report;
    char name[32];

    for (size_t i = 0; i < distributor_graph_count(trace->tasks->graph); i++)
        if (trace->tasks->chosen[i] && report_of(trace, i, &report) && report.worker >= lanes)
            lanes = report.worker + 1;
    for (unsigned lane = 0; lane < lanes; lane++) {
        snprintf(name, sizeof name, "worker %u", lane);
        write_event(trace, json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "ph", "M", "name",
                                     "thread_name", "pid", 1, "tid", (int)lane + 1, "args", "name",
                                     name));
    }
}

static void write_slice(struct trace *trace, size_t node, const distributor_report_t *report)
{
    bool is_passed = report->outcome == DISTRIBUTOR_PASSED;

    write_event(trace,
                json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:{s:s, s:s}}", "ph", "X", "name",
                          distributor_graph_name(trace->tasks->graph, node), "cat", "task", "pid",
                          1, "tid", (int)report->worker + 1, "ts",
                          microseconds(trace, report->started_ns), "dur",
                          (double)(report->ended_ns - report->started_ns) / 1000, "args", "outcome",
                          is_passed ? "passed" : "failed", "message", report->message));
}

/* One end of an arrow: it is bound to the slice around it. */
static void write_end(struct trace *trace, const char *phase, unsigned worker, double time)
{
    write_event(trace, json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:f}", "ph", phase, "bp", "e",
                                 "name", "then", "cat", "dependency", "id", trace->arrows, "pid", 1,
                                 "tid", (int)worker + 1, "ts", time));
}

static void write_arrows(struct trace *trace, size_t node, const distributor_report_t *from)
{
    unsigned worker = from->worker; /* a report's message is lost with the next one */
    double begin = microseconds(trace, from->started_ns), end = microseconds(trace, from->ended_ns);
    distributor_place_t place;
    distributor_report_t to;

    if (distributor_graph_place(trace->tasks->graph, node, &place) != 0)
        return;
    for (uint32_t i = 0; i < place.dependents; i++) {
        if (!trace->tasks->chosen[place.dependent[i]] || !report_of(trace, place.dependent[i], &to))
            continue;
        trace->arrows++;
        write_end(trace, "s", worker, (begin + end) / 2);
        write_end(trace, "f", to.worker, microseconds(trace, to.started_ns));
    }
}

static void write_events(struct trace *trace)
{
    distributor_report_t report;

    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", trace->out);
    write_lanes(trace);
    for (size_t i = 0; i < distributor_graph_count(trace->tasks->graph); i++) {
        if (!trace->tasks->chosen[i] || !report_of(trace, i, &report))
            continue;
        write_slice(trace, i, &report);
        write_arrows(trace, i, &report);
    }
    fputs("\n]}\n", trace->out);
}

int write_trace(const char *path, const struct tasks *tasks,
                const distributor_graph_summary_t *summary)
{
    struct trace trace = {.out = fopen(path, "we"),
                          .tasks = tasks,
                          .zero_ns = summary->started_ns,
                          .is_first = true};

    if (!trace.out)
        return complain(EXIT_ENGINE, "--trace=%s: %s", path, strerror(errno));
    write_events(&trace);
    bool is_wrong = ferror(trace.out) != 0;
    if (fclose(trace.out) != 0 || is_wrong)
        return complain(EXIT_ENGINE, "--trace=%s: %s", path, strerror(errno));
    if (trace.is_lost)
        return complain(EXIT_ENGINE, "--trace=%s: no memory, or a message is no UTF-8", path);
    return 0;
}
