/* SPDX-License-Identifier: BSD-2-Clause */
/* A state's file: written beside its place, brought to the disk, and then put there by a rename. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/json.h"

#define ATTEMPTS 100 /* at a name that nobody has */

/* Says that of the file, and why. */
static int say(distributor_state_t *state, int error, const char *what, const char *path)
{
    int rc = distributor_state_lock(state);

    if (rc != 0)
        return rc;
    distr_state_say(state, -error, "%s %s: %s", what, path, distributor_strerror(error));
    distributor_state_unlock(state);
    return -error;
}

/* A new file beside the path, with the mode that the umask leaves.  Its descriptor, or -errno. */
static int create_beside(const char *path, char **name)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (asprintf(name, "%s.%d.%u", path, (int)getpid(), i) < 0) {
            *name = NULL;
            return -ENOMEM;
        }
        int file = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0)
            return file;
        int error = errno;
        free(*name);
        *name = NULL;
        if (error != EEXIST)
            return -error;
    }
    return -EEXIST;
}

static int write_all(int file, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, text, size);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            size -= (size_t)written;
        }
    }
    return fsync(file) == 0 ? 0 : errno;
}

/* The rename is on the disk when its folder is; where that cannot be asked for it is in time. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (folder >= 0) {
        (void)fsync(folder);
        close(folder);
    }
    free(copy);
}

/* 0 or an errno. */
static int replace(const char *path, const char *text)
{
    char *name;
    int file = create_beside(path, &name);

    if (file < 0)
        return -file;
    int error = write_all(file, text, strlen(text));
    if (error == 0)
        error = write_all(file, "\n", 1);
    if (close(file) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(name, path) != 0)
        error = errno;
    if (error != 0)
        unlink(name);
    else
        sync_folder(path);
    free(name);
    return error;
}

int distributor_state_save(distributor_state_t *state, const char *path)
{
    char *text;

    if (!state || !path)
        return -EINVAL;
    int rc = distributor_state_to_json(state, &text);
    if (rc != 0)
        return rc;
    int error = replace(path, text);
    free(text);
    return error == 0 ? 0 : say(state, error, "cannot write", path);
}

int distributor_state_load(distributor_state_t *state, const char *path)
{
    json_error_t parse;

    if (!state || !path)
        return -EINVAL;
    FILE *file = fopen(path, "re");
    if (!file)
        return say(state, errno, "cannot read", path);
    errno = 0;
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &parse);
    int error = !ferror(file) ? 0 : errno != 0 ? errno : EIO;
    fclose(file);
    if (error != 0) {
        json_decref(json);
        return say(state, error, "cannot read", path);
    }
    return distr_state_take_json(state, json, &parse);
}
