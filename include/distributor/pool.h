/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/pool.h - fan work out over worker threads, read the results as an iterator.
 *
 *     add_task --> [ input queue ] --> worker 0..N-1 --emit--> [ output queue ] --> next_result
 *                       ^                    |
 *                       +------ spawn -------+            STOP follows when work runs out
 *
 * Inputs, results and messages are bytes that are copied in and out: the caller keeps what it
 * passed, and nobody wonders who frees what.  Up to 16 bytes travel without an allocation.
 * What a callback or a reader is given is aligned for max_align_t.
 *
 * Names tell whether a call waits: try_x never waits (-EAGAIN), x waits, x_until waits until an
 * absolute deadline (-ETIMEDOUT), int64_t nanoseconds of distributor_now().  Durations end in _ns.
 *
 * Unless a function says otherwise it returns 0 or a negative errno.  All functions that take
 * a distributor share these:
 *   -EINVAL   an argument that can never be right: NULL, no run callback, an unknown flag
 *   -ECHILD   the process forked: in the child only distributor_destroy is of use
 *
 * Under every function stand four lines:
 *   Threads   who may call it      Blocks   what it waits for
 *   Returns   its values           Owns     who owns what it was given or gave
 */
#ifndef DISTRIBUTOR_POOL_H
#define DISTRIBUTOR_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DISTRIBUTOR_API __attribute__((visibility("default")))
#define DISTRIBUTOR_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#else
#define DISTRIBUTOR_API
#define DISTRIBUTOR_PRINTF(string, first)
#endif

typedef struct distributor distributor_t;           /* workers, input queue, output queue */
typedef struct distributor_task distributor_task_t; /* a task while it runs */

/* A deadline that never comes, and a duration that never ends. */
#define DISTRIBUTOR_FOREVER INT64_MAX

/* The most workers one distributor can have. */
#define DISTRIBUTOR_MAX_WORKERS 65536u

/* The largest window of an ordered distributor. */
#define DISTRIBUTOR_MAX_WINDOW (UINT64_C(1) << 20)

/* The most bytes one input, result or message can have. */
#define DISTRIBUTOR_MAX_SIZE ((size_t)PTRDIFF_MAX)

/* ------------------------------------------------------------------------------------------
 * Task types
 * --------------------------------------------------------------------------------------- */

/*
 * Runs one task on a worker thread.  `input` holds `size` bytes, NULL if there are none, and
 * stays valid until the callback returns.  Returns 0, or a negative errno: the task failed and
 * the reader gets a result record that says so.  A positive return counts as -EINVAL, and the
 * message says what it was.
 *
 * It may block, spawn, emit, fork and exec, and call every function but destroy, join and the
 * reading ones of its own distributor (-EDEADLK).  If it ends its thread (pthread_exit,
 * cancellation) the task failed with -EOWNERDEAD and the worker goes on.  It must not leave by
 * longjmp or by a C++ exception.
 */
typedef int distributor_run_fn(distributor_task_t *self, const void *input, size_t size);

/*
 * A kind of work; static const as a rule, it must outlive the distributor.  Zero is a good
 * value for every field but run.
 */
typedef struct distributor_task_type {
    const char *name;        /* shown in log messages; NULL: "task" */
    distributor_run_fn *run; /* required */

    /* For inputs and results that own something (a pointer, a descriptor).  Called once for an
     * input whose task never runs, once for a result that no reader got; the input of a failure
     * that no reader got meets neither, for its task has run.  They must not call the
     * distributor. */
    void (*discard_input)(void *input, size_t size);
    void (*discard_result)(void *result, size_t size);

    /* Policy.  This release takes zero only (-ENOTSUP). */
    unsigned retries;
    int64_t backoff_ns;
    int64_t timeout_ns;

    void *reserved[4]; /* NULL */
} distributor_task_type_t;

/* ------------------------------------------------------------------------------------------
 * Sources
 * --------------------------------------------------------------------------------------- */

typedef struct distributor_input distributor_input_t; /* where a source puts the next input */

