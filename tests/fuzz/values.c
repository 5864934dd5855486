/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as the value of --result-TASK and --KEY: a number comes back from what it is printed as,
 * a key that has a type keeps it, and one that gets it later gets it as well.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned complaints;

/* In place of the one that prints. */
int complain(int status, const char *format, ...)
{
    (void)format;
    complaints++;
    return status;
}

const char *said(const char *message)
{
    return message;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_value(const char *text)
{
    distributor_value_t value, again;

    must(distributor_value_read(&value, text) == 0);
    char *printed = format_value(&value);
    must(printed && distributor_value_read(&again, printed) == 0);
    switch (value.type) {
    case DISTRIBUTOR_BOOL:
        must(strcmp(printed, text) == 0);
        break;
    case DISTRIBUTOR_INT:
        must(again.type == DISTRIBUTOR_INT && again.as.integer == value.as.integer);
        must(strcmp(printed, text + (*text == '+')) == 0 || value.as.integer == 0);
        break;
    case DISTRIBUTOR_FLOAT:
        must(isfinite(value.as.number));
        must((again.type == DISTRIBUTOR_FLOAT ? again.as.number : (double)again.as.integer) ==
             value.as.number);
        break;
    case DISTRIBUTOR_STRING:
        must(strcmp(value.as.string, text) == 0);
        break;
    default:
        abort();
    }
    free(printed);
}

/* A key of each type that a text can have. */
static const struct {
    const char *key;
    distributor_value_type_t type;
} keys[] = {{"i", DISTRIBUTOR_INT},
            {"f", DISTRIBUTOR_FLOAT},
            {"b", DISTRIBUTOR_BOOL},
            {"s", DISTRIBUTOR_STRING}};
#define KEYS (sizeof keys / sizeof *keys)

static distributor_state_t *make_state(void)
{
    distributor_state_t *state;

    must(distributor_state_create(&state, DISTRIBUTOR_OPEN) == 0);
    return state;
}

static int set(distributor_state_t *state, const char *key, const char *text)
{
    const struct pair pair = {key, text};

    complaints = 0;
    int status = set_key(state, &pair);
    must((status == 0 || status == EXIT_USAGE) && complaints == (status != 0));
    return status;
}

static char *text_of(distributor_state_t *state, size_t i)
{
    distributor_value_t value;

    must(distributor_state_get(state, keys[i].key, &value) == 0 && value.type == keys[i].type);
    char *text = format_value(&value);
    must(text != NULL);
    distributor_value_free(&value);
    return text;
}

/* A key that is declared before its text comes ends as one that is declared afterwards. */
static void check_key(distributor_state_t *before, distributor_state_t *after, size_t i,
                      const char *text)
{
    int status = set(before, keys[i].key, text);

    must(status == 0 || keys[i].type != DISTRIBUTOR_STRING);
    must(set(after, keys[i].key, text) == 0);
    must((distributor_state_declare(after, keys[i].key, keys[i].type, 0) == 0) == (status == 0));
    if (status != 0)
        return;
    char *one = text_of(before, i), *other = text_of(after, i);
    must(strcmp(one, other) == 0);
    free(one);
    free(other);
}

/* A key that was an int in a file takes any number. */
static void check_number(distributor_state_t *state, const char *text)
{
    distributor_value_t value;

    must(set(state, "n", "1") == 0);
    int status = set(state, "n", text);
    must(distributor_value_read(&value, text) == 0);
    if (value.type == DISTRIBUTOR_INT || value.type == DISTRIBUTOR_FLOAT)
        must(status == 0);
    else if (value.type == DISTRIBUTOR_BOOL)
        must(status != 0);
}

static void check_keys(const char *text)
{
    static distributor_state_t *before; /* its keys take one text after the other */
    distributor_state_t *after = make_state();

    if (!before) {
        before = make_state();
        for (size_t i = 0; i < KEYS; i++)
            must(distributor_state_declare(before, keys[i].key, keys[i].type,
                                           DISTRIBUTOR_REPLACE) == 0);
    }
    for (size_t i = 0; i < KEYS; i++)
        check_key(before, after, i, text);
    check_number(after, text);
    distributor_state_destroy(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_value(text);
    check_keys(text);
    free(text);
    return 0;
}
