/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of the compiler. */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/module.h"

/* What a process is started with; words points into text. */
struct command {
    char *text;
    char **words;
    size_t count;
};

static void add_words(struct command *command, char *text)
{
    char *rest = NULL;

    for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        command->words[command->count++] = word;
}

/* The words of the compiler, of what is always said, the names, and the words of the flags. */
static int make_command(struct command *command, const struct distr_compiler *how,
                        const char *object, const char *list)
{
    size_t compiler = strlen(how->compiler) + 1, flags = strlen(how->flags) + 1;
    char always[] = "-std=gnu11 -O2 -g -pthread -fPIC -shared -MMD -MT module -MF";

    command->count = 0;
    command->text = malloc(compiler + flags + sizeof always);
    command->words = calloc((compiler + flags + sizeof always) / 2 + 8, sizeof *command->words);
    if (!command->text || !command->words)
        return -ENOMEM;
    char *text = memcpy(command->text, how->compiler, compiler);
    add_words(command, text);
    if (command->count == 0)
        return -EINVAL;
    text = memcpy(text + compiler, always, sizeof always);
    add_words(command, text);
    command->words[command->count++] = (char *)list;
    command->words[command->count++] = (char *)"-o";
    command->words[command->count++] = (char *)object;
    command->words[command->count++] = (char *)how->source;
    add_words(command, memcpy(text + sizeof always, how->flags, flags));
    return 0;
}

static int wait_for(pid_t process, int *status)
{
    while (waitpid(process, status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int run(distributor_module_t *module, const struct command *command)
{
    pid_t process;
    int status = 0;
    int rc = -posix_spawnp(&process, command->words[0], NULL, NULL, command->words, environ);

    if (rc != 0)
        return distr_module_say(module, rc, "cannot run the compiler '%s': %s", command->words[0],
                                distributor_strerror(rc));
    rc = wait_for(process, &status);
    if (rc != 0)
        return distr_module_say(module, rc, "cannot wait for the compiler '%s': %s",
                                command->words[0], distributor_strerror(rc));
    if (WIFSIGNALED(status))
        return distr_module_say(module, -ECHILD, "'%s' does not compile: %s got signal %d",
                                module->path, command->words[0], WTERMSIG(status));
    if (status != 0)
        return distr_module_say(module, -ECHILD, "'%s' does not compile: %s ended with status %d",
                                module->path, command->words[0], WEXITSTATUS(status));
    return 0;
}

int distr_module_compile(distributor_module_t *module, const struct distr_compiler *how,
                         const char *object, const char *list)
{
    struct command command = {0};
    int rc = make_command(&command, how, object, list);

    if (rc == -EINVAL)
        distr_module_say(module, rc, "the name of the compiler is empty");
    else if (rc != 0)
        distr_module_say(module, rc, "no memory for the compiler's command line");
    else
        rc = run(module, &command);
    free(command.words);
    free(command.text);
    return rc;
}
