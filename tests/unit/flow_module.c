/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/module*.c: tasks in files of their own, compiled when they are asked for. */
#include <distributor/module.h>

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "flow/state.h"
#include "flow_support.h"

TestSuite(flow_module, .timeout = 240);

#define HEAD "#include <distributor/module.h>\n"

/* A folder for the files of one test, with a cache in it. */
static char folder[] = "/tmp/distributor-module.XXXXXX";
static char flags[4096];
static char cache[64];

static void open_folder(void)
{
    char *source = realpath(getenv("srcdir") ? getenv("srcdir") : ".", NULL);
    ensure(source && mkdtemp(folder));
    snprintf(flags, sizeof flags, "-I%s/include -Wall -Wextra -Wpedantic -Werror", source);
    snprintf(cache, sizeof cache, "%s/a/cache", folder);
    free(source);
}

static void close_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    expect(system(command), 0);
    finish();
}

/* The path of a file in the folder, valid until the eighth call from now. */
static const char *in_folder(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, const char *format, ...)
{
    va_list arguments;
    FILE *out = fopen(in_folder(name), "w");
    ensure(out != NULL);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    expect(fclose(out), 0);
    return in_folder(name);
}

static distributor_module_options_t options(void)
{
    return (distributor_module_options_t){
        .size = sizeof(distributor_module_options_t), .flags = flags, .cache = cache};
}

static distributor_module_t *new_module(void)
{
    distributor_module_t *module = NULL;
    expect(distributor_module_create(&module), 0);
    return module;
}

static distributor_module_t *load(const char *path)
{
    distributor_module_options_t o = options();
    distributor_module_t *module = new_module();
    int rc = distributor_module_load(module, path, &o);
    if (rc != 0)
        cr_assert_fail("load: %d, %s", rc, distributor_module_message(module));
    return module;
}

/* Loading fails with this error, and the message has these words. */
static void refuse_with(const char *path, const distributor_module_options_t *o, int error,
                        const char *words)
{
    distributor_module_t *module = new_module();
    int rc = distributor_module_load(module, path, o);
    if (rc != error || !strstr(distributor_module_message(module), words))
        cr_assert_fail("%s: %d, %s, not %d, %s", path, rc, distributor_module_message(module),
                       error, words);
    expect(distributor_module_count(module), 0);
    distributor_module_destroy(module);
}

static void refuse(const char *path, int error, const char *words)
{
    distributor_module_options_t o = options();
    refuse_with(path, &o, error, words);
}

/* The same for a module that loads, and whose tasks are no graph. */
static void refuse_graph(const char *path, int error, const char *words)
{
    distributor_module_t *module = load(path);
    distributor_graph_t *graph = new_graph();
    expect(distributor_module_add(module, graph), error);
    if (!strstr(distributor_module_message(module), words))
        cr_assert_fail("%s: %s, not %s", path, distributor_module_message(module), words);
    distributor_graph_destroy(graph);
    distributor_module_destroy(module);
}

Test(flow_module, tasks_run_by_their_dependencies)
{
    open_folder();
    const char *path = write_file(
        "a.c", HEAD "DISTRIBUTOR_TASK(compute, .after = {\"load\", \"other\"},\n"
                    "                 .tags = {\"slow\"})\n"
                    "{\n"
                    "    distributor_value_t v;\n"
                    "    int rc = distributor_call_result(call, \"load\", &v);\n"
                    "    return rc ? rc : distributor_return_int(call, v.as.integer + 5);\n"
                    "}\n"
                    "DISTRIBUTOR_TASK(load) { return distributor_return_int(call, 10); }\n"
                    "DISTRIBUTOR_TASK(other) { return 0; }\n");
    distributor_module_t *module = load(path);
    expect(distributor_module_count(module), 3);
    distributor_node_t node;
    expect(distributor_module_node(module, 0, &node), 0);
    expect_text(node.name, "compute");
    expect_text(node.after[1], "other");
    ensure(node.after[2] == NULL);
    expect_text(node.tags[0], "slow");
    expect(distributor_module_node(module, 3, &node), -ENOENT);
    distributor_graph_t *graph = new_graph();
    expect(distributor_module_add(module, graph), 0);
    expect(distributor_module_destroy(module), 0); /* its code stays */
    expect(run_graph(graph, NULL).passed, 3);
    distributor_value_t value;
    ptrdiff_t compute = distributor_graph_find(graph, "compute");
    expect(distributor_graph_result(graph, (size_t)compute, &value), 0);
    expect(value.as.integer, 15);
    distributor_graph_destroy(graph);
    close_folder();
}

