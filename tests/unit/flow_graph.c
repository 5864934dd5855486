/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/graph.c, check.c, select.c: describing a graph, and what is refused. */
#include "flow_support.h"

TestSuite(flow_graph, .timeout = 240);

Test(flow_graph, nodes_have_indices_and_names)
{
    distributor_graph_t *graph = new_graph();
    expect(distributor_graph_count(graph), 0);
    expect(add_node(graph, .name = "a", .run = no_work), 0);
    expect(add_node(graph, .run = no_work), 1);
    char name[] = "b";
    expect(add_node(graph, .name = name, .run = no_work), 2);
    name[0] = 'x'; /* it was copied */
    expect(distributor_graph_find(graph, "b"), 2);
    expect(distributor_graph_find(graph, "x"), -ENOENT);
    expect_text(distributor_graph_name(graph, 0), "a");
    ensure(distributor_graph_name(graph, 1) == NULL);
    ensure(distributor_graph_name(graph, 3) == NULL);
    expect(distributor_graph_count(graph), 3);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, bad_arguments)
{
    distributor_graph_t *graph = new_graph();
    distributor_node_t node = {.size = sizeof(node)};
    expect(distributor_graph_create(NULL), -EINVAL);
    expect(distributor_graph_destroy(NULL), 0);
    expect(distributor_graph_add(NULL, &node), -EINVAL);
    expect(distributor_graph_add(graph, NULL), -EINVAL);
    expect_text(distributor_graph_message(graph), "there is no node: it is NULL");
    expect(distributor_graph_add(graph, &node), -EINVAL);
    expect_text(distributor_graph_message(graph), "node #0 has no function");
    node.run = no_work;
    node.size = 3;
    expect(distributor_graph_add(graph, &node), -EINVAL);
    node.size = sizeof(node);
    node.reserved[1] = &node;
    expect(distributor_graph_add(graph, &node), -ENOTSUP);
    node.reserved[1] = NULL;
    node.name = "";
    expect(distributor_graph_add(graph, &node), -EINVAL);
    node.name = NULL;
    node.argument_count = 1;
    expect(distributor_graph_add(graph, &node), -EINVAL);
    expect_text(distributor_graph_message(graph), "1 arguments, and no array of them");
    distributor_value_t value = distributor_none();
    node.arguments = &value;
    expect(distributor_graph_add(graph, &node), -EINVAL);
    expect_text(distributor_graph_message(graph), "argument 0 has no valid type or no bytes");
    expect(distributor_graph_count(graph), 0);
    expect(distributor_graph_find(NULL, "a"), -EINVAL);
    expect(distributor_graph_count(NULL), 0);
    expect_text(distributor_graph_message(NULL), "");
    expect(distributor_graph_cancel(NULL), -EINVAL);
    expect(distributor_graph_run(NULL, NULL, NULL), -EINVAL);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, a_name_that_is_taken_or_too_long)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "same", .run = no_work);
    distributor_node_t node = {
        .size = sizeof(node), .name = "same", .run = no_work, .after = NAMES("nobody")};
    expect(distributor_graph_add(graph, &node), -EEXIST);
    expect_text(distributor_graph_message(graph), "two nodes have the name same");
    expect(distributor_graph_check(graph), 0); /* nothing of it stays, its wish neither */
    char *longest = malloc(DISTRIBUTOR_MAX_NAME + 2);
    memset(longest, 'x', DISTRIBUTOR_MAX_NAME + 1);
    longest[DISTRIBUTOR_MAX_NAME + 1] = '\0';
    node.name = longest;
    node.after = NULL;
    expect(distributor_graph_add(graph, &node), -ENAMETOOLONG);
    longest[DISTRIBUTOR_MAX_NAME] = '\0';
    expect(distributor_graph_add(graph, &node), 1);
    expect(distributor_graph_find(graph, longest), 1);
    free(longest);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, many_names)
{
    distributor_graph_t *graph = new_graph();
    char name[32];
    for (size_t i = 0; i < rounds(20000); i++) {
        snprintf(name, sizeof(name), "node %zu", i);
        add_node(graph, .name = name, .run = no_work);
    }
    for (size_t i = 0; i < distributor_graph_count(graph); i++) {
        snprintf(name, sizeof(name), "node %zu", i);
        expect(distributor_graph_find(graph, name), i);
    }
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, edges_between_nodes_that_do_not_exist)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = no_work);
    expect(distributor_graph_add_edge(graph, 0, 1), -ENOENT);
    expect_text(distributor_graph_message(graph),
                "there is no node #1, but 1 nodes from #0");
    expect(distributor_graph_add_edge(graph, 7, 0), -ENOENT);
    expect(distributor_graph_set_arguments(graph, 1, NULL, 0), -ENOENT);
    distributor_value_t value = distributor_int(1);
    expect(distributor_graph_set_result(graph, 1, &value), -ENOENT);
    expect(distributor_graph_result(graph, 1, &value), -ENOENT);
    distributor_place_t place;
    expect(distributor_graph_place(graph, 1, &place), -ENOENT);
    distributor_report_t report;
    expect(distributor_graph_report(graph, 1, &report), -ENOENT);
    distributor_graph_destroy(graph);
    finish();
}

