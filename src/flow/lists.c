/* SPDX-License-Identifier: BSD-2-Clause */
/* See lists.h. */
#include "flow/lists.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int distr_grow(void **array, size_t size, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return 0;
    size_t more = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown = more > SIZE_MAX / size ? NULL : realloc(*array, more * size);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *capacity = more;
    return 0;
}

int distr_reach(void *array, size_t index, size_t *capacity)
{
    void ***pointers = array;
    size_t more = index < 8 ? 16 : 2 * index;

    if (index < *capacity)
        return 0;
    void **grown =
        more > SIZE_MAX / sizeof *grown ? NULL : realloc(*pointers, more * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memset(grown + *capacity, 0, (more - *capacity) * sizeof *grown);
    *pointers = grown;
    *capacity = more;
    return 0;
}

int distr_list_copy(char ***to, const char *const *from)
{
    size_t count = 0;

    *to = NULL;
    while (from && from[count])
        count++;
    if (count == 0)
        return 0;
    char **list = calloc(count + 1, sizeof *list);
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        list[i] = strdup(from[i]);
        if (!list[i]) {
            distr_list_free(list);
            return -ENOMEM;
        }
    }
    *to = list;
    return 0;
}

void distr_list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

bool distr_list_has(char *const *list, const char *string)
{
    for (; list && *list; list++)
        if (strcmp(*list, string) == 0)
            return true;
    return false;
}