/*
 * Gives the next input of a source, on a worker thread.  It hands the bytes over and returns 1 in
 * one line:
 *     return distributor_set_input(input, &number, sizeof(number));
 * A source that returns 1 without setting one gives an input of no bytes.  Other returns:
 *   0         the end: it is not called again
 *   -EAGAIN   not now: it is called again after distributor_source_ready
 *   another negative errno, and a value above 1, which counts as -EINVAL: the source failed.  The
 *             reader gets a failure record with its error, the task type, and no data; the source
 *             is not called again, and everything else goes on.
 *
 * It is never called by two threads at once, but by different ones.  It may block: that holds back
 * neither the inputs it has given, as long as a worker is free, nor other work.  Every call of the
 * distributor that asks it returns -EDEADLK, but for those that need no distributor.  If it ends
 * its thread it failed with -EOWNERDEAD.  It must not leave by longjmp or by a C++ exception.
 */
typedef int distributor_source_fn(void *context, distributor_input_t *input);

/* ------------------------------------------------------------------------------------------
 * Options
 * --------------------------------------------------------------------------------------- */

/*
 * AS_ADDED: readers get exactly the sequence that one worker with a first-in first-out queue would
 * give, whatever the number of workers.  The results of a task stand together, its failure behind
 * them; what it spawns stands behind everything that stood in the queue when it ran.  The sequence
 * is the same in every run for tasks that were added before start, or by one thread while nothing
 * spawns; any other add from outside stands where it was accepted.
 *
 * That worker asks a source when its queue is empty: so what an input spawns, and all that comes of
 * it, stands before the next input.  Several sources are asked strictly in turn, also if one is
 * slow; one that said "not now" is passed over.  A source's failure stands where its next input
 * would.  The sequence is the same in every run for sources that were added before start and never
 * say "not now".
 *
 * Workers begin tasks that stand less than `window` places behind the oldest one that has not
 * ended, however far readers are; a source is asked for inputs as far, but for none while what the
 * next task has emitted waits for readers.  What these emit is held back until their turn has come;
 * when that is more than 4 KiB for each place of the window (and 1 MiB, and 64 KiB for each worker),
 * an emit waits for the turn of its task.  The task whose turn it is waits for room in the output
 * alone.  With an output_limit what is held back comes to readers only when there is room, then
 * that of up to output_limit tasks at a time; until then the window sees them as not ended.
 */
typedef enum distributor_order {
    DISTRIBUTOR_AS_COMPLETED = 0, /* results come as they are made */
    DISTRIBUTOR_AS_ADDED = 1      /* results come in the order of a serial run */
} distributor_order_t;

typedef enum distributor_log_level {
    DISTRIBUTOR_LOG_ERROR = 3, /* the numbers are those of syslog(3) */
    DISTRIBUTOR_LOG_WARNING = 4,
    DISTRIBUTOR_LOG_INFO = 6,
    DISTRIBUTOR_LOG_DEBUG = 7
} distributor_log_level_t;

/*
 * Is given each message of the library: the context of the options, the name of the worker that
 * it is about (NULL: of none), one line without a newline.  ERROR: memory is short and something
 * was lost with it, or distributor_create refuses an option, which the line names with its value;
 * WARNING: a callback ended its thread, a timed join found a task that still runs; INFO: a task
 * failed, which its result record says too.  Called by any thread, also by several at once; it must
 * not call the distributor.
 */
typedef void distributor_log_fn(void *context, distributor_log_level_t level, const char *worker,
                                const char *message);

/* Runs on a worker's own thread, before its first task or after its last; it must not call the
 * distributor. */
typedef void distributor_worker_fn(void *context, unsigned worker, const char *name);

/*
 * Zero in a field: the library chooses.  Set size to sizeof(distributor_options_t); the struct
 * grows at its end only, and a field that the library at hand does not know is refused with
 * -ENOTSUP unless it is zero.
 */
