/* SPDX-License-Identifier: BSD-2-Clause */
/* distributor graph: what depends on what, as text, for Graphviz, or as JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/cli.h"

/* A graph, and where each of its nodes stands. */
struct picture {
    distributor_graph_t *graph;
    size_t count;
    distributor_place_t *places;
    uint32_t levels, longest; /* how many; nodes of the longest chain */
    size_t first;             /* of the longest chain */
};

static int open_picture(struct picture *picture, distributor_graph_t *graph)
{
    picture->graph = graph;
    picture->count = distributor_graph_count(graph);
    picture->places = calloc(picture->count, sizeof *picture->places);
    if (!picture->places)
        return complain(EXIT_ENGINE, "no memory");
    for (size_t i = 0; i < picture->count; i++) {
        distributor_place_t *place = &picture->places[i];
        distributor_graph_place(graph, i, place); /* open_tasks has asked for all of them */
        if (place->level + 1 > picture->levels)
            picture->levels = place->level + 1;
        if (place->chain > picture->longest) {
            picture->longest = place->chain;
            picture->first = i;
        }
    }
    return 0;
}

static const char *name_of(const struct picture *picture, size_t node)
{
    return distributor_graph_name(picture->graph, node);
}

/* The next node on the longest chain; the node itself at its end. */
static size_t next_on_chain(const struct picture *picture, size_t node)
{
    const distributor_place_t *place = &picture->places[node];

    for (uint32_t i = 0; i < place->dependents; i++)
        if (picture->places[place->dependent[i]].chain + 1 == place->chain)
            return place->dependent[i];
    return node;
}

/* Names of the nodes for which `is` holds; number is for it. */
static void print_line(const struct picture *picture, const char *title,
                       bool (*is)(const distributor_place_t *, uint32_t), uint32_t number)
{
    printf("%s", title);
    for (size_t i = 0; i < picture->count; i++)
        if (is(&picture->places[i], number))
            printf(" %s", name_of(picture, i));
    putchar('\n');
}

static bool is_on_level(const distributor_place_t *place, uint32_t level)
{
    return place->level == level;
}

static bool is_root(const distributor_place_t *place, uint32_t unused)
{
    (void)unused;
    return place->dependencies == 0;
}

static bool is_leaf(const distributor_place_t *place, uint32_t unused)
{
    (void)unused;
    return place->dependents == 0;
}

static void print_text(const struct picture *picture)
{
    char title[32];

    for (uint32_t level = 0; level < picture->levels; level++) {
        snprintf(title, sizeof title, "level %u:", level);
        print_line(picture, title, is_on_level, level);
    }
    print_line(picture, "roots:", is_root, 0);
    print_line(picture, "leaves:", is_leaf, 0);
    printf("longest chain: %s", name_of(picture, picture->first));
    for (size_t at = picture->first, next; (next = next_on_chain(picture, at)) != at; at = next)
        printf(" -> %s", name_of(picture, next));
    printf("\n%zu tasks, %u levels\n", picture->count, picture->levels);
}

/* Names of tasks are names of C functions: nothing in them needs an escape. */
static void print_dot(const struct picture *picture)
{
    printf("digraph module {\n    rankdir=LR;\n    node [shape=box];\n");
    for (size_t i = 0; i < picture->count; i++) {
        const distributor_place_t *place = &picture->places[i];
        printf("    \"%s\";\n", name_of(picture, i));
        for (uint32_t k = 0; k < place->dependents; k++)
            printf("    \"%s\" -> \"%s\";\n", name_of(picture, i),
                   name_of(picture, place->dependent[k]));
    }
    printf("}\n");
}

/* NULL: no memory. */
static json_t *describe(const struct picture *picture, size_t node)
{
    const distributor_place_t *place = &picture->places[node];
    json_t *tags = json_array(), *dependents = json_array();
    int rc = 0;

    for (const char *const *tag = place->tags; tag && *tag; tag++)
        rc |= json_array_append_new(tags, json_string(*tag));
    for (uint32_t i = 0; i < place->dependents; i++)
        rc |= json_array_append_new(dependents, json_string(name_of(picture, place->dependent[i])));
    if (rc != 0) {
        json_decref(tags);
        json_decref(dependents);
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "name", name_of(picture, node), "level",
                     (json_int_t)place->level, "chain", (json_int_t)place->chain, "dependencies",
                     (json_int_t)place->dependencies, "dependents", dependents, "tags", tags);
}

static int print_json(const struct picture *picture)
{
    json_t *tasks = json_array(), *chain = json_array();
    int rc = 0;

    for (size_t i = 0; i < picture->count; i++)
        rc |= json_array_append_new(tasks, describe(picture, i));
    for (size_t at = picture->first, last = picture->count; at != last;
         last = at, at = next_on_chain(picture, at))
        rc |= json_array_append_new(chain, json_string(name_of(picture, at)));
    json_t *all = json_pack("{s:I, s:o, s:o}", "levels", (json_int_t)picture->levels,
                            "longest_chain", chain, "tasks", tasks);
    if (rc == 0 && all)
        rc = json_dumpf(all, stdout, JSON_INDENT(2));
    json_decref(all);
    if (rc != 0 || !all)
        return complain(EXIT_ENGINE, "no memory");
    putchar('\n');
    return EXIT_PASSED;
}

int graph_command(int count, char **words)
{
    struct options options;
    struct tasks tasks = {0};
    struct picture picture = {0};
    int status = parse_graph_options(&options, count, words);

    if (status == 0)
        status = open_tasks(&tasks, &options);
    if (status == 0)
        status = open_picture(&picture, tasks.graph);
    if (status == 0 && options.json)
        status = print_json(&picture);
    else if (status == 0 && options.dot)
        print_dot(&picture);
    else if (status == 0)
        print_text(&picture);
    free(picture.places);
    close_tasks(&tasks);
    free_options(&options);
    return status;
}
