/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that a caller passed, made complete or refused. */
#ifndef DISTR_POOL_OPTIONS_H
#define DISTR_POOL_OPTIONS_H

#include <distributor/pool.h>

/* Fills *chosen from options (NULL: all defaults).  0; -EINVAL or -ENOTSUP, and the log hook among
 * them was told why. */
int distr_options_read(distributor_options_t *chosen, const distributor_options_t *options);

#endif
