/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object was made from: programs and files, and a number that stands for their bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/module.h"

/* FNV-1a: it tells versions of one file apart, nobody else's. */
uint64_t distr_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 1099511628211u;
    return hash;
}

char *distr_find_program(const char *command)
{
    size_t length = strcspn(command, " \t\n");
    const char *path = getenv("PATH");
    char *found = NULL;

    if (memchr(command, '/', length) || !path)
        return strndup(command, length);
    while (*path) {
        size_t folder = strcspn(path, ":");
        if (asprintf(&found, "%.*s/%.*s", folder ? (int)folder : 1, folder ? path : ".",
                     (int)length, command) < 0)
            return NULL;
        if (access(found, X_OK) == 0)
            return found;
        free(found);
        path += folder + (path[folder] == ':');
    }
    return NULL;
}

/* Opens a file that ends: a list that is damaged may name a pipe, or a device. */
static int open_regular(const char *name, struct stat *is)
{
    int file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (file < 0)
        return -errno;
    int rc = fstat(file, is) != 0 ? -errno : S_ISREG(is->st_mode) ? 0 : -EBADMSG;
    if (rc == 0)
        return file;
    close(file);
    return rc;
}

/* Continues the hash with one file, its name too. */
static int hash_file(const char *name, uint64_t *hash, int64_t *changed_ns)
{
    char bytes[65536];
    struct stat is;
    ssize_t size;
    int file = open_regular(name, &is);

    if (file < 0)
        return file;
    *hash = distr_hash(*hash, name, strlen(name) + 1);
    while ((size = read(file, bytes, sizeof bytes)) > 0)
        *hash = distr_hash(*hash, bytes, (size_t)size);
    int rc = size < 0 || fstat(file, &is) != 0 ? -errno : 0;
    close(file);
    if (rc != 0)
        return rc;
    int64_t changed = (int64_t)is.st_ctim.tv_sec * 1000000000 + is.st_ctim.tv_nsec;
    if (changed > *changed_ns)
        *changed_ns = changed;
    return 0;
}

bool distr_next_name(const char **rule, char *name)
{
    const char *at = *rule;
    char *to = name;

    while (*at == ' ' || *at == '\n' || (*at == '\\' && at[1] == '\n'))
        at += *at == '\\' ? 2 : 1;
    while (*at && *at != ' ' && *at != '\n') {
        if (*at == '\\' && at[1] == '\n')
            break;
        if ((*at == '\\' && (at[1] == ' ' || at[1] == '#')) || (*at == '$' && at[1] == '$'))
            at++;
        *to++ = *at++;
    }
    *to = '\0';
    *rule = at;
    return to != name;
}

static int hash_names(const char *text, uint64_t *hash, int64_t *changed_ns)
{
    const char *rule = strchr(text, ':');
    char *name = rule ? malloc(strlen(rule) + 1) : NULL;
    int rc = 0;

    if (!name)
        return rule ? -ENOMEM : -EBADMSG;
    for (rule++; rc == 0 && distr_next_name(&rule, name);)
        rc = hash_file(name, hash, changed_ns);
    free(name);
    return rc;
}

int distr_hash_listed(const char *list, uint64_t *hash, int64_t *changed_ns)
{
    char *text = NULL;
    size_t room = 0;
    FILE *in = fopen(list, "re");

    if (!in)
        return -errno;
    int rc = getdelim(&text, &room, '\0', in) > 0 ? hash_names(text, hash, changed_ns) : -EBADMSG;
    free(text);
    fclose(in);
    return rc;
}
