/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says, and where. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int complain(int status, const char *format, ...)
{
    va_list arguments;

    flockfile(stderr);
    fputs("distributor: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    funlockfile(stderr);
    return status;
}

const char *said(const char *message)
{
    return *message ? message : "no memory";
}

int finish_output(int status)
{
    bool is_lost = ferror(stdout) != 0;

    if (fclose(stdout) != 0 || is_lost)
        return complain(EXIT_ENGINE, "cannot write the standard output: %s", strerror(errno));
    return status;
}

static const struct {
    const char *word, *colour;
} outcomes[] = {
    [DISTRIBUTOR_NOT_RUN] = {"not run", "0"}, [DISTRIBUTOR_PASSED] = {"passed", "32"},
    [DISTRIBUTOR_FAILED] = {"failed", "31"},  [DISTRIBUTOR_SKIPPED] = {"skipped", "33"},
    [DISTRIBUTOR_CANCELLED] = {"cancelled", "33"},
};

void print_outcome(FILE *out, distributor_outcome_t outcome)
{
    const char *no_colour = getenv("NO_COLOR");
    bool is_plain = (no_colour && *no_colour) || !isatty(fileno(out));

    if (is_plain)
        fprintf(out, "%-9s", outcomes[outcome].word);
    else
        fprintf(out, "\033[%sm%-9s\033[0m", outcomes[outcome].colour, outcomes[outcome].word);
}
