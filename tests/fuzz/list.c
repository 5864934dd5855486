/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the list of files that a compiler writes (-MMD): it is read, or refused with a
 * negative errno, and read twice it stands for the same.  The corpus names files that nobody
 * writes, and whose neighbours nobody writes: it would get to /proc/self/io in a minute.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_list(const char *path, uint64_t *hash)
{
    int64_t changed_ns = 0;

    *hash = DISTR_NO_HASH;
    int rc = distr_hash_listed(path, hash, &changed_ns);
    if (rc > 0 || changed_ns < 0)
        abort();
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[32];
    uint64_t first, second;

    if (file < 0) {
        file = memfd_create("list", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (pwrite(file, data, size, 0) != (ssize_t)size || ftruncate(file, (off_t)size) != 0)
        abort();
    int rc = read_list(path, &first);
    if (read_list(path, &second) != rc || first != second)
        abort();
    return 0;
}
