/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed values: copies, and their text. */
#include "flow/value.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

int distr_value_check(const distributor_value_t *value)
{
    if (!value || value->type <= DISTRIBUTOR_NONE || value->type > DISTRIBUTOR_POINTER)
        return -EINVAL;
    if (value->type == DISTRIBUTOR_STRING &&
        (!value->as.string || value->size > DISTRIBUTOR_MAX_SIZE - 1 ||
         memchr(value->as.string, '\0', value->size)))
        return -EINVAL;
    if (value->type == DISTRIBUTOR_BYTES &&
        ((!value->as.bytes && value->size != 0) || value->size > DISTRIBUTOR_MAX_SIZE - 1))
        return -EINVAL;
    return 0;
}

int distr_value_copy(distributor_value_t *to, const distributor_value_t *from)
{
    bool string = from->type == DISTRIBUTOR_STRING;

    *to = *from;
    if (!string && (from->type != DISTRIBUTOR_BYTES || from->size == 0))
        return 0;
    char *copy = malloc(from->size + 1);
    if (!copy) {
        *to = distributor_none();
        return -ENOMEM;
    }
    memcpy(copy, from->as.bytes, from->size);
    copy[from->size] = '\0';
    if (string)
        to->as.string = copy;
    else
        to->as.bytes = copy;
    return 0;
}

void distr_value_drop(distributor_value_t *value)
{
    if (value->type == DISTRIBUTOR_STRING)
        free((void *)(uintptr_t)value->as.string);
    else if (value->type == DISTRIBUTOR_BYTES && value->size != 0)
        free((void *)(uintptr_t)value->as.bytes);
    else if (value->type == DISTRIBUTOR_POINTER && value->destroy)
        value->destroy(value->as.pointer);
    *value = distributor_none();
}

void distributor_value_free(distributor_value_t *value)
{
    if (!value)
        return;
    value->destroy = NULL;
    distr_value_drop(value);
}

/* The shortest of the texts that read back as the same number, with a point in any locale. */
static int format_number(double number, char *text, size_t size)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char longest[64];
    int digits = 15;

    if (!plain)
        return -ENOMEM;
    locale_t before = uselocale(plain);
    do
        snprintf(longest, sizeof longest, "%.*g", digits, number);
    while (digits++ < 17 && strtod(longest, NULL) != number);
    uselocale(before);
    freelocale(plain);
    return snprintf(text, size, "%s", longest);
}

static int format_bytes(const distributor_value_t *value, char *text, size_t size)
{
    const unsigned char *byte = value->as.bytes;

    if (value->size > INT_MAX / 2)
        return -EOVERFLOW;
    for (size_t i = 0; i < value->size && 2 * i + 1 < size; i++)
        snprintf(text + 2 * i, size - 2 * i, "%02x", byte[i]);
    if (value->size == 0 && size != 0)
        text[0] = '\0';
    return (int)(2 * value->size);
}

int distributor_value_format(const distributor_value_t *value, char *text, size_t size)
{
    if (!value || (!text && size != 0))
        return -EINVAL;
    switch (value->type) {
    case DISTRIBUTOR_NONE:
        return snprintf(text, size, "none");
    case DISTRIBUTOR_BOOL:
        return snprintf(text, size, "%s", value->as.boolean ? "true" : "false");
    case DISTRIBUTOR_INT:
        return snprintf(text, size, "%lld", (long long)value->as.integer);
    case DISTRIBUTOR_FLOAT:
        return format_number(value->as.number, text, size);
    case DISTRIBUTOR_STRING:
        if (distr_value_check(value) != 0 || value->size > INT_MAX)
            return value->size > INT_MAX ? -EOVERFLOW : -EINVAL;
        return snprintf(text, size, "%.*s", (int)value->size, value->as.string);
    case DISTRIBUTOR_BYTES:
        return distr_value_check(value) == 0 ? format_bytes(value, text, size) : -EINVAL;
    case DISTRIBUTOR_POINTER:
        return snprintf(text, size, "%p", value->as.pointer);
    }
    return -EINVAL;
}

const char *distributor_value_type_name(distributor_value_type_t type)
{
    static const char *const names[] = {"none",   "bool",  "int",    "float",
                                        "string", "bytes", "pointer"};

    return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}