typedef struct distributor_options {
    size_t size;
    unsigned workers;             /* 0: those of add_worker, if there are none one per CPU that this
                                     process may use, cgroup quota included */
    uint64_t input_limit;         /* tasks accepted and not begun; 0: no limit */
    uint64_t output_limit;        /* results ready and not read, failures among them; 0: no limit */
    distributor_order_t order;    /* of the results */
    uint64_t window;              /* AS_ADDED only: how many tasks from the oldest that has not
                                     ended may have begun, itself included; 0: 1024 */
    distributor_worker_fn *worker_started; /* may be NULL */
    distributor_worker_fn *worker_stopped; /* may be NULL */
    const char *name;             /* of the threads: "NAME-INDEX", copied; NULL: "worker" */
    size_t stack_size;            /* of a worker, bytes, at least PTHREAD_STACK_MIN; 0: the
                                     system's default */
    void *context;                /* handed to the hooks, see distributor_context() */
    distributor_log_fn *log;      /* NULL: nothing is said */
    int64_t deadlock_ns;          /* how long nothing must move before -EDEADLK; 0: 1 s;
                                     DISTRIBUTOR_FOREVER: off */
    const void *engine;           /* NULL: the queues of this process */
    void *reserved[8];            /* NULL */
} distributor_options_t;

/* ------------------------------------------------------------------------------------------
 * Results and the summary
 * --------------------------------------------------------------------------------------- */

/*
 * One result: bytes that a task emitted (error is 0), or the failure of a task (error is
 * negative, message says why, data is the task's input).  A failure waits for room in the output
 * like any result.  Discarded and cancelled tasks leave no record.  data and message stay valid
 * until this thread's next read of this distributor, its end, or distributor_destroy.
 */
typedef struct distributor_result {
    const void *data;                    /* NULL if size is 0 */
    size_t size;
    int error;                           /* 0, or the task's negative errno */
    const char *message;                 /* of a failure, never NULL then */
    const distributor_task_type_t *type; /* of the task that made it */
    uint64_t serial;                     /* of that task, unique within a run; it grows in the
                                            order of adding among tasks of one adding thread;
                                            AS_ADDED: its number in the serial run, from 0, going
                                            on from run to run; inputs of sources are not counted,
                                            they have growing numbers of their own, from 2^43 */
    unsigned attempt;                    /* 1 is the first */
    unsigned worker;                     /* the worker that made it, from 0; UINT_MAX: none, it is
                                            of a deferred task */
    void *reserved[2];
} distributor_result_t;

/* One run, from start to join.  added = completed + failed + cancelled + discarded. */
typedef struct distributor_summary {
    uint64_t added;     /* tasks accepted, spawned ones included */
    uint64_t completed; /* returned 0 */
    uint64_t failed;    /* returned anything else */
    uint64_t cancelled; /* were running at cancel, and then failed */
    uint64_t discarded; /* never began: cancelled before, or there was no memory for long */
    uint64_t retried;   /* attempts after the first */
    uint64_t results;   /* results emitted, those that cancel dropped included; no failures */
    int64_t duration_ns;
    uint64_t reserved[8];
} distributor_summary_t;

/* ------------------------------------------------------------------------------------------
 * Owner: the life of a distributor
 * --------------------------------------------------------------------------------------- */

/*
 * Makes a distributor.  options may be NULL: all defaults.  No thread starts yet; tasks can be
 * added at once.  Which option was refused, and why, is told to the log hook of the options.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL more than DISTRIBUTOR_MAX_WORKERS workers, an unknown order, a window
 *          without AS_ADDED or beyond DISTRIBUTOR_MAX_WINDOW, a negative deadlock_ns, too
 *          small a stack_size, a size that is no options struct; -ENOTSUP a field of a part that
 *          this release does not have; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_destroy; options may be gone after the call
 */
DISTRIBUTOR_API int distributor_create(distributor_t **out, const distributor_options_t *options);

/*
 * Ends a distributor in whatever state it is: cancels, waits for running tasks and for calls of
 * other threads that are still inside (adds, reads and joins return -ESHUTDOWN), discards tasks
 * and results that are left, each through its discard callback, and frees everything.
 *
 * Threads  any, once; a call that another thread begins after it is that caller's error
 * Blocks   until the running tasks have returned
 * Returns  0, also for NULL; -EDEADLK from inside a task of this distributor (nothing happened)
 * Owns     takes the distributor; results and messages still held are gone
 */
DISTRIBUTOR_API int distributor_destroy(distributor_t *d);