Test(flow_module, setup_state_is_called)
{
    open_folder();
    const char *source =
        HEAD "#include <errno.h>\n"
             "int setup_state(distributor_state_t *state);\n"
             "int setup_state(distributor_state_t *state)\n"
             "{\n"
             "    const distributor_value_t v = distributor_int(7);\n"
             "    return %s;\n"
             "}\n"
             "DISTRIBUTOR_TASK(a) { return 0; }\n";
    distributor_state_t *state;
    expect(distributor_state_create(&state, DISTRIBUTOR_OPEN), 0);
    distributor_module_t *module
        = load(write_file("good.c", source, "distributor_state_set(state, \"seed\", &v)"));
    expect(distributor_module_setup(module, state), 0);
    distributor_value_t value;
    expect(distributor_state_get(state, "seed", &value), 0);
    expect(value.as.integer, 7);
    expect(distributor_module_setup(module, NULL), -EINVAL);
    distributor_module_destroy(module);
    module = load(write_file("fails.c", source, "state ? -EIO : (int)v.size"));
    expect(distributor_module_setup(module, state), -EIO);
    ensure(strstr(distributor_module_message(module), "setup_state of ") != NULL);
    distributor_module_destroy(module);
    expect(distributor_state_unset(state, "nobody"), -ENOENT);
    module = load(write_file("old.c", source, "state ? -ENOENT : (int)v.size"));
    expect(distributor_module_setup(module, state), -ENOENT);
    ensure(strstr(distributor_module_message(module), "nobody") == NULL);
    distributor_module_destroy(module);
    module = load(
        write_file("own.c", source, "v.size ? 0 : distributor_state_unset(state, \"nobody\")"));
    expect(distributor_module_setup(module, state), -ENOENT);
    ensure(strstr(distributor_module_message(module), "there is no key nobody") != NULL);
    distributor_module_destroy(module);
    module = load(write_file("odd.c", source, "state ? 3 : (int)v.size"));
    expect(distributor_module_setup(module, state), -EINVAL);
    ensure(strstr(distributor_module_message(module), "returned 3") != NULL);
    distributor_module_destroy(module);
    module = load(write_file("none.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n"));
    expect(distributor_module_setup(module, state), 0);
    distributor_module_destroy(module);
    distributor_state_destroy(state);
    close_folder();
}

Test(flow_module, bad_arguments)
{
    open_folder();
    distributor_module_options_t o = options();
    distributor_module_t *module = new_module();
    distributor_node_t node;
    expect(distributor_module_create(NULL), -EINVAL);
    expect(distributor_module_destroy(NULL), 0);
    expect(distributor_module_load(NULL, "x", &o), -EINVAL);
    expect(distributor_module_load(module, NULL, &o), -EINVAL);
    expect(distributor_module_count(NULL), 0);
    expect(distributor_module_node(NULL, 0, &node), -EINVAL);
    expect(distributor_module_node(module, 0, NULL), -EINVAL);
    expect(distributor_module_add(module, NULL), -EINVAL);
    expect(distributor_module_setup(NULL, NULL), -EINVAL);
    expect_text(distributor_module_message(NULL), "");
    expect_text(distributor_module_message(module), "");
    o.size = 1;
    expect(distributor_module_load(module, "x", &o), -EINVAL);
    o = options();
    o.reserved[2] = &o;
    expect(distributor_module_load(module, "x", &o), -ENOTSUP);
    o = options();
    const char *good = write_file("a.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n");
    expect(distributor_module_load(module, good, &o), 0);
    expect(distributor_module_load(module, good, &o), -EBUSY);
    distributor_module_destroy(module);
    close_folder();
}

/* The first bytes of a file for such a machine. */
static const char *write_beginning(const Elf64_Ehdr *header)
{
    const char *path = in_folder("other.so");
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    expect(write(file, header, sizeof(*header)), sizeof(*header));
    close(file);
    return path;
}

