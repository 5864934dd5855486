/* SPDX-License-Identifier: BSD-2-Clause */
/* A state as JSON, with jansson. */
#include "flow/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/value.h"

/* ---- Out ---- */

static json_t *bytes_to_json(const distributor_value_t *value)
{
    char *hex = malloc(2 * value->size + 1);
    const unsigned char *byte = value->as.bytes;

    if (!hex)
        return NULL;
    hex[0] = '\0';
    for (size_t i = 0; i < value->size; i++)
        snprintf(hex + 2 * i, 3, "%02x", byte[i]);
    json_t *json = json_pack("{s:s}", "hex", hex);
    free(hex);
    return json;
}

static json_t *value_to_json(const distributor_value_t *value)
{
    switch (value->type) {
    case DISTRIBUTOR_BOOL:
        return json_boolean(value->as.boolean);
    case DISTRIBUTOR_INT:
        return json_integer(value->as.integer);
    case DISTRIBUTOR_FLOAT:
        return json_real(value->as.number);
    case DISTRIBUTOR_STRING:
        return json_stringn(value->as.string, value->size);
    default: /* bytes: what is no value for JSON was left out */
        return bytes_to_json(value);
    }
}

/* Jansson does not say why it makes no string, but why it packs none. */
static bool is_utf8(const char *text)
{
    json_error_t error = {.text = ""}; /* it writes no code where there is no error */
    json_t *packed = json_pack_ex(&error, 0, "s", text);
    bool utf8 = packed || json_error_code(&error) != json_error_invalid_utf8;

    json_decref(packed);
    return utf8;
}

/* Which of the errors it is that jansson does not tell apart. */
static int why_not(distributor_state_t *state, const struct distr_entry *entry)
{
    const distributor_value_t *value = &entry->value;

    if (value->type == DISTRIBUTOR_FLOAT && !isfinite(value->as.number))
        return distr_state_say(state, -EDOM, "the value of %s is no finite number", entry->key);
    if (!is_utf8(entry->key))
        return distr_state_say(state, -EILSEQ, "the name of %s is no UTF-8", entry->key);
    if (value->type == DISTRIBUTOR_STRING && !is_utf8(value->as.string))
        return distr_state_say(state, -EILSEQ, "the value of %s is no UTF-8", entry->key);
    return distr_state_say(state, -ENOMEM, "no memory for JSON");
}

static int fill_object(distributor_state_t *state, json_t *object)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct distr_entry *entry = state->entries[i];
        if (entry->value.type == DISTRIBUTOR_NONE || entry->type == DISTRIBUTOR_POINTER ||
            (entry->flags & DISTRIBUTOR_TRANSIENT))
            continue;
        if (json_object_set_new(object, entry->key, value_to_json(&entry->value)) != 0)
            return why_not(state, entry);
    }
    return 0;
}

/* The text of an object, free()d by the caller; NULL: no memory.  Measured first, for json_dumps
 * leaves out a key that it has no memory for and goes on. */
static char *text_of(const json_t *object)
{
    size_t size = json_dumpb(object, NULL, 0, JSON_INDENT(2));
    char *text = size > 0 ? malloc(size + 1) : NULL;

    if (text && json_dumpb(object, text, size, JSON_INDENT(2)) != size) {
        free(text);
        return NULL;
    }
    if (text)
        text[size] = '\0';
    return text;
}

int distributor_state_to_json(distributor_state_t *state, char **text)
{
    if (!state || !text)
        return -EINVAL;
    *text = NULL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    json_t *object = json_object();
    rc = object ? fill_object(state, object) : -ENOMEM;
    if (rc == 0) {
        *text = text_of(object);
        rc = *text ? 0 : distr_state_say(state, -ENOMEM, "no memory for JSON");
    }
    json_decref(object);
    distributor_state_unlock(state);
    return rc;
}

