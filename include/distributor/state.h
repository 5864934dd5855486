/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/state.h - a store of typed values that threads share.
 *
 * A key is declared with its type; a value of another type, an unknown key and a second value for a
 * key that takes one are errors.  A graph that is run with a state hands its nodes the keys that
 * they declare as inputs, and takes those that they declare as outputs.
 *
 * Every function takes the state's own lock, which is recursive: who holds it with
 * distributor_state_lock sees and makes several changes as one.
 *
 * Unless a function says otherwise it returns 0 or a negative errno:
 *   -EINVAL   an argument that can never be right, a value of another type than the key's
 *   -ENOENT   there is no such key
 *   -ENODATA  the key has no value
 *   -EEXIST   the key has a value, and takes one only
 * and distributor_state_message() says in words what was wrong.
 */
#ifndef DISTRIBUTOR_STATE_H
#define DISTRIBUTOR_STATE_H

#include <distributor/graph.h>
#include <distributor/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of a state: a key that nobody declared is declared by its first value, with DISTRIBUTOR_REPLACE,
 * until distributor_state_declare says otherwise. */
#define DISTRIBUTOR_OPEN 1u

/* Of a key: a value may replace another one. */
#define DISTRIBUTOR_REPLACE 1u

/* Of a key: its value is not written as JSON.  Pointers never are. */
#define DISTRIBUTOR_TRANSIENT 2u

/* ------------------------------------------------------------------------------------------
 * Keys and values
 * --------------------------------------------------------------------------------------- */

/*
 * Makes an empty state; flags is 0 or DISTRIBUTOR_OPEN.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL an unknown flag; -ENOMEM.  *out is NULL after an error.
 * Owns     the caller owns *out until distributor_state_destroy
 */
DISTRIBUTOR_API int distributor_state_create(distributor_state_t **out, unsigned flags);

/*
 * Frees a state with its values.
 *
 * Threads  any, once and last
 * Blocks   no
 * Returns  0, also for NULL
 * Owns     takes the state; pointers go to their destroy callback
 */
DISTRIBUTOR_API int distributor_state_destroy(distributor_state_t *state);

/*
 * Declares a key.  flags is 0, DISTRIBUTOR_REPLACE, DISTRIBUTOR_TRANSIENT or both.
 *
 * A key that only its first value has declared gets this type and these flags.  Its value stays: as
 * it is, if it has the type; an INT becomes a FLOAT; and one from distributor_state_set_text is read
 * anew.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0, also if it was declared alike before; -EEXIST it was declared otherwise, or has a
 *          value of another type; -EINVAL also an unknown type or flag, and a text that is no value
 *          of the type; -ERANGE a number in a text is too large; -ENAMETOOLONG; -ENOMEM
 * Owns     key is copied
 */
DISTRIBUTOR_API int distributor_state_declare(distributor_state_t *state, const char *key,
                                              distributor_value_type_t type, unsigned flags);

/*
 * Gives a key its value.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0; -EINVAL, -ENOENT, -EEXIST as above; -ENOMEM.  After an error nothing changed.
 * Owns     strings and bytes are copied; a pointer belongs to the state from then on, after an error
 *          it is still the caller's
 */
DISTRIBUTOR_API int distributor_state_set(distributor_state_t *state, const char *key,
                                          const distributor_value_t *value);

/*
 * Gives a key the value that a text stands for, as a command line or a file of settings has it.  The
 * text is read as the type of the key says: STRING is the text as it is, INT a decimal number with
 * or without a sign, FLOAT the same with a point or an exponent or without, BOOL true or false.  If
 * nobody declared the key, the type is the one that distributor_value_read finds, until it is
 * declared.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  as distributor_state_set; -EINVAL also a text that is no value of the key's type, BYTES
 *          and POINTER included; -ERANGE a number that is too large.  After an error nothing changed.
 * Owns     text is copied
 */
DISTRIBUTOR_API int distributor_state_set_text(distributor_state_t *state, const char *key,
                                               const char *text);

/*
 * Copies the value of a key.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0; -ENOENT, -ENODATA as above; -ENOMEM
 * Owns     the caller owns *value until distributor_value_free; a pointer is still the state's
 */
DISTRIBUTOR_API int distributor_state_get(distributor_state_t *state, const char *key,
                                          distributor_value_t *value);

/*
 * Computes a new value from the present one: fills *value, which is NONE at first, and returns 0,
 * or leaves it NONE to change nothing, or returns a negative errno.  before is NONE if the key has
 * no value.  The bytes of *value need only live until it returns.
 */
typedef int distributor_update_fn(void *context, const distributor_value_t *before,
                                  distributor_value_t *value);