Test(flow_module, files_that_do_not_load)
{
    open_folder();
    distributor_module_options_t o = options();
    refuse(in_folder("missing.so"), -ENOENT, "cannot read ");
    refuse(in_folder("missing.c"), -ENOENT, "No such file");
    refuse(write_file("text.so", "text\n"), -ENOEXEC, "is no shared object");
    refuse(write_file("empty.c", "extern int nothing;\n"), -ENODATA, "has no tasks");
    refuse(write_file("header.c", HEAD), -ENODATA, "has no tasks");
    refuse(write_file("wrong.c", HEAD "DISTRIBUTOR_TASK(a) { return }\n"), -ECHILD,
           "does not compile");
    refuse(write_file("symbol.c", HEAD "int nobody_has_this(void);\n"
                                       "DISTRIBUTOR_TASK(a) { return nobody_has_this(); }\n"),
           -ELIBBAD, "undefined symbol: nobody_has_this");
    snprintf(flags + strlen(flags), sizeof flags - strlen(flags), " -w");
    refuse(write_file("release.c", HEAD "DISTRIBUTOR_TASK(a, .size = 8) { return 0; }\n"), -EPROTO,
           "another release");
    Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = EM_S390};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2MSB;
    refuse(write_beginning(&header), -ELIBBAD, "another machine: S/390 of 64 bits");
    o.compiler = "/nowhere/compiler";
    refuse_with(write_file("a.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n"), &o, -ENOENT,
                "cannot run the compiler '/nowhere/compiler'");
    o.compiler = " ";
    refuse_with(in_folder("a.c"), &o, -EINVAL, "compiler is empty");
    o = options();
    expect(mkdir(in_folder("open"), 0700), 0);
    expect(chmod(in_folder("open"), 0777), 0);
    o.cache = in_folder("open");
    refuse_with(in_folder("a.c"), &o, -EACCES, "others can write");
    o.cache = in_folder("a.c/cache");
    refuse_with(in_folder("a.c"), &o, -ENOTDIR, "cannot make the cache");
    close_folder();
}

Test(flow_module, files_for_other_machines)
{
    static const struct other {
        Elf64_Half machine;
        const char *wanted;
    } others[] = {{EM_386, "i386 of 32 bits"},       {EM_ARM, "ARM of 32 bits"},
                  {EM_RISCV, "RISC-V of 32 bits"},   {EM_PPC64, "POWER of 32 bits"},
                  {EM_AARCH64, "AArch64 of 32 bits"}, {EM_NONE, "another one of 32 bits"}};
    open_folder();
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = others[i].machine};
        memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS32;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        refuse(write_beginning(&header), -ELIBBAD, others[i].wanted);
    }
    close_folder();
}

/* For this machine, and no shared object. */
Test(flow_module, an_object_that_is_not_linked)
{
    Elf64_Ehdr header;
    open_folder();
    int file = open("/proc/self/exe", O_RDONLY);
    expect(read(file, &header, sizeof(header)), sizeof(header));
    close(file);
    header.e_type = ET_REL;
    refuse(write_beginning(&header), -ENOEXEC, "cc -shared makes one");
    close_folder();
}

static const char *write_script(const char *name, const char *commands)
{
    const char *path = write_file(name, "#!/bin/sh\n%s\n", commands);
    expect(chmod(path, 0700), 0);
    return path;
}

/* Its owner has taken the lock as often as it can be: what setup_state is refused has no words. */
Test(flow_module, setup_state_that_cannot_lock)
{
    distributor_state_t *state = NULL;
    open_folder();
    distributor_module_t *module = load(write_file(
        "a.c", HEAD "int setup_state(distributor_state_t *state);\n"
                    "int setup_state(distributor_state_t *state)\n"
                    "{ return distributor_state_unset(state, \"key\"); }\n"
                    "DISTRIBUTOR_TASK(a) { return 0; }\n"));
    expect(distributor_state_create(&state, 0), 0);
    expect(distributor_state_lock(state), 0);
    state->lock.__data.__count = UINT_MAX; /* glibc's */
    expect(distributor_module_setup(module, state), -EAGAIN);
    ensure(strstr(distributor_module_message(module), "/a.c failed") != NULL);
    state->lock.__data.__count = 1;
    expect(distributor_module_setup(module, state), -ENOENT);
    expect(distributor_state_unlock(state), 0);
    distributor_state_destroy(state);
    distributor_module_destroy(module);
    close_folder();
}

Test(flow_module, compilers_that_go_wrong)
{
    char commands[512];
    open_folder();
    distributor_module_options_t o = options();
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    const char *source = write_file("a.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n");
    o.compiler = write_script("killed", "kill -KILL $$");
    refuse_with(source, &o, -ECHILD, "got signal 9");
    o.compiler = write_script("idle", "exit 0");
    refuse_with(source, &o, -ENOENT, "cannot read what ");
    snprintf(commands, sizeof(commands), "%s \"$@\" && touch %s", cc, source);
    o.compiler = write_script("touches", commands);
    refuse_with(source, &o, -EAGAIN, "changes while it is compiled");
    expect(access(in_folder("a/cache"), R_OK), 0);
    source = write_file("b.c", HEAD "DISTRIBUTOR_TASK(a) { return }\n");
    refuse_with(source, &o, -ECHILD, "status 1");
    close_folder();
}

