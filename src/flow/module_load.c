/* SPDX-License-Identifier: BSD-2-Clause */
/* From a file to its tasks; what is wrong with a file is said before the loader would guess. */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/module.h"

#define NAMES_MAX 16u /* in each list of a task */

/* The beginning of an ELF file: alike in both widths. */
struct beginning {
    unsigned char ident[EI_NIDENT];
    uint16_t type, machine;
};

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "POWER";
    case EM_S390:
        return "S/390";
    default:
        return "another one";
    }
}

/* 0 or a negative errno; a file that is too short is all zero behind its end. */
static int read_beginning(const char *path, struct beginning *beginning)
{
    memset(beginning, 0, sizeof *beginning);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    ssize_t size = read(file, beginning, sizeof *beginning);
    int rc = size < 0 ? -errno : 0;
    close(file);
    return rc;
}

/* The loader calls a file for another machine one that does not exist. */
static int check_file(distributor_module_t *module, const char *path)
{
    struct beginning file, own;
    int rc = read_beginning(path, &file);

    if (rc != 0)
        return distr_module_say(module, rc, "cannot read '%s': %s", module->path,
                                distributor_strerror(rc));
    if (memcmp(file.ident, ELFMAG, SELFMAG) != 0)
        return distr_module_say(module, -ENOEXEC,
                                "'%s' is no shared object, and its name does not end in .c",
                                module->path);
    if (read_beginning("/proc/self/exe", &own) != 0)
        return 0; /* no /proc here: the loader has to find the words */
    if (file.ident[EI_DATA] != own.ident[EI_DATA] || file.ident[EI_CLASS] != own.ident[EI_CLASS] ||
        file.machine != own.machine)
        return distr_module_say(module, -ELIBBAD,
                                "'%s' is for another machine: %s of %d bits, this is %s of %d",
                                module->path, machine_name(file.machine),
                                file.ident[EI_CLASS] == ELFCLASS32 ? 32 : 64,
                                machine_name(own.machine),
                                own.ident[EI_CLASS] == ELFCLASS32 ? 32 : 64);
    if (file.type != ET_DYN)
        return distr_module_say(module, -ENOEXEC, "'%s' is no shared object: cc -shared makes one",
                                module->path);
    return 0;
}

static int open_file(distributor_module_t *module, const char *path)
{
    int rc = check_file(module, path);

    if (rc != 0)
        return rc;
    module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (module->handle)
        return 0;
    const char *why = dlerror();
    size_t own = strlen(path);
    if (strncmp(why, path, own) == 0 && strncmp(why + own, ": ", 2) == 0)
        why += own + 2;
    return distr_module_say(module, -ELIBBAD, "cannot load '%s': %s", module->path, why);
}

/* The compiler writes the records in an order of its own. */
static int by_place(const void *left, const void *right)
{
    const distributor_module_task_t *a = *(const distributor_module_task_t *const *)left,
                                    *b = *(const distributor_module_task_t *const *)right;
    int order = strcmp(a->file, b->file);

    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* The compiler gives just a warning where a list is longer than its array. */
static int check_list(distributor_module_t *module, const distributor_module_task_t *task,
                      const char *name, const char *const *list)
{
    if (!list[NAMES_MAX])
        return 0;
    return distr_module_say(module, -E2BIG, "the task '%s' has more than %u names in .%s",
                            task->name, NAMES_MAX, name);
}

static int check_lists(distributor_module_t *module, const distributor_module_task_t *task)
{
    int rc = check_list(module, task, "after", task->after);

    if (rc == 0)
        rc = check_list(module, task, "tags", task->tags);
    if (rc == 0)
        rc = check_list(module, task, "inputs", task->inputs);
    if (rc == 0)
        rc = check_list(module, task, "outputs", task->outputs);
    return rc;
}

static int copy_tasks(distributor_module_t *module, const distributor_module_table_t *table)
{
    size_t count = (size_t)(table->last - table->first);

    module->tasks = calloc(count, sizeof(void *));
    module->lists = calloc(count, sizeof *module->lists);
    if (!module->tasks || !module->lists)
        return distr_module_say(module, -ENOMEM, "no memory for %zu tasks", count);
    memcpy(module->tasks, table->first, count * sizeof(void *));
    qsort(module->tasks, count, sizeof(void *), by_place);
    for (size_t i = 0; i < count; i++) {
        const distributor_module_task_t *task = module->tasks[i];
        int rc = check_lists(module, task);
        if (rc != 0)
            return rc;
        memcpy(module->lists[i].after, task->after, sizeof task->after);
        memcpy(module->lists[i].tags, task->tags, sizeof task->tags);
        memcpy(module->lists[i].inputs, task->inputs, sizeof task->inputs);
        memcpy(module->lists[i].outputs, task->outputs, sizeof task->outputs);
    }
    module->count = count;
    return 0;
}

/* Finds the records.  A record of another size has other fields. */
static int find_tasks(distributor_module_t *module)
{
    const distributor_module_table_t *table = dlsym(module->handle, "distributor_module_table");

    if (!table || table->first == table->last)
        return distr_module_say(module, -ENODATA, "'%s' has no tasks: DISTRIBUTOR_TASK makes one",
                                module->path);
    bool is_known = table->size == sizeof *table;
    for (size_t i = 0; is_known && table->first + i < table->last; i++)
        is_known = table->first[i]->size == sizeof *table->first[i];
    if (is_known)
        return copy_tasks(module, table);
    return distr_module_say(module, -EPROTO, "'%s' was made for another release than %s",
                            module->path, distributor_version());
}

/* Loads what stands at an absolute path. */
static int load(distributor_module_t *module, const char *path,
                const distributor_module_options_t *options)
{
    size_t length = strlen(path);
    char *object = NULL;
    int rc;

    if (length < 2 || strcmp(path + length - 2, ".c") != 0) {
        rc = open_file(module, path);
    } else {
        rc = distr_module_build(module, path, options, &object);
        if (rc == 0)
            rc = open_file(module, object);
        free(object);
    }
    return rc == 0 ? find_tasks(module) : rc;
}

static int check_options(const distributor_module_options_t *options)
{
    if (!options)
        return 0;
    if (options->size != sizeof *options)
        return -EINVAL;
    for (size_t i = 0; i < sizeof options->reserved / sizeof *options->reserved; i++)
        if (options->reserved[i])
            return -ENOTSUP;
    return 0;
}

/* Of a load that failed: it may be tried again, with another path too. */
static void unload(distributor_module_t *module)
{
    if (module->handle)
        dlclose(module->handle);
    free(module->lists);
    free(module->tasks);
    free(module->path);
    module->handle = NULL;
    module->tasks = NULL;
    module->count = 0;
    module->lists = NULL;
    module->path = NULL;
}

int distributor_module_load(distributor_module_t *module, const char *path,
                            const distributor_module_options_t *options)
{
    int rc = module && path ? check_options(options) : -EINVAL;

    if (rc != 0)
        return rc;
    if (module->handle)
        return distr_module_say(module, -EBUSY, "'%s' is loaded already", module->path);
    module->path = strdup(path);
    if (!module->path)
        return -ENOMEM;
    char *absolute = realpath(path, NULL);
    if (absolute) {
        rc = load(module, absolute, options);
    } else {
        rc = -errno;
        distr_module_say(module, rc, "cannot read '%s': %s", path, distributor_strerror(rc));
    }
    free(absolute);
    if (rc != 0)
        unload(module);
    return rc;
}