/*
 * Adds one worker, before start or while it runs.  Its index is the number of workers before.
 *
 * Threads  any
 * Blocks   no
 * Returns  the worker's index, 0 or more; -EEXIST a worker has that name; -ESHUTDOWN from STOP
 *          until join has returned; -EAGAIN the system gave no thread; -ENOSPC there are
 *          DISTRIBUTOR_MAX_WORKERS; -ENOMEM
 * Owns     name is copied, its first 15 bytes name the thread; NULL: "NAME-INDEX" of the options,
 *          or the next number that no worker has
 */
DISTRIBUTOR_API int distributor_add_worker(distributor_t *d, const char *name);

/*
 * Starts the workers.  Without options.workers and without distributor_add_worker it makes one
 * per CPU that this process may use.  A start that fails leaves everything as it was.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EBUSY it runs already, or results of the run before are unread; -EAGAIN the system
 *          gave no thread; -ENOMEM
 * Owns     the threads live until distributor_join has returned
 */
DISTRIBUTOR_API int distributor_start(distributor_t *d);

/*
 * No more tasks from outside: later adds are refused, tasks may still spawn.  STOP follows when
 * work runs out.  Closing twice is closing once.  Like stop and cancel it is about the run that has
 * not been joined; after join, about the next one.
 *
 * Threads  any, also from inside a task, also before start
 * Blocks   no; adds that wait for room return -ESHUTDOWN
 * Returns  0
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_close(distributor_t *d);

/*
 * STOP at the end of the queue: every task accepted so far runs, later adds and spawns are
 * refused.  Stopping twice is stopping once.
 *
 * Threads  any, also from inside a task, also before start
 * Blocks   no; adds that wait for room return -ESHUTDOWN
 * Returns  0
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_stop(distributor_t *d);

/*
 * What has not begun is discarded and counted; running tasks are told (distributor_should_stop)
 * and waited for.  Adds are refused; an emit that finds no room returns -ECANCELED.  Results that
 * were emitted can still be read; AS_ADDED: as far as they stand before the first task that was cut
 * short, the others go to discard_result.
 *
 * Threads  any, also from inside a task, also before start
 * Blocks   no
 * Returns  0
 * Owns     inputs that are discarded go to discard_input
 */
DISTRIBUTOR_API int distributor_cancel(distributor_t *d);

/*
 * Closes if nobody has, waits for STOP, ends the workers and sums the run up.  Results that are
 * unread stay readable; the distributor can be used again.  summary may be NULL.
 *
 * Threads  any but a task of this distributor (-EDEADLK); one at a time
 * Blocks   until work has run out
 * Returns  0, also if tasks failed; -EINVAL it was not started; -EBUSY another thread joins;
 *          -ESHUTDOWN it is being destroyed; -EDEADLK the caller called start, every running task
 *          waits for room in the output, no other thread has ever read, and nothing moved for
 *          deadlock_ns: nothing is lost, read on and call again
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_join(distributor_t *d, distributor_summary_t *summary);

/*
 * distributor_join with a deadline.  When it passes, the tasks that still run are named to the
 * log hook; the distributor stays closed, and the call can be repeated.
 *
 * Threads  as distributor_join
 * Blocks   until work has run out, at most until deadline
 * Returns  as distributor_join; -ETIMEDOUT the deadline passed
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_join_until(distributor_t *d, distributor_summary_t *summary,
                                           int64_t deadline);

/*
 * Start and join in one call: returns when all that was added, and all that it spawned, is done.
 * The results are read afterwards.  With an output_limit somebody must read meanwhile.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   until work has run out
 * Returns  as distributor_start and distributor_join; after -EDEADLK it has started: read on and
 *          call distributor_join
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_run(distributor_t *d, distributor_summary_t *summary);

/* ------------------------------------------------------------------------------------------
 * Adders: any thread
 * --------------------------------------------------------------------------------------- */