/* Where no option says so, the environment says where objects are kept, and how they are made. */
Test(flow_module, the_environment_says_how)
{
    char include[sizeof(flags)];
    open_folder();
    const char *source = write_file("a.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n");
    strcpy(include, flags);
    expect(setenv("CPPFLAGS", include, 1), 0);
    expect(unsetenv("XDG_CACHE_HOME"), 0);
    expect(setenv("HOME", in_folder("home"), 1), 0);
    distributor_module_t *module = new_module();
    expect(distributor_module_load(module, source, NULL), 0);
    distributor_module_destroy(module);
    expect(access(in_folder("home/.cache/distributor"), R_OK), 0);
    expect(setenv("XDG_CACHE_HOME", in_folder("xdg"), 1), 0);
    module = new_module();
    expect(distributor_module_load(module, source, NULL), 0);
    distributor_module_destroy(module);
    expect(access(in_folder("xdg/distributor"), R_OK), 0);
    expect(setenv("XDG_CACHE_HOME", "relative", 1), 0);
    expect(setenv("HOME", "", 1), 0);
    refuse_with(source, NULL, -ENOENT, "set XDG_CACHE_HOME or HOME");
    close_folder();
}

Test(flow_module, tasks_that_are_no_graph)
{
    open_folder();
    const char *task = "DISTRIBUTOR_TASK(%s, .after = {\"%s\"}) { return 0; }\n";
    char text[512] = HEAD;
    sprintf(text + strlen(text), task, "a", "x");
    refuse_graph(write_file("unknown.c", "%s", text), -ENOENT, "a comes after x");
    strcpy(text, HEAD);
    sprintf(text + strlen(text), task, "a", "b");
    sprintf(text + strlen(text), task, "b", "a");
    refuse_graph(write_file("cycle.c", "%s", text), -ELOOP, "-> a");
    write_file("second.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n");
    snprintf(flags + strlen(flags), sizeof flags - strlen(flags), " -x c %s/second.c", folder);
    refuse_graph(write_file("first.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n"), -EEXIST, "a");
    close_folder();
}

/* How often the compiler of write_compiler has run. */
static long compiled(void)
{
    struct stat is;
    return stat(in_folder("runs"), &is) == 0 ? (long)is.st_size : 0;
}

static void write_compiler(const char *name, char path[128])
{
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    strcpy(path, write_file(name, "#!/bin/sh\nprintf x >> %s/runs\nexec %s \"$@\"\n", folder, cc));
    expect(chmod(path, 0700), 0);
}

Test(flow_module, what_did_not_change_is_not_compiled_again)
{
    open_folder();
    distributor_module_options_t o = options();
    char one[128], two[128], path[128];
    write_compiler("one", one);
    write_compiler("two", two);
    write_file("value.h", "#define VALUE 1\n");
    strcpy(path, write_file("a b$#.c", HEAD "#include \"value.h\"\n"
                                            "DISTRIBUTOR_TASK(a) { return VALUE - VALUE; }\n"));
    char longer[sizeof flags + 8];
    const struct {
        const char *flags, *compiler, *value;
        long runs;
    } steps[] = {{flags, one, NULL, 1},
                 {flags, one, NULL, 1},
                 {flags, one, "2", 2},
                 {longer, one, NULL, 3},
                 {flags, two, NULL, 4},
                 {flags, one, "1", 4},
                 {flags, one, "2", 4}, /* all that were made are kept */
                 {longer, one, NULL, 4}};
    snprintf(longer, sizeof longer, "%s -O1", flags);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        distributor_module_t *module = new_module();
        if (steps[i].value)
            write_file("value.h", "#define VALUE %s\n", steps[i].value);
        o.flags = steps[i].flags;
        o.compiler = steps[i].compiler;
        int rc = distributor_module_load(module, path, &o);
        if (rc != 0 || compiled() != steps[i].runs)
            cr_assert_fail("step %zu: %d, %s, %ld runs, not %ld", i, rc,
                           distributor_module_message(module), compiled(), steps[i].runs);
        distributor_module_destroy(module);
    }
    close_folder();
}

Test(flow_module, many_compile_at_once)
{
    open_folder();
    const char *path = write_file("a.c", HEAD "DISTRIBUTOR_TASK(a) { return 0; }\n");
    for (unsigned i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            distributor_module_options_t o = options();
            distributor_module_t *module;
            end_child(distributor_module_create(&module) != 0 ||
                      distributor_module_load(module, path, &o) != 0 ||
                      distributor_module_count(module) != 1);
        }
        ensure(child > 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        int status = 1;
        ensure(wait(&status) > 0);
        expect(status, 0);
    }
    close_folder();
}
