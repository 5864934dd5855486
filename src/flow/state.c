/* SPDX-License-Identifier: BSD-2-Clause */
/* The store of typed values. */
#include "flow/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/lists.h"
#include "flow/value.h"

int distr_state_say(distributor_state_t *state, int error, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(state->message);
    state->message = text;
    state->error = error;
    return error;
}

static int say_unknown(distributor_state_t *state, const char *key)
{
    return distr_state_say(state, -ENOENT, "there is no key %s", key);
}

/* ---- Life ---- */

static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    int rc = pthread_mutexattr_init(&attributes);

    if (rc != 0)
        return -rc;
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    rc = pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return -rc;
}

int distributor_state_create(distributor_state_t **out, unsigned flags)
{
    if (!out)
        return -EINVAL;
    *out = NULL;
    if (flags & ~DISTRIBUTOR_OPEN)
        return -EINVAL;
    distributor_state_t *state = calloc(1, sizeof *state);
    int rc = state ? make_lock(&state->lock) : -ENOMEM;
    if (rc != 0) {
        free(state);
        return rc;
    }
    state->flags = flags;
    *out = state;
    return 0;
}

int distributor_state_destroy(distributor_state_t *state)
{
    if (!state)
        return 0;
    for (size_t i = 0; i < state->count; i++) {
        distr_value_drop(&state->entries[i]->value);
        free(state->entries[i]->text);
        free(state->entries[i]->key);
        free(state->entries[i]);
    }
    distr_names_free(&state->names);
    pthread_mutex_destroy(&state->lock);
    free(state->entries);
    free(state->message);
    free(state);
    return 0;
}

int distributor_state_lock(distributor_state_t *state)
{
    return state ? -pthread_mutex_lock(&state->lock) : -EINVAL;
}

int distributor_state_unlock(distributor_state_t *state)
{
    return state ? -pthread_mutex_unlock(&state->lock) : -EINVAL;
}

/* ---- Keys ---- */

struct distr_entry *distr_state_find(distributor_state_t *state, const char *key)
{
    return distr_names_get(&state->names, key);
}

bool distr_state_knows(distributor_state_t *state, const char *key)
{
    return (state->flags & DISTRIBUTOR_OPEN) || distr_state_find(state, key);
}

static int add_entry(distributor_state_t *state, const struct distr_entry *model)
{
    struct distr_entry *entry = malloc(sizeof *entry);
    int rc = entry ? distr_grow((void **)&state->entries, sizeof *state->entries, state->count,
                                &state->capacity)
                   : -ENOMEM;
    if (rc == 0) {
        *entry = *model;
        entry->key = strdup(model->key);
        rc = entry->key ? distr_names_put(&state->names, entry->key, entry) : -ENOMEM;
        if (rc != 0)
            free(entry->key);
    }
    if (rc != 0) {
        free(entry);
        return distr_state_say(state, rc, "the key %.64s cannot be declared: %s", model->key,
                               distributor_strerror(rc));
    }
    state->entries[state->count++] = entry;
    return 0;
}

static int refuse_type(distributor_state_t *state, const struct distr_entry *entry)
{
    return distr_state_say(state, -EEXIST, "the key %s was declared otherwise, as %s", entry->key,
                           distributor_value_type_name(entry->type));
}

/* The value of a guessed key as one of the type that it is declared with: the text that it was read
 * from, if there is one, is read again. */
static int adapt(distributor_state_t *state, const struct distr_entry *entry,
                 distributor_value_type_t type, distributor_value_t *value)
{
    if (entry->text)
        return distr_state_read(state, entry->key, entry->text, type, value);
    *value = entry->value;
    if (value->type == DISTRIBUTOR_INT && type == DISTRIBUTOR_FLOAT)
        *value = distributor_float((double)value->as.integer);
    return value->type == type || value->type == DISTRIBUTOR_NONE ? 0 : refuse_type(state, entry);
}

static void set_value(struct distr_entry *entry, const distributor_value_t *value)
{
    distributor_value_t old = entry->value;

    free(entry->text);
    entry->text = NULL;
    entry->value = *value;
    distr_value_drop(&old);
}

/* What its first value declared is declared now. */
static int declare_guessed(distributor_state_t *state, struct distr_entry *entry,
                           distributor_value_type_t type, unsigned flags)
{
    if (type != entry->type) {
        distributor_value_t value, copy;
        int rc = adapt(state, entry, type, &value);
        if (rc == 0 && distr_value_copy(&copy, &value) != 0)
            rc = distr_state_say(state, -ENOMEM, "no memory for the value of %s", entry->key);
        if (rc != 0)
            return rc;
        set_value(entry, &copy);
    }
    entry->type = type;
    entry->flags = flags;
    entry->is_guessed = false;
    return 0;
}

static int declare(distributor_state_t *state, const char *key, distributor_value_type_t type,
                   unsigned flags)
{
    struct distr_entry *known = distr_state_find(state, key);
    const struct distr_entry entry = {
        .key = (char *)(uintptr_t)key, .type = type, .flags = flags, .value = distributor_none()};

    if (!known)
        return add_entry(state, &entry);
    if (known->is_guessed)
        return declare_guessed(state, known, type, flags);
    return known->type == type && known->flags == flags ? 0 : refuse_type(state, known);
}

