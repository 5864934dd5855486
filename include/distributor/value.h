/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distributor/value.h - one typed value: what nodes of a graph are given and return, and what a
 * state keeps under a key.
 *
 * A value is a small struct that its user fills and copies.  The library copies the bytes of
 * strings and bytes that it is given; what it hands out stays its own.
 */
#ifndef DISTRIBUTOR_VALUE_H
#define DISTRIBUTOR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <distributor/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum distributor_value_type {
    DISTRIBUTOR_NONE = 0,   /* no value */
    DISTRIBUTOR_BOOL = 1,   /* as.boolean */
    DISTRIBUTOR_INT = 2,    /* as.integer */
    DISTRIBUTOR_FLOAT = 3,  /* as.number */
    DISTRIBUTOR_STRING = 4, /* as.string: size bytes without a NUL among them, and a NUL */
    DISTRIBUTOR_BYTES = 5,  /* as.bytes: size bytes; NULL if there are none */
    DISTRIBUTOR_POINTER = 6 /* as.pointer; destroy is called when the library drops it */
} distributor_value_type_t;

typedef struct distributor_value {
    distributor_value_type_t type;
    size_t size; /* of STRING and BYTES */
    union {
        bool boolean;
        int64_t integer;
        double number;
        const char *string;
        const void *bytes;
        void *pointer;
    } as;
    void (*destroy)(void *pointer); /* of POINTER; NULL: nothing is called */
} distributor_value_t;

/* Values of each type; the strings and bytes are not copied here. */
static inline distributor_value_t distributor_none(void)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    return value;
}

static inline distributor_value_t distributor_bool(bool boolean)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_BOOL;
    value.as.boolean = boolean;
    return value;
}

static inline distributor_value_t distributor_int(int64_t integer)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_INT;
    value.as.integer = integer;
    return value;
}

static inline distributor_value_t distributor_float(double number)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_FLOAT;
    value.as.number = number;
    return value;
}

static inline distributor_value_t distributor_string(const char *string)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_STRING;
    value.size = string ? strlen(string) : 0;
    value.as.string = string;
    return value;
}

static inline distributor_value_t distributor_bytes(const void *bytes, size_t size)
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_BYTES;
    value.size = size;
    value.as.bytes = bytes;
    return value;
}

static inline distributor_value_t distributor_pointer(void *pointer, void (*destroy)(void *))
{
    distributor_value_t value;
    memset(&value, 0, sizeof value);
    value.type = DISTRIBUTOR_POINTER;
    value.as.pointer = pointer;
    value.destroy = destroy;
    return value;
}

/*
 * Writes a value as text, in the manner of snprintf(3): at most size bytes with the NUL.  none,
 * true, 42, 3.14 (the shortest that reads back as the same number, with a point in any locale), a
 * string as it is, bytes in hexadecimal, a pointer as its address.
 *
 * Threads  any
 * Blocks   no
 * Returns  how many bytes the whole text has, without the NUL; -EINVAL value is NULL or of no
 *          known type, or text is NULL and size is not 0; -EOVERFLOW it has more than INT_MAX;
 *          -ENOMEM
 * Owns     nothing
 */
DISTRIBUTOR_API int distributor_value_format(const distributor_value_t *value, char *text,
                                             size_t size);

/*
 * Reads a value from a text, of the type that it looks like: true and false are BOOL, 42 is INT,
 * 2.5 and 1e6 are FLOAT, all else is a STRING.  So is what would lose something as a number: 007,
 * and what is too large for its type.
 *
 * Threads  any
 * Blocks   no
 * Returns  0; -EINVAL value or text is NULL; -ENOMEM
 * Owns     nothing is copied: a STRING is the text itself
 */
DISTRIBUTOR_API int distributor_value_read(distributor_value_t *value, const char *text);

/*
 * Frees what distributor_state_get copied.
 *
 * Threads  any
 * Blocks   no
 * Returns  nothing
 * Owns     takes the bytes of the value, which is NONE afterwards; value may be NULL
 */
DISTRIBUTOR_API void distributor_value_free(distributor_value_t *value);

/*
 * The name of a type: "none", "bool", "int", "float", "string", "bytes", "pointer".
 *
 * Threads  any
 * Blocks   no
 * Returns  the name; "unknown" for another number
 * Owns     static
 */
DISTRIBUTOR_API const char *distributor_value_type_name(distributor_value_type_t type);

#ifdef __cplusplus
}
#endif

#endif
