/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor COMMAND ...: which command it is. */
#include <string.h>

#include "cli/cli.h"

static const char help[] =
    "Usage: distributor run [OPTION]... MODULE[::TASK]\n"
    "  or:  distributor graph [--dot|--json] MODULE\n"
    "Run the tasks of a module by their dependencies, on all CPUs, or show their graph.\n"
    "MODULE is a shared object, or a .c file that is compiled first; ::TASK runs one task alone.\n"
    "\n"
    "      --workers=N        run on N threads, not on as many as there are CPUs\n"
    "      --tags=A,B         run only tasks with one of these tags\n"
    "      --KEY=VALUE        give setup_state a value\n"
    "  -D KEY=VALUE           likewise, for a KEY that is the name of an option\n"
    "      --result-TASK=VALUE  do not run TASK, take this for its result\n"
    "      --skip-deps        skip what depends on a task that failed (the default)\n"
    "      --run-deps         run it all the same\n"
    "      --fail-fast        begin nothing more after the first failure\n"
    "      --log              show what tasks log\n"
    "      --verbose          show every task and its result, and what tasks log to debug\n"
    "      --progress         show a bar, if the standard error output is a terminal\n"
    "      --viewer           show what each worker runs, and for how long\n"
    "      --state-file=FILE  read the state from FILE, if there is one, and write it back\n"
    "      --trace=FILE       write what ran when, for trace viewers such as Perfetto\n"
    "      --dry-run          show what would run, and run nothing\n"
    "\n"
    "      --dot              the graph, for Graphviz\n"
    "      --json             the graph as JSON\n"
    "\n"
    "      --help             display this help and exit\n"
    "      --version          output version information and exit\n"
    "\n"
    "Exit status: 0 all tasks passed, 1 a task failed, 2 wrong usage, 3 wrong module or graph,\n"
    "4 the system refused something, 128+N signal N.\n"
    "$CC, $CPPFLAGS, $CFLAGS and $LDFLAGS say how a .c file is compiled.\n";

static bool is_among(const char *word, int count, char **words)
{
    for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static int choose(int count, char **words)
{
    if (is_among("--help", count, words)) {
        fputs(help, stdout);
        return EXIT_PASSED;
    }
    if (is_among("--version", count, words)) {
        printf("distributor (libdistributor) %s\nLicense BSD-2-Clause.\n", distributor_version());
        return EXIT_PASSED;
    }
    if (count < 2)
        return complain(EXIT_USAGE, "no command: it is 'run' or 'graph', see distributor --help");
    if (strcmp(words[1], "run") == 0)
        return run_command(count - 1, words + 1);
    if (strcmp(words[1], "graph") == 0)
        return graph_command(count - 1, words + 1);
    return complain(EXIT_USAGE,
                    "there is no command '%s': it is 'run' or 'graph', see distributor --help",
                    words[1]);
}

int main(int count, char **words)
{
    return finish_output(choose(count, words));
}
