/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash of a name, by a key: SipHash-1-3 of Aumasson and Bernstein.  Names come from outside,
 * and of a hash without a key, or of one whose key only shuffles, anybody can make as many alike as
 * he likes; each name would then be compared with all before it.
 */
#ifndef DISTR_FLOW_NAME_HASH_H
#define DISTR_FLOW_NAME_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The key is these 64 bits, twice. */
uint64_t distr_name_hash(uint64_t key, const void *name, size_t size);

#endif