/*
 * Adds one task.  Inside a task of this distributor it is distributor_spawn.  Before start tasks
 * are kept; after join they belong to the next run.
 *
 * Workers take the tasks of one thread in the order it added them, up to 128 at a time, and begin
 * what they took in that order; with one worker all begin in it.  There is no order between
 * threads.  AS_ADDED: they take those of all threads in their order, up to 128, but no more than
 * last a tenth of a millisecond or so.
 *
 * Threads  any
 * Blocks   while input_limit tasks have not begun; never inside a task
 * Returns  0 the task is accepted and ends exactly once; -ESHUTDOWN closed, stopped, cancelled or
 *          STOP; -ENOTSUP a policy that this release does not have; -EMSGSIZE more than
 *          DISTRIBUTOR_MAX_SIZE bytes; -ENOMEM; -EDEADLK as for distributor_join, or it is full
 *          and was not started for deadlock_ns.  After an error nothing was added.
 * Owns     input is copied
 */
DISTRIBUTOR_API int distributor_add_task(distributor_t *d, const distributor_task_type_t *type,
                                         const void *input, size_t size);

/*
 * The same without waiting.
 *
 * Threads  any
 * Blocks   no
 * Returns  as distributor_add_task, but for -EDEADLK; -EAGAIN the input is full
 * Owns     input is copied
 */
DISTRIBUTOR_API int distributor_try_add_task(distributor_t *d, const distributor_task_type_t *type,
                                             const void *input, size_t size);

/*
 * The same with a deadline.
 *
 * Threads  any
 * Blocks   while the input is full, at most until deadline
 * Returns  as distributor_add_task; -ETIMEDOUT
 * Owns     input is copied
 */
DISTRIBUTOR_API int distributor_add_task_until(distributor_t *d,
                                               const distributor_task_type_t *type,
                                               const void *input, size_t size, int64_t deadline);

/*
 * Adds an array of `count` inputs of `size` bytes each, one task an input, in order; 0 inputs are
 * no error.
 *
 * Threads  any
 * Blocks   while the input is full
 * Returns  how many were accepted, the first ones of the array; a negative errno, as
 *          distributor_add_task, only when none was
 * Owns     inputs are copied
 */
DISTRIBUTOR_API ptrdiff_t distributor_add_tasks(distributor_t *d,
                                                const distributor_task_type_t *type,
                                                const void *inputs, size_t size, size_t count);

/*
 * Adds a source: lazy input.  A worker that finds no pending task asks it for one input at a time,
 * and runs it as a task of `type` before it asks again; if other workers are free meanwhile, it may
 * ask a source that answers quickly for up to 128 in a row, and leaves to them what has not begun.
 * Nothing is asked while input_limit tasks have not begun.  So an endless source needs no more
 * memory than a short one, and several sources take turns.  With AS_ADDED a source is always asked
 * for one input at a time, as far ahead as the window allows; see distributor_order_t.
 *
 * An open source holds STOP back, after distributor_close too, until it has ended: by itself, by
 * failing, or because of distributor_stop and distributor_cancel, after which it is asked no more.
 * What it returned until then is added.  A source belongs to the run in which it was added, or
 * before start to the next one.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL and -ENOTSUP about the type as distributor_add_task; -ESHUTDOWN closed,
 *          inside a task stopped, cancelled or STOP; -EDEADLK in a source of d; -ENOMEM
 * Owns     the caller keeps context, which must live until the source has ended
 */
DISTRIBUTOR_API int distributor_add_source(distributor_t *d, const distributor_task_type_t *type,
                                           distributor_source_fn *source, void *context);

/*
 * Hands the next input over: of use in the callback of a source alone, with the `input` that it was
 * given.  A second one replaces the first.
 *
 * Threads  the one that calls the source
 * Blocks   no
 * Returns  1, for the callback to return; -EINVAL, -EMSGSIZE, -ENOMEM: nothing was handed over
 * Owns     data is copied; what it owns is the distributor's if the callback returns 1
 */
DISTRIBUTOR_API int distributor_set_input(distributor_input_t *input, const void *data,
                                          size_t size);

