/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults while a module is loaded, from a shared object and from a C file, with an empty cache and
 * with one that has it; and in the whole command.  The compiler is a script that copies an object
 * which was made before.  What cannot be loaded says why, leaves nothing behind and can be loaded
 * again; the command ends with one of its statuses, and a file of the state is whole at any time.
 */
#define _GNU_SOURCE
#include <distributor/module.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "inject.h"

#define PATH 256

static char folder[32] = "/tmp/distributor-fault.XXXXXX";
static char object[PATH], source[PATH], compiler[PATH], cache[PATH], state_file[PATH], trace[PATH];

/* ---- What there is before ---- */

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...)
{
    char command[16 * PATH];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0) {
        fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

static char *name(char path[PATH], const char *last)
{
    snprintf(path, PATH, "%s/%s", folder, last);
    return path;
}

static void prepare(void)
{
    const char *top = getenv("srcdir"), *cc = getenv("CC");
    char text[4 * PATH];

    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
    write_file(name(source, "two.c"),
               "#include <distributor/module.h>\n"
               "DISTRIBUTOR_TASK(a, .tags = {\"t\"}) { return distributor_return_int(call, 1); }\n"
               "DISTRIBUTOR_TASK(b, .after = {\"a\"}, .tags = {\"t\"})\n"
               "{\n"
               "    distributor_value_t value;\n"
               "    return distributor_call_result(call, \"a\", &value);\n"
               "}\n");
    shell("%s -shared -fPIC -I%s/include -o %s %s", cc ? cc : "cc", top ? top : ".",
          name(object, "two.so"), source);
    /* Its arguments end with: -MF LIST -o OBJECT SOURCE. */
    snprintf(text, sizeof text,
             "#!/bin/sh\nwhile [ $# -gt 5 ]; do shift; done\n"
             "cp %s \"$4\" && echo \"module: $5\" > \"$2\"\n",
             object);
    write_file(name(compiler, "cc"), text);
    if (chmod(compiler, 0700) != 0)
        exit(1);
    name(cache, "cache");
    name(state_file, "state.json");
    name(trace, "trace.json");
}

/* ---- The library ---- */

static const distributor_module_options_t options = {
    .size = sizeof options, .compiler = compiler, .flags = "", .cache = cache};

static void load_with(const char *path, const distributor_module_options_t *how)
{
    distributor_module_t *module = NULL;
    distributor_graph_t *graph = NULL;

    FAULT_CHECK(distributor_graph_create(&graph) == 0, "graph\n");
    fault_arm();
    int rc = distributor_module_create(&module);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc == 0)
        rc = distributor_module_load(module, path, how);
    if (rc == 0)
        rc = distributor_module_add(module, graph);
    FAULT_CHECK(rc == 0 || (rc < 0 && fault_fired()), "load: %d\n", rc);
    fault_disarm();
    FAULT_CHECK(!module || distributor_graph_count(graph) <= distributor_module_count(module),
                "more nodes than tasks\n");
    distributor_graph_destroy(graph);
    distributor_module_destroy(module);
}

static void load(const char *path)
{
    load_with(path, &options);
}

/* Without faults it loads then, and no folder of an attempt is left. */
static void load_afterwards(const char *path)
{
    distributor_module_t *module;

    fault_say("loads afterwards");
    FAULT_CHECK(distributor_module_create(&module) == 0, "create\n");
    int rc = distributor_module_load(module, path, &options);
    FAULT_CHECK(rc == 0, "load: %d, %s\n", rc, distributor_module_message(module));
    FAULT_CHECK(distributor_module_count(module) == 2, "not two tasks\n");
    distributor_module_destroy(module);
    shell("! test -d %s || ! ls %s | grep -q made", cache, cache);
}

static void load_object(void)
{
    load(object);
    load_afterwards(object);
}

static void load_source(void)
{
    shell("rm -rf %s", cache);
    load(source);
    load_afterwards(source);
}

static void load_cached(void)
{
    load(source);
    load_afterwards(source);
}

/* The compiler is a name that is looked up, and the environment has the flags. */
static void load_by_name(void)
{
    static const distributor_module_options_t environment = {.size = sizeof environment,
                                                             .cache = cache};
    const char *cc = getenv("CC"), *path = getenv("PATH");
    char *former = strdup(cc ? cc : "cc"), *former_path = strdup(path ? path : "");
    char first[16 * PATH];

    snprintf(first, sizeof first, "%s/none:%s:%s", folder, folder, former_path);
    setenv("CC", "cc", true);
    setenv("PATH", first, true);
    load_with(source, &environment);
    setenv("CC", former, true);
    setenv("PATH", former_path, true);
    free(former);
    free(former_path);
}

