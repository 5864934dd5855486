/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_tree [-0s] [-j WORKERS] [DIR] - the XXH64 of every regular file below DIR.
 *
 * Prints "HASH  PATH" as the files are done, in no order; sorted it is what
 *     find DIR -type f -print0 | xargs -0 xxhsum -H1
 * prints, sorted.  Symbolic links are not followed, special files not opened.
 *
 *     -0          records end in NUL, so that names with newlines stay whole
 *     -s          "HASH  SIZE  PATH"
 *     -j WORKERS  how many threads (one per CPU)
 *     DIR         also a single file (/usr/share/doc, or /usr/include)
 *
 * Ends with 0; 1 if something could not be read, which stderr says; 2 if it could not run at all.
 */
#define _GNU_SOURCE /* O_PATH */
#include "checksum_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_UNREADABLE = 1, EXIT_TROUBLE = 2 };

enum { RESULTS_AHEAD = 4096 }; /* then the workers wait for the reader */

struct options {
    bool nul;
    bool sizes;
    unsigned workers;
    const char *argument;
};

/* Where the tree begins, and how its paths are printed. */
struct tree {
    int root;                            /* the directory that paths are relative to */
    const distributor_task_type_t *type; /* of the first task, NULL: there is nothing to do */
    const char *path;                    /* its input */
    const char *argument;
    int prefix; /* this much of the argument, and the separator, stand before each path */
    const char *separator;
};

struct counts {
    uint64_t files, bytes, directories, skipped;
};

static int complain(const char *about, int error)
{
    fprintf(stderr, "checksum_tree: %s: %s\n", about, distributor_strerror(error));
    return error;
}

/* ---- where the tree begins ---- */

static int open_directory(const char *path)
{
    int file = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return file >= 0 ? file : -errno;
}

/* Paths are printed as find does: DIR, a slash unless DIR ends in one, the path below it. */
static int root_at_directory(struct tree *tree)
{
    size_t length = strlen(tree->argument);
    tree->type = &tree_directory_type;
    tree->path = "";
    tree->prefix = (int)length;
    tree->separator = tree->argument[length - 1] == '/' ? "" : "/";
    tree->root = open_directory(tree->argument);
    return tree->root < 0 ? tree->root : 0;
}

/* A file is a path of one name below its directory. */
static int root_above_file(struct tree *tree)
{
    const char *slash = strrchr(tree->argument, '/');
    tree->type = &tree_file_type;
    tree->path = slash != NULL ? slash + 1 : tree->argument;
    tree->prefix = (int)(tree->path - tree->argument);
    tree->separator = "";
    char *directory = slash != NULL ? strndup(tree->argument, (size_t)tree->prefix) : strdup(".");
    if (directory == NULL)
        return -ENOMEM;
    tree->root = open_directory(directory);
    free(directory);
    return tree->root < 0 ? tree->root : 0;
}

static int find_root(struct tree *tree, const char *argument)
{
    struct stat status;
    *tree = (struct tree){.root = -1, .argument = argument};
    if (lstat(argument, &status) != 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return root_at_directory(tree);
    return S_ISREG(status.st_mode) ? root_above_file(tree) : 0;
}

/* ---- the reader ---- */

static void print_path(FILE *out, const struct tree *tree, const char *path)
{
    if (*path == '\0')
        fputs(tree->argument, out);
    else
        fprintf(out, "%.*s%s%s", tree->prefix, tree->argument, tree->separator, path);
}

static void print_file(const struct options *options, const struct tree *tree,
                       const struct tree_file *file)
{
    printf("%016" PRIx64 "  ", file->hash);
    if (options->sizes)
        printf("%" PRIu64 "  ", file->bytes);
    print_path(stdout, tree, file->path);
    putchar(options->nul ? '\0' : '\n');
}

/* The data of a failure is the input of its task: the path. */
static void print_failure(const struct tree *tree, const distributor_result_t *result)
{
    fputs("checksum_tree: ", stderr);
    print_path(stderr, tree, result->data);
    fprintf(stderr, ": %s\n", result->message);
}

static void take(const struct options *options, const struct tree *tree, struct counts *counts,
                 const distributor_result_t *result)
{
    if (result->error != 0) {
        print_failure(tree, result);
    } else if (result->type == &tree_directory_type) {
        const struct tree_directory *directory = result->data;
        counts->directories++;
        counts->skipped += directory->skipped;
    } else {
        const struct tree_file *file = result->data;
        counts->files++;
        counts->bytes += file->bytes;
        print_file(options, tree, file);
    }
}

static int read_results(const struct options *options, const struct tree *tree,
                        struct counts *counts, distributor_t *d)
{
    distributor_result_t result;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        take(options, tree, counts, &result);
        if (ferror(stdout))
            return -errno;
    }
    return got == 0 && fflush(stdout) != 0 ? -errno : got;
}

