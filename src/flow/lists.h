/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow, and lists of strings that end with NULL. */
#ifndef DISTR_FLOW_LISTS_H
#define DISTR_FLOW_LISTS_H

#include <stdbool.h>
#include <stddef.h>

/* Makes room for one more of `size` bytes each in an array of *capacity that holds count: 0 or
 * -ENOMEM, which leaves all as it was. */
int distr_grow(void **array, size_t size, size_t count, size_t *capacity);

/* Makes an array of pointers that has an element `index`, new ones NULL: 0 or -ENOMEM. */
int distr_reach(void *array, size_t index, size_t *capacity);

/* A copy of a list, or NULL for one without strings.  0 or -ENOMEM. */
int distr_list_copy(char ***to, const char *const *from);
void distr_list_free(char **list);
bool distr_list_has(char *const *list, const char *string);

#endif
