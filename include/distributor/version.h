/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of these headers; distributor_version() tells that of the library. */
#ifndef DISTRIBUTOR_VERSION_H
#define DISTRIBUTOR_VERSION_H

#define DISTRIBUTOR_VERSION_MAJOR 0
#define DISTRIBUTOR_VERSION_MINOR 1
#define DISTRIBUTOR_VERSION_PATCH 0
#define DISTRIBUTOR_VERSION "0.1.0"

#endif
