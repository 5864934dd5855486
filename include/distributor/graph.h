/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/graph.h - run functions in the order of their dependencies, on all workers.
 *
 *     load --> compute --> report            a node runs when all that it comes after have ended
 *        \--> check ------/
 *
 * A graph is described once (nodes, edges) and run as often as wanted.  It belongs to one thread at
 * a time; what other threads may call says so.  Nodes have an index, from 0 in the order of
 * adding, and most have a name.
 *
 * Unless a function says otherwise it returns 0 or a negative errno, -EINVAL for an argument that
 * can never be right, and distributor_graph_message() says in words what was wrong.
 */
#ifndef DISTRIBUTOR_GRAPH_H
#define DISTRIBUTOR_GRAPH_H

#include <distributor/pool.h>
#include <distributor/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct distributor_graph distributor_graph_t;
typedef struct distributor_call distributor_call_t;   /* one call of a node's function */
typedef struct distributor_state distributor_state_t; /* <distributor/state.h> */

/* The most nodes, and the most edges, that one graph can have. */
#define DISTRIBUTOR_MAX_NODES ((size_t)UINT32_MAX - 16)

/* The most bytes that the name of a node or of a key can have. */
#define DISTRIBUTOR_MAX_NAME ((size_t)65535)

/* ------------------------------------------------------------------------------------------
 * Description
 * --------------------------------------------------------------------------------------- */

/*
 * The function of a node, on a worker thread: returns 0, or a negative errno: the node failed.  A
 * positive return counts as -EINVAL.  It may block and may end its thread (the node failed with
 * -EOWNERDEAD); it must not leave by longjmp or by a C++ exception.
 */
typedef int distributor_call_fn(distributor_call_t *call);

/* A node as it is added; zero is a good value for every field but size and run.  The lists end
 * with NULL.  All is copied, but for context. */
typedef struct distributor_node {
    size_t size;              /* sizeof(distributor_node_t) */
    const char *name;         /* unlike any other; NULL: none, messages call it "#INDEX" */
    distributor_call_fn *run; /* required */
    void *context;            /* for distributor_call_context() */
    const char *const *after; /* names of the nodes that must end first, in any order, known
                                 already or only later */
    const char *const *tags; /* for the option tags */
    const distributor_value_t *arguments; /* for distributor_call_argument() */
    size_t argument_count; /* how many there are */
    const char *const *inputs;  /* keys of the state that it needs */
    const char *const *outputs; /* keys of the state that it fills */
    void *reserved[4];          /* NULL */
} distributor_node_t;

/*
 * Makes an empty graph.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_graph_destroy
 */
DISTRIBUTOR_API int distributor_graph_create(distributor_graph_t **out);

/*
 * Frees a graph with its results.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL; -EBUSY it runs (nothing happened)
 * Owns     takes the graph; pointers among its results go to their destroy callback
 */
DISTRIBUTOR_API int distributor_graph_destroy(distributor_graph_t *graph);

/*
 * Adds a node.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  its index, 0 or more; -EEXIST a node has that name; -EINVAL also an argument without a
 *          type; -ENAMETOOLONG; -ENOSPC there are DISTRIBUTOR_MAX_NODES; -EBUSY it runs; -ENOMEM
 * Owns     what node points to is copied, but for its context; pointers among the arguments remain
 *          the caller's and are never destroyed
 */
DISTRIBUTOR_API ptrdiff_t distributor_graph_add(distributor_graph_t *graph,
                                                const distributor_node_t *node);

/*
 * Adds an edge: the node `after` runs when the node `before` has ended.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such node; -ENOSPC; -EBUSY it runs; -ENOMEM
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_graph_add_edge(distributor_graph_t *graph, size_t before,
                                               size_t after);

/*
 * Replaces the arguments of a node.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such node; -EINVAL also an argument without a type; -EBUSY it
 *          runs; -ENOMEM
 * Owns     as distributor_graph_add
 */