int distributor_state_declare(distributor_state_t *state, const char *key,
                              distributor_value_type_t type, unsigned flags)
{
    if (!state || !key)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    if (type <= DISTRIBUTOR_NONE || type > DISTRIBUTOR_POINTER)
        rc = distr_state_say(state, -EINVAL, "the type of the key %s is unknown", key);
    else if (flags & ~(DISTRIBUTOR_REPLACE | DISTRIBUTOR_TRANSIENT))
        rc = distr_state_say(state, -EINVAL, "a flag of the key %s is unknown", key);
    else
        rc = declare(state, key, type, flags);
    distributor_state_unlock(state);
    return rc;
}

/* ---- Values ---- */

int distr_state_may_set(distributor_state_t *state, const char *key,
                        const distributor_value_t *value)
{
    const struct distr_entry *entry = distr_state_find(state, key);

    if (!entry)
        return state->flags & DISTRIBUTOR_OPEN ? 0 : say_unknown(state, key);
    if (entry->type != value->type)
        return distr_state_say(state, -EINVAL, "the key %s takes a value of type %s, not %s", key,
                               distributor_value_type_name(entry->type),
                               distributor_value_type_name(value->type));
    if (entry->value.type != DISTRIBUTOR_NONE && !(entry->flags & DISTRIBUTOR_REPLACE))
        return distr_state_say(state, -EEXIST, "the key %s has a value, and takes one only", key);
    return 0;
}

int distr_state_put(distributor_state_t *state, const char *key, const distributor_value_t *value)
{
    const struct distr_entry guess = {.key = (char *)(uintptr_t)key,
                                      .type = value->type,
                                      .flags = DISTRIBUTOR_REPLACE,
                                      .is_guessed = true,
                                      .value = distributor_none()};
    distributor_value_t copy;
    int rc = distr_state_may_set(state, key, value);

    if (rc == 0 && !distr_state_find(state, key))
        rc = add_entry(state, &guess);
    if (rc == 0 && distr_value_copy(&copy, value) != 0)
        rc = distr_state_say(state, -ENOMEM, "no memory for the value of %s", key);
    if (rc == 0)
        set_value(distr_state_find(state, key), &copy);
    return rc;
}

int distributor_state_set(distributor_state_t *state, const char *key,
                          const distributor_value_t *value)
{
    if (!state || !key || !value)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    if (distr_value_check(value) != 0)
        rc = distr_state_say(state, -EINVAL, "the value of %s has no valid type or no bytes", key);
    else
        rc = distr_state_put(state, key, value);
    distributor_state_unlock(state);
    return rc;
}

static int get(distributor_state_t *state, const char *key, distributor_value_t *value)
{
    const struct distr_entry *entry = distr_state_find(state, key);

    if (!entry)
        return say_unknown(state, key);
    if (entry->value.type == DISTRIBUTOR_NONE)
        return distr_state_say(state, -ENODATA, "the key %s has no value", key);
    if (distr_value_copy(value, &entry->value) != 0)
        return distr_state_say(state, -ENOMEM, "no memory for the value of %s", key);
    value->destroy = NULL;
    return 0;
}

int distributor_state_get(distributor_state_t *state, const char *key, distributor_value_t *value)
{
    if (!state || !key || !value)
        return -EINVAL;
    *value = distributor_none();
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    rc = get(state, key, value);
    distributor_state_unlock(state);
    return rc;
}

/* The lock is held: `before` stays as it is, unless update itself sets the key, so that it gets a
 * copy. */
static int update_locked(distributor_state_t *state, const char *key,
                         distributor_update_fn *update, void *context)
{
    distributor_value_t value = distributor_none(), before = distributor_none();

    if (!distr_state_knows(state, key))
        return say_unknown(state, key);
    int rc = get(state, key, &before);
    if (rc != 0 && rc != -ENODATA && rc != -ENOENT)
        return rc;
    rc = update(context, &before, &value);
    distr_value_drop(&before);
    if (rc > 0)
        rc = -EINVAL;
    if (rc != 0 || value.type == DISTRIBUTOR_NONE)
        return rc != 0 ? distr_state_say(state, rc, "the update of %s failed: %s", key,
                                         distributor_strerror(rc))
                       : 0;
    if (distr_value_check(&value) != 0)
        return distr_state_say(state, -EINVAL, "the update of %s made no valid value", key);
    return distr_state_put(state, key, &value);
}

int distributor_state_update(distributor_state_t *state, const char *key,
                             distributor_update_fn *update, void *context)
{
    if (!state || !key || !update)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    rc = update_locked(state, key, update, context);
    distributor_state_unlock(state);
    return rc;
}

static int unset(distributor_state_t *state, const char *key)
{
    const distributor_value_t none = distributor_none();
    struct distr_entry *entry = distr_state_find(state, key);

    if (!entry)
        return say_unknown(state, key);
    if (entry->value.type == DISTRIBUTOR_NONE)
        return distr_state_say(state, -ENODATA, "the key %s has no value", key);
    set_value(entry, &none);
    return 0;
}

int distributor_state_unset(distributor_state_t *state, const char *key)
{
    if (!state || !key)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    rc = unset(state, key);
    distributor_state_unlock(state);
    return rc;
}

int distributor_state_each(distributor_state_t *state, distributor_each_fn *each, void *context)
{
    if (!state || !each)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < state->count; i++) {
        const struct distr_entry *entry = state->entries[i];
        rc = each(context, entry->key, entry->type, entry->flags, &entry->value);
    }
    distributor_state_unlock(state);
    return rc;
}

int distributor_state_message(distributor_state_t *state, char *text, size_t size)
{
    if (!state || (!text && size != 0))
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    rc = snprintf(text, size, "%s", state->message ? state->message : "");
    distributor_state_unlock(state);
    return rc;
}