/* E1: names in any order, and one that stays unknown is named. */
Test(flow_graph, names_may_come_later)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "last", .run = no_work, .after = NAMES("middle", "first"));
    add_node(graph, .name = "middle", .run = no_work, .after = NAMES("first"));
    expect(distributor_graph_check(graph), -ENOENT);
    expect_text(distributor_graph_message(graph),
                "last comes after first, and no node has that name");
    expect(distributor_graph_run(graph, NULL, NULL), -ENOENT);
    add_node(graph, .name = "first", .run = no_work);
    expect(distributor_graph_check(graph), 0);
    distributor_place_t place;
    expect(distributor_graph_place(graph, 0, &place), 0);
    expect(place.level, 2);
    expect(place.chain, 1);
    expect(place.dependencies, 2);
    expect(place.dependents, 0);
    expect(distributor_graph_place(graph, 2, &place), 0);
    expect(place.level, 0);
    expect(place.chain, 3);
    expect(place.dependents, 2);
    expect(place.dependent[1], 1);
    ensure(place.tags == NULL);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, a_cycle_is_named)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = no_work, .after = NAMES("c"));
    add_node(graph, .name = "b", .run = no_work, .after = NAMES("a"));
    add_node(graph, .name = "c", .run = no_work, .after = NAMES("b"));
    add_node(graph, .name = "d", .run = no_work, .after = NAMES("c"));
    expect(distributor_graph_check(graph), -ELOOP);
    const char *message = distributor_graph_message(graph);
    ensure(strcmp(message, "there is a cycle: a -> b -> c -> a") == 0 ||
           strcmp(message, "there is a cycle: b -> c -> a -> b") == 0 ||
           strcmp(message, "there is a cycle: c -> a -> b -> c") == 0);
    expect(distributor_graph_run(graph, NULL, NULL), -ELOOP);
    /* Without the node that closes it there is none. */
    expect(distributor_graph_run(graph, RUN_OPTIONS(.only = NAMES("a", "b")), NULL), 0);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, a_node_after_itself)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .run = no_work);
    expect(distributor_graph_add_edge(graph, 0, 0), 0);
    expect(distributor_graph_check(graph), -ELOOP);
    expect_text(distributor_graph_message(graph), "there is a cycle: #0 -> #0");
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, a_long_cycle_is_named_in_part)
{
    enum { LENGTH = 150 };
    distributor_graph_t *graph = new_graph();
    for (size_t i = 0; i < LENGTH; i++)
        add_node(graph, .run = no_work);
    for (size_t i = 0; i < LENGTH; i++)
        expect(distributor_graph_add_edge(graph, i, (i + 1) % LENGTH), 0);
    expect(distributor_graph_check(graph), -ELOOP);
    ensure(strstr(distributor_graph_message(graph), " -> ... (50 more) -> #") != NULL);
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, options_that_are_refused)
{
    distributor_graph_t *graph = new_graph();
    add_node(graph, .name = "a", .run = no_work);
    distributor_graph_options_t options = {.size = 1};
    expect(distributor_graph_run(graph, &options, NULL), -EINVAL);
    options.size = sizeof(options);
    options.reserved[7] = &options;
    expect(distributor_graph_run(graph, &options, NULL), -ENOTSUP);
    options.reserved[7] = NULL;
    options.workers = DISTRIBUTOR_MAX_WORKERS + 1;
    expect(distributor_graph_run(graph, &options, NULL), -EINVAL);
    options.workers = 1;
    options.only = NAMES("b");
    expect(distributor_graph_run(graph, &options, NULL), -ENOENT);
    expect_text(distributor_graph_message(graph), "no node has the name b");
    options.only = NULL;
    options.stack_size = 1;
    expect(distributor_graph_run(graph, &options, NULL), -EINVAL);
    distributor_report_t report;
    expect(distributor_graph_report(graph, 0, &report), 0);
    expect(report.outcome, DISTRIBUTOR_NOT_RUN); /* after an error nothing ran */
    distributor_graph_destroy(graph);
    finish();
}

Test(flow_graph, values_have_texts)
{
    char text[64];
    const distributor_value_t values[] = {
        distributor_none(),        distributor_bool(true),     distributor_int(-42),
        distributor_float(3.14),   distributor_string("text"), distributor_bytes("\x01\xfe", 2),
        distributor_float(0.1 + 0.2)};
    const char *const texts[] = {"none", "true", "-42", "3.14", "text", "01fe",
                                 "0.30000000000000004"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        expect(distributor_value_format(&values[i], text, sizeof(text)), strlen(texts[i]));
        expect_text(text, texts[i]);
        expect(distributor_value_format(&values[i], text, 3), strlen(texts[i]));
        expect(strlen(text), 2);
        expect(distributor_value_format(&values[i], NULL, 0), strlen(texts[i]));
    }
    expect(distributor_value_format(NULL, text, sizeof(text)), -EINVAL);
    const distributor_value_t empty = distributor_bytes(NULL, 0);
    strcpy(text, "before");
    expect(distributor_value_format(&empty, text, sizeof(text)), 0);
    expect_text(text, "");
    expect(distributor_value_format(&empty, NULL, 1), -EINVAL);
    const distributor_value_t nowhere = distributor_bytes(NULL, 1), none = distributor_string(NULL);
    expect(distributor_value_format(&nowhere, text, sizeof(text)), -EINVAL);
    expect(distributor_value_format(&none, text, sizeof(text)), -EINVAL);
    const distributor_value_t pointer = distributor_pointer(text, NULL);
    char address[32];
    expect(distributor_value_format(&pointer, address, sizeof(address)), strlen(address));
    expect(strtoull(address, NULL, 0), (uintptr_t)text);
    distributor_value_t odd = distributor_none();
    odd.type = (distributor_value_type_t)99;
    expect(distributor_value_format(&odd, text, sizeof(text)), -EINVAL);
    expect_text(distributor_value_type_name(DISTRIBUTOR_FLOAT), "float");
    expect_text(distributor_value_type_name(odd.type), "unknown");
    finish();
}
