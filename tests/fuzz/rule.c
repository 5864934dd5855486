/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as the rule for make in a list of files: it ends, no name has a byte that ends one, and
 * the same names come from the rule that they are written into anew.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Writes a name as a compiler does, and what ends it: behind a backslash that is the next line. */
static char *escape(char *to, const char *name)
{
    bool ends_in_backslash = name[strlen(name) - 1] == '\\';

    for (; *name; name++) {
        if (*name == ' ' || *name == '#')
            *to++ = '\\';
        if (*name == '$')
            *to++ = '$';
        *to++ = *name;
    }
    return stpcpy(to, ends_in_backslash ? "\\\n" : " ");
}

/* How many names the rule has; they are written into another one. */
static size_t write_anew(const char *rule, char *name, char *other)
{
    const char *end = rule + strlen(rule);
    size_t count = 0;

    for (; distr_next_name(&rule, name); count++) {
        must(*name && rule <= end && !strchr(name, '\n'));
        other = escape(other, name);
    }
    *other = '\0';
    must(rule == end);
    return count;
}

static void compare(const char *rule, const char *other, char *name, char *same, size_t count)
{
    while (distr_next_name(&rule, name)) {
        must(distr_next_name(&other, same) && strcmp(name, same) == 0);
        must(count-- > 0);
    }
    must(count == 0 && !distr_next_name(&other, same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *rule = malloc(size + 1), *name = malloc(size + 1), *same = malloc(2 * size + 4),
         *other = malloc(2 * size + 4);

    if (rule && name && same && other) {
        memcpy(rule, data, size);
        rule[size] = '\0';
        compare(rule, other, name, same, write_anew(rule, name, other));
    }
    free(rule);
    free(name);
    free(same);
    free(other);
    return 0;
}
