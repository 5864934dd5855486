/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/module.h - tasks in a file of their own, which the command `distributor`, or any
 * program, loads and runs as a graph.
 *
 *     #include <distributor/module.h>
 *
 *     DISTRIBUTOR_TASK(load) { return distributor_return_int(call, 10); }
 *     DISTRIBUTOR_TASK(compute, .after = {"load"}, .tags = {"slow"}) { ... }
 *
 * A module is a shared object, or the C file that it is made from: cc -shared -fPIC.  The functions
 * that its tasks call are those of the program that loads it.
 *
 * The first part is for who writes a module, the second for who loads one.  Its functions return 0
 * or a negative errno, -EINVAL for an argument that can never be right, and
 * distributor_module_message() says in words what was wrong.
 */
#ifndef DISTRIBUTOR_MODULE_H
#define DISTRIBUTOR_MODULE_H

#include <distributor/graph.h>
#include <distributor/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------
 * Inside a module, in C with gcc or clang
 * --------------------------------------------------------------------------------------- */

/* What DISTRIBUTOR_TASK says of a task: up to 16 names in each list, and NULL behind them.  A module
 * with a longer list is not loaded. */
typedef struct distributor_module_task {
    size_t size;              /* sizeof(distributor_module_task_t); the macro fills it */
    const char *name;         /* likewise */
    distributor_call_fn *run; /* likewise */
    const char *file;         /* likewise: where it stands */
    unsigned long line;       /* likewise */
    const char *after[17];    /* names of the tasks that must end first */
    const char *tags[17];     /* for the option tags */
    const char *inputs[17];   /* keys of the state that it needs */
    const char *outputs[17];  /* keys of the state that it fills */
    void *reserved[4];        /* NULL */
} distributor_module_task_t;

/* Where the tasks of a module stand: between first and last. */
typedef struct distributor_module_table {
    size_t size;                                   /* sizeof(distributor_module_table_t) */
    const distributor_module_task_t *const *first; /* a section of the file; NULL: no task */
    const distributor_module_task_t *const *last;  /* its end */
} distributor_module_table_t;

/*
 * A module may have a function of this type and the name setup_state.  It is called once, before
 * the tasks run, with the state that holds what the command line gave: it declares keys, which also
 * says how these texts are to be read, checks values, opens what the tasks need.  It returns 0, or a
 * negative errno: nothing runs.
 */
typedef int distributor_setup_fn(distributor_state_t *state);

#if defined(__GNUC__) && !defined(__cplusplus)

/* Into a section, which the linker keeps although nothing refers to it by name. */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define DISTRIBUTOR_MODULE_IN(name) __attribute__((section(name), used, retain))
#endif
#endif
#ifndef DISTRIBUTOR_MODULE_IN
#define DISTRIBUTOR_MODULE_IN(name) __attribute__((section(name), used))
#endif

/*
 * DISTRIBUTOR_TASK(name, .after = {"other", ...}, .tags = {...}, .inputs = {...},
 *                  .outputs = {...}) { body }
 *
 * Declares a task, with all fields but the name left out or in any order.  The body is that of
 * static int distributor_task_NAME(distributor_call_t *call).
 */
#define DISTRIBUTOR_TASK(...) DISTRIBUTOR_MODULE_TASK(__VA_ARGS__, .reserved = {NULL})

/* The last argument is there so that the dots stand for one at least. */
#define DISTRIBUTOR_MODULE_TASK(task, ...)                                                         \
    static int distributor_task_##task(distributor_call_t *call);                                  \
    static const distributor_module_task_t distributor_record_##task                               \
        = {.size = sizeof(distributor_module_task_t),                                              \
           .name = #task,                                                                          \
           .run = distributor_task_##task,                                                         \
           .file = __FILE__,                                                                       \
           .line = __LINE__,                                                                       \
           __VA_ARGS__};                                                                           \
    static const distributor_module_task_t *const distributor_entry_##task                         \
        DISTRIBUTOR_MODULE_IN("distributor_tasks")                                                 \
        = &distributor_record_##task;                                                              \
    static int distributor_task_##task(distributor_call_t *call __attribute__((unused)))

/* The linker makes these two, if there is such a section. */
extern const distributor_module_task_t *const __start_distributor_tasks[]
    __attribute__((weak, visibility("hidden")));
