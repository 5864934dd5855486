/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrape [-j WORKERS] [-n PAGES] ADDRESS - the title of each page of a site.
 *
 * Fetches the page, and every page on the same host that can be reached by links, each once.
 * Prints "ADDRESS  TITLE" as the pages come, in no order; what cannot be fetched is named on the
 * standard error, and at its end a summary.
 *
 *     -j WORKERS  how many pages at once (4)
 *     -n PAGES    fetch so many at most
 *
 * Ends with 0; 1 if some page could not be fetched; 2 if it could not run at all.
 */
#define _POSIX_C_SOURCE 200809L /* getopt */
#include "scrape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <libxml/parser.h>

enum { EXIT_UNREACHED = 1, EXIT_TROUBLE = 2 };

enum { WORKERS = 4, RESULTS_AHEAD = 1024 };

struct options {
    unsigned workers;
    size_t pages;
    const char *start;
};

static int complain(const char *about, const char *what)
{
    fprintf(stderr, "scrape: %s: %s\n", about, what);
    return EXIT_TROUBLE;
}

/* ---- the reader ---- */

/* The data of a failure is the input of its task: the address. */
static void print(const distributor_result_t *result)
{
    const char *page = result->data;
    const char *title = page + strlen(page) + 1;
    if (result->error != 0)
        complain(page, result->message);
    else
        printf("%s  %s\n", page, *title != '\0' ? title : "(no title)");
}

static int read_results(distributor_t *d)
{
    distributor_result_t result;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        print(&result);
        if (ferror(stdout))
            return -EIO;
    }
    return got == 0 && fflush(stdout) != 0 ? -errno : got;
}

/* Returns how many pages failed, or a negative errno. */
static int64_t run(distributor_t *d, struct site *site, const char *start)
{
    distributor_summary_t summary;
    int error = site_is_new(site, d, start);
    if (error == 1)
        error = distributor_add_task(d, &page_type, start, strlen(start) + 1);
    if (error == 0)
        error = distributor_start(d);
    if (error == 0)
        error = distributor_close(d);
    if (error == 0)
        error = read_results(d);
    if (error == 0)
        error = distributor_join(d, &summary);
    if (error != 0)
        return error;
    fprintf(stderr, "%" PRIu64 " pages, %" PRIu64 " failed, %.3f s\n", summary.added,
            summary.failed, (double)summary.duration_ns / 1e9);
    return (int64_t)summary.failed;
}

static int scrape(const struct options *options)
{
    struct site site = {.most = options->pages};
    char *start = site_begin(&site, options->start);
    distributor_options_t of_distributor = {
        .size = sizeof of_distributor,
        .workers = options->workers,
        .output_limit = RESULTS_AHEAD,
        .name = "scrape",
        .context = &site,
    };
    distributor_t *d = NULL;
    int64_t failed = 0;
    int status = EXIT_SUCCESS;
    if (start == NULL) {
        status = complain(options->start, "this is no address of http or https");
    } else {
        failed = distributor_create(&d, &of_distributor);
        if (failed == 0)
            failed = run(d, &site, start);
    }
    distributor_destroy(d); /* first: its tasks use the site */
    if (failed < 0)
        status = complain("cannot go on", distributor_strerror((int)failed));
    else if (failed > 0)
        status = EXIT_UNREACHED;
    free(start);
    site_end(&site);
    return status;
}

/* ---- the command line ---- */

/* A number from 1 to `most`. */
static bool parse_number(const char *text, unsigned long most, unsigned long *number)
{
    char *end;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number >= 1 &&
           *number <= most;
}

static bool parse(struct options *options, int argc, char **argv)
{
    unsigned long number;
    int option;
    opterr = 0; /* we say it */
    while ((option = getopt(argc, argv, "j:n:")) != -1) {
        if (option == 'j' && parse_number(optarg, DISTRIBUTOR_MAX_WORKERS, &number))
            options->workers = (unsigned)number;
        else if (option == 'n' && parse_number(optarg, SIZE_MAX, &number))
            options->pages = number;
        else
            return false;
    }
    if (argc - optind != 1)
        return false;
    options->start = argv[optind];
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.workers = WORKERS};
    if (!parse(&options, argc, argv)) {
        fputs("usage: scrape [-j WORKERS] [-n PAGES] ADDRESS\n", stderr);
        return EXIT_TROUBLE;
    }
    /* Before there are threads. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return complain("libcurl", "it cannot be used");
    xmlInitParser();
    int status = scrape(&options);
    xmlCleanupParser();
    curl_global_cleanup();
    return status;
}