DISTRIBUTOR_API int distributor_graph_set_arguments(distributor_graph_t *graph, size_t node,
                                                    const distributor_value_t *arguments,
                                                    size_t count);

/*
 * Gives a node a result without running it, for runs that leave the node out: what comes after it
 * can read it.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such node; -EBUSY it runs; -ENOMEM
 * Owns     strings and bytes are copied; a pointer belongs to the graph from then on, after an error
 *          it is still the caller's
 */
DISTRIBUTOR_API int distributor_graph_set_result(distributor_graph_t *graph, size_t node,
                                                 const distributor_value_t *value);

/*
 * Looks a node up by its name.
 *
 * Threads  any, while nobody adds
 * Blocks   no
 * Returns  its index, 0 or more; -ENOENT
 * Owns     nothing
 */
DISTRIBUTOR_API ptrdiff_t distributor_graph_find(const distributor_graph_t *graph,
                                                 const char *name);

/*
 * How many nodes there are.
 *
 * Threads  any, while nobody adds
 * Blocks   no
 * Returns  the number; 0 for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API size_t distributor_graph_count(const distributor_graph_t *graph);

/*
 * The name of a node.
 *
 * Threads  any, while nobody adds
 * Blocks   no
 * Returns  it; NULL if it has none or there is no such node
 * Owns     the graph
 */
DISTRIBUTOR_API const char *distributor_graph_name(const distributor_graph_t *graph, size_t node);

/*
 * Whether the graph can run: every name in an `after` is known and there is no cycle.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT a name that no node has, the message names both nodes; -ELOOP a cycle, the
 *          message names its nodes; -ENOSPC too many edges; -EBUSY it runs; -ENOMEM
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_graph_check(distributor_graph_t *graph);

/* Where a node stands in its graph. */
typedef struct distributor_place {
    uint32_t level;             /* edges on the longest way to it from a node without dependencies */
    uint32_t chain;             /* nodes on the longest way that begins with it, itself included */
    uint32_t dependencies;      /* how many edges lead to it */
    uint32_t dependents;        /* how many edges lead from it */
    const uint32_t *dependent;  /* to which nodes these lead */
    const char *const *tags;    /* NULL if it has none */
    void *reserved[2];
} distributor_place_t;

/*
 * Tells where a node stands; the graph is checked first.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  as distributor_graph_check; -ENOENT also if there is no such node
 * Owns     the graph, until something is added
 */
DISTRIBUTOR_API int distributor_graph_place(distributor_graph_t *graph, size_t node,
                                            distributor_place_t *place);

/*
 * What the last call that failed had to say.  One that was given a NULL, or that takes the graph
 * const, has nothing to say: the sentence is that of an earlier one.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  a sentence; "" if none failed yet or graph is NULL
 * Owns     the graph, until its next call that fails
 */
DISTRIBUTOR_API const char *distributor_graph_message(const distributor_graph_t *graph);

/* ------------------------------------------------------------------------------------------
 * Running
 * --------------------------------------------------------------------------------------- */

typedef enum distributor_outcome {
    DISTRIBUTOR_NOT_RUN = 0,  /* no run yet, or the last one left the node out */
    DISTRIBUTOR_PASSED = 1,   /* its function returned 0 */
    DISTRIBUTOR_FAILED = 2,   /* it returned anything else */
    DISTRIBUTOR_SKIPPED = 3,  /* a node that it depends on failed */
    DISTRIBUTOR_CANCELLED = 4 /* it had not begun when the run was cancelled or failed fast */
} distributor_outcome_t;

/* One run.  nodes = passed + failed + skipped + cancelled; ran = passed + failed. */
typedef struct distributor_graph_summary {
    size_t nodes;        /* that the run was about */
    size_t ran;          /* whose function was called */
    size_t passed;       /* it returned 0 */
    size_t failed;       /* it returned anything else */
    size_t skipped;      /* a node that it depends on failed */
    size_t cancelled;    /* did not begin */
    int64_t started_ns;  /* distributor_now() when the run began */
    int64_t duration_ns; /* from then to its end */
    uint64_t reserved[8];
} distributor_graph_summary_t;

