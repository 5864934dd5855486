/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/channel.h - how threads, and tasks, talk to one another: channels and events.
 *
 *     send --> [ m m m ] --> receive      bounded, many at both ends, closable
 *
 * A channel is a queue of messages, which are bytes that are copied in and out.  Senders wait while
 * it is full, receivers while it is empty.  Who closes it ends both: no more is sent, and receivers
 * get what is left and then 0.  So no message has to mean "the end", and nobody waits for one that
 * never comes.
 *
 * An event is a flag that threads can wait for.
 *
 * Neither needs a distributor.  A task that waits here holds its worker.
 */
#ifndef DISTRIBUTOR_CHANNEL_H
#define DISTRIBUTOR_CHANNEL_H

#include <distributor/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct distributor_channel distributor_channel_t;
typedef struct distributor_event distributor_event_t;

/* ------------------------------------------------------------------------------------------
 * Owner of a channel
 * --------------------------------------------------------------------------------------- */

/*
 * Makes a channel that holds up to `limit` messages; 0: no limit.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_channel_destroy
 */
DISTRIBUTOR_API int distributor_channel_create(distributor_channel_t **out, size_t limit);

/*
 * Ends a channel and drops the messages that are left.  No thread may be in a call of it: close it
 * and wait for the threads first.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL
 * Owns     takes the channel
 */
DISTRIBUTOR_API int distributor_channel_destroy(distributor_channel_t *c);

/*
 * No more messages: later sends are refused, and so are those that wait for room.  Receivers get
 * the messages that are left, and then 0.  Closing twice is closing once.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_channel_close(distributor_channel_t *c);

/*
 * How many messages wait.  Others may send and receive meanwhile: the answer is of a moment.
 *
 * Threads  any
 * Blocks   no
 * Returns  their number; 0 for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API size_t distributor_channel_count(const distributor_channel_t *c);

/* ------------------------------------------------------------------------------------------
 * Senders: any number of threads
 * --------------------------------------------------------------------------------------- */

/*
 * Sends one message.  Those of one thread are received in the order in which it sent them.
 *
 * Threads  any
 * Blocks   while the channel is full
 * Returns  0; -ESHUTDOWN it is closed; -EMSGSIZE more than DISTRIBUTOR_MAX_SIZE bytes; -ENOMEM;
 *          -EINVAL.  After an error nothing was sent.
 * Owns     message is copied; up to 16 bytes of it without an allocation
 */
DISTRIBUTOR_API int distributor_channel_send(distributor_channel_t *c, const void *message,
                                             size_t size);

/*
 * The same without waiting.
 *
 * Threads  any
 * Blocks   no
 * Returns  as distributor_channel_send; -EAGAIN it is full
 * Owns     message is copied
 */
DISTRIBUTOR_API int distributor_channel_try_send(distributor_channel_t *c, const void *message,
                                                 size_t size);

/*
 * The same with a deadline.
 *
 * Threads  any
 * Blocks   while the channel is full, at most until deadline
 * Returns  as distributor_channel_send; -ETIMEDOUT
 * Owns     message is copied
 */
DISTRIBUTOR_API int distributor_channel_send_until(distributor_channel_t *c, const void *message,
                                                   size_t size, int64_t deadline);

/* ------------------------------------------------------------------------------------------
 * Receivers: any number of threads; each message goes to one of them
 * --------------------------------------------------------------------------------------- */

/*
 * Takes the oldest message into `buffer`, which has room for `capacity` bytes.  *size becomes how
 * many it has; size may be NULL.
 *
 * Threads  any
 * Blocks   while the channel is empty and not closed
 * Returns  1 there is a message; 0 the channel is closed and empty, and so it stays; -EMSGSIZE the
 *          oldest message has more than `capacity` bytes: *size says how many, and it stays the
 *          oldest one; -EINVAL
 * Owns     the bytes are the caller's
 */
DISTRIBUTOR_API int distributor_channel_receive(distributor_channel_t *c, void *buffer,
                                                size_t capacity, size_t *size);

/*
 * The same without waiting.
 *
 * Threads  any
 * Blocks   no
 * Returns  as distributor_channel_receive; -EAGAIN it is empty
 * Owns     the bytes are the caller's
 */
DISTRIBUTOR_API int distributor_channel_try_receive(distributor_channel_t *c, void *buffer,
                                                    size_t capacity, size_t *size);

/*
 * The same with a deadline.
 *
 * Threads  any
 * Blocks   while the channel is empty and not closed, at most until deadline
 * Returns  as distributor_channel_receive; -ETIMEDOUT
 * Owns     the bytes are the caller's
 */
DISTRIBUTOR_API int distributor_channel_receive_until(distributor_channel_t *c, void *buffer,
                                                      size_t capacity, size_t *size,
                                                      int64_t deadline);

/* ------------------------------------------------------------------------------------------
 * Pipes
 * --------------------------------------------------------------------------------------- */

/*
 * Makes the results of one distributor the tasks of another: each result of `from` becomes the
 * input of a task of `type` in `to`.  `to` takes one when it has a worker for it, so that results
 * wait in `from`, and tasks of `from` wait where that has an output_limit: the whole chain holds no
 * more than its limits say.  Results are moved, not copied.
 *
 * The failure of a task of `from` is one of `to` as well: it counts there as a task that was added
 * and failed, and its record has the type, the input, the error and the message of `from`.
 *
 * STOP of `from` is the end of the pipe; until then it holds back STOP of `to`, as a source does
 * (distributor_add_source).  If `from` has run before, make the pipe after its next start, as STOP
 * of the last run holds until then.  If `to` is stopped or cancelled the pipe ends, and what `from`
 * still makes is for other readers.  Either can be destroyed first: if it is `from`, the pipe ends.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL also if both are one; -EBUSY a pipe takes the results of `from` already;
 *          -ESHUTDOWN, -ENOTSUP, -EDEADLK as distributor_add_source says of `to`; -ENOMEM
 * Owns     what a result owns is the input's from then on: discard_input of `type` gets it
 */
DISTRIBUTOR_API int distributor_pipe(distributor_t *from, distributor_t *to,
                                     const distributor_task_type_t *type);

/* ------------------------------------------------------------------------------------------
 * Events
 * --------------------------------------------------------------------------------------- */

/*
 * Makes an event that is not set.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_event_destroy
 */
DISTRIBUTOR_API int distributor_event_create(distributor_event_t **out);

/*
 * Ends an event.  No thread may be in a call of it, but one that has returned from a wait may be
 * the one that destroys it, also while the call that set it returns.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL
 * Owns     takes the event
 */
DISTRIBUTOR_API int distributor_event_destroy(distributor_event_t *e);

/*
 * Sets the event: all that wait go on, even if it is cleared at once, and later waits return
 * without waiting.  What the caller wrote before is seen by those that find it set.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_event_set(distributor_event_t *e);

/*
 * Later waits wait again.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_event_clear(distributor_event_t *e);

/*
 * Threads  any
 * Blocks   no
 * Returns  whether it is set; false for NULL
 * Owns     nothing
 */
DISTRIBUTOR_API bool distributor_event_is_set(const distributor_event_t *e);

/*
 * Waits for the event.
 *
 * Threads  any
 * Blocks   until it is set
 * Returns  0; -EINVAL
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_event_wait(distributor_event_t *e);

/*
 * The same with a deadline.
 *
 * Threads  any
 * Blocks   until it is set, at most until deadline
 * Returns  as distributor_event_wait; -ETIMEDOUT
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_event_wait_until(distributor_event_t *e, int64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
