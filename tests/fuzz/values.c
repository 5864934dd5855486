/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as the value of --result-TASK and --KEY: a number comes back from what it is printed as,
 * and a key that has a type keeps it.
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
    distributor_value_t value = read_value(text);
    char *printed = format_value(&value);

    must(printed);
    distributor_value_t again = read_value(printed);
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

static void check_key(const char *key, const char *text, distributor_value_type_t type)
{
    const struct pair pair = {key, text};
    distributor_state_t *state;
    distributor_value_t value;

    must(distributor_state_create(&state, DISTRIBUTOR_OPEN) == 0);
    if (type != DISTRIBUTOR_NONE)
        must(distributor_state_declare(state, key, type, DISTRIBUTOR_REPLACE) == 0);
    complaints = 0;
    int status = set_key(state, &pair);
    must((status == 0 || status == EXIT_USAGE) && complaints == (status != 0));
    if (status == 0) {
        must(distributor_state_get(state, key, &value) == 0);
        must(type == DISTRIBUTOR_NONE || value.type == type);
        distributor_value_free(&value);
    }
    must(status == 0 || (type != DISTRIBUTOR_NONE && type != DISTRIBUTOR_STRING));
    distributor_state_destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_value(text);
    check_key("key", text, DISTRIBUTOR_NONE);
    check_key("key", text, DISTRIBUTOR_INT);
    check_key("key", text, DISTRIBUTOR_FLOAT);
    check_key("key", text, DISTRIBUTOR_BOOL);
    check_key("key", text, DISTRIBUTOR_STRING);
    free(text);
    return 0;
}