/*
 * What a run tells its caller while it goes on, each on the thread that called
 * distributor_graph_run; any may be NULL.  A node that runs gets start, run and done in this order,
 * one that is skipped done alone, one that is cancelled no run; a node's done comes before the
 * start of what waited for it.  They may call distributor_graph_cancel, and all that only reads the
 * graph.
 */
typedef struct distributor_graph_events {
    void *context; /* the first argument of all of them */
    /* The run is about to begin: before all others, and before any node.  If the system then gives
     * it no thread it is the only one. */
    void (*run_start)(void *context, const distributor_graph_t *graph);
    /* A node is ready: all that it waits for have ended. */
    void (*task_start)(void *context, const distributor_graph_t *graph, size_t node);
    /* Its function is called by a worker; its name is valid until the end of the run. */
    void (*task_run)(void *context, const distributor_graph_t *graph, size_t node, unsigned worker,
                     const char *worker_name);
    /* It has ended, or will not run. */
    void (*task_done)(void *context, const distributor_graph_t *graph, size_t node,
                      distributor_outcome_t outcome);
    /* The run has ended: after all others. */
    void (*run_done)(void *context, const distributor_graph_t *graph,
                     const distributor_graph_summary_t *summary);
    /* Called again and again between the others, for clocks and progress bars. */
    void (*tick)(void *context, const distributor_graph_t *graph);
    int64_t tick_ns; /* how often; 0: never */
    void *reserved[4]; /* NULL */
} distributor_graph_events_t;

/* Zero in a field: the library chooses.  A field that is not known is refused with -ENOTSUP unless
 * it is zero. */
typedef struct distributor_graph_options {
    size_t size;        /* sizeof(distributor_graph_options_t) */
    unsigned workers;   /* at most so many threads; 0: one per CPU that this process may use */
    bool run_dependents; /* dependents of a failed node run all the same */
    bool fail_fast;     /* after the first failure nothing more begins */
    bool times;         /* keep when each node began and ended */
    const char *const *only; /* these nodes alone, each without its dependencies; ends with NULL */
    const char *const *tags; /* nodes with one of these tags alone; ends with NULL */
    const distributor_graph_events_t *events; /* what the run tells; NULL: nothing */
    distributor_state_t *state; /* where inputs come from and outputs go to */
    const char *name;           /* of the threads, as in distributor_options_t */
    size_t stack_size;          /* as in distributor_options_t */
    distributor_log_fn *log;    /* NULL: nothing is said */
    void *log_context;          /* handed to it */
    distributor_worker_fn *worker_started; /* on each thread, before its first function or part */
    distributor_worker_fn *worker_stopped; /* after its last; either may be NULL */
    void *worker_context;                  /* handed to both */
    void *reserved[8]; /* NULL */
} distributor_graph_options_t;

/*
 * Runs every node once, when all that it comes after have ended.  Of the nodes that become ready together a
 * worker takes the one with the longest chain behind it first.  The results that these nodes have
 * are dropped; nodes that the run leaves out keep theirs.  A graph without nodes is fine.
 *
 * It begins with one worker; the others are called in as soon as nodes are not done faster than
 * threads could share them, within microseconds as a rule, a millisecond at most.
 *
 * Threads  any, one at a time
 * Blocks   until all nodes have ended
 * Returns  0, also if nodes failed; what distributor_graph_check returns; -ENOENT also for a name
 *          in `only` or a key that the state does not have; -ENOTSUP; -EBUSY it runs already;
 *          -EAGAIN the system gave no thread; -ENOMEM.  After an error nothing ran.
 * Owns     options and summary (either may be NULL) are the caller's
 */
DISTRIBUTOR_API int distributor_graph_run(distributor_graph_t *graph,
                                          const distributor_graph_options_t *options,
                                          distributor_graph_summary_t *summary);

