/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what a run writes in the end can be written: asked before it begins. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static int refuse(const char *option, const char *path, const char *why)
{
    return complain(EXIT_ENGINE, "%s=%s: %s", option, path, why);
}

static int check_folder(const char *option, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return complain(EXIT_ENGINE, "no memory");
    const char *folder = dirname(copy);
    int rc = access(folder, W_OK | X_OK) == 0
                 ? 0
                 : complain(EXIT_ENGINE, "%s=%s: cannot write into %s: %s", option, path, folder,
                            strerror(errno));
    free(copy);
    return rc;
}

/* A file that is replaced needs a folder that can be written, and must not be a device or a pipe;
 * for one that is written in place that holds only if there is none yet. */
static int check_file(const char *option, const char *path, bool is_replaced)
{
    struct stat status;
    bool exists = stat(path, &status) == 0;
    size_t length = strlen(path);

    if (!exists && errno != ENOENT)
        return refuse(option, path, strerror(errno));
    if (length == 0 || (!exists && path[length - 1] == '/'))
        return refuse(option, path, "that is no name of a file");
    if (exists && S_ISDIR(status.st_mode))
        return refuse(option, path, strerror(EISDIR));
    if (exists && is_replaced && !S_ISREG(status.st_mode))
        return refuse(option, path, "it is no regular file");
    if (exists && access(path, W_OK) != 0)
        return refuse(option, path, strerror(errno));
    return is_replaced || !exists ? check_folder(option, path) : 0;
}

int check_files(const struct options *options)
{
    int rc = options->state_file ? check_file("--state-file", options->state_file, true) : 0;

    return rc == 0 && options->trace ? check_file("--trace", options->trace, false) : rc;
}