/*
 * Replaces the value of a key by what update makes of it, under the lock: no change of another
 * thread comes between.
 *
 * Threads  any
 * Blocks   while another thread holds the lock, and as long as update does
 * Returns  as distributor_state_set; what update returned, -EINVAL if that was positive
 * Owns     as distributor_state_set
 */
DISTRIBUTOR_API int distributor_state_update(distributor_state_t *state, const char *key,
                                             distributor_update_fn *update, void *context);

/*
 * Takes the value of a key away; the key stays.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0; -ENOENT; -ENODATA
 * Owns     a pointer goes to its destroy callback
 */
DISTRIBUTOR_API int distributor_state_unset(distributor_state_t *state, const char *key);

/* Is shown a key; value is NONE if it has none.  Anything but 0 ends the walk. */
typedef int distributor_each_fn(void *context, const char *key, distributor_value_type_t type,
                                unsigned flags, const distributor_value_t *value);

/*
 * Shows all keys in the order of their declaration, under the lock.  `each` may read and set values
 * and declares no keys.
 *
 * Threads  any
 * Blocks   while another thread holds the lock, and as long as each does
 * Returns  0; what each returned, if that was not 0
 * Owns     what each is shown is the state's, until each returns
 */
DISTRIBUTOR_API int distributor_state_each(distributor_state_t *state, distributor_each_fn *each,
                                           void *context);

/*
 * Takes the lock of the state; it is recursive.
 *
 * Threads  any
 * Blocks   while another thread holds it
 * Returns  0; -EAGAIN it was taken too often by this thread
 * Owns     the calling thread holds it until as many distributor_state_unlock
 */
DISTRIBUTOR_API int distributor_state_lock(distributor_state_t *state);

/*
 * Gives the lock back.
 *
 * Threads  the one that holds it
 * Blocks   no
 * Returns  0; -EPERM the calling thread does not hold it
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_state_unlock(distributor_state_t *state);

/*
 * Copies what the last call that failed, of any thread, had to say; at most size bytes with the
 * NUL.  One that was given a NULL has nothing to say: the text is that of an earlier one.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  how many bytes the whole text has, without the NUL; 0 if none failed yet
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_state_message(distributor_state_t *state, char *text, size_t size);

/* ------------------------------------------------------------------------------------------
 * JSON: one object, a member for each key with a value.  Bytes are {"hex": "01fe"}.
 * --------------------------------------------------------------------------------------- */

/*
 * Writes all values but transient ones and pointers as JSON.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0; -EILSEQ a string is no UTF-8; -EDOM a number is no finite one; -ENOMEM.  *text is NULL
 *          after an error.
 * Owns     the caller owns *text, a string, until free(3)
 */
DISTRIBUTOR_API int distributor_state_to_json(distributor_state_t *state, char **text);

/*
 * Sets the keys that are members of a JSON object, all or none.
 *
 * Threads  any
 * Blocks   while another thread holds the lock
 * Returns  0; -EBADMSG it is no JSON object, the message says where; -EINVAL, -ENOENT, -EEXIST as
 *          above, of a member; -ENOMEM
 * Owns     text is copied
 */
DISTRIBUTOR_API int distributor_state_from_json(distributor_state_t *state, const char *text,
                                                size_t size);

/*
 * Writes the JSON to a file, which is replaced as a whole: who reads it sees the old text or the
 * new one, also after a crash.
 *
 * Threads  any
 * Blocks   until the bytes are on the disk; the lock is not held meanwhile
 * Returns  as distributor_state_to_json; an error of the file system, with which the old file stays
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_state_save(distributor_state_t *state, const char *path);

/*
 * Reads a file that distributor_state_save wrote.
 *
 * Threads  any
 * Blocks   while it reads
 * Returns  as distributor_state_from_json; an error of the file system, as -ENOENT there is none
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_state_load(distributor_state_t *state, const char *path);

/* ------------------------------------------------------------------------------------------
 * Inside a node of a graph that is run with a state
 * --------------------------------------------------------------------------------------- */

/*
 * An input of the node, as it was when the node began.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0; -ENOENT the node has no such input; -EPERM inside a spawned part; -EINVAL
 * Owns     the library, until the function returns
 */
DISTRIBUTOR_API int distributor_call_get(const distributor_call_t *call, const char *key,
                                         distributor_value_t *value);

/*
 * An output of the node, which the state takes when its function has returned 0; the last one
 * counts.  The only output of a node that sets none is the result that it returns.
 *
 * Threads  the one that runs the function
 * Blocks   no
 * Returns  0; -ENOENT the node has no such output; -EPERM inside a spawned part; -EINVAL; -ENOMEM
 * Owns     as distributor_return
 */
DISTRIBUTOR_API int distributor_call_set(distributor_call_t *call, const char *key,
                                         const distributor_value_t *value);

#ifdef __cplusplus
}
#endif

#endif
