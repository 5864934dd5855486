/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any words as a command line: it is cut up, or there is one complaint and the status of one.  The
 * first byte says which command; a 0 or the end of a line ends a word.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned complaints;

/* In place of the one that prints. */
int complain(int status, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length <= 0)
        abort();
    free(text);
    complaints++;
    return status;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static int cut(char *text, size_t size, char *words[WORDS + 1])
{
    int count = 0;

    for (size_t i = 0; i < size && count < WORDS; i++) {
        if (i == 0 || text[i - 1] == '\0')
            words[count++] = &text[i];
        if (text[i] == '\n')
            text[i] = '\0';
    }
    words[count] = NULL;
    return count;
}

static void check_pairs(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(pairs[i].value == pairs[i].key + strlen(pairs[i].key) + 1);
}

static void check(const struct options *options)
{
    size_t tags = 0;

    must(options->path && *options->path && (!options->task || *options->task));
    must(options->workers <= 65536);
    must(!(options->progress && options->viewer) && !(options->dot && options->json));
    while (options->tags && options->tags[tags])
        must(*options->tags[tags++] != '\0');
    must(!options->tags || tags > 0);
    check_pairs(options->keys, options->key_count);
    check_pairs(options->results, options->result_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options options;
    char *words[WORDS + 1], *text;

    if (size == 0 || !(text = malloc(size + 1)))
        return 0;
    memcpy(text, data, size);
    text[0] = 'x'; /* the name of the command */
    text[size] = '\0';
    int count = cut(text, size, words);
    optind = 0; /* getopt_long begins anew */
    complaints = 0;
    int status = data[0] % 2 ? parse_run_options(&options, count, words)
                             : parse_graph_options(&options, count, words);
    if (status == 0)
        check(&options);
    must(status == 0 || status == EXIT_USAGE);
    must(complaints == (status != 0));
    free_options(&options);
    free(text);
    return 0;
}
