/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/group.h - functions that run at once, each with its arguments, and their results in
 * the order of registration.
 *
 * A group is a graph without edges: its functions are nodes, and what they can call stands in
 * <distributor/graph.h>.  Groups that are executed one after the other are phases; a state in their
 * options carries values from one to the next.
 *
 * A group belongs to one thread at a time.  Unless a function says otherwise it returns 0 or a
 * negative errno, -EINVAL for an argument that can never be right, and distributor_group_message()
 * says in words what was wrong.
 */
#ifndef DISTRIBUTOR_GROUP_H
#define DISTRIBUTOR_GROUP_H

#include <distributor/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct distributor_group distributor_group_t;

/*
 * Makes an empty group; name may be NULL.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_group_destroy; name is copied
 */
DISTRIBUTOR_API int distributor_group_create(distributor_group_t **out, const char *name);

/*
 * Frees a group with its results.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL; -EBUSY it runs (nothing happened)
 * Owns     takes the group; pointers among its results go to their destroy callback
 */
DISTRIBUTOR_API int distributor_group_destroy(distributor_group_t *group);

/*
 * Registers a function with its arguments.  It needs a name that no other function of the group
 * has, and comes after no other.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  its index, 0 or more; -EINVAL also without a name, or with `after`; -EEXIST; otherwise as
 *          distributor_graph_add
 * Owns     as distributor_graph_add
 */
DISTRIBUTOR_API ptrdiff_t distributor_group_add(distributor_group_t *group,
                                                const distributor_node_t *function);

/*
 * Replaces the arguments of the function with that name.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such function; otherwise as distributor_graph_set_arguments
 * Owns     as distributor_graph_add
 */
DISTRIBUTOR_API int distributor_group_set_arguments(distributor_group_t *group, const char *name,
                                                    const distributor_value_t *arguments,
                                                    size_t count);

/*
 * Runs all functions and waits for them; again as often as wanted.  Without options.workers there is
 * a thread for each function, so that none that sleeps or waits holds up another.
 *
 * Threads  any, one at a time
 * Blocks   until all functions have returned
 * Returns  0, also if functions failed; otherwise as distributor_graph_run
 * Owns     options (may be NULL) are the caller's
 */
DISTRIBUTOR_API int distributor_group_execute(distributor_group_t *group,
                                              const distributor_graph_options_t *options);

/*
 * Whether the group has been executed, with whatever results.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  true if so; false for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API bool distributor_group_executed(const distributor_group_t *group);

/*
 * Runs functions without a group of one's own.  Names may come again, as those of one function with
 * several inputs do, or be missing.
 *
 * Threads  any
 * Blocks   until all functions have returned
 * Returns  0, also if functions failed; an error of distributor_group_create, _add or _execute;
 *          *out is NULL then
 * Owns     the caller owns *out, which holds the results, until distributor_group_destroy
 */
DISTRIBUTOR_API int distributor_execute(distributor_group_t **out,
                                        const distributor_node_t *functions, size_t count,
                                        const distributor_graph_options_t *options);

/* What one function returned. */
typedef struct distributor_group_result {
    const char *function;          /* its name; "" if it has none */
    distributor_outcome_t outcome; /* DISTRIBUTOR_NOT_RUN before the first execution */
    distributor_value_t value;     /* NONE if it failed, or returned nothing */
    int error;                     /* of one that failed, else 0; -ECANCELED of one that did not run */
    const char *message;           /* why; "" if it passed */
    void *reserved[2];
} distributor_group_result_t;

/*
 * The result of a function, by its place in the order of registration.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0; -ENOENT there is no such function; -EBUSY it runs; -ENOMEM
 * Owns     the group, until it is executed again; the message until the next result
 */
DISTRIBUTOR_API int distributor_group_result(distributor_group_t *group, size_t place,
                                             distributor_group_result_t *result);

/*
 * The place of a function, by its name; of several that distributor_execute ran, the first one.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  0 or more; -ENOENT
 * Owns     nothing
 */
DISTRIBUTOR_API ptrdiff_t distributor_group_find(const distributor_group_t *group,
                                                 const char *name);

/*
 * How many functions there are.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  the number; 0 for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API size_t distributor_group_count(const distributor_group_t *group);

/*
 * The name of the group.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  it; "" if it has none or group is NULL
 * Owns     the group
 */
DISTRIBUTOR_API const char *distributor_group_name(const distributor_group_t *group);

/*
 * Writes all results as text, in the manner of snprintf(3):
 *     [(function=f1; result=1), (function=f2; error=HTTP 503)]
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  how many bytes the whole text has, without the NUL; -EBUSY it runs; -EOVERFLOW it has
 *          more than INT_MAX; -ENOMEM
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_group_format(distributor_group_t *group, char *text, size_t size);

/*
 * What the last call that failed had to say.  One that was given a NULL, or that takes the group
 * const, has nothing to say: the sentence is that of an earlier one.
 *
 * Threads  one at a time
 * Blocks   no
 * Returns  a sentence; "" if none failed yet or group is NULL
 * Owns     the group, until its next call that fails
 */
DISTRIBUTOR_API const char *distributor_group_message(const distributor_group_t *group);

#ifdef __cplusplus
}
#endif

#endif
