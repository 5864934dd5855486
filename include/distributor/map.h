/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/map.h - one function over an array or a source, on all CPUs: parallel loops.
 *
 *     inputs  [ 0 1 2 3 | 4 5 6 7 8 9 | ... ]     ranges, each chosen by what items cost so far
 *                  v           v
 *     outputs [ 0 1 2 3 | 4 5 6 7 8 9 | ... ]     output i belongs to input i
 *
 * The callback is given ranges, so that its loop over them is compiled as one; how long they are
 * is measured while it runs, so that items of ten nanoseconds and of ten milliseconds, also mixed,
 * keep all threads busy to the end.
 *
 *     distributor_map        waits until all outputs are there
 *     distributor_map_async  returns at once; an event loop is told which are there
 *     distributor_map_lazy   takes its inputs from a source; the outputs are read one by one
 */
#ifndef DISTRIBUTOR_MAP_H
#define DISTRIBUTOR_MAP_H

#include <distributor/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------
 * Map
 * --------------------------------------------------------------------------------------- */

/*
 * Works on `count` items that follow one another, 1 or more: reads them at `inputs`, writes as many
 * at `outputs`; a pointer is NULL if the map has none of that kind.  Called by several threads at
 * once, each time for items of their own.  Returns 0, or a negative errno: the map fails; a
 * positive return counts as -EINVAL.
 *
 * It may block and call maps of other distributors.  If it ends its thread, the map fails with
 * -EOWNERDEAD.  It must not leave by longjmp or by a C++ exception.
 */
typedef int distributor_map_fn(void *context, const void *inputs, void *outputs, size_t count);

/*
 * Calls fn for all `count` items of an array, in ranges, on the workers of d and on the calling
 * thread, and waits until all is done.
 *
 * d may run or not.  If it runs, and is idle, its workers help within microseconds; if it was not
 * started, the map is one run of it, from start to join; with NULL it makes a distributor of its
 * own, which costs some hundred microseconds.  While it lasts, d is the map's alone.
 *
 * After a failure no further range begins; those that have begun end.  What the outputs of the
 * others hold then is what they held before.
 *
 * Threads  any but a task of d (-EDEADLK)
 * Blocks   until fn has returned for the last time, and d is idle again
 * Returns  0; of the ranges that failed, what the first one in the array returned: that is the
 *          failure that a loop over the array would have met; -EBUSY d has tasks, or results that
 *          are unread, see distributor_is_idle(); -ESHUTDOWN d was closed; -ECANCELED d was
 *          cancelled, or had no memory to run its tasks, before all items had begun; -EINVAL also an array without a size, a size
 *          without an array, or more bytes than there is memory; -EAGAIN the system gave no
 *          thread; -ENOMEM.  With one of the last three fn was not called.
 * Owns     the arrays are the caller's; d is the owner's
 */
DISTRIBUTOR_API int distributor_map(distributor_t *d, distributor_map_fn *fn, void *context,
                                    const void *inputs, size_t input_size, void *outputs,
                                    size_t output_size, size_t count);

/* What a reader gets from distributor_map_async, as the data of a result. */
typedef struct distributor_map_range {
    void *context; /* that of the map */
    size_t first;  /* from this item on */
    size_t count;  /* so many outputs are there; in the last one: as many as all others announce */
    int error;     /* in the last one: 0, or what distributor_map would have returned; then `first`
                      is where the range that failed begins */
    bool last;     /* the map is over: fn is called no more */
    void *reserved;
} distributor_map_range_t;

/*
 * The same for an event loop: it returns at once, and the outputs are announced as results of d.
 * Each holds a distributor_map_range_t: a range that is done, and, once all are, one whose `last` is
 * true.  Where d has other results too, the map's are those whose `type` is the address of none of
 * your own task types; names tell nothing, for a type need not have one, and any may be called "map"
 * as this one is.  Read them like any results: in a loop around distributor_fd(), or with
 * distributor_next_result().  As those of different workers come in no order, ranges may be read
 * after the last one: it says how many items they announce together.
 *
 * d need not be idle, and may be started later; other tasks and other maps can run in it.  It may
 * be closed as soon as the call has returned.  The calling thread does not help.
 *
 * After a failure no further range begins.  After distributor_cancel() there may be no last range;
 * STOP comes after all.  If fn ends its thread there is also a failure record of -EOWNERDEAD.
 *
 * Threads  any, also from inside a task
 * Blocks   no
 * Returns  0; -EINVAL as distributor_map; -EAGAIN the input of d is full; -ESHUTDOWN d is closed;
 *          -ENOMEM.  After an error fn is not called.
 * Owns     the arrays are the caller's, and must stay until the `last` one was read, or STOP
 */
