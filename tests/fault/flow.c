/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults in libdistributor-flow: while a graph is described, planned and run, and while a state is
 * filled and written.  A call that fails leaves nothing half done and nothing behind; a run that
 * has begun ends, and its summary adds up.
 */
#define _GNU_SOURCE
#include <distributor/group.h>
#include <distributor/state.h>

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inject.h"

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

static _Atomic unsigned ran;

/* ---- Functions of nodes: what they cannot do for want of memory fails them ---- */

static int part(distributor_call_t *call)
{
    (void)call;
    ran++;
    return 0;
}

static int give(distributor_call_t *call)
{
    ran++;
    return distributor_return_string(call, "a string that takes memory");
}

static int spawn(distributor_call_t *call)
{
    int rc = 0;

    ran++;
    for (unsigned i = 0; i < 5 && rc == 0; i++)
        rc = distributor_call_spawn(call, part, "input", 5);
    return rc;
}

static int fail(distributor_call_t *call)
{
    ran++;
    return distributor_call_fail(call, -EIO, "with words");
}

static int set_key(distributor_call_t *call)
{
    const distributor_value_t value = distributor_bytes("bytes", 5);

    ran++;
    return distributor_call_set(call, "key", &value);
}

static int need_key(distributor_call_t *call)
{
    distributor_value_t value;

    ran++;
    return distributor_call_get(call, "key", &value);
}

/* ---- A graph ---- */

static distributor_graph_t *make_graph(void)
{
    distributor_graph_t *graph = NULL;

    FAULT_CHECK(distributor_graph_create(&graph) == 0, "create\n");
    return graph;
}

static int add(distributor_graph_t *graph, const char *name, distributor_call_fn *run,
               const char *const *after)
{
    const distributor_value_t argument = distributor_string("argument");
    const distributor_node_t node = {.size = sizeof node,
                                     .name = name,
                                     .run = run,
                                     .after = after,
                                     .tags = LIST("tag", "other"),
                                     .arguments = &argument,
                                     .argument_count = 1,
                                     .inputs = run == need_key ? LIST("key") : NULL,
                                     .outputs = run == set_key ? LIST("key") : NULL};
    size_t before = distributor_graph_count(graph);
    ptrdiff_t place = distributor_graph_add(graph, &node);

    FAULT_CHECK(place == (ptrdiff_t)before || (place == -ENOMEM && fault_fired()), "add: %td\n",
                place);
    FAULT_CHECK(distributor_graph_count(graph) == before + (place >= 0), "half a node\n");
    return place < 0 ? (int)place : 0;
}

/* Twenty nodes, so that the arrays grow; each may be added again after it could not be. */
static void fill_graph(distributor_graph_t *graph, bool again)
{
    static distributor_call_fn *const functions[] = {give, spawn, fail, set_key, need_key};
    char name[16], before[16];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "node %u", i);
        snprintf(before, sizeof before, "node %u", i == 2 ? 1 : i - 1);
        int rc;
        do
            rc = add(graph, name, functions[i % 5], i % 5 == 4 ? LIST(before) : NULL);
        while (rc != 0 && again);
    }
}

static void describe(void)
{
    distributor_graph_t *graph = NULL;
    distributor_place_t place;

    fault_arm();
    int rc = distributor_graph_create(&graph);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc == 0) {
        fill_graph(graph, false);
        rc = distributor_graph_check(graph);
        FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -ENOENT) && fault_fired()), "check: %d\n",
                    rc);
        rc = distributor_graph_place(graph, 0, &place);
        FAULT_CHECK(rc == 0 || fault_fired(), "place: %d\n", rc);
    }
    fault_disarm();
    distributor_graph_destroy(graph);
}

/* What its owner changes afterwards, and what it says of a description that is none. */
static void change(void)
{
    const distributor_value_t value = distributor_string("a string");
    distributor_graph_t *graph = make_graph();
    distributor_value_t got;

    FAULT_CHECK(add(graph, "a", part, NULL) == 0, "add\n");
    fault_arm();
    int rc = distributor_graph_set_arguments(graph, 0, &value, 1);
    FAULT_MAY(rc, 0, -ENOMEM);
    rc = distributor_graph_set_result(graph, 0, &value);
    FAULT_MAY(rc, 0, -ENOMEM);
    FAULT_CHECK(distributor_graph_result(graph, 0, &got) == (rc == 0 ? 0 : -ENODATA),
                "half a result\n");
    rc = distributor_graph_add_edge(graph, 0, 0);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc == 0) {
        rc = distributor_graph_check(graph);
        FAULT_MAY(rc, -ELOOP, -ENOMEM);
    }
    fault_disarm();
    distributor_graph_destroy(graph);
}

