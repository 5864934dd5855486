/* SPDX-License-Identifier: BSD-2-Clause */
/* A state: entries in the order of their declaration, a table of their names, one lock. */
#ifndef DISTR_FLOW_STATE_H
#define DISTR_FLOW_STATE_H

#include <distributor/state.h>

#include <pthread.h>

#include "flow/names.h"

struct distr_entry {
    char *key;
    distributor_value_type_t type;
    unsigned flags;
    bool is_guessed;           /* declared by its first value, until somebody declares it */
    char *text;                /* what a guessed value was read from; NULL: it was no text */
    distributor_value_t value; /* NONE: it has none */
};

struct distributor_state {
    pthread_mutex_t lock; /* recursive; guards all that follows */
    unsigned flags;
    struct distr_entry **entries;
    size_t count;
    size_t capacity;
    struct distr_names names;
    char *message;
    int error; /* what the call that left the message returned; setup_state begins with 0 */
};

/* All of these are called with the lock held. */

/* Keeps a message and returns the error. */
int distr_state_say(distributor_state_t *state, int error, const char *format, ...)
    DISTRIBUTOR_PRINTF(3, 4);

/* NULL: there is no such key. */
struct distr_entry *distr_state_find(distributor_state_t *state, const char *key);

/* Whether a key may be given the value: 0 or an error with its message. */
int distr_state_may_set(distributor_state_t *state, const char *key,
                        const distributor_value_t *value);

/* As distributor_state_set, of a value that was found valid. */
int distr_state_put(distributor_state_t *state, const char *key, const distributor_value_t *value);

/* As distr_value_read_as, and says what is wrong. */
int distr_state_read(distributor_state_t *state, const char *key, const char *text,
                     distributor_value_type_t type, distributor_value_t *value);

/* Whether a graph may name the key: it is declared, or will be by its first value. */
bool distr_state_knows(distributor_state_t *state, const char *key);

#endif
