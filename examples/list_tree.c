/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_tree DIRECTORY [WORKERS] - lists what is below a directory, level by level, each directory
 * sorted.  Every directory is a task that spawns one for each directory in it, on as many threads
 * as there are CPUs; still it prints the same lines in the same order each time, those of one
 * thread with a queue, because the distributor is ordered.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <distributor.h>

static int list(distributor_task_t *self, const void *input, size_t size);

static const distributor_task_type_t list_type = {.name = "list", .run = list};

/* One entry: a line, and a task if it is a directory. */
static int list_entry(distributor_task_t *self, const char *directory, const char *name)
{
    struct stat status;
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    int error = path ? 0 : -ENOMEM;
    if (error == 0) {
        snprintf(path, size, "%s/%s", directory, name);
        error = distributor_emit(self, path, size);
    }
    if (error == 0 && lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
        error = distributor_spawn(self, &list_type, path, size);
    free(path);
    return error;
}

static int list(distributor_task_t *self, const void *input, size_t size)
{
    const char *directory = input;
    struct dirent **entries;
    int error = 0;
    (void)size;
    int count = scandir(directory, &entries, NULL, alphasort);
    if (count < 0)
        return distributor_fail(self, -errno, "%s: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (error == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            error = list_entry(self, directory, name);
        free(entries[i]);
    }
    free(entries);
    return error;
}

/* Prints lines, and failures where they stand.  0: there were none; 1; or a negative errno. */
static int print_lines(distributor_t *d)
{
    distributor_result_t result;
    int failed = 0;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        if (result.error == 0) {
            puts(result.data);
        } else {
            fprintf(stderr, "list_tree: %s\n", result.message);
            failed = 1;
        }
    }
    return got < 0 ? got : failed;
}

int main(int argc, char **argv)
{
    distributor_options_t options = {.size = sizeof options, .order = DISTRIBUTOR_AS_ADDED};
    distributor_t *d;
    char *end = NULL;
    if (argc == 3)
        options.workers = (unsigned)strtoul(argv[2], &end, 10);
    if (argc < 2 || argc > 3 || (end && *end) || options.workers > DISTRIBUTOR_MAX_WORKERS) {
        fprintf(stderr, "usage: list_tree DIRECTORY [WORKERS]\n");
        return 2;
    }
    int error = distributor_create(&d, &options);
    if (error == 0)
        error = distributor_add_task(d, &list_type, argv[1], strlen(argv[1]) + 1);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_close(d);
    if (error == 0)
        error = print_lines(d);
    if (error < 0)
        fprintf(stderr, "list_tree: %s\n", distributor_strerror(error));
    distributor_destroy(d);
    return error != 0;
}