static _Atomic unsigned told;

static void on_done(void *context, const distributor_graph_t *graph, size_t node,
                    distributor_outcome_t outcome)
{
    (void)context, (void)graph, (void)node, (void)outcome;
    told++;
}

static void check_run(distributor_graph_t *graph, int rc, const distributor_graph_summary_t *s)
{
    distributor_report_t report;

    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "run: %d, %s\n",
                rc, distributor_graph_message(graph));
    if (rc != 0)
        return;
    FAULT_CHECK(s->nodes == 20 && s->passed + s->failed + s->skipped + s->cancelled == 20,
                "%zu + %zu + %zu + %zu of %zu\n", s->passed, s->failed, s->skipped, s->cancelled,
                s->nodes);
    for (size_t i = 0; i < 20; i++) {
        rc = distributor_graph_report(graph, i, &report);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
}

static void run(void)
{
    const distributor_graph_events_t events = {.task_done = on_done};
    distributor_graph_t *graph = make_graph();
    distributor_state_t *state = NULL;
    distributor_graph_options_t options = {
        .size = sizeof options, .workers = 3, .events = &events, .tags = LIST("tag")};
    distributor_graph_summary_t s;

    FAULT_CHECK(distributor_state_create(&state, 0) == 0, "state\n");
    int rc = distributor_state_declare(state, "key", DISTRIBUTOR_BYTES, DISTRIBUTOR_REPLACE);
    FAULT_CHECK(rc == 0, "declare\n");
    options.state = state;
    fill_graph(graph, true);
    told = 0;
    fault_arm();
    rc = distributor_graph_run(graph, &options, &s);
    check_run(graph, rc, &s);
    fault_disarm();
    FAULT_CHECK(told == (rc == 0 ? 20 : 0), "%u told\n", told);
    fault_say("is run afterwards");
    ran = 0;
    FAULT_CHECK(distributor_graph_run(graph, &options, &s) == 0, "run again\n");
    FAULT_CHECK(s.passed == 16 && s.failed == 4 && ran == 20 + 4 * 5, "%zu passed, %u ran\n",
                s.passed, ran);
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
}

/* Of one that failed, and one that was skipped for it. */
static void report(void)
{
    distributor_graph_t *graph = make_graph();
    distributor_report_t r;

    FAULT_CHECK(add(graph, "a", fail, NULL) == 0 && add(graph, "b", part, LIST("a")) == 0,
                "add\n");
    FAULT_CHECK(distributor_graph_run(graph, NULL, NULL) == 0, "run\n");
    fault_arm();
    FAULT_CHECK(distributor_graph_report(graph, 0, &r) == 0, "it failed\n");
    int rc = distributor_graph_report(graph, 1, &r);
    FAULT_MAY(rc, 0, -ENOMEM);
    fault_disarm();
    FAULT_CHECK(r.outcome == DISTRIBUTOR_SKIPPED && r.cause == 0, "not skipped\n");
    FAULT_CHECK(strcmp(r.message, rc == 0 ? "a failed" : "") == 0, "message: %s\n", r.message);
    distributor_graph_destroy(graph);
}

#define WIDE 3000

static int leave(distributor_call_t *call)
{
    (void)call;
    pthread_exit(NULL);
}

/* All wait for one, so that many become ready at once.  What cannot be made a task of the pool is
 * kept by its worker, and runs. */
static void run_wide_with(distributor_call_fn *first, unsigned failures)
{
    distributor_graph_t *graph = make_graph();
    distributor_graph_options_t options = {.size = sizeof options, .workers = 2};
    distributor_graph_summary_t s;

    add(graph, "root", part, NULL);
    for (unsigned i = 0; i < WIDE; i++)
        add(graph, NULL, i == 0 ? first : part, LIST("root"));
    ran = 0;
    fault_arm();
    int rc = distributor_graph_run(graph, &options, &s);
    fault_disarm();
    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "run: %d, %s\n",
                rc, distributor_graph_message(graph));
    FAULT_CHECK(rc != 0 || (s.passed + s.failed + s.cancelled == WIDE + 1 && ran == s.passed),
                "%zu + %zu + %zu, %u ran\n", s.passed, s.failed, s.cancelled, ran);
    FAULT_CHECK(rc != 0 || s.failed + s.cancelled == failures || (failures > 0 && fault_fired()),
                "%zu failed, %zu were cancelled\n", s.failed, s.cancelled);
    distributor_graph_destroy(graph);
}

static void run_wide(void)
{
    run_wide_with(part, 0);
}

/* The first of them ends its thread: what that worker has kept goes to the pool, or is cancelled if
 * there is no memory for it. */
