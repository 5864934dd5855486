/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrape: what its three files share.
 *
 *     scrape.c       the command: options, the reader, the summary
 *     scrape_page.c  the task: a page is fetched, its title emitted, its links spawned
 *     scrape_site.c  which links are followed, each once
 *
 * The input of a task is an address, its NUL included.
 */
#ifndef SCRAPE_H
#define SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

#include <distributor.h>

/* ---- the site: what all tasks share, the context of the distributor ---- */

struct site {
    char *host; /* that of the start */
    void *seen; /* a tree of addresses, distributor_lock guards it */
    size_t count;
    size_t most; /* pages that are fetched; 0: all */
};

/* Takes the host of the start.  NULL: it is no address of http or https, or there is no memory.
 * Returns the start as tasks want it, which the caller frees. */
char *site_begin(struct site *site, const char *start);

/* Where a link on a page leads to, without its fragment; the caller frees it.  NULL: nowhere where
 * we go, which is another host, another protocol, or nonsense. */
char *site_resolve(const struct site *site, const char *page, const char *link);

/* Whether a page is to be fetched: it is new, and there are not too many.  1, 0, or -ENOMEM. */
int site_is_new(struct site *site, distributor_t *d, const char *address);

void site_end(struct site *site);

/* ---- pages ---- */

extern const distributor_task_type_t page_type;

#endif
