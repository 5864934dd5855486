/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that the library keeps: their own copies of strings and bytes. */
#ifndef DISTR_FLOW_VALUE_H
#define DISTR_FLOW_VALUE_H

#include <distributor/value.h>

/* 0; -EINVAL: no type, an unknown one, or bytes that are not there. */
int distr_value_check(const distributor_value_t *value);

/* Copies a value that was found valid.  0 or -ENOMEM; *to is NONE after an error. */
int distr_value_copy(distributor_value_t *to, const distributor_value_t *from);

/* Reads a value of the type, NONE: of the type that it looks like.  0; -EINVAL it is none; -ERANGE
 * the number is too large; -ENOMEM.  A string is the text itself. */
int distr_value_read_as(distributor_value_t *value, const char *text,
                        distributor_value_type_t type);

/* Frees what distr_value_copy made, and calls destroy for a pointer. */
void distr_value_drop(distributor_value_t *value);

#endif
