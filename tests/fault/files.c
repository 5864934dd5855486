/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that concern files and processes, wrapped as those in wrappers.c are, and those of the
 * C library that take memory by themselves, which are made above the pool alone.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its names are wrapped here too */
#include "wrappers.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILS(name) wrappers_fails(name, __builtin_return_address(0))

/* One that returns `value` and sets errno. */
#define WRAP(type, name, value, error, parameters, arguments)                                      \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (FAILS(#name)) {                                                                        \
            errno = (error);                                                                       \
            return value;                                                                          \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP(ssize_t, read, -1, EIO, (int file, void *bytes, size_t size), (file, bytes, size))
WRAP(ssize_t, write, -1, ENOSPC, (int file, const void *bytes, size_t size), (file, bytes, size))
WRAP(int, fsync, -1, EIO, (int file), (file))
WRAP(int, fstat, -1, EIO, (int file, struct stat *is), (file, is))
WRAP(int, stat, -1, EACCES, (const char *path, struct stat *is), (path, is))
WRAP(int, mkdir, -1, ENOSPC, (const char *path, mode_t mode), (path, mode))
WRAP(char *, mkdtemp, NULL, ENOSPC, (char *path), (path))
WRAP(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
WRAP(pid_t, waitpid, -1, ECHILD, (pid_t process, int *status, int options),
     (process, status, options))

WRAP(int, atexit, -1, ENOMEM, (void (*function)(void)), (function))
WRAP(locale_t, newlocale, (locale_t)0, ENOMEM, (int mask, const char *name, locale_t base),
     (mask, name, base))
WRAP(FILE *, open_memstream, NULL, ENOMEM, (char **text, size_t *size), (text, size))

/* What was written last finds no room; the file is closed all the same. */
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
    bool fails = FAILS("fclose");
    int rc = __real_fclose(file);
    if (fails) {
        errno = ENOSPC;
    }
    return fails ? EOF : rc;
}

/* All opens of the library are for reading, or have a mode. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (FAILS("open")) {
        errno = EMFILE;
        return -1;
    }
    return __real_open(path, flags, mode);
}

int __real_posix_spawnp(pid_t *process, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const *words,
                        char *const *environment);
int __wrap_posix_spawnp(pid_t *process, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const *words,
                        char *const *environment);
int __wrap_posix_spawnp(pid_t *process, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const *words,
                        char *const *environment)
{
    return FAILS("posix_spawnp")
        ? EAGAIN
        : __real_posix_spawnp(process, file, actions, attributes, words, environment);
}

/* What dlerror says then is of the call before, or nothing. */
void *__real_dlopen(const char *path, int mode);
void *__wrap_dlopen(const char *path, int mode);
void *__wrap_dlopen(const char *path, int mode)
{
    return FAILS("dlopen") ? __real_dlopen("/nowhere/no.so", mode) : __real_dlopen(path, mode);
}

/* ---- What hands out memory ---- */

char *__real_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved)
{
    if (FAILS("realpath")) {
        errno = ENOMEM;
        return NULL;
    }
    char *text = __real_realpath(path, resolved);
    wrappers_add_live(text, 0, __builtin_return_address(0));
    return text;
}

char *__real_getcwd(char *buffer, size_t size);
char *__wrap_getcwd(char *buffer, size_t size);
char *__wrap_getcwd(char *buffer, size_t size)
{
    if (FAILS("getcwd")) {
        errno = ENOENT;
        return NULL;
    }
    char *text = __real_getcwd(buffer, size);
    wrappers_add_live(text, 0, __builtin_return_address(0));
    return text;
}

/* The line is read into memory of its own, which takes the place of the caller's. */
ssize_t __real___getdelim(char **line, size_t *room, int end, FILE *in);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *in);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *in)
{
    if (FAILS("getdelim")) {
        errno = ENOMEM;
        return -1;
    }
    char *before = *line;
    ssize_t size = __real___getdelim(line, room, end, in);
    if (before == NULL) {
        wrappers_add_live(*line, *room, __builtin_return_address(0));
    }
    return size;
}

ssize_t __wrap_getdelim(char **line, size_t *room, int end, FILE *in);
ssize_t __wrap_getdelim(char **line, size_t *room, int end, FILE *in)
{
    return __wrap___getdelim(line, room, end, in);
}

/* Texts that are made; with fortified names too. */
int __real_vasprintf(char **text, const char *format, va_list arguments);

static int print(char **text, const char *format, va_list arguments, const void *place)
{
    if (wrappers_fails("asprintf", place)) {
        errno = ENOMEM;
        return -1;
    }
    int length = __real_vasprintf(text, format, arguments);
    if (length >= 0) {
        wrappers_add_live(*text, (size_t)length + 1, place);
    }
    return length;
}

#define PRINT(name, parameters)                                                                    \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, format);                                                                    \
        int length = print(text, format, list, __builtin_return_address(0));                       \
        va_end(list);                                                                              \
        return length;                                                                             \
    }

PRINT(asprintf, (char **text, const char *format, ...))
PRINT(__asprintf_chk, (char **text, int flag __attribute__((unused)), const char *format, ...))

int __wrap_vasprintf(char **text, const char *format, va_list arguments);
int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    return print(text, format, arguments, __builtin_return_address(0));
}

int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list arguments);
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return print(text, format, arguments, __builtin_return_address(0));
}
