/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that libdistributor offers. */
#ifndef DISTRIBUTOR_H
#define DISTRIBUTOR_H

#include <distributor/channel.h>
#include <distributor/map.h>
#include <distributor/pool.h>
#include <distributor/version.h>

#endif
