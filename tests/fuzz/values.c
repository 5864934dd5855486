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

/* Sets the key, which has the type already; NONE: it has none. */
static int set(distributor_state_t *state, const char *text, distributor_value_type_t type)
{
    const struct pair pair = {"key", text};

    if (type != DISTRIBUTOR_NONE)
        must(distributor_state_declare(state, "key", type, DISTRIBUTOR_REPLACE) == 0);
    complaints = 0;
    int status = set_key(state, &pair);
    must((status == 0 || status == EXIT_USAGE) && complaints == (status != 0));
    must(status == 0 || (type != DISTRIBUTOR_NONE && type != DISTRIBUTOR_STRING));
    return status;
}

/* A key that is declared before its text comes ends as one that is declared afterwards. */
static void check_key(const char *text, distributor_value_type_t type)
{
    distributor_state_t *before, *after;
    distributor_value_t value, same;

    must(distributor_state_create(&before, DISTRIBUTOR_OPEN) == 0);
    must(distributor_state_create(&after, DISTRIBUTOR_OPEN) == 0);
    int status = set(before, text, type);
    must(set(after, text, DISTRIBUTOR_NONE) == 0);
    must((distributor_state_declare(after, "key", type, 0) == 0) == (status == 0));
    if (status == 0) {
        must(distributor_state_get(before, "key", &value) == 0 && value.type == type);
        must(distributor_state_get(after, "key", &same) == 0 && same.type == type);
        char *text_of_value = format_value(&value), *text_of_same = format_value(&same);
        must(text_of_value && text_of_same && strcmp(text_of_value, text_of_same) == 0);
        free(text_of_value);
        free(text_of_same);
        distributor_value_free(&value);
        distributor_value_free(&same);
    }
    distributor_state_destroy(before);
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
    check_key(text, DISTRIBUTOR_INT);
    check_key(text, DISTRIBUTOR_FLOAT);
    check_key(text, DISTRIBUTOR_BOOL);
    check_key(text, DISTRIBUTOR_STRING);
    free(text);
    return 0;
}
