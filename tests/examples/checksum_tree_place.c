/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How examples/checksum_tree opens paths: what has been replaced by a symbolic link since its
 * directory was read is not followed, and a path that fails does not mislead the next one.
 */
#define _GNU_SOURCE
#include "checksum_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tree_place place;
static int failures;

static void check(const char *what, int expected, int found)
{
    if (expected == found)
        return;
    printf("FAILED: %s: expected %d, found %d\n", what, expected, found);
    failures++;
}

static void must(int status)
{
    if (status == 0)
        return;
    perror("checksum_tree_place");
    exit(99);
}

/* Returns the byte in the file that the path opens, or a negative errno. */
static int byte_at(const char *path)
{
    char byte = 0;
    int file = tree_open(&place, path, O_RDONLY);
    if (file < 0)
        return file;
    int error = read(file, &byte, 1) == 1 ? 0 : -errno;
    close(file);
    return error != 0 ? error : byte;
}

static void make_file(const char *path, char byte)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(file < 0 || write(file, &byte, 1) != 1 || close(file) != 0);
}

static void make_tree(void)
{
    must(mkdir("a", 0700));
    must(mkdir("a/b", 0700));
    must(mkdir("a/b/c", 0700));
    must(mkdir("a/bc", 0700));
    make_file("f", '0');
    make_file("a/f", '1');
    make_file("a/b/f", '2');
    make_file("a/b/c/f", '3');
    make_file("a/bc/f", '4');
}

/* From any place to any other. */
static void test_ways(void)
{
    static const char *const paths[] = {"f", "a/f", "a/b/f", "a/b/c/f", "a/bc/f"};
    enum { PATHS = sizeof paths / sizeof *paths };
    for (int from = 0; from < PATHS; from++) {
        for (int to = 0; to < PATHS; to++) {
            check(paths[from], '0' + from, byte_at(paths[from]));
            check(paths[to], '0' + to, byte_at(paths[to]));
        }
    }
}

static void test_missing(void)
{
    check("no such file", -ENOENT, byte_at("a/none"));
    check("no such directory", -ENOENT, byte_at("a/none/f"));
    check("the same again", -ENOENT, byte_at("a/none/f"));
    check("nothing below it", -ENOENT, byte_at("a/none/c/f"));
    check("a file for a directory", -ENOTDIR, byte_at("a/f/f"));
    check("after a path that failed", '3', byte_at("a/b/c/f"));
}

/* Behind each link is what would be read by following it.  A place that is open stays what it was:
 * so each check but the first begins elsewhere. */
static void test_links(void)
{
    check("before", '4', byte_at("a/bc/f"));
    must(rename("a/b/f", "a/b/old"));
    must(symlink("old", "a/b/f"));
    check("a link for a file", -ELOOP, byte_at("a/b/f"));
    check("elsewhere", '0', byte_at("f"));
    must(rename("a/b", "a/old"));
    must(symlink("old", "a/b"));
    check("a link for a directory", -ENOTDIR, byte_at("a/b/c/f"));
    check("the last name behind it", -ENOTDIR, byte_at("a/b/old"));
    check("elsewhere", '0', byte_at("f"));
    must(rename("a", "old"));
    must(symlink("old", "a"));
    check("a link for the first directory", -ENOTDIR, byte_at("a/bc/f"));
}

int main(void)
{
    char directory[] = "/tmp/checksum_tree_place.XXXXXX";
    must(mkdtemp(directory) == NULL || chdir(directory) != 0);
    int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(root < 0);
    place.root = place.directory = root;
    place.path = calloc(1, 1);
    place.path_room = 1;
    must(place.path == NULL);

    make_tree();
    test_ways();
    test_missing();
    test_links();

    if (place.directory != root)
        close(place.directory);
    close(root);
    free(place.path);
    static const char command[] = "rm -rf -- ";
    char remove[sizeof command + sizeof directory];
    snprintf(remove, sizeof remove, "%s%s", command, directory);
    must(chdir("/"));
    must(system(remove));
    return failures != 0;
}
