/* SPDX-License-Identifier: BSD-2-Clause */
/* A module from the inside: what is loaded, and how a C file becomes something to load. */
#ifndef DISTR_FLOW_MODULE_H
#define DISTR_FLOW_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include <distributor/module.h>

/* The lists of a task, each with a NULL behind it. */
struct distr_task_lists {
    const char *after[17], *tags[17], *inputs[17], *outputs[17];
};

struct distributor_module {
    char *path;    /* as it was given to load */
    void *handle;  /* of dlopen; NULL: nothing is loaded */
    const distributor_module_task_t **tasks; /* in the order of the file */
    size_t count;                            /* of tasks */
    struct distr_task_lists *lists;          /* one for each task */
    char *message; /* of the last failure; NULL: none, or no memory for it */
};

/* Keeps the message and returns error. */
int distr_module_say(distributor_module_t *module, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How a file is to be compiled: options and environment, settled. */
struct distr_compiler {
    const char *source;   /* absolute */
    const char *compiler; /* words */
    char *flags;          /* words */
    char *cache;          /* a folder that exists */
};

/* Finds the object of a C file in the cache, or makes it.  *object is free()d by the caller. */
int distr_module_build(distributor_module_t *module, const char *source,
                       const distributor_module_options_t *options, char **object);

/* Runs the compiler once: the object and the list of what it was made from go to these files. */
int distr_module_compile(distributor_module_t *module, const struct distr_compiler *how,
                         const char *object, const char *list);

/* The file that the first word of a command stands for, as the shell finds it: free()d by the
 * caller, NULL if there is none. */
char *distr_find_program(const char *command);

/* A number that stands for bytes, continued from `hash`, which is DISTR_NO_HASH at first. */
#define DISTR_NO_HASH 14695981039346656037u
uint64_t distr_hash(uint64_t hash, const void *bytes, size_t size);

/* The next name of a rule for make, unescaped, into name, which has room for the whole rule: false
 * at the end of the rule. */
bool distr_next_name(const char **rule, char *name);

/* Continues a hash with the names and the bytes of all files in a list that the compiler made, and
 * says the time of the newest change to one of them: 0 or a negative errno. */
int distr_hash_listed(const char *list, uint64_t *hash, int64_t *changed_ns);

#endif