static void print_summary(const struct counts *counts, const distributor_summary_t *summary)
{
    double seconds = (double)summary->duration_ns / 1e9;
    double rate = seconds > 0 ? (double)counts->bytes / seconds / 1e6 : 0;
    fprintf(stderr, "%" PRIu64 " files, %" PRIu64 " bytes, %" PRIu64 " directories, ",
            counts->files, counts->bytes, counts->directories);
    fprintf(stderr, "%" PRIu64 " skipped, %" PRIu64 " errors, %.3f s, %.1f MB/s\n", counts->skipped,
            summary->failed, seconds, rate);
}

/* ---- one run ---- */

/* Returns how many tasks failed, or a negative errno. */
static int64_t run(const struct options *options, const struct tree *tree, distributor_t *d)
{
    distributor_summary_t summary;
    struct counts counts = {.skipped = tree->type == NULL};
    int error = 0;
    if (tree->type != NULL)
        error = distributor_add_task(d, tree->type, tree->path, strlen(tree->path) + 1);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_close(d);
    if (error == 0)
        error = read_results(options, tree, &counts, d);
    if (error == 0)
        error = distributor_join(d, &summary);
    if (error != 0)
        return error;
    print_summary(&counts, &summary);
    return (int64_t)summary.failed;
}

static int checksum_tree(const struct options *options)
{
    struct tree tree;
    int error = find_root(&tree, options->argument);
    if (error != 0) {
        complain(options->argument, error);
        return EXIT_TROUBLE;
    }
    distributor_options_t of_distributor = {
        .size = sizeof of_distributor,
        .workers = options->workers,
        .output_limit = RESULTS_AHEAD,
        .name = "checksum",
        .context = &tree.root,
    };
    distributor_t *d;
    int64_t failed = distributor_create(&d, &of_distributor);
    if (failed == 0)
        failed = run(options, &tree, d);
    distributor_destroy(d); /* first: the workers' places use the root */
    if (tree.root >= 0)
        close(tree.root);
    if (failed < 0) {
        complain("cannot go on", (int)failed);
        return EXIT_TROUBLE;
    }
    return failed > 0 ? EXIT_UNREADABLE : EXIT_SUCCESS;
}

/* ---- the command line ---- */

static bool parse_workers(const char *text, unsigned *workers)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0')
        return false;
    if (number < 1 || number > DISTRIBUTOR_MAX_WORKERS)
        return false;
    *workers = (unsigned)number;
    return true;
}

static bool parse(struct options *options, int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "0sj:")) != -1) {
        if (option == '0')
            options->nul = true;
        else if (option == 's')
            options->sizes = true;
        else if (option != 'j' || !parse_workers(optarg, &options->workers))
            return false;
    }
    if (optind < argc)
        options->argument = argv[optind++];
    else
        options->argument = access("/usr/share/doc", F_OK) == 0 ? "/usr/share/doc" : "/usr/include";
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    if (!parse(&options, argc, argv)) {
        fputs("usage: checksum_tree [-0s] [-j WORKERS] [DIR]\n", stderr);
        return EXIT_TROUBLE;
    }
    return checksum_tree(&options);
}
