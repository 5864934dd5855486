/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrape: the task.  Each worker keeps one CURL handle, its worker value, so that the pages of a
 * site come through as few connections as there are workers.
 */
#include "scrape.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <libxml/HTMLparser.h>

enum { MOST_BYTES = 16 << 20, SECONDS = 30 }; /* of a page, and for a page */

/* ---- what a worker keeps ---- */

struct fetcher {
    CURL *curl;
    char *page; /* what has come of it */
    size_t size, room;
    const distributor_task_t *task; /* the running one */
    char message[CURL_ERROR_SIZE];
};

static void free_fetcher(void *value)
{
    struct fetcher *fetcher = value;
    curl_easy_cleanup(fetcher->curl);
    free(fetcher->page);
    free(fetcher);
}

/* More of the page; returning less than was given ends the transfer. */
static size_t take_bytes(char *bytes, size_t one, size_t count, void *context)
{
    struct fetcher *fetcher = context;
    size_t size = one * count;
    if (size > MOST_BYTES - fetcher->size)
        return 0;
    if (fetcher->size + size > fetcher->room) {
        size_t room = 2 * (fetcher->size + size);
        char *larger = realloc(fetcher->page, room);
        if (larger == NULL)
            return 0;
        fetcher->page = larger;
        fetcher->room = room;
    }
    memcpy(fetcher->page + fetcher->size, bytes, size);
    fetcher->size += size;
    return size;
}

/* Is asked now and then during a transfer; 1 ends it. */
static int stop_it(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                   curl_off_t up)
{
    const struct fetcher *fetcher = context;
    (void)down_all, (void)down, (void)up_all, (void)up;
    return distributor_should_stop(fetcher->task);
}

static CURL *make_handle(struct fetcher *fetcher)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetcher->message);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetcher);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_it);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetcher);
    return curl;
}

/* Made by the first task of the worker; NULL: no memory. */
static struct fetcher *fetcher_of(distributor_task_t *self)
{
    struct fetcher *fetcher = distributor_worker_value(self);
    if (fetcher == NULL) {
        fetcher = calloc(1, sizeof *fetcher);
        if (fetcher != NULL)
            fetcher->curl = make_handle(fetcher);
        if (fetcher == NULL || fetcher->curl == NULL) {
            free(fetcher);
            return NULL;
        }
        distributor_set_worker_value(self, fetcher, free_fetcher);
    }
    fetcher->task = self;
    return fetcher;
}

/* ---- links ---- */

static int follow(distributor_task_t *self, const char *page, const char *link)
{
    struct site *site = distributor_context(distributor_of(self));
    char *address = site_resolve(site, page, link);
    if (address == NULL)
        return 0;
    int rc = site_is_new(site, distributor_of(self), address);
    if (rc == 1)
        rc = distributor_spawn(self, &page_type, address, strlen(address) + 1);
    free(address);
    return rc;
}

/* Without the blanks around it, which mean nothing. */
static const char *trim(char *link)
{
    size_t size = strlen(link);
    while (size > 0 && strchr(" \t\r\n", link[size - 1]) != NULL)
        link[--size] = '\0';
    return link + strspn(link, " \t\r\n");
}

/* The element after this one, in the order of the text. */
static xmlNode *next_node(xmlNode *node)
{
    if (node->children != NULL)
        return node->children;
    while (node != NULL && node->next == NULL)
        node = node->parent;
    return node != NULL ? node->next : NULL;
}

static xmlNode *find(xmlNode *node, const char *name)
{
    while (node != NULL &&
           (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0))
        node = next_node(node);
    return node;
}

static int follow_all(distributor_task_t *self, const char *page, xmlNode *root)
{
    int error = 0;
    for (xmlNode *a = find(root, "a"); a != NULL && error == 0; a = find(next_node(a), "a")) {
        char *link = (char *)xmlGetProp(a, (const xmlChar *)"href");
        if (link != NULL)
            error = follow(self, page, trim(link));
        xmlFree(link);
    }
    return error;
}

/* ---- a page ---- */

/* A title has one line, and nothing in it that a terminal would obey. */
static void make_line(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        bool blank = (unsigned char)*from <= ' ' || *from == 0x7f;
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

/* Emits the title, which may be empty, behind the address. */
static int emit_title(distributor_task_t *self, const char *page, xmlNode *root)
{
    xmlNode *node = find(root, "title");
    char *title = node != NULL ? (char *)xmlNodeGetContent(node) : NULL;
    if (title != NULL)
        make_line(title);
    size_t size = strlen(page) + 1;
    size_t more = title != NULL ? strlen(title) + 1 : 1;
    char *result = calloc(1, size + more);
    if (result != NULL) {
        memcpy(result, page, size);
        memcpy(result + size, title != NULL ? title : "", more);
    }
    int error = result != NULL ? distributor_emit(self, result, size + more) : -ENOMEM;
    free(result);
    xmlFree(title);
    return error;
}

/* What is no HTML has neither title nor links. */
static int read_page(distributor_task_t *self, const char *page, const struct fetcher *fetcher)
{
    const int options = HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    const char *type = NULL;
    htmlDocPtr document = NULL;
    xmlNode *root = NULL;
    curl_easy_getinfo(fetcher->curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL && strncmp(type, "text/html", 9) == 0 && fetcher->size > 0)
        document = htmlReadMemory(fetcher->page, (int)fetcher->size, page, NULL, options);
    if (document != NULL)
        root = xmlDocGetRootElement(document);
    int error = emit_title(self, page, root);
    if (error == 0)
        error = follow_all(self, page, root);
    xmlFreeDoc(document);
    return error;
}

/* A redirection is a link like any other, so that it does not lead us to another host. */
static int run(distributor_task_t *self, const void *input, size_t size)
{
    const char *page = input;
    long status = 0;
    char *elsewhere = NULL;
    struct fetcher *fetcher = fetcher_of(self);
    (void)size;
    if (fetcher == NULL)
        return -ENOMEM;
    fetcher->size = 0;
    curl_easy_setopt(fetcher->curl, CURLOPT_URL, page);
    CURLcode code = curl_easy_perform(fetcher->curl);
    if (code != CURLE_OK)
        return distributor_fail(self, -EIO, "%s",
                                *fetcher->message ? fetcher->message : curl_easy_strerror(code));
    curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(fetcher->curl, CURLINFO_REDIRECT_URL, &elsewhere);
    if (elsewhere != NULL)
        return follow(self, page, elsewhere);
    if (status != 200)
        return distributor_fail(self, -EIO, "HTTP %ld", status);
    return read_page(self, page, fetcher);
}

const distributor_task_type_t page_type = {.name = "page", .run = run};