/*
 * Nothing more begins; nodes that run are told (distributor_call_should_stop) and waited for.  If
 * it does not run, nothing happens.
 *
 * Threads  any, also from inside a node, a callback, and a signal handler
 * Blocks   no
 * Returns  0
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_graph_cancel(distributor_graph_t *graph);

/*
 * Makes the first SIGINT (Ctrl-C) cancel a graph, whose run then ends with a whole summary, and the
 * second end the process with exit status 130.  NULL puts back what was there before.  The signal
 * is the process's: one graph at a time.  The callback run_start is a good place for it; a signal
 * that comes before the run has begun is counted alone.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; for NULL SIGINT if it came meanwhile, else 0; -EBUSY it is in use
 * Owns     the graph must live until distributor_handle_interrupt(NULL)
 */
DISTRIBUTOR_API int distributor_handle_interrupt(distributor_graph_t *graph);

/* How a node fared in the last run. */
typedef struct distributor_report {
    distributor_outcome_t outcome; /* how it ended */
    int error;           /* of a failed node, negative; -ECANCELED if cancelled or skipped; else 0 */
    const char *message; /* why it failed, was skipped or cancelled; "" else */
    size_t cause;        /* of a skipped node: the failed one; else the node itself */
    int64_t started_ns;  /* distributor_now(); 0 with neither the option times nor events, or if it
                            did not run */
    int64_t ended_ns;    /* likewise */
    unsigned worker;     /* which one ran it; 0 likewise */
    void *reserved[2];
} distributor_report_t;

/*
 * Tells how a node fared in the last run.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such node; -EBUSY it runs; -ENOMEM
 * Owns     the message is the graph's, until the next report or run
 */
DISTRIBUTOR_API int distributor_graph_report(distributor_graph_t *graph, size_t node,
                                             distributor_report_t *report);

/*
 * The result that a node returned in the last run, or was given.
 *
 * Threads  one at a time; while it runs, its callbacks
 * Blocks   no
 * Returns  0; -ENOENT there is no such node; -ENODATA it has no result
 * Owns     the graph, until the next run
 */
DISTRIBUTOR_API int distributor_graph_result(const distributor_graph_t *graph, size_t node,
                                             distributor_value_t *value);

/* ------------------------------------------------------------------------------------------
 * Inside a node: `call` is never NULL, on the thread that runs the function
 * --------------------------------------------------------------------------------------- */

/*
 * The graph that the node belongs to.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  it; never NULL
 * Owns     its owner keeps it
 */
DISTRIBUTOR_API distributor_graph_t *distributor_call_graph(const distributor_call_t *call);

/*
 * The index of the node.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0 or more
 * Owns     nothing
 */
DISTRIBUTOR_API size_t distributor_call_node(const distributor_call_t *call);

/*
 * The name of the node.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  it; "" if it has none
 * Owns     the graph
 */
DISTRIBUTOR_API const char *distributor_call_name(const distributor_call_t *call);

/*
 * The context that the node was added with.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  it
 * Owns     as the caller of distributor_graph_add said
 */
DISTRIBUTOR_API void *distributor_call_context(const distributor_call_t *call);

/*
 * The worker that runs the function.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  its index, from 0
 * Owns     nothing
 */
DISTRIBUTOR_API unsigned distributor_call_worker(const distributor_call_t *call);

/*
 * The name of the worker that runs the function.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  a string; never NULL
 * Owns     the library, until the end of the run
 */
DISTRIBUTOR_API const char *distributor_call_worker_name(const distributor_call_t *call);

/*
 * The call that the calling thread is inside of, the function of a node or a part: for a signal
 * handler that says what crashed.
 *
 * Threads  any; in a signal handler too
 * Blocks   no
 * Returns  NULL if it is inside of none
 * Owns     the library, until the function returns
 */
DISTRIBUTOR_API const distributor_call_t *distributor_running_call(void);

/*
 * Whether the function should end early: the run was cancelled, or failed fast.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  true if so
 * Owns     nothing
 */