/*
 * Says that the sources with this context, which returned -EAGAIN, can give an input now.  If one
 * of them is just being asked and returns -EAGAIN, it is asked once more: what is said is not lost.
 * For a source that has ended, or has not returned -EAGAIN, it does nothing.
 *
 * Threads  any, also from inside a task
 * Blocks   no
 * Returns  0, also if there is no such source; -EDEADLK in a source of d; -ESHUTDOWN it is being
 *          destroyed
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_source_ready(distributor_t *d, const void *context);

/* ------------------------------------------------------------------------------------------
 * Readers: any thread; each result goes to one of them
 * --------------------------------------------------------------------------------------- */

/*
 * Waits for the next result.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   until there is a result or STOP; a reader of a distributor that nobody closes waits on
 * Returns  1 *result is filled; 0 STOP: all results of the run have been read, and so it stays
 *          until the next start; -ESHUTDOWN it is being destroyed; -ENOMEM
 * Owns     the bytes belong to the library, valid until this thread's next read of d
 */
DISTRIBUTOR_API int distributor_next_result(distributor_t *d, distributor_result_t *result);

/*
 * The same without waiting.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   no
 * Returns  as distributor_next_result; -EAGAIN there is none now
 * Owns     as distributor_next_result
 */
DISTRIBUTOR_API int distributor_try_next_result(distributor_t *d, distributor_result_t *result);

/*
 * The same with a deadline.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   until there is a result or STOP, at most until deadline
 * Returns  as distributor_next_result; -ETIMEDOUT
 * Owns     as distributor_next_result
 */
DISTRIBUTOR_API int distributor_next_result_until(distributor_t *d, distributor_result_t *result,
                                                  int64_t deadline);

/*
 * Takes up to `count` (1 or more) results at once; waits for the first only.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   until there is a result or STOP
 * Returns  how many were taken, at least 1; 0 STOP; a negative errno as distributor_next_result
 * Owns     all of them are valid until this thread's next read of d
 */
DISTRIBUTOR_API ptrdiff_t distributor_next_results(distributor_t *d, distributor_result_t *results,
                                                   size_t count);

/*
 * Discards all results that are ready now; what this thread holds of its last read stays valid.
 *
 * Threads  any but a task of this distributor, where it does nothing
 * Blocks   no
 * Returns  nothing
 * Owns     each result goes to its type's discard_result
 */
DISTRIBUTOR_API void distributor_drop_results(distributor_t *d);

/*
 * A descriptor for an event loop: epoll, poll, libuv, libevent.  It is readable while a result
 * waits, and at STOP and after it until the next start; so wait until it is, and call
 * distributor_try_next_result until that returns -EAGAIN.  It is level-triggered, and becomes
 * unreadable when a read finds nothing: after the last result it may be readable once more.
 * Readers that wait in other threads may take what it announces.
 *
 * Threads  any
 * Blocks   no
 * Returns  the descriptor, 0 or more, always the same one; -EMFILE, -ENFILE or -ENOMEM the system
 *          gave none (call again); -EDEADLK in a source of d; -ESHUTDOWN it is being destroyed
 * Owns     the library: do not read, write or close it; take it out of the event loop before
 *          distributor_destroy, which closes it.  It is closed on exec.
 */
DISTRIBUTOR_API int distributor_fd(distributor_t *d);

/* ------------------------------------------------------------------------------------------
 * Inside a task: `self` is the running task, never NULL, on its own thread
 * --------------------------------------------------------------------------------------- */

/*
 * Puts one result into the output queue.
 *
 * Threads  the one that runs the task
 * Blocks   while output_limit results are unread; AS_ADDED, before the task's turn: while too much
 *          is held back
 * Returns  0; -ECANCELED there is no room and it was cancelled: the result went to
 *          discard_result and counts as emitted; -EINVAL, -ENOMEM, -EMSGSIZE, and -EALREADY of a
 *          deferred task that has ended: nothing was emitted, what the result owns is still the
 *          caller's
 * Owns     result is copied
 */
DISTRIBUTOR_API int distributor_emit(distributor_task_t *self, const void *result, size_t size);