DISTRIBUTOR_API int distributor_map_async(distributor_t *d, distributor_map_fn *fn, void *context,
                                          const void *inputs, size_t input_size, void *outputs,
                                          size_t output_size, size_t count);

/* ------------------------------------------------------------------------------------------
 * Lazy map: one thread reads it, the outputs of a source as long as it likes
 * --------------------------------------------------------------------------------------- */

typedef struct distributor_lazy_map distributor_lazy_map_t;

/*
 * Writes the next input at `input`, which has room for one; NULL if the inputs have no size.
 * Returns 1; 0 the end; a negative errno: the source failed, and a value above 1 counts as -EINVAL.
 * After the end and a failure it is not called again.  Called by distributor_map_next() alone, on
 * its thread: while it waits, so does the reader.  If it ends its thread it failed with -EOWNERDEAD.
 * It must not leave by longjmp or by a C++ exception.
 */
typedef int distributor_map_source_fn(void *context, void *input);

/*
 * The same over a source, read as an iterator: distributor_map_next() gives the output of each
 * input, in the order of the inputs.  `window` says how many inputs are asked for before their
 * outputs are read, DISTRIBUTOR_MAX_WINDOW at most; 0: 1024.  So it takes the memory of that many
 * inputs and outputs, whatever the length of the source.  Nothing is asked for before the first
 * read.
 *
 * fn is called for one item at a time (count is 1), so that each failure has its place.  Items that
 * are done quickly are given to a thread several at once: an item must not wait for a later one.
 *
 * The workers of d help; with NULL the map has a distributor of its own.  d may run or not, and
 * need not be idle: other tasks and other maps can run in it, and its results are none of the
 * map's, but for a failure record of -EOWNERDEAD where fn ended the thread of a worker.  What no
 * worker has begun the reader runs itself, so the map gets on in any case.
 *
 * Threads  any but a task of d (-EDEADLK)
 * Blocks   no
 * Returns  0; -EINVAL a function is NULL, or the window too large; -ESHUTDOWN d takes no task: it
 *          was closed, stopped or cancelled; -EAGAIN the system gave no thread; -ENOMEM.  *out is
 *          NULL after an error.
 * Owns     the caller owns *out until distributor_map_destroy; d must live until then
 */
DISTRIBUTOR_API int distributor_map_lazy(distributor_lazy_map_t **out, distributor_t *d,
                                         distributor_map_fn *fn, void *context,
                                         distributor_map_source_fn *source, void *source_context,
                                         size_t input_size, size_t output_size, size_t window);

/*
 * Copies the next output to `output`, NULL if the outputs have no size.  An item that failed has
 * its place like any other, and so has the failure of the source, as the last one: read on after
 * it.
 *
 * Threads  any, one at a time; fn and the source must not call it for their own map (-EDEADLK on
 *          the thread of the reader)
 * Blocks   until the next item is done: calls the source and fn meanwhile
 * Returns  1 *output is there; 0 the end, and so it stays; what fn returned for this item, a
 *          positive one as -EINVAL; -EOWNERDEAD it ended its thread; what the source returned when
 *          it failed; -EINVAL output is NULL and outputs have a size, or the other way round
 * Owns     the bytes are the caller's
 */
DISTRIBUTOR_API int distributor_map_next(distributor_lazy_map_t *map, void *output);

/*
 * Ends the map, wherever its reader is: what runs comes to its end, what has not begun never does,
 * and outputs that nobody read are dropped as bytes.  If they own something, let the source return
 * 0 and read on to the end.
 *
 * Threads  any, once and last; fn and the source must not (-EDEADLK on the thread of the reader)
 * Blocks   until the items that run are done
 * Returns  0, also for NULL
 * Owns     takes the map
 */
DISTRIBUTOR_API int distributor_map_destroy(distributor_lazy_map_t *map);

#ifdef __cplusplus
}
#endif

#endif