/* ---- In ---- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* NULL: it is no text of pairs of digits, or there is no memory. */
static unsigned char *bytes_of(const char *hex, size_t *size)
{
    size_t length = strlen(hex);
    unsigned char *bytes = length % 2 == 0 ? malloc(length / 2 + 1) : NULL;

    *size = length / 2;
    for (size_t i = 0; bytes && i < *size; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            free(bytes);
            return NULL;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return bytes;
}

/* The value of a member; `bytes` is to be freed.  Its type is NONE if it has none of ours. */
static distributor_value_t value_of(const json_t *json, unsigned char **bytes)
{
    size_t size;

    *bytes = NULL;
    switch (json_typeof(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        return distributor_bool(json_is_true(json));
    case JSON_INTEGER:
        return distributor_int(json_integer_value(json));
    case JSON_REAL:
        return distributor_float(json_real_value(json));
    case JSON_STRING:
        return distributor_string(json_string_value(json));
    case JSON_OBJECT: {
        const char *hex = json_string_value(json_object_get(json, "hex"));
        *bytes = hex && json_object_size(json) == 1 ? bytes_of(hex, &size) : NULL;
        return *bytes ? distributor_bytes(*bytes, size) : distributor_none();
    }
    default:
        return distributor_none();
    }
}

/* JSON writes 1.0 as 1 in many hands. */
static void adapt(distributor_state_t *state, const char *key, distributor_value_t *value)
{
    const struct distr_entry *entry = distr_state_find(state, key);

    if (entry && entry->type == DISTRIBUTOR_FLOAT && value->type == DISTRIBUTOR_INT)
        *value = distributor_float((double)value->as.integer);
}

/* Checks the member, or sets it. */
static int take_member(distributor_state_t *state, const char *key, const json_t *json, bool set)
{
    unsigned char *bytes;
    distributor_value_t value = value_of(json, &bytes);
    int rc;

    adapt(state, key, &value);
    if (strlen(key) == 0 || strlen(key) > DISTRIBUTOR_MAX_NAME)
        rc = distr_state_say(state, -EINVAL, "a member has a name of %zu bytes", strlen(key));
    else if (value.type == DISTRIBUTOR_NONE)
        rc = distr_state_say(state, -EINVAL, "the member %s is of no type that a key can have",
                             key);
    else
        rc = set ? distr_state_put(state, key, &value) : distr_state_may_set(state, key, &value);
    free(bytes);
    return rc;
}

/* All members are looked at before the first is set; then only memory can be short, and that which
 * was set is told. */
static int take_object(distributor_state_t *state, json_t *object)
{
    const char *key;
    json_t *json;
    int rc = 0;

    for (unsigned set = 0; set < 2; set++)
        json_object_foreach(object, key, json)
        {
            rc = take_member(state, key, json, set != 0);
            if (rc != 0)
                return rc;
        }
    return rc;
}

int distr_state_take_json(distributor_state_t *state, json_t *json, const json_error_t *error)
{
    int rc = distributor_state_lock(state);

    if (rc == 0) {
        /* Without a word, and then without a code, it had no memory to begin. */
        if (!json && (!*error->text || json_error_code(error) == json_error_out_of_memory))
            rc = distr_state_say(state, -ENOMEM, "no memory for JSON");
        else if (!json)
            rc = distr_state_say(state, -EBADMSG, "no JSON in line %d, column %d: %s", error->line,
                                 error->column, error->text);
        else if (!json_is_object(json))
            rc = distr_state_say(state, -EBADMSG, "the JSON is no object");
        else
            rc = take_object(state, json);
        distributor_state_unlock(state);
    }
    json_decref(json);
    return rc;
}

int distributor_state_from_json(distributor_state_t *state, const char *text, size_t size)
{
    json_error_t error;

    if (!state || (!text && size != 0))
        return -EINVAL;
    json_t *json = json_loadb(text ? text : "", size, JSON_REJECT_DUPLICATES, &error);
    return distr_state_take_json(state, json, &error);
}