/*
 * Adds a task from inside a task.  A worker takes its own spawned tasks newest first, so that a
 * tree is walked depth-first instead of unfolded, and about each 64th time the oldest one around.
 * AS_ADDED: all tasks are taken oldest first, and the new one stands behind all that stood in the
 * queue at its parent's turn.
 *
 * Threads  the one that runs the task
 * Blocks   never: it may exceed input_limit
 * Returns  0; -ESHUTDOWN after stop or cancel; -ENOTSUP, -EMSGSIZE, -ENOMEM as for
 *          distributor_add_task
 * Owns     input is copied
 */
DISTRIBUTOR_API int distributor_spawn(distributor_task_t *self,
                                      const distributor_task_type_t *type, const void *input,
                                      size_t size);

/*
 * Keeps a message for the failure record and hands the error back:
 *     return distributor_fail(self, -EIO, "HTTP %d", status);
 * A later call replaces the message; a task that then returns 0 has not failed.  An error that is
 * not negative, a forgotten minus, becomes -EINVAL; the message is kept.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  error, or -EINVAL if error is not negative
 * Owns     the text is copied; if there is no memory for it, the record has the text of the error
 */
DISTRIBUTOR_API int distributor_fail(distributor_task_t *self, int error, const char *format, ...)
    DISTRIBUTOR_PRINTF(3, 4);

/*
 * Whether the task should end early: the distributor was cancelled.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  true if so
 * Owns     nothing
 */
DISTRIBUTOR_API bool distributor_should_stop(const distributor_task_t *self);

/*
 * The distributor that runs the task.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  it; never NULL
 * Owns     the owner keeps it
 */
DISTRIBUTOR_API distributor_t *distributor_of(const distributor_task_t *self);

/*
 * The index of the worker that runs the task.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  0 to the number of workers - 1; UINT_MAX of a deferred task
 * Owns     nothing
 */
DISTRIBUTOR_API unsigned distributor_worker_index(const distributor_task_t *self);

/*
 * The name of the worker that runs the task.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  a string; never NULL
 * Owns     the library, valid until distributor_destroy
 */
DISTRIBUTOR_API const char *distributor_worker_name(const distributor_task_t *self);

/*
 * The value that tasks on this worker share (a connection, a buffer).  No other thread sees it.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  what the last _set_worker_value on this worker stored; NULL at first
 * Owns     as given to distributor_set_worker_value
 */
DISTRIBUTOR_API void *distributor_worker_value(const distributor_task_t *self);

/*
 * Stores the worker's value.  Another value before it, unless it is NULL, goes to the destroy
 * callback that came with it, and the last one when the worker's thread ends; that callback must
 * not call the distributor.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  0
 * Owns     the library, through destroy; destroy may be NULL
 */
DISTRIBUTOR_API int distributor_set_worker_value(distributor_task_t *self, void *value,
                                                 void (*destroy)(void *value));

/*
 * The task is not over when its callback returns 0: it waits for distributor_complete, and holds no
 * worker meanwhile, so that a few workers can have thousands of requests in flight.  *task stands
 * for it from now on: distributor_emit, _spawn, _fail, _should_stop and _of take it on any thread,
 * one at a time, until it is completed.  Results that are emitted with it name UINT_MAX as their
 * worker.  `self` and the input are over when the callback returns, as ever.  A callback that
 * deferred its task and returns an error completes it with that error, unless somebody has.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  0; -EALREADY the task is deferred; -ENOMEM it is not; -ENOTSUP the distributor keeps the
 *          order (DISTRIBUTOR_AS_ADDED): a task is over there when its callback returns
 * Owns     the library owns *task; it may be completed before the callback returns
 */
DISTRIBUTOR_API int distributor_defer(distributor_task_t *self, distributor_task_t **task);

/*
 * Ends a deferred task as if its callback had returned `error` now: 0, or a negative errno, which
 * makes a failure record; above 0 counts as -EINVAL.  A deferred task holds STOP back until then.
 * One that nobody has completed at cancel or destroy counts as cancelled.
 *
 * Threads  any, also from inside a task
 * Blocks   a failure while output_limit results are unread
 * Returns  0; -EALREADY it was completed before: told for the next 1024 ends of deferred tasks, then
 *          `task` may stand for another; -ECANCELED it was cancelled before; -EINVAL `task` was not
 *          deferred; -EDEADLK in a source of d; -ESHUTDOWN it is being destroyed
 * Owns     task is over, whatever is returned but -EINVAL and -EDEADLK
 */
