/* SPDX-License-Identifier: BSD-2-Clause */
/* checksum_tree: the two tasks.  A directory spawns a task per entry, a file is hashed. */
#define _GNU_SOURCE /* DTTOIF */
#include "checksum_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The reader puts the path in front: it has it from the input. */
static int fail(distributor_task_t *self, int error, const char *what)
{
    return distributor_fail(self, error, "cannot %s: %s", what, distributor_strerror(error));
}

/* ---- a directory ---- */

/* The task for an entry; NULL: none, a link is not followed and a fifo or a device not opened.  A
 * file system may leave it to us to find out what an entry is.  What cannot be found out passes
 * for a file, whose task then meets the reason and reports it. */
static const distributor_task_type_t *type_of(DIR *directory, const struct dirent *entry)
{
    struct stat status;
    mode_t mode = (mode_t)DTTOIF(entry->d_type);
    if (entry->d_type == DT_UNKNOWN) {
        if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            return &tree_file_type;
        mode = status.st_mode;
    }
    if (S_ISDIR(mode))
        return &tree_directory_type;
    return S_ISREG(mode) ? &tree_file_type : NULL;
}

/* The entry's path is the first `prefix` bytes of the record, then its name. */
static int spawn_entry(distributor_task_t *self, struct tree_place *place, size_t prefix,
                       const distributor_task_type_t *type, const char *name)
{
    size_t size = strlen(name) + 1;
    int error = tree_make_room(place, prefix + size);
    if (error != 0)
        return error;
    memcpy(place->record + prefix, name, size);
    return distributor_spawn(self, type, place->record, prefix + size);
}

/* NULL with errno 0 is the end. */
static const struct dirent *next_entry(DIR *directory)
{
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(directory);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry;
}

static int spawn_entries(distributor_task_t *self, struct tree_place *place, size_t prefix,
                         DIR *directory)
{
    struct tree_directory result = {0};
    const struct dirent *entry;
    while ((entry = next_entry(directory)) != NULL) {
        const distributor_task_type_t *type = type_of(directory, entry);
        int error = 0;
        if (type != NULL)
            error = spawn_entry(self, place, prefix, type, entry->d_name);
        else
            result.skipped++;
        if (error != 0)
            return error;
    }
    if (errno != 0)
        return fail(self, -errno, "read the directory");
    return distributor_emit(self, &result, sizeof result);
}

static int run_directory(distributor_task_t *self, const void *input, size_t size)
{
    size_t length = size - 1;
    struct tree_place *place = tree_place_of(self);
    if (place == NULL || tree_make_room(place, size) != 0)
        return -ENOMEM;
    int file = tree_open(place, input, O_RDONLY | O_DIRECTORY);
    if (file < 0)
        return fail(self, file, "open the directory");
    DIR *directory = fdopendir(file);
    if (directory == NULL) {
        close(file);
        return -ENOMEM;
    }
    memcpy(place->record, input, length);
    if (length > 0)
        place->record[length++] = '/';
    int error = spawn_entries(self, place, length, directory);
    closedir(directory);
    return error;
}

const distributor_task_type_t tree_directory_type = {.name = "directory", .run = run_directory};

/* ---- a file ---- */

/* Cancelled, it ends early: a file can be long. */
static int hash_file(distributor_task_t *self, struct tree_place *place, int file,
                     struct tree_file *result)
{
    XXH64_reset(place->hash, 0);
    while (!distributor_should_stop(self)) {
        ssize_t got = read(file, place->buffer, sizeof place->buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(self, -errno, "read");
        if (got == 0) {
            result->hash = XXH64_digest(place->hash);
            return 0;
        }
        XXH64_update(place->hash, place->buffer, (size_t)got);
        result->bytes += (uint64_t)got;
    }
    return -ECANCELED;
}

/* The directory called it a regular file; by now it can be anything.  O_NONBLOCK: should it be a
 * fifo, the open does not wait. */
static int open_file(distributor_task_t *self, struct tree_place *place, const char *path)
{
    struct stat status;
    int file = tree_open(place, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return fail(self, file, "open");
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        return file;
    close(file);
    return distributor_fail(self, -ESTALE, "is no regular file any more");
}

static int run_file(distributor_task_t *self, const void *input, size_t size)
{
    struct tree_file result = {0};
    size_t path = offsetof(struct tree_file, path);
    struct tree_place *place = tree_place_of(self);
    if (place == NULL || tree_make_room(place, path + size) != 0)
        return -ENOMEM;
    int file = open_file(self, place, input);
    if (file < 0)
        return file;
    int error = hash_file(self, place, file, &result);
    close(file);
    if (error != 0)
        return error;
    memcpy(place->record, &result, path);
    memcpy(place->record + path, input, size);
    return distributor_emit(self, place->record, path + size);
}

const distributor_task_type_t tree_file_type = {.name = "file", .run = run_file};
