/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting up a command line.  getopt_long sees exact names only, for it would take any beginning of
 * one; all other --KEY=VALUE are for the module, but what is one letter away from an option is
 * taken for a slip.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum name {
    WORKERS = 256, /* behind all letters */
    TAGS,
    SKIP_DEPS,
    RUN_DEPS,
    FAIL_FAST,
    LOG,
    VERBOSE,
    PROGRESS,
    VIEWER,
    STATE_FILE,
    TRACE,
    DRY_RUN,
    DOT,
    JSON
};

static const struct option run_names[] = {{"workers", required_argument, NULL, WORKERS},
                                          {"tags", required_argument, NULL, TAGS},
                                          {"skip-deps", no_argument, NULL, SKIP_DEPS},
                                          {"run-deps", no_argument, NULL, RUN_DEPS},
                                          {"fail-fast", no_argument, NULL, FAIL_FAST},
                                          {"log", no_argument, NULL, LOG},
                                          {"verbose", no_argument, NULL, VERBOSE},
                                          {"progress", no_argument, NULL, PROGRESS},
                                          {"viewer", no_argument, NULL, VIEWER},
                                          {"state-file", required_argument, NULL, STATE_FILE},
                                          {"trace", required_argument, NULL, TRACE},
                                          {"dry-run", no_argument, NULL, DRY_RUN},
                                          {NULL, 0, NULL, 0}};

static const struct option graph_names[] = {{"dot", no_argument, NULL, DOT},
                                            {"json", no_argument, NULL, JSON},
                                            {NULL, 0, NULL, 0}};

/* Names that are no options of a command, yet slips if one letter is wrong, and how to say them. */
static const struct {
    const char *name, *said;
} general_names[] = {{"help", "help"}, {"version", "version"}, {"result", "result-TASK=VALUE"}};

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One letter more, less, other, or two that changed places. */
static bool is_one_away(const char *a, size_t a_size, const char *b)
{
    size_t b_size = strlen(b), head = 0, tail = 0;

    while (head < min(a_size, b_size) && a[head] == b[head])
        head++;
    while (tail < min(a_size, b_size) - head && a[a_size - tail - 1] == b[b_size - tail - 1])
        tail++;
    size_t a_rest = a_size - head - tail, b_rest = b_size - head - tail;
    bool is_swapped
        = a_rest == 2 && b_rest == 2 && a[head] == b[head + 1] && a[head + 1] == b[head];
    return is_swapped || (a_rest <= 1 && b_rest <= 1);
}

static const struct option *find_name(const struct option *names, const char *word, size_t size)
{
    for (; names->name; names++)
        if (strlen(names->name) == size && strncmp(names->name, word, size) == 0)
            return names;
    return NULL;
}

/* The option that a word was probably meant for; NULL: none. */
static const char *find_similar(const struct option *names, const char *word, size_t size)
{
    for (; names->name; names++)
        if (is_one_away(word, size, names->name))
            return names->name;
    for (size_t i = 0; i < sizeof general_names / sizeof *general_names; i++)
        if (is_one_away(word, size, general_names[i].name))
            return general_names[i].said;
    return NULL;
}

/* Cuts KEY=VALUE in two, in place: no KEY is no pair. */
static int add_pair(struct pair *pairs, size_t *count, char *word, const char *option)
{
    char *equals = strchr(word, '=');

    if (!equals || equals == word)
        return complain(EXIT_USAGE, "'%s%s' is not %sKEY=VALUE", option, word, option);
    *equals = '\0';
    pairs[(*count)++] = (struct pair){word, equals + 1};
    return 0;
}

/* A word that begins with -- and is no option of ours. */
static int take_other(struct options *options, const struct option *names, char *word)
{
    size_t size = strcspn(word + 2, "=");
    bool is_run = names == run_names;
    const char *similar;

    if (is_run && strncmp(word, "--result-", 9) == 0 && word[2 + size] == '=')
        return add_pair(options->results, &options->result_count, word + 9, "--result-");
    similar = find_similar(names, word + 2, size);
    if (similar && strlen(similar) == size && strncmp(similar, word + 2, size) == 0)
        return complain(EXIT_USAGE, "'--%s' takes no value", similar); /* --help=x */
    if (similar)
        return complain(EXIT_USAGE, "there is no option '%.*s': was --%s meant?", (int)size + 2,
                        word, similar);
    if (is_run && word[2 + size] == '=')
        return add_pair(options->keys, &options->key_count, word + 2, "--");
    return complain(EXIT_USAGE, "there is no option '%s'%s", word,
                    is_run ? ", and a key needs a value: --KEY=VALUE" : "");
}

static int set_workers(struct options *options, const char *text)
{
    char *end;

    errno = 0;
    unsigned long workers = strtoul(text, &end, 10);
    if (!*text || *end || *text == '-' || errno != 0 || workers < 1 || workers > 65536)
        return complain(EXIT_USAGE, "--workers takes a number from 1 to 65536, not '%s'", text);
    options->workers = (unsigned)workers;
    return 0;
}