DISTRIBUTOR_API int distributor_complete(distributor_task_t *task, int error);

/* A message of distributor_send. */
typedef struct distributor_message {
    const void *data; /* NULL if size is 0 */
    size_t size;
    void *reserved[2];
} distributor_message_t;

/*
 * Takes the oldest message that was sent to this worker.
 *
 * Threads  the one that runs the task
 * Blocks   no
 * Returns  1 *message is filled; 0 there is none
 * Owns     the bytes belong to the library, valid until this worker's next receive or the end of
 *          the task
 */
DISTRIBUTOR_API int distributor_receive(distributor_task_t *self, distributor_message_t *message);

/* ------------------------------------------------------------------------------------------
 * Anyone
 * --------------------------------------------------------------------------------------- */

/*
 * Whether d would take a task and has nothing to do: no task waits, runs or was added before a
 * start, no source is open, and no result is unread.  It may be started or not.  The answer holds as long as nobody
 * adds.
 *
 * Threads  any but a task of this distributor (-EDEADLK)
 * Blocks   no
 * Returns  1 it is idle; 0 it is not; -ESHUTDOWN it takes no task: closed, stopped, cancelled, STOP
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_is_idle(distributor_t *d);

/*
 * Puts a message into a worker's mailbox.  It is no work: it wakes nobody, does not delay STOP,
 * and is dropped at join if no task received it.
 *
 * Threads  any, also from inside a task
 * Blocks   no
 * Returns  0; -ENOENT there is no such worker; -EMSGSIZE; -ENOMEM
 * Owns     message is copied
 */
DISTRIBUTOR_API int distributor_send(distributor_t *d, unsigned worker, const void *message,
                                     size_t size);

/*
 * Looks a worker up by its name.
 *
 * Threads  any
 * Blocks   no
 * Returns  its index, 0 or more; -ENOENT there is no such worker
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_find_worker(distributor_t *d, const char *name);

/*
 * A lock that tasks can share.  It is recursive, and no part of the library holds it.
 *
 * Threads  any
 * Blocks   while another thread holds it
 * Returns  0; -EAGAIN it was taken too often by this thread
 * Owns     the calling thread holds it until as many distributor_unlock
 */
DISTRIBUTOR_API int distributor_lock(distributor_t *d);

/*
 * Gives the lock back.
 *
 * Threads  the one that holds it
 * Blocks   no
 * Returns  0; -EPERM the calling thread does not hold it
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_unlock(distributor_t *d);

/*
 * The context of the options.
 *
 * Threads  any
 * Blocks   no
 * Returns  it; NULL if there is none
 * Owns     the caller of distributor_create
 */
DISTRIBUTOR_API void *distributor_context(const distributor_t *d);

/*
 * The clock of all deadlines.
 *
 * Threads  any
 * Blocks   no
 * Returns  nanoseconds of CLOCK_MONOTONIC
 * Owns     nothing
 */
DISTRIBUTOR_API int64_t distributor_now(void);

/*
 * Says what an error of this library means.
 *
 * Threads  any
 * Blocks   no
 * Returns  a text for the errno, with or without its minus; never NULL
 * Owns     static
 */
DISTRIBUTOR_API const char *distributor_strerror(int error);

/*
 * The version of the library at hand, which may be newer than the headers.
 *
 * Threads  any
 * Blocks   no
 * Returns  "MAJOR.MINOR.PATCH"
 * Owns     static
 */
DISTRIBUTOR_API const char *distributor_version(void);

#ifdef __cplusplus
}
#endif

/* Compilers may put the common case of four calls where the call stands.  Not for ThreadSanitizer,
 * which might see the program's side of the queues alone. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__) && \
    !defined(__SANITIZE_THREAD__) && !defined(DISTRIBUTOR_NO_INLINE)
#define DISTRIBUTOR_SHORT_WAYS
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef DISTRIBUTOR_SHORT_WAYS
#endif
#endif
#endif
#ifdef DISTRIBUTOR_SHORT_WAYS
#include <distributor/short.h>
#endif

#endif