static void run_wide_and_leave(void)
{
    run_wide_with(leave, 1);
}

/* ---- A state ---- */

static int append(void *context, const distributor_value_t *before, distributor_value_t *after)
{
    (void)context;
    FAULT_CHECK(before->type == DISTRIBUTOR_STRING || fault_fired(), "no string\n");
    *after = distributor_string("another string");
    return 0;
}

static void fill_state(distributor_state_t *state)
{
    char key[16], *text = NULL;
    const char *json = "{\"b\": {\"hex\": \"00ff\"}, \"i\": 3}";
    distributor_value_t value = distributor_string("a string");

    for (unsigned i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "key %u", i);
        int rc = distributor_state_set(state, key, &value);
        FAULT_MAY(rc, 0, -ENOMEM);
        distributor_value_t got;
        int found = distributor_state_get(state, key, &got);
        FAULT_CHECK(found == 0 || fault_fired(), "get: %d\n", found);
        distributor_value_free(&got);
    }
    int rc = distributor_state_update(state, "key 0", append, NULL);
    FAULT_CHECK(rc == 0 || fault_fired(), "update: %d\n", rc);
    rc = distributor_state_set_text(state, "number", "0.5");
    FAULT_MAY(rc, 0, -ENOMEM);
    rc = distributor_state_set_text(state, "text", "42");
    FAULT_MAY(rc, 0, -ENOMEM);
    rc = distributor_state_declare(state, "text", DISTRIBUTOR_STRING, 0);
    FAULT_MAY(rc, 0, -ENOMEM);
    rc = distributor_state_from_json(state, json, strlen(json));
    FAULT_CHECK(rc == 0 || fault_fired(), "from json: %d\n", rc);
    rc = distributor_state_to_json(state, &text);
    FAULT_MAY(rc, 0, -ENOMEM);
    free(text);
}

static void fill(void)
{
    distributor_state_t *state = NULL;

    fault_arm();
    int rc = distributor_state_create(&state, DISTRIBUTOR_OPEN);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc == 0)
        fill_state(state);
    fault_disarm();
    distributor_state_destroy(state);
}

static unsigned short_of; /* how often jansson gets no memory after a call has failed */

static void *give_jansson(size_t size)
{
    void *memory = malloc(size);

    if (memory && fault_fired() && short_of > 0) {
        short_of--;
        free(memory);
        return NULL;
    }
    return memory;
}

/* Memory comes back while the state looks for what was wrong: it says nothing untrue of a text. */
static void write_while_short(const char *string, int ok)
{
    distributor_state_t *state = NULL;
    const distributor_value_t value = distributor_string(string);
    char *text, message[64];

    FAULT_CHECK(distributor_state_create(&state, DISTRIBUTOR_OPEN) == 0, "state\n");
    FAULT_CHECK(distributor_state_set(state, "key", &value) == 0, "set\n");
    fault_arm();
    int rc = distributor_state_to_json(state, &text);
    fault_disarm();
    FAULT_MAY(rc, ok, -ENOMEM);
    distributor_state_message(state, message, sizeof message);
    FAULT_CHECK(rc != -EILSEQ || strcmp(message, "the value of key is no UTF-8") == 0 ||
                    (!*message && fault_fired()),
                "message: %s\n", message);
    free(text);
    distributor_state_destroy(state);
}

static void write_good_text(void)
{
    short_of = 1;
    write_while_short("text", 0);
    short_of = 0;
}

static void write_bad_text(void)
{
    write_while_short("\xff", -EILSEQ);
}

/* ---- Functions at once ---- */

static void at_once(void)
{
    const distributor_node_t functions[] = {
        {.size = sizeof functions[0], .name = "f", .run = give},
        {.size = sizeof functions[0], .name = "f", .run = give},
        {.size = sizeof functions[0], .name = "g", .run = fail}};
    distributor_group_t *group;
    char text[256];

    fault_arm();
    int rc = distributor_execute(&group, functions, 3, NULL);
    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "execute: %d\n",
                rc);
    if (rc == 0) {
        rc = distributor_group_format(group, text, sizeof text);
        FAULT_CHECK(rc > 0 || (rc == -ENOMEM && fault_fired()), "format: %d\n", rc);
    }
    fault_disarm();
    distributor_group_destroy(group);
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"describe", describe}, {"change", change},
        {"run", run},           {"report", report},
        {"run wide", run_wide}, {"run wide and leave", run_wide_and_leave},
        {"fill", fill},         {"write good text", write_good_text},
        {"at once", at_once},   {"write bad text", write_bad_text}};

    json_set_alloc_funcs(give_jansson, free);
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
