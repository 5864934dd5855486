/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor run: the tasks of a module, and what became of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* What --log lets through. */
static void log_line(void *context, distributor_log_level_t level, const char *worker,
                     const char *message)
{
    const struct options *options = context;

    if (level != DISTRIBUTOR_LOG_DEBUG || options->verbose)
        distributor_log_to_stderr(NULL, level, worker, message);
}

/* What is told of the run while it goes on. */
struct watch {
    struct tasks *tasks;
    struct progress *progress;
    struct viewer *viewer;
};

/* From here on the first Ctrl-C is the run's. */
static void on_run_start(void *context, const distributor_graph_t *graph)
{
    struct watch *watch = context;

    (void)graph;
    distributor_handle_interrupt(watch->tasks->graph);
}

static void on_worker_started(void *unused, unsigned worker, const char *name)
{
    (void)unused, (void)worker, (void)name;
    give_handler_a_stack();
}

static void on_task_run(void *context, const distributor_graph_t *graph, size_t node,
                        unsigned worker, const char *worker_name)
{
    struct watch *watch = context;

    (void)graph, (void)worker_name;
    view_run(watch->viewer, node, worker);
}

static void on_task_done(void *context, const distributor_graph_t *graph, size_t node,
                         distributor_outcome_t outcome)
{
    struct watch *watch = context;

    (void)graph;
    count_progress(watch->progress, outcome);
    view_done(watch->viewer, node, outcome);
}

static void on_tick(void *context, const distributor_graph_t *graph)
{
    struct watch *watch = context;

    (void)graph;
    tick_progress(watch->progress);
    tick_viewer(watch->viewer);
}

static int say_state(distributor_state_t *state, const char *file)
{
    char why[512] = "";

    distributor_state_message(state, why, sizeof why);
    return complain(EXIT_ENGINE, "--state-file=%s: %s", file, said(why));
}

/* The state as the file, the command line and setup_state leave it, in this order. */
static int open_state(distributor_state_t **state, const struct options *options,
                      struct tasks *tasks)
{
    if (distributor_state_create(state, DISTRIBUTOR_OPEN) != 0)
        return complain(EXIT_ENGINE, "no memory");
    int rc = options->state_file ? distributor_state_load(*state, options->state_file) : 0;
    if (rc != 0 && rc != -ENOENT)
        return say_state(*state, options->state_file);
    for (size_t i = 0; i < options->key_count; i++) {
        rc = set_key(*state, &options->keys[i]);
        if (rc != 0)
            return rc;
    }
    suspect_module(options->path);
    rc = distributor_module_setup(tasks->module, *state);
    suspect_module(NULL);
    if (rc != 0)
        return complain(EXIT_MODULE, "%s", said(distributor_module_message(tasks->module)));
    return 0;
}

static void print_task(struct tasks *tasks, size_t node, const distributor_report_t *report)
{
    distributor_value_t value;
    char *text = NULL;

    print_outcome(stdout, report->outcome);
    printf("  %s", distributor_graph_name(tasks->graph, node));
    if (report->started_ns)
        printf("  %.3f s", (double)(report->ended_ns - report->started_ns) / 1e9);
    if (*report->message)
        printf("  %s", report->message);
    if (report->outcome == DISTRIBUTOR_PASSED &&
        distributor_graph_result(tasks->graph, node, &value) == 0) {
        text = format_value(&value);
        printf("  %s", text ? text : "(no memory to show its result)");
    }
    free(text);
    putchar('\n');
}

static void print_report(struct tasks *tasks, const struct options *options,
                         const distributor_graph_summary_t *summary)
{
    distributor_report_t report;

    for (size_t i = 0; i < distributor_graph_count(tasks->graph); i++) {
        if (!tasks->chosen[i] || distributor_graph_report(tasks->graph, i, &report) != 0)
            continue;
        if (options->verbose || report.outcome != DISTRIBUTOR_PASSED)
            print_task(tasks, i, &report);
    }
    printf("%zu passed, %zu failed, %zu skipped, %zu cancelled in %.3f s\n", summary->passed,
           summary->failed, summary->skipped, summary->cancelled,
           (double)summary->duration_ns / 1e9);
}

/* Runs the graph between the two ends of what watches it. */
static int run_watched(struct tasks *tasks, const struct options *options,
                       distributor_state_t *state, distributor_graph_summary_t *summary,
                       int *signal)
{
    struct watch watch = {.tasks = tasks};
    distributor_graph_events_t events = {.context = &watch, .run_start = on_run_start};
    distributor_graph_options_t run = {.size = sizeof run,
                                       .workers = options->workers,
                                       .run_dependents = options->run_dependents,
                                       .fail_fast = options->fail_fast,
                                       .times = true,
                                       .only = tasks->only,
                                       .events = &events,
                                       .state = state,
                                       .log = options->log ? log_line : NULL,
                                       .log_context = (void *)options,
                                       .worker_started = on_worker_started};
    if (options->progress && begin_progress(&watch.progress, tasks->chosen_count) != 0)
        return EXIT_ENGINE;
    if (options->viewer && begin_viewer(&watch.viewer, tasks, options->log) != 0)
        return EXIT_ENGINE;
    if (watch.progress || watch.viewer) {
        events.task_run = on_task_run;
        events.task_done = on_task_done;
        events.tick = on_tick;
        events.tick_ns = 100000000;
    }
    int rc = distributor_graph_run(tasks->graph, &run, summary);
    *signal = distributor_handle_interrupt(NULL);
    end_progress(watch.progress);
    end_viewer(watch.viewer);
    if (rc == 0)
        return 0;
    return complain(rc == -ENOENT || rc == -ELOOP ? EXIT_MODULE : EXIT_ENGINE, "%s",
                    said(distributor_graph_message(tasks->graph)));
}

static int run_tasks(struct tasks *tasks, const struct options *options, distributor_state_t *state)
{
    distributor_graph_summary_t summary;
    int signal = 0;
    int rc = run_watched(tasks, options, state, &summary, &signal);

    if (rc != 0)
        return rc;
    print_report(tasks, options, &summary);
    if (options->trace)
        rc = write_trace(options->trace, tasks, &summary);
    if (options->state_file && distributor_state_save(state, options->state_file) != 0)
        rc = say_state(state, options->state_file);
    if (signal)
        return EXIT_SIGNAL + signal;
    if (rc != 0)
        return rc;
    return summary.failed > 0 ? EXIT_FAILED : EXIT_PASSED;
}

/* What would run, level by level. */
static int show_plan(struct tasks *tasks)
{
    size_t count = distributor_graph_count(tasks->graph), shown = 0;
    distributor_place_t place;

    for (uint32_t level = 0; shown < tasks->chosen_count; level++)
        for (size_t i = 0; i < count; i++)
            if (tasks->chosen[i] && distributor_graph_place(tasks->graph, i, &place) == 0 &&
                place.level == level) {
                printf("%s\n", distributor_graph_name(tasks->graph, i));
                shown++;
            }
    return EXIT_PASSED;
}

int run_command(int count, char **words)
{
    struct options options;
    struct tasks tasks = {0};
    distributor_state_t *state = NULL;
    int status = parse_run_options(&options, count, words);

    if (status == 0 && !options.dry_run)
        status = check_files(&options);
    if (status == 0)
        status = open_tasks(&tasks, &options);
    if (status == 0 && options.dry_run)
        status = show_plan(&tasks);
    else if (status == 0 && (status = open_state(&state, &options, &tasks)) == 0)
        status = run_tasks(&tasks, &options, state);
    distributor_state_destroy(state);
    close_tasks(&tasks);
    free_options(&options);
    return status;
}
