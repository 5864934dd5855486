/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last run in the trace event format of Chrome, which Perfetto opens: a lane for each worker, a
 * slice for each task, an arrow for each dependency.  A task whose parts still run while its worker
 * runs something else overlaps that, which slices of one lane must not: its worker gets another
 * lane.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* A task that ran. */
struct slice {
    size_t node;
    int64_t started_ns, ended_ns;
    unsigned worker;
    unsigned lane; /* from 1 */
};

/* The last slice that was put there says until when it is taken. */
struct lane {
    unsigned worker;
    int64_t ended_ns;
};

/* The file, and what is read from the graph. */
struct trace {
    FILE *out;
    const struct tasks *tasks;
    int64_t zero_ns;       /* when the run began */
    struct slice *slices;  /* in the order of their beginnings */
    size_t slice_count;
    struct lane *lanes;    /* of number 1 on; at most as many as slices */
    unsigned lane_count;
    struct slice **places; /* by node; NULL: it did not run */
    json_int_t arrows;     /* how many were drawn */
    bool is_first, is_lost; /* no event yet; there was no memory for one */
};

/* ---- Slices and lanes ---- */

static int by_beginning(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    int order = (a->started_ns > b->started_ns) - (a->started_ns < b->started_ns);

    return order != 0 ? order : (a->node > b->node) - (a->node < b->node);
}

/* Those that ran; what was skipped, cancelled or left out has no slice. */
static void find_slices(struct trace *trace)
{
    const struct tasks *tasks = trace->tasks;
    distributor_report_t report;

    for (size_t i = 0; i < distributor_graph_count(tasks->graph); i++) {
        if (!tasks->chosen[i] || distributor_graph_report(tasks->graph, i, &report) != 0 ||
            (report.outcome != DISTRIBUTOR_PASSED && report.outcome != DISTRIBUTOR_FAILED))
            continue;
        trace->slices[trace->slice_count++] = (struct slice){
            i, report.started_ns, report.ended_ns, report.worker, 0};
    }
    qsort(trace->slices, trace->slice_count, sizeof *trace->slices, by_beginning);
}

/* Gives a slice the first lane of its worker that is free when it begins. */
static void find_lane(struct trace *trace, struct slice *slice)
{
    unsigned i = 0;

    while (i < trace->lane_count && (trace->lanes[i].worker != slice->worker ||
                                     trace->lanes[i].ended_ns > slice->started_ns))
        i++;
    if (i == trace->lane_count)
        trace->lanes[trace->lane_count++].worker = slice->worker;
    trace->lanes[i].ended_ns = slice->ended_ns;
    slice->lane = i + 1;
}

static bool collect(struct trace *trace)
{
    size_t count = distributor_graph_count(trace->tasks->graph);

    trace->slices = calloc(count, sizeof *trace->slices);
    trace->lanes = calloc(count, sizeof *trace->lanes);
    trace->places = calloc(count, sizeof *trace->places);
    if (!trace->slices || !trace->lanes || !trace->places)
        return false;
    find_slices(trace);
    for (size_t i = 0; i < trace->slice_count; i++) {
        find_lane(trace, &trace->slices[i]);
        trace->places[trace->slices[i].node] = &trace->slices[i];
    }
    return true;
}

/* ---- Events ---- */

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

static void write_lane(struct trace *trace, unsigned lane)
{
    char name[32];

    snprintf(name, sizeof name, "worker %u", trace->lanes[lane].worker);
    write_event(trace, json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:{s:s}}", "ph", "M", "name",
                                 "thread_name", "cat", "__metadata", "ts", 0, "pid", 1, "tid",
                                 (int)lane + 1, "args", "name", name));
}

/* A message may be any bytes, and JSON is UTF-8. */
static json_t *text_of(const char *message)
{
    json_t *text = json_string(message);
    char *copy = text ? NULL : strdup(message);

    for (char *at = copy; at && *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    if (copy)
        text = json_string(copy);
    free(copy);
    return text;
}

static void write_slice(struct trace *trace, const struct slice *slice)
{
    distributor_report_t report;

    distributor_graph_report(trace->tasks->graph, slice->node, &report); /* as in find_slices */
    write_event(trace,
                json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:{s:s, s:o}}", "ph", "X", "name",
                          distributor_graph_name(trace->tasks->graph, slice->node), "cat", "task",
                          "pid", 1, "tid", (int)slice->lane, "ts",
                          microseconds(trace, slice->started_ns), "dur",
                          (double)(slice->ended_ns - slice->started_ns) / 1000, "args", "outcome",
                          report.outcome == DISTRIBUTOR_PASSED ? "passed" : "failed", "message",
                          text_of(report.message)));
}

/* One end of an arrow: both are bound to the slice around them. */
static void write_end(struct trace *trace, const char *phase, const struct slice *slice,
                      int64_t time_ns)
{
    write_event(trace, json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:f}", "ph", phase, "bp", "e",
                                 "name", "then", "cat", "dependency", "id", trace->arrows, "pid", 1,
                                 "tid", (int)slice->lane, "ts", microseconds(trace, time_ns)));
}

static void write_arrows(struct trace *trace, const struct slice *from)
{
    distributor_place_t place;

    distributor_graph_place(trace->tasks->graph, from->node, &place); /* open_tasks had it too */
    for (uint32_t i = 0; i < place.dependents; i++) {
        const struct slice *to = trace->places[place.dependent[i]];
        if (!to)
            continue;
        trace->arrows++;
        write_end(trace, "s", from, from->started_ns + (from->ended_ns - from->started_ns) / 2);
        write_end(trace, "f", to, to->started_ns);
    }
}

static void write_events(struct trace *trace)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", trace->out);
    for (unsigned lane = 0; lane < trace->lane_count; lane++)
        write_lane(trace, lane);
    for (size_t i = 0; i < trace->slice_count; i++) {
        write_slice(trace, &trace->slices[i]);
        write_arrows(trace, &trace->slices[i]);
    }
    fputs("\n]}\n", trace->out);
}

/* 0 or an exit status after a complaint. */
static int write_file(struct trace *trace, const char *path)
{
    trace->out = fopen(path, "we");
    if (!trace->out)
        return complain(EXIT_ENGINE, "--trace=%s: %s", path, strerror(errno));
    write_events(trace);
    bool is_wrong = ferror(trace->out) != 0;
    if (fclose(trace->out) != 0 || is_wrong)
        return complain(EXIT_ENGINE, "--trace=%s: %s", path, strerror(errno));
    return trace->is_lost ? complain(EXIT_ENGINE, "--trace=%s: no memory", path) : 0;
}

int write_trace(const char *path, const struct tasks *tasks,
                const distributor_graph_summary_t *summary)
{
    struct trace trace = {.tasks = tasks, .zero_ns = summary->started_ns, .is_first = true};
    int rc = collect(&trace) ? write_file(&trace, path)
                             : complain(EXIT_ENGINE, "--trace=%s: no memory", path);

    free(trace.slices);
    free(trace.lanes);
    free(trace.places);
    return rc;
}
