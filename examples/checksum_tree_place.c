/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_tree: what a worker keeps from task to task, and how it opens a path.
 *
 * A worker takes the tasks it spawned newest first, so that the entries of a directory mostly
 * follow one another.  Hence it keeps the directory it opened last: the next path mostly starts
 * there, and the way from the root is rarely walked.  No task holds a descriptor, so that a tree
 * of any size and depth takes three descriptors a worker.
 */
#define _GNU_SOURCE /* O_PATH */
#include "checksum_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int grow(char **bytes, size_t *room, size_t size)
{
    if (size <= *room)
        return 0;
    char *larger = realloc(*bytes, 2 * size);
    if (larger == NULL)
        return -ENOMEM;
    *bytes = larger;
    *room = 2 * size;
    return 0;
}

int tree_make_room(struct tree_place *place, size_t size)
{
    return grow(&place->record, &place->record_room, size);
}

/* ---- the life of a place ---- */

static void move_to(struct tree_place *place, int directory)
{
    if (place->directory != place->root)
        close(place->directory);
    place->directory = directory;
}

static void free_place(void *value)
{
    struct tree_place *place = value;
    move_to(place, place->root);
    XXH64_freeState(place->hash);
    free(place->record);
    free(place->path);
    free(place);
}

static struct tree_place *new_place(int root)
{
    struct tree_place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return NULL;
    place->root = place->directory = root;
    place->hash = XXH64_createState();
    if (place->hash == NULL || grow(&place->path, &place->path_room, 1) != 0) {
        free_place(place);
        return NULL;
    }
    place->path[0] = '\0';
    return place;
}

struct tree_place *tree_place_of(distributor_task_t *self)
{
    struct tree_place *place = distributor_worker_value(self);
    if (place != NULL)
        return place;
    const int *root = distributor_context(distributor_of(self));
    place = new_place(*root);
    if (place != NULL)
        distributor_set_worker_value(self, place, free_place);
    return place;
}

/* ---- opening ---- */

/* Whether the place is the directory of the first `length` bytes of path, or one above it. */
static bool is_on_the_way(const struct tree_place *place, const char *path, size_t length)
{
    size_t at = strlen(place->path);
    return at == 0 || (at <= length && memcmp(place->path, path, at) == 0 &&
                       (at == length || path[at] == '/'));
}

/* Goes one name further, from the first `at` bytes of path to the first `to`.  After an error the
 * place is where it was. */
static int step(struct tree_place *place, const char *path, size_t at, size_t to)
{
    memcpy(place->path + at, path + at, to - at); /* the slash, and the name */
    place->path[to] = '\0';
    const char *name = place->path + at + (at > 0);
    int next = openat(place->directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) {
        place->path[at] = '\0';
        return -errno;
    }
    move_to(place, next);
    return 0;
}

/* Makes the directory of the first `length` bytes of path the place. */
static int go(struct tree_place *place, const char *path, size_t length)
{
    if (!is_on_the_way(place, path, length)) {
        move_to(place, place->root);
        place->path[0] = '\0';
    }
    int error = grow(&place->path, &place->path_room, length + 1);
    size_t at = strlen(place->path);
    while (error == 0 && at < length) {
        const char *slash = memchr(path + at + 1, '/', length - at - 1);
        size_t to = slash != NULL ? (size_t)(slash - path) : length;
        error = step(place, path, at, to);
        at = to;
    }
    return error;
}

int tree_open(struct tree_place *place, const char *path, int flags)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int error = go(place, path, slash != NULL ? (size_t)(slash - path) : 0);
    if (error != 0)
        return error;
    if (*name == '\0')
        name = "."; /* the root */
    int file = openat(place->directory, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return file >= 0 ? file : -errno;
}
