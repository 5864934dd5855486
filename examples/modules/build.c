/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real build: the objects of libdistributor, as many at a time as there are workers, then the
 * archive, then the shared library.  An object is made again if it is older than a file that it was
 * made from; the compiler writes which these are (-MMD).
 *
 *     distributor run --verbose --source=. --out=/tmp/out examples/modules/build.c
 *
 * --source=FOLDER is the top of this project, --out=FOLDER, which exists, is where all goes.
 */
#include <errno.h>
#include <glob.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <distributor/module.h>

extern char **environ;

#define PATH 4096

static char source[PATH / 4], out[PATH / 4]; /* folders; written before the tasks run */
static atomic_long compiled;
static const char *const folders[] = {"base", "queue", "pool", "flow/map.c"};

static int get_folder(distributor_state_t *state, const char *key, char folder[PATH / 4])
{
    distributor_value_t value;

    int rc = distributor_state_get(state, key, &value);
    if (rc != 0)
        return rc;
    if (value.type != DISTRIBUTOR_STRING)
        rc = -EINVAL;
    else if (snprintf(folder, PATH / 4, "%s", value.as.string) >= PATH / 4)
        rc = -ENAMETOOLONG;
    distributor_value_free(&value);
    return rc;
}

int setup_state(distributor_state_t *state);

int setup_state(distributor_state_t *state)
{
    int rc = get_folder(state, "source", source);

    return rc != 0 ? rc : get_folder(state, "out", out);
}

/* Runs a command of the shell's words: they are the paths of files without blanks. */
static int run(distributor_call_t *call, const char *command)
{
    char *const words[] = {"sh", "-c", (char *)command, NULL};
    pid_t process;
    int status = 0;
    int rc = posix_spawn(&process, "/bin/sh", NULL, NULL, words, environ);

    distributor_call_log(call, DISTRIBUTOR_LOG_INFO, "%s", command);
    if (rc != 0)
        return -rc;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status == 0 ? 0 : distributor_call_fail(call, -ECHILD, "failed: %s", command);
}

static bool is_older(const struct stat *object, const char *file)
{
    struct stat is;

    return stat(file, &is) != 0 || is.st_mtim.tv_sec > object->st_mtim.tv_sec ||
        (is.st_mtim.tv_sec == object->st_mtim.tv_sec &&
         is.st_mtim.tv_nsec > object->st_mtim.tv_nsec);
}

/* Whether an object has to be made: its list has its name, a colon, and what it is made from. */
static bool is_stale(const char *object, const char *list)
{
    char *text = NULL, *rest = NULL;
    size_t room = 0;
    struct stat is;
    FILE *in = fopen(list, "r");
    bool stale = !in || stat(object, &is) != 0 || getdelim(&text, &room, '\0', in) <= 0;

    if (!stale && strtok_r(text, " \\\n", &rest))
        for (char *file; !stale && (file = strtok_r(NULL, " \\\n", &rest));)
            stale = is_older(&is, file);
    if (in)
        fclose(in);
    free(text);
    return stale;
}

/* A part of `objects`: its input is the path of a C file. */
static int compile(distributor_call_t *call)
{
    const char *file = distributor_call_input(call, NULL);
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    char object[PATH], list[PATH], command[4 * PATH];

    snprintf(object, sizeof object, "%s/%s.o", out, strrchr(file, '/') + 1);
    snprintf(list, sizeof list, "%s/%s.d", out, strrchr(file, '/') + 1);
    if (!is_stale(object, list))
        return 0;
    snprintf(command, sizeof command,
             "%s -std=gnu11 -D_GNU_SOURCE= -O1 -fPIC -pthread -I%s/include -I%s/src -MMD -MF %s "
             "-c %s -o %s",
             cc, source, source, list, file, object);
    atomic_fetch_add(&compiled, 1);
    return run(call, command);
}

/* Its result is how many objects there are. */
DISTRIBUTOR_TASK(objects)
{
    char pattern[PATH];
    glob_t found = {0};
    int rc = 0;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        bool is_file = strchr(folders[i], '.') != NULL;
        snprintf(pattern, sizeof pattern, "%s/src/%s%s", source, folders[i], is_file ? "" : "/*.c");
        rc = glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, &found);
        if (rc != 0)
            break;
    }
    if (rc != 0)
        rc = distributor_call_fail(call, -ENOENT, "no sources like %s", pattern);
    for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
        rc = distributor_call_spawn(call, compile, found.gl_pathv[i],
                                    strlen(found.gl_pathv[i]) + 1);
    size_t count = found.gl_pathc;
    globfree(&found);
    return rc != 0 ? rc : distributor_return_int(call, (int64_t)count);
}

/* Its result is how many objects had to be made. */
DISTRIBUTOR_TASK(archive, .after = {"objects"})
{
    char command[2 * PATH];

    snprintf(command, sizeof command, "ar rcs %s/libdistributor.a %s/*.o", out, out);
    int rc = atomic_load(&compiled) > 0 ? run(call, command) : 0;
    return rc != 0 ? rc : distributor_return_int(call, atomic_load(&compiled));
}

DISTRIBUTOR_TASK(library, .after = {"archive"})
{
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    char command[2 * PATH];

    snprintf(command, sizeof command,
             "%s -shared -pthread -o %s/libdistributor.so -Wl,--whole-archive %s/libdistributor.a "
             "-Wl,--no-whole-archive -lck",
             cc, out, out);
    return atomic_load(&compiled) > 0 ? run(call, command) : 0;
}
