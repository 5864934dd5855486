/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that a caller passed, made complete or refused. */
#ifndef DISTR_POOL_OPTIONS_H
#define DISTR_POOL_OPTIONS_H

#include <distributor/pool.h>

/* Fills *chosen from options (NULL: all defaults).  0, -EINVAL or -ENOTSUP. */
int distr_options_read(distributor_options_t *chosen, const distributor_options_t *options);

#endif
