/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that were made of C files, kept for the next time.
 *
 * The cache is a folder with two kinds of files.  STEM-KEY.d is the list of files that a source
 * included when it was compiled last; the key stands for its path and for how it is compiled.
 * STEM-KEY-BYTES.so is the object that was made from these bytes of the listed files.  Both are
 * written elsewhere and put in place by a rename; so what has the right name is right, whoever made
 * it, and many can use the folder at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "flow/module.h"

#define ATTEMPTS 3 /* at compiling files that somebody writes meanwhile */

static int say_no_memory(distributor_module_t *module)
{
    return distr_module_say(module, -ENOMEM, "no memory to compile '%s'", module->path);
}

/* An environment variable, or what stands for one that is not set. */
static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

/* The folder's path, free()d by the caller; NULL: no memory, "" : nobody says where. */
static char *cache_path(const distributor_module_options_t *options)
{
    const char *base = variable("XDG_CACHE_HOME", ""), *home = variable("HOME", "");
    char *path;
    int length;

    if (options && options->cache)
        return strdup(options->cache);
    if (*base == '/') /* the rule of XDG: a relative one does not count */
        length = asprintf(&path, "%s/distributor", base);
    else if (*home == '/')
        length = asprintf(&path, "%s/.cache/distributor", home);
    else
        return strdup("");
    return length < 0 ? NULL : path;
}

/* mkdir -p, for the owner alone. */
static int make_folders(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        int rc = mkdir(path, 0700);
        *at = '/';
        if (rc != 0 && errno != EEXIST)
            return -errno;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* What is in the cache is run, so nobody else may write there. */
static int open_cache(distributor_module_t *module, char *path)
{
    struct stat is;

    if (!*path)
        return distr_module_say(module, -ENOENT,
                                "nowhere to keep objects: set XDG_CACHE_HOME or HOME");
    int rc = make_folders(path);
    if (rc == 0 && stat(path, &is) != 0)
        rc = -errno;
    if (rc != 0)
        return distr_module_say(module, rc, "cannot make the cache '%s': %s", path,
                                distributor_strerror(rc));
    if (is.st_uid != geteuid() || (is.st_mode & (S_IWGRP | S_IWOTH)))
        return distr_module_say(module, -EACCES, "others can write into the cache '%s'", path);
    return 0;
}

static int settle(distributor_module_t *module, const distributor_module_options_t *options,
                  struct distr_compiler *how)
{
    how->compiler = options && options->compiler ? options->compiler : variable("CC", "cc");
    how->cache = cache_path(options);
    if (options && options->flags)
        how->flags = strdup(options->flags);
    else if (asprintf(&how->flags, "%s %s %s", variable("CPPFLAGS", ""), variable("CFLAGS", ""),
                      variable("LDFLAGS", "")) < 0)
        how->flags = NULL;
    return how->cache && how->flags ? open_cache(module, how->cache) : say_no_memory(module);
}

/* Stands for the source's path and for all that decides how it is compiled. */
static uint64_t key_of(const struct distr_compiler *how)
{
    struct stat is;
    char *program = distr_find_program(how->compiler);
    char *here = getcwd(NULL, 0); /* a relative -I means something else elsewhere */
    uint64_t hash = distr_hash(DISTR_NO_HASH, how->source, strlen(how->source) + 1);

    hash = distr_hash(hash, how->compiler, strlen(how->compiler) + 1);
    hash = distr_hash(hash, how->flags, strlen(how->flags) + 1);
    if (here)
        hash = distr_hash(hash, here, strlen(here) + 1);
    if (program && stat(program, &is) == 0) {
        const int64_t identity[] = {(int64_t)is.st_ino, is.st_size, is.st_mtim.tv_sec,
                                    is.st_mtim.tv_nsec};
        hash = distr_hash(hash, identity, sizeof identity);
    }
    free(program);
    free(here);
    return hash;
}

/* The last part of the source's path, without its .c. */
static int stem_of(const char *source)
{
    const char *name = strrchr(source, '/') + 1;
    size_t length = strlen(name) - 2;

    return length < 100 ? (int)length : 100;
}

static char *list_name(const struct distr_compiler *how, uint64_t key)
{
    char *name;

    return asprintf(&name, "%s/%.*s-%016" PRIx64 ".d", how->cache, stem_of(how->source),
                    strrchr(how->source, '/') + 1, key) < 0
        ? NULL
        : name;
}

static char *object_name(const struct distr_compiler *how, uint64_t key, uint64_t bytes)
{
    char *name;

    return asprintf(&name, "%s/%.*s-%016" PRIx64 "-%016" PRIx64 ".so", how->cache,
                    stem_of(how->source), strrchr(how->source, '/') + 1, key, bytes) < 0
        ? NULL
        : name;
}

/* Looks for an object of the present bytes: NULL if there is none. */
static char *find_object(const struct distr_compiler *how, uint64_t key)
{
    uint64_t bytes = DISTR_NO_HASH;
    int64_t changed_ns = 0;
    char *object = NULL, *list = list_name(how, key);

    if (list && distr_hash_listed(list, &bytes, &changed_ns) == 0)
        object = object_name(how, key, bytes);
    free(list);
    if (object && access(object, R_OK) == 0)
        return object;
    free(object);
    return NULL;
}

static int64_t now(void)
{
    struct timespec clock;

    clock_gettime(CLOCK_REALTIME, &clock); /* as files are stamped, or up to a tick ahead */
    return (int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec;
}

/* Compiles into two files of a folder of its own, again if a source was written meanwhile. */
static int compile_steadily(distributor_module_t *module, const struct distr_compiler *how,
                            const char *object, const char *list, uint64_t *bytes)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        int64_t begun_ns = now(), changed_ns = 0;
        *bytes = DISTR_NO_HASH;
        int rc = distr_module_compile(module, how, object, list);
        if (rc != 0)
            return rc;
        rc = distr_hash_listed(list, bytes, &changed_ns);
        if (rc != 0)
            return distr_module_say(module, rc, "cannot read what '%s' was made from: %s",
                                    module->path, distributor_strerror(rc));
        if (changed_ns <= begun_ns)
            return 0;
    }
    return distr_module_say(module, -EAGAIN, "'%s' changes while it is compiled", module->path);
}