static int set_tags(struct options *options, char *text)
{
    size_t count = 0;
    char *rest = NULL;

    free(options->tags);
    options->tags = calloc(strlen(text) + 2, sizeof *options->tags);
    if (!options->tags)
        return complain(EXIT_ENGINE, "no memory");
    for (char *tag = strtok_r(text, ",", &rest); tag; tag = strtok_r(NULL, ",", &rest))
        options->tags[count++] = tag;
    return count > 0 ? 0 : complain(EXIT_USAGE, "--tags takes names with commas between them");
}

static int set_option(struct options *options, int name, char *argument)
{
    switch (name) {
    case WORKERS:
        return set_workers(options, argument);
    case TAGS:
        return set_tags(options, argument);
    case SKIP_DEPS:
        options->run_dependents = false;
        break;
    case RUN_DEPS:
        options->run_dependents = true;
        break;
    case FAIL_FAST:
        options->fail_fast = true;
        break;
    case LOG:
        options->log = true;
        break;
    case VERBOSE:
        options->verbose = true;
        break;
    case PROGRESS:
        options->progress = true;
        break;
    case VIEWER:
        options->viewer = true;
        break;
    case STATE_FILE:
        options->state_file = argument;
        break;
    case TRACE:
        options->trace = argument;
        break;
    case DRY_RUN:
        options->dry_run = true;
        break;
    case DOT:
        options->dot = true;
        break;
    case JSON:
        options->json = true;
        break;
    default: /* the one letter: -D */
        return add_pair(options->keys, &options->key_count, argument, "-D ");
    }
    return 0;
}

/* What getopt_long refused, in words. */
static int refuse(int found, char **words)
{
    const char *word = words[optind - 1];

    if (found == ':')
        return complain(EXIT_USAGE, "'%s' needs a value", word);
    if (optopt >= WORKERS)
        return complain(EXIT_USAGE, "'%.*s' takes no value", (int)strcspn(word, "="), word);
    return complain(EXIT_USAGE, "there is no option '-%c'", optopt);
}

/* MODULE[::TASK] */
static int set_module(struct options *options, int count, char **words)
{
    if (count < 1 || !*words[0])
        return complain(EXIT_USAGE, "no module: a shared object or a .c file");
    if (count > 1)
        return complain(EXIT_USAGE, "'%s': one module at a time", words[1]);
    options->copy = strdup(words[0]);
    if (!options->copy)
        return complain(EXIT_ENGINE, "no memory");
    char *colons = strstr(options->copy, "::");
    for (char *next = colons; next; next = strstr(next + 1, "::"))
        colons = next;
    options->path = options->copy;
    if (!colons)
        return 0;
    *colons = '\0';
    options->task = colons + 2;
    if (!*options->task || !*options->path)
        return complain(EXIT_USAGE, "'%s' is not MODULE::TASK", words[0]);
    return 0;
}

/* Hands exact names to getopt_long and takes the others: `ours` has what it will see. */
static int sort_words(struct options *options, const struct option *names, int count, char **words,
                      char **ours, int *our_count)
{
    bool is_argument = false, is_end = false;
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        char *word = words[i];
        bool is_long = i > 0 && !is_argument && !is_end && strncmp(word, "--", 2) == 0 && word[2];
        size_t size = is_long ? strcspn(word + 2, "=") : 0;
        const struct option *name = is_long ? find_name(names, word + 2, size) : NULL;
        is_end = is_end || (!is_argument && strcmp(word, "--") == 0);
        if (is_long && !name) {
            rc = take_other(options, names, word);
            continue;
        }
        is_argument = !is_argument && !is_end &&
            (name ? name->has_arg && !word[2 + size]
                  : names == run_names && strcmp(word, "-D") == 0);
        ours[(*our_count)++] = word;
    }
    return rc;
}

static int parse(struct options *options, const struct option *names, int count, char **words)
{
    char **ours = calloc((size_t)count + 1, sizeof *ours);
    int our_count = 0, found;

    *options = (struct options){0};
    options->keys = calloc((size_t)count + 1, sizeof *options->keys);
    options->results = calloc((size_t)count + 1, sizeof *options->results);
    int rc = ours && options->keys && options->results ? 0 : complain(EXIT_ENGINE, "no memory");
    if (rc == 0)
        rc = sort_words(options, names, count, words, ours, &our_count);
    opterr = 0;
    const char *letters = names == run_names ? ":D:" : ":";
    while (rc == 0 && (found = getopt_long(our_count, ours, letters, names, NULL)) != -1)
        rc = found == '?' || found == ':' ? refuse(found, ours)
                                          : set_option(options, found, optarg);
    if (rc == 0)
        rc = set_module(options, our_count - optind, ours + optind);
    free(ours);
    return rc;
}

int parse_run_options(struct options *options, int count, char **words)
{
    int rc = parse(options, run_names, count, words);

    if (rc == 0 && options->progress && options->viewer)
        return complain(EXIT_USAGE, "--progress and --viewer: one of them");
    return rc;
}

int parse_graph_options(struct options *options, int count, char **words)
{
    int rc = parse(options, graph_names, count, words);

    if (rc == 0 && options->dot && options->json)
        return complain(EXIT_USAGE, "--dot and --json: one of them");
    if (rc == 0 && options->task)
        return complain(EXIT_USAGE, "a graph is that of the whole module, not of '%s'",
                        options->task);
    return rc;
}

void free_options(struct options *options)
{
    free(options->tags);
    free(options->keys);
    free(options->results);
    free(options->copy);
}