extern const distributor_module_task_t *const __stop_distributor_tasks[]
    __attribute__((weak, visibility("hidden")));

/* What a module is loaded by: one for all files of it. */
extern const distributor_module_table_t distributor_module_table
    __attribute__((weak, visibility("default")));
const distributor_module_table_t distributor_module_table
    = {sizeof(distributor_module_table_t), __start_distributor_tasks, __stop_distributor_tasks};

#endif

/* ------------------------------------------------------------------------------------------
 * Loading a module
 * --------------------------------------------------------------------------------------- */

typedef struct distributor_module distributor_module_t;

/* How a C file is compiled.  Zero in a field: the library chooses. */
typedef struct distributor_module_options {
    size_t size;           /* sizeof(distributor_module_options_t) */
    const char *compiler;  /* with its first arguments; NULL: $CC, or cc if that is not set */
    const char *flags;     /* further arguments, after the file; NULL: $CPPFLAGS $CFLAGS $LDFLAGS */
    const char *cache;     /* the folder for what is made; NULL: distributor/ in $XDG_CACHE_HOME, or
                              in $HOME/.cache */
    void *reserved[4];     /* NULL */
} distributor_module_options_t;

/*
 * Makes a module that holds no tasks yet.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_module_destroy
 */
DISTRIBUTOR_API int distributor_module_create(distributor_module_t **out);

/*
 * Frees it.  The code that was loaded stays until the process ends: a graph, a state or a thread
 * may still need it.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL
 * Owns     takes the module
 */
DISTRIBUTOR_API int distributor_module_destroy(distributor_module_t *module);

/*
 * Loads a shared object, once.  A path that ends in .c is compiled first, into the cache, unless
 * what is there was made from the same bytes, included files too, by the same compiler with the
 * same arguments; many may do so at once.  What the compiler has to say goes to the standard error
 * output.  options may be NULL.
 *
 * Threads  one at a time
 * Blocks   while it compiles and reads
 * Returns  0; -ENOENT there is no such file; -ENOEXEC it is no shared object; -ELIBBAD it is for
 *          another kind of machine, or needs a symbol or a file that is missing; -ENODATA it has no
 *          tasks; -E2BIG a list of one has more than 16 names; -EPROTO its tasks were made for
 *          another release; -ECHILD it does not compile; -EAGAIN somebody writes it meanwhile;
 *          -EACCES also if others can write into the cache; -EBUSY a file was loaded before; another
 *          error of the system; -ENOTSUP; -ENOMEM
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_module_load(distributor_module_t *module, const char *path,
                                            const distributor_module_options_t *options);

/*
 * How many tasks there are.
 *
 * Threads  any, while nobody loads
 * Blocks   no
 * Returns  the number; 0 for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API size_t distributor_module_count(const distributor_module_t *module);

/*
 * A task, by its place in the file, as a node: for a caller that wants to change something before
 * it adds it.
 *
 * Threads  any, while nobody loads
 * Blocks   no
 * Returns  0; -ENOENT there is no such task
 * Owns     the lists are the module's
 */
DISTRIBUTOR_API int distributor_module_node(const distributor_module_t *module, size_t task,
                                            distributor_node_t *node);

/*
 * Adds all tasks to a graph and checks it.
 *
 * Threads  one at a time, of the graph too
 * Blocks   no
 * Returns  as distributor_graph_add and distributor_graph_check; the message is that of the graph
 * Owns     all is copied but the functions; the module may be destroyed
 */
DISTRIBUTOR_API int distributor_module_add(distributor_module_t *module,
                                           distributor_graph_t *graph);

/*
 * Calls the function setup_state of the module, if it has one.
 *
 * Threads  one at a time
 * Blocks   as long as the function does
 * Returns  0; what the function returned, -EINVAL if that was positive
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_module_setup(distributor_module_t *module,
                                             distributor_state_t *state);

/*
 * What the last call that failed had to say.  One that was given a NULL, or that takes the module
 * const, has nothing to say: the sentence is that of an earlier one.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  a sentence; "" if none failed yet or module is NULL
 * Owns     the module, until its next call that fails
 */
DISTRIBUTOR_API const char *distributor_module_message(const distributor_module_t *module);

#ifdef __cplusplus
}
#endif

#endif
