/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_tree: what its three files share.
 *
 *     checksum_tree.c        the command: options, the reader, the summary
 *     checksum_tree_tasks.c  the two tasks: a directory spawns its entries, a file is hashed
 *     checksum_tree_place.c  what a worker keeps from task to task, and how it opens a path
 *
 * The input of a task is a path relative to the root, '/' between names, its NUL included; the
 * root itself is "".  It may be longer than PATH_MAX: it is opened name by name.
 */
#ifndef CHECKSUM_TREE_H
#define CHECKSUM_TREE_H

#include <stddef.h>
#include <stdint.h>

#include <xxhash.h>

#include <distributor.h>

/* ---- tasks and their results ---- */

extern const distributor_task_type_t tree_directory_type;
extern const distributor_task_type_t tree_file_type;

/* What a directory task emits, once all its entries are spawned. */
struct tree_directory {
    uint64_t skipped; /* entries that are neither directory nor regular file */
};

/* What a file task emits. */
struct tree_file {
    uint64_t hash;
    uint64_t bytes; /* that were read */
    char path[];    /* as in the input */
};

/* ---- places: what a worker keeps, its worker value ---- */

enum { TREE_BUFFER_SIZE = 128 * 1024 };

struct tree_place {
    int root;      /* the directory all paths are relative to, borrowed */
    int directory; /* the one that was opened last, O_PATH; `root` itself while path is "" */
    char *path;    /* of `directory`, a string */
    size_t path_room;
    char *record; /* where an input or a result is put together */
    size_t record_room;
    XXH64_state_t *hash;
    unsigned char buffer[TREE_BUFFER_SIZE];
};

/* The place of the worker that runs the task, made when its first task asks; NULL: no memory.
 * The context of the distributor is the root: a pointer to its descriptor. */
struct tree_place *tree_place_of(distributor_task_t *self);

/* Opens what the path names, and never by way of a symbolic link.  Returns a descriptor, which
 * the caller closes, or a negative errno. */
int tree_open(struct tree_place *place, const char *path, int flags);

/* Makes room for `size` bytes at place->record, which keeps its content.  Returns 0 or -ENOMEM. */
int tree_make_room(struct tree_place *place, size_t size);

#endif
