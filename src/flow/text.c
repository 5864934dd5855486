/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values from texts, as a command line has them.  Numbers are decimal, with a point in any locale.
 * The type is that of the key; who has none yet gets the one that the text looks like, unless it
 * would lose something as that: a zero in front, or all but the size of a number that is too large.
 */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/state.h"
#include "flow/value.h"

/* ---- What a text is ---- */

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

static const char *skip_sign(const char *text)
{
    return *text == '+' || *text == '-' ? text + 1 : text;
}

/* A sign and digits. */
static bool is_whole(const char *text)
{
    const char *digits = skip_sign(text);

    return *digits && !digits[count_digits(digits)];
}

/* A sign, digits with or without a point, an exponent. */
static bool is_number(const char *text)
{
    const char *at = skip_sign(text);
    size_t digits = count_digits(at);

    at += digits;
    if (*at == '.') {
        size_t more = count_digits(++at);
        digits += more;
        at += more;
    }
    if (*at == 'e' || *at == 'E')
        return digits > 0 && is_whole(at + 1);
    return digits > 0 && !*at;
}

static bool has_zero_in_front(const char *text)
{
    const char *digits = skip_sign(text);

    return digits[0] == '0' && isdigit((unsigned char)digits[1]);
}

/* ---- Reading it ---- */

static int read_bool(const char *text, distributor_value_t *value)
{
    bool is_true = strcmp(text, "true") == 0;

    if (!is_true && strcmp(text, "false") != 0)
        return -EINVAL;
    *value = distributor_bool(is_true);
    return 0;
}

static int read_int(const char *text, distributor_value_t *value)
{
    if (!is_whole(text))
        return -EINVAL;
    errno = 0;
    long long integer = strtoll(text, NULL, 10);
    if (errno != 0)
        return -ERANGE;
    *value = distributor_int(integer);
    return 0;
}

static int read_float(const char *text, distributor_value_t *value)
{
    if (!is_number(text))
        return -EINVAL;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return -ENOMEM;
    double number = strtod_l(text, NULL, plain);
    freelocale(plain);
    if (!isfinite(number))
        return -ERANGE;
    *value = distributor_float(number);
    return 0;
}

int distributor_value_read(distributor_value_t *value, const char *text)
{
    if (!value || !text)
        return -EINVAL;
    *value = distributor_string(text);
    if (read_bool(text, value) == 0 || has_zero_in_front(text))
        return 0;
    int rc = is_whole(text) ? read_int(text, value) : read_float(text, value);
    return rc == -ENOMEM ? rc : 0;
}

int distr_value_read_as(distributor_value_t *value, const char *text, distributor_value_type_t type)
{
    switch (type) {
    case DISTRIBUTOR_NONE:
        return distributor_value_read(value, text);
    case DISTRIBUTOR_BOOL:
        return read_bool(text, value);
    case DISTRIBUTOR_INT:
        return read_int(text, value);
    case DISTRIBUTOR_FLOAT:
        return read_float(text, value);
    case DISTRIBUTOR_STRING:
        *value = distributor_string(text);
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- The value of a key ---- */

int distr_state_read(distributor_state_t *state, const char *key, const char *text,
                     distributor_value_type_t type, distributor_value_t *value)
{
    int rc = distr_value_read_as(value, text, type);

    if (rc == -EINVAL)
        return distr_state_say(state, rc, "the key %s takes a value of type %s, and '%s' is none",
                               key, distributor_value_type_name(type), text);
    if (rc == -ERANGE)
        return distr_state_say(state, rc, "the key %s has the type %s, and %s is too large for it",
                               key, distributor_value_type_name(type), text);
    return rc == 0 ? 0 : distr_state_say(state, rc, "no memory for the value of %s", key);
}

/* What was an int in a file, and is no whole number here, was a float without a point. */
static distributor_value_type_t type_for(const struct distr_entry *entry, const char *text)
{
    if (!entry)
        return DISTRIBUTOR_NONE;
    bool is_float = entry->is_guessed && entry->type == DISTRIBUTOR_INT && is_number(text) &&
        !is_whole(text);
    return is_float ? DISTRIBUTOR_FLOAT : entry->type;
}

static int put_text(distributor_state_t *state, const char *key, const char *text)
{
    struct distr_entry *entry = distr_state_find(state, key);
    distributor_value_type_t type = type_for(entry, text);
    distributor_value_t value;
    int rc = distr_state_read(state, key, text, type, &value);

    if (rc != 0)
        return rc;
    char *copy = strdup(text);
    if (!copy)
        return distr_state_say(state, -ENOMEM, "no memory for the value of %s", key);
    if (entry)
        entry->type = type; /* another one only for a float, which is put without memory */
    rc = distr_state_put(state, key, &value);
    entry = rc == 0 ? distr_state_find(state, key) : NULL;
    if (entry && entry->is_guessed)
        entry->text = copy;
    else
        free(copy);
    return rc;
}

int distributor_state_set_text(distributor_state_t *state, const char *key, const char *text)
{
    if (!state || !key || !text)
        return -EINVAL;
    int rc = distributor_state_lock(state);
    if (rc != 0)
        return rc;
    rc = put_text(state, key, text);
    distributor_state_unlock(state);
    return rc;
}
