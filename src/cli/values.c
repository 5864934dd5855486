/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the command line. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

distributor_value_t read_value(const char *text)
{
    char *end;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return distributor_bool(*text == 't');
    bool is_number = isdigit((unsigned char)*text) ||
        (*text && strchr("+-.", *text) && text[strspn(text, "+-.")]);
    if (!is_number)
        return distributor_string(text);
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (!*end && errno == 0)
        return distributor_int(integer);
    double number = strtod(text, &end);
    return !*end && isfinite(number) ? distributor_float(number) : distributor_string(text);
}

/* What a walk over the keys looks for. */
struct search {
    const char *key;
    distributor_value_type_t type; /* NONE: there is no such key */
};

static int look(void *context, const char *key, distributor_value_type_t type, unsigned flags,
                const distributor_value_t *value)
{
    struct search *search = context;

    (void)flags, (void)value;
    if (strcmp(key, search->key) != 0)
        return 0;
    search->type = type;
    return 1;
}

/* The text as a value of the type that a key has already. */
static distributor_value_t read_as(const char *text, distributor_value_type_t type)
{
    distributor_value_t value = read_value(text);

    if (type == DISTRIBUTOR_STRING)
        return distributor_string(text);
    if (type == DISTRIBUTOR_FLOAT && value.type == DISTRIBUTOR_INT)
        return distributor_float((double)value.as.integer);
    return value;
}

int set_key(distributor_state_t *state, const struct pair *pair)
{
    struct search search = {.key = pair->key};
    char why[512] = "";

    distributor_state_each(state, look, &search);
    distributor_value_t value = read_as(pair->value, search.type);
    int rc = distributor_state_set(state, pair->key, &value);
    if (rc == 0)
        return 0;
    distributor_state_message(state, why, sizeof why);
    return complain(rc == -ENOMEM ? EXIT_ENGINE : EXIT_USAGE, "--%s=%s: %s", pair->key,
                    pair->value, said(why));
}

char *format_value(const distributor_value_t *value)
{
    int length = distributor_value_format(value, NULL, 0);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);

    if (text)
        distributor_value_format(value, text, (size_t)length + 1);
    return text;
}