DISTRIBUTOR_API bool distributor_call_should_stop(const distributor_call_t *call);

/*
 * The state of the options.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  it; NULL if there is none
 * Owns     its owner keeps it
 */
DISTRIBUTOR_API distributor_state_t *distributor_call_state(const distributor_call_t *call);

/*
 * An argument of the node, by its place from 0.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0; -ENOENT it has no argument there
 * Owns     the graph, until the arguments are set again
 */
DISTRIBUTOR_API int distributor_call_argument(const distributor_call_t *call, size_t place,
                                              distributor_value_t *value);

/*
 * The result of another node, as a rule one that this one comes after.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0; -ENOENT no node has that name; -ENODATA it has returned no result, or not yet
 * Owns     the graph, until the next run
 */
DISTRIBUTOR_API int distributor_call_result(const distributor_call_t *call, const char *name,
                                            distributor_value_t *value);

/*
 * The result of this node; the last one counts, and only if the function returns 0.
 *     return distributor_return_int(call, 42);
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0; -EPERM inside a spawned part; -EINVAL; -ENOMEM
 * Owns     strings and bytes are copied; a pointer belongs to the graph from then on, after an error
 *          it is still the caller's
 */
DISTRIBUTOR_API int distributor_return(distributor_call_t *call, const distributor_value_t *value);

/*
 * distributor_return() for one type; string may not be NULL.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  as distributor_return
 * Owns     as distributor_return
 */
DISTRIBUTOR_API int distributor_return_bool(distributor_call_t *call, bool boolean);
DISTRIBUTOR_API int distributor_return_int(distributor_call_t *call, int64_t integer);
DISTRIBUTOR_API int distributor_return_float(distributor_call_t *call, double number);
DISTRIBUTOR_API int distributor_return_string(distributor_call_t *call, const char *string);
DISTRIBUTOR_API int distributor_return_bytes(distributor_call_t *call, const void *bytes,
                                             size_t size);

/*
 * Keeps a message for the report and hands the error back:
 *     return distributor_call_fail(call, -EIO, "HTTP %d", status);
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  error, or -EINVAL if error is not negative
 * Owns     the text is copied; if there is no memory for it, the report has the text of the error
 */
DISTRIBUTOR_API int distributor_call_fail(distributor_call_t *call, int error, const char *format,
                                          ...) DISTRIBUTOR_PRINTF(3, 4);

/*
 * Gives the log hook of the options one line, with the node's name before it.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  nothing
 * Owns     nothing
 */
DISTRIBUTOR_API void distributor_call_log(distributor_call_t *call, distributor_log_level_t level,
                                          const char *format, ...) DISTRIBUTOR_PRINTF(3, 4);

/*
 * Adds a part to the node, from its function or from a part: another function that any worker runs.
 * The node ends, and what waits for it begins, when its function and all its parts have returned;
 * it fails if one of them fails.
 *
 * Threads  the one that runs the function
 * Blocks   never
 * Returns  0; -ECANCELED the run was cancelled; -EMSGSIZE; -ENOMEM
 * Owns     input is copied
 */
DISTRIBUTOR_API int distributor_call_spawn(distributor_call_t *call, distributor_call_fn *run,
                                           const void *input, size_t size);

/*
 * The input that a part was spawned with, aligned for max_align_t.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  it; NULL in the node's own function or if it has no bytes.  *size (may be NULL) is how
 *          many bytes it has.
 * Owns     the library, until the function returns
 */
DISTRIBUTOR_API const void *distributor_call_input(const distributor_call_t *call, size_t *size);

/*
 * A log hook for those who want one: a line on the standard error output for each message, with
 * the time, the worker and the level.
 *
 * Threads  any
 * Blocks   as long as standard error does
 * Returns  nothing
 * Owns     nothing; context is not looked at
 */
DISTRIBUTOR_API void distributor_log_to_stderr(void *context, distributor_log_level_t level,
                                               const char *worker, const char *message);

#ifdef __cplusplus
}
#endif

#endif