static int put_in_place(distributor_module_t *module, const struct distr_compiler *how,
                        uint64_t key, char *const made[2], char **object)
{
    uint64_t bytes;
    int rc = compile_steadily(module, how, made[0], made[1], &bytes);

    if (rc != 0)
        return rc;
    char *list = list_name(how, key);
    *object = object_name(how, key, bytes);
    if (!list || !*object)
        rc = say_no_memory(module);
    else if (rename(made[0], *object) != 0 || rename(made[1], list) != 0)
        rc = distr_module_say(module, -errno, "cannot write into the cache '%s': %s", how->cache,
                              distributor_strerror(-errno));
    free(list);
    return rc;
}

static int make_object(distributor_module_t *module, const struct distr_compiler *how,
                       uint64_t key, char **object)
{
    char *folder, *made[2] = {NULL, NULL};
    int rc = 0;

    if (asprintf(&folder, "%s/made.XXXXXX", how->cache) < 0)
        return say_no_memory(module);
    if (!mkdtemp(folder))
        rc = distr_module_say(module, -errno, "cannot write into the cache '%s': %s", how->cache,
                              distributor_strerror(-errno));
    if (rc == 0 && asprintf(&made[0], "%s/so", folder) < 0)
        made[0] = NULL;
    if (rc == 0 && asprintf(&made[1], "%s/d", folder) < 0)
        made[1] = NULL;
    if (rc == 0)
        rc = made[0] && made[1] ? put_in_place(module, how, key, made, object)
                                : say_no_memory(module);
    for (unsigned i = 0; i < 2; i++) {
        if (made[i])
            unlink(made[i]);
        free(made[i]);
    }
    rmdir(folder);
    free(folder);
    return rc;
}

int distr_module_build(distributor_module_t *module, const char *source,
                       const distributor_module_options_t *options, char **object)
{
    struct distr_compiler how = {.source = source};
    int rc = settle(module, options, &how);

    *object = NULL;
    if (rc == 0) {
        uint64_t key = key_of(&how);
        *object = find_object(&how, key);
        if (!*object)
            rc = make_object(module, &how, key, object);
    }
    if (rc != 0) {
        free(*object);
        *object = NULL;
    }
    free(how.cache);
    free(how.flags);
    return rc;
}
