/* SPDX-License-Identifier: BSD-2-Clause */
/* scrape: which links are followed. */
#define _GNU_SOURCE /* tdestroy */
#include "scrape.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* ---- addresses ---- */

/* A part of an address, as a copy that the caller frees; NULL: it has none. */
static char *part_of(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    char *copy = NULL;
    if (curl_url_get(url, part, &text, flags) == CURLUE_OK)
        copy = strdup(text);
    curl_free(text);
    return copy;
}

static bool is_web(CURLU *url)
{
    char *scheme = part_of(url, CURLUPART_SCHEME, 0);
    bool web = scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    free(scheme);
    return web;
}

static bool is_on_host(CURLU *url, const char *host)
{
    char *other = part_of(url, CURLUPART_HOST, 0);
    bool same = other != NULL && strcasecmp(other, host) == 0;
    free(other);
    return same;
}

/* One spelling for each page: no fragment, no port that is the usual one, the host as it was given
 * first. */
static char *spell(CURLU *url, const char *host)
{
    if (curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_HOST, host, 0) != CURLUE_OK)
        return NULL;
    return part_of(url, CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
}

char *site_begin(struct site *site, const char *start)
{
    CURLU *url = curl_url();
    char *address = NULL;
    if (url != NULL && curl_url_set(url, CURLUPART_URL, start, 0) == CURLUE_OK && is_web(url))
        site->host = part_of(url, CURLUPART_HOST, 0);
    if (site->host != NULL)
        address = spell(url, site->host);
    curl_url_cleanup(url);
    return address;
}

/* curl_url_set takes a link that is relative as relative to what the address was before. */
char *site_resolve(const struct site *site, const char *page, const char *link)
{
    CURLU *url = curl_url();
    char *address = NULL;
    if (url != NULL && curl_url_set(url, CURLUPART_URL, page, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, link, CURLU_URLENCODE) == CURLUE_OK && is_web(url) &&
        is_on_host(url, site->host))
        address = spell(url, site->host);
    curl_url_cleanup(url);
    return address;
}

/* ---- each page once ---- */

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* Under the lock of the distributor. */
static int note(struct site *site, const char *address)
{
    if (tfind(address, &site->seen, compare) != NULL)
        return 0;
    if (site->most != 0 && site->count == site->most)
        return 0;
    char *copy = strdup(address);
    if (copy == NULL)
        return -ENOMEM;
    if (tsearch(copy, &site->seen, compare) == NULL) {
        free(copy);
        return -ENOMEM;
    }
    site->count++;
    return 1;
}

int site_is_new(struct site *site, distributor_t *d, const char *address)
{
    int error = distributor_lock(d);
    if (error != 0)
        return error;
    int is_new = note(site, address);
    distributor_unlock(d);
    return is_new;
}

void site_end(struct site *site)
{
    tdestroy(site->seen, free);
    free(site->host);
}