/* ---- The command ---- */

/* What the command prints, where it can be looked at; its words are cut up. */
static int command(int count, const char *const *constant, char **printed)
{
    static char copies[16][2 * PATH];
    char *words[16];
    size_t size;
    FILE *terminal = stdout;

    for (int i = 0; i < count; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", constant[i]);
        words[i] = copies[i];
    }
    words[count] = NULL;
    optind = 0; /* getopt_long begins anew */
    stdout = open_memstream(printed, &size);
    fault_arm();
    int status = strcmp(words[0], "run") == 0 ? run_command(count, words)
                                              : graph_command(count, words);
    fault_disarm();
    fclose(stdout);
    stdout = terminal;
    return status;
}

static void check_status(int status)
{
    FAULT_CHECK(status == 0 || (status >= EXIT_FAILED && status <= EXIT_ENGINE && fault_fired()),
                "status %d\n", status);
}

static void check_state(void)
{
    json_error_t error;
    json_t *json = json_load_file(state_file, 0, &error);

    FAULT_CHECK(json, "the state is no JSON: %s\n", error.text);
    json_decref(json);
}

static void run(void)
{
    char state_word[PATH + 16], trace_word[PATH + 16];
    const char *const words[] = {"run",     "--workers=2", "--verbose",  "--tags=t", "--env=dev",
                                 "-D",      "n=3",         "--viewer",   "--log",    state_word,
                                 trace_word, object};
    char *printed;

    snprintf(state_word, sizeof state_word, "--state-file=%s", state_file);
    snprintf(trace_word, sizeof trace_word, "--trace=%s", trace);
    write_file(state_file, "{\"n\": 1, \"s\": \"text\"}\n");
    int status = command(sizeof words / sizeof *words, words, &printed);
    check_status(status);
    FAULT_CHECK(status != 0 || strstr(printed, "2 passed, 0 failed"), "printed: %s\n", printed);
    FAULT_CHECK(status != 0 || strstr(printed, "  1\n") || strstr(printed, "(no memory"),
                "a has no result: %s\n", printed);
    free(printed);
    check_state();
    shell("! ls %s | grep -q 'state.json.'", folder);
}

/* On a terminal, where there is a bar; one task has its result already. */
static void run_rest(void)
{
    const char *const words[] = {"run", "--progress", "--result-a=0.5", object};
    int pair = posix_openpt(O_RDWR | O_NOCTTY), saved = dup(STDERR_FILENO);
    char *printed, bytes[4096];

    FAULT_CHECK(pair >= 0 && grantpt(pair) == 0 && unlockpt(pair) == 0, "no terminal\n");
    int terminal = open(ptsname(pair), O_RDWR | O_NOCTTY);
    FAULT_CHECK(terminal >= 0 && dup2(terminal, STDERR_FILENO) >= 0, "no terminal\n");
    int status = command(4, words, &printed);
    dup2(saved, STDERR_FILENO);
    ssize_t size = fcntl(pair, F_SETFL, O_NONBLOCK) == 0 ? read(pair, bytes, sizeof bytes) : 0;
    close(terminal);
    close(pair);
    close(saved);
    check_status(status);
    FAULT_CHECK(status != EXIT_FAILED, "b has no result of a: %s\n", printed);
    FAULT_CHECK(size > 0, "nothing on the terminal\n");
    FAULT_CHECK(status != 0 || strstr(printed, "1 passed, 0 failed"), "printed: %s\n", printed);
    free(printed);
}

static void show(void)
{
    static char *whole; /* of the first turn, without faults */
    const char *const words[] = {"graph", "--json", object};
    char *printed;
    int status = command(3, words, &printed);

    check_status(status);
    if (!whole && (whole = strdup(printed)))
        return free(printed);
    FAULT_CHECK(status != 0 || strcmp(printed, whole) == 0, "printed: %s\n", printed);
    free(printed);
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {{"load object", load_object},
                                                      {"load source", load_source},
                                                      {"load cached", load_cached},
                                                      {"load by name", load_by_name},
                                                      {"run", run},
                                                      {"run the rest", run_rest},
                                                      {"graph", show}};

    prepare();
    json_set_alloc_funcs(malloc, free); /* those that fail */
    int status = fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
    shell("rm -rf %s", folder);
    return status;
}
