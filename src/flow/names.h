/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table from names to what they stand for, on Concurrency Kit's ck_ht.  One thread at a time puts
 * names in; any number look them up while nobody puts.
 */
#ifndef DISTR_FLOW_NAMES_H
#define DISTR_FLOW_NAMES_H

#include <ck_ht.h>
#include <stdbool.h>
#include <stddef.h>

struct distr_names {
    ck_ht_t table;
    bool made; /* the table exists: the first name makes it */
};

/* The name is not copied: it must live as long as the table.  0, -EEXIST, -ENAMETOOLONG, -EINVAL
 * (no byte) or -ENOMEM. */
int distr_names_put(struct distr_names *names, const char *name, const void *value);

/* NULL: there is no such name. */
void *distr_names_get(struct distr_names *names, const char *name);

void distr_names_free(struct distr_names *names);

#endif
