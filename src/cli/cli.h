/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the command share: how it ends, what it was told, and its parts. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <distributor/module.h>

/* How the command ends. */
enum exit_status {
    EXIT_PASSED = 0,  /* all tasks passed */
    EXIT_FAILED = 1,  /* a task failed */
    EXIT_USAGE = 2,   /* the command line is wrong */
    EXIT_MODULE = 3,  /* the module, or the graph of its tasks, is wrong */
    EXIT_ENGINE = 4,  /* the system refused something: memory, a thread, a file */
    EXIT_SIGNAL = 128 /* and the number of the signal */
};

/* KEY=VALUE, cut in two. */
struct pair {
    const char *key, *value;
};

/* A command line, cut up; the strings are those of argv and of `copy`. */
struct options {
    const char *path;     /* of the module */
    const char *task;     /* behind the ::, or NULL */
    unsigned workers;     /* 0: the library chooses */
    const char **tags;    /* ends with NULL; NULL: any */
    struct pair *keys;    /* for setup_state */
    size_t key_count;     /* how many there are */
    struct pair *results; /* of tasks that do not run */
    size_t result_count;  /* how many there are */
    const char *state_file, *trace; /* NULL: none */
    bool run_dependents, fail_fast, log, verbose, progress, viewer, dry_run;
    bool dot, json; /* of distributor graph */
    char *copy;     /* of the module's argument */
};

/* ---- say.c ---- */

/* One line on the standard error output, "distributor: ..."; returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A message of the library; it has none if there was no memory for it. */
const char *said(const char *message);
/* For the end of a main function: what was written did arrive, or it complains. */
int finish_output(int status);
/* The word for an outcome, in colour if out is a terminal and NO_COLOR is not set. */
void print_outcome(FILE *out, distributor_outcome_t outcome);

/* ---- options.c: 0, or an exit status after a complaint; free_options after both ---- */

int parse_run_options(struct options *options, int count, char **words);
int parse_graph_options(struct options *options, int count, char **words);
void free_options(struct options *options);

/* ---- files.c ---- */

/* Whether the files of --state-file and --trace can be written; 0 or an exit status after a
 * complaint. */
int check_files(const struct options *options);

/* ---- values.c ---- */

/* Sets a key as the command line says it; a key that has a type keeps it. */
int set_key(distributor_state_t *state, const struct pair *pair);
/* The text of a value, free()d by the caller; NULL: no memory. */
char *format_value(const distributor_value_t *value);

/* ---- tasks.c: the module and its graph ---- */

/* A graph of a module's tasks. */
struct tasks {
    distributor_module_t *module;
    distributor_graph_t *graph;
    const char **only;   /* names of the tasks that the options leave; ends with NULL */
    bool *chosen;        /* for each node: the run is about it */
    size_t chosen_count; /* how many */
};

/* Loads the module, makes the graph, gives the results; 0 or an exit status after a complaint. */
int open_tasks(struct tasks *tasks, const struct options *options);
void close_tasks(struct tasks *tasks);

/* ---- crash.c: last words ---- */

/* Reports signals that end the process, and calls of exit, with the name of this thread's task. */
int watch_for_crashes(void);
/* Until NULL comes it is this module that crashes where no task runs. */
void suspect_module(const char *path);
/* Before a thread runs its first task: its own stack may be what has run out. */
void give_handler_a_stack(void);

/* ---- progress.c ---- */

/* A bar on the standard error output; *out is NULL if it is no terminal, and the others take it. */
struct progress;
int begin_progress(struct progress **out, size_t total);
void count_progress(struct progress *progress, distributor_outcome_t outcome);
void tick_progress(struct progress *progress);
void end_progress(struct progress *progress);

/* ---- viewer.c ---- */

/* A line for each worker; where that cannot be drawn, or is_plain, a line for each event.  NULL is
 * fine for all but the first. */
struct viewer;
int begin_viewer(struct viewer **out, const struct tasks *tasks, bool is_plain);
void view_run(struct viewer *viewer, size_t node, unsigned worker);
void view_done(struct viewer *viewer, size_t node, distributor_outcome_t outcome);
void tick_viewer(struct viewer *viewer);
void end_viewer(struct viewer *viewer);

/* ---- trace.c ---- */

/* Writes the last run for trace viewers; 0 or an exit status after a complaint. */
int write_trace(const char *path, const struct tasks *tasks,
                const distributor_graph_summary_t *summary);

/* ---- the two commands: an exit status ---- */

int run_command(int count, char **words);
int graph_command(int count, char **words);

#endif
