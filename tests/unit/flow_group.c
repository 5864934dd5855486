/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/group.c: capabilities B1 to B6. */
#include "flow_support.h"

#include <distributor/group.h>
#include <distributor/state.h>

TestSuite(flow_group, .timeout = 240);

#define FUNCTION(...) &(distributor_node_t){.size = sizeof(distributor_node_t), __VA_ARGS__}

static distributor_group_t *new_group(const char *name)
{
    distributor_group_t *group = NULL;
    expect(distributor_group_create(&group, name), 0);
    ensure(group != NULL);
    return group;
}

static void expect_results(distributor_group_t *group, const char *wanted)
{
    char text[512];
    expect(distributor_group_format(group, text, sizeof(text)), strlen(wanted));
    expect_text(text, wanted);
}

static _Atomic unsigned count;

static int count_one(distributor_call_t *call)
{
    count++;
    return distributor_return_int(call, 1);
}

/* Returns its first argument. */
static int return_argument(distributor_call_t *call)
{
    distributor_value_t value;
    task_assert(distributor_call_argument(call, 0, &value) == 0);
    return distributor_return(call, &value);
}

static int fail(distributor_call_t *call)
{
    return distributor_call_fail(call, -EIO, "HTTP %d", 503);
}

/* B1: two functions of one name are an error, and arguments are bound. */
Test(flow_group, functions_are_registered_with_their_arguments)
{
    distributor_group_t *group = new_group("a group");
    const distributor_value_t arguments[] = {distributor_int(5)};
    expect_text(distributor_group_name(group), "a group");
    expect(distributor_group_add(group, FUNCTION(.name = "f1", .run = return_argument,
                                                 .arguments = arguments, .argument_count = 1)),
           0);
    expect(distributor_group_add(group, FUNCTION(.name = "f1", .run = count_one)), -EEXIST);
    expect_text(distributor_group_message(group), "two nodes have the name f1");
    expect(distributor_group_add(group, FUNCTION(.run = count_one)), -EINVAL);
    expect_text(distributor_group_message(group), "a function of a group has no name");
    expect(distributor_group_add(group, FUNCTION(.name = "f2", .run = count_one,
                                                 .after = NAMES("f1"))),
           -EINVAL);
    expect(distributor_group_add(group, NULL), -EINVAL);
    expect(distributor_group_add(NULL, FUNCTION(.name = "f2", .run = count_one)), -EINVAL);
    expect(distributor_group_add(group, FUNCTION(.name = "f2", .run = count_one)), 1);
    expect(distributor_group_count(group), 2);
    expect(distributor_group_count(NULL), 0);
    expect_results(group, "[(function=f1; not executed), (function=f2; not executed)]");
    expect(distributor_group_execute(group, NULL), 0);
    expect_results(group, "[(function=f1; result=5), (function=f2; result=1)]");
    distributor_group_destroy(group);
    expect(distributor_group_destroy(NULL), 0);
    expect(distributor_group_create(NULL, "x"), -EINVAL);
    expect_text(distributor_group_name(NULL), "");
    expect_text(distributor_group_message(NULL), "");
    finish();
}

/* B2 */
Test(flow_group, groups_as_phases_that_run_again)
{
    distributor_group_t *first = new_group(NULL), *second = new_group("second");
    expect_text(distributor_group_name(first), "");
    for (unsigned i = 0; i < 3; i++) {
        char name[] = {'f', (char)('0' + i), '\0'};
        expect(distributor_group_add(first, FUNCTION(.name = name, .run = count_one)), i);
        expect(distributor_group_add(second, FUNCTION(.name = name, .run = count_one)), i);
    }
    expect(distributor_group_execute(first, NULL), 0);
    ensure(distributor_group_executed(first));
    ensure(!distributor_group_executed(second));
    ensure(!distributor_group_executed(NULL));
    expect(count, 3);
    expect(distributor_group_execute(second, NULL), 0);
    ensure(distributor_group_executed(second));
    expect(distributor_group_execute(first, RUN_OPTIONS(.workers = 1)), 0);
    expect(count, 9);
    expect(distributor_group_execute(NULL, NULL), -EINVAL);
    expect(distributor_group_execute(first, &(distributor_graph_options_t){.size = 1}), -EINVAL);
    distributor_group_destroy(first);
    distributor_group_destroy(second);
    finish();
}

/* B3: a failure throws no other result away. */
Test(flow_group, results_in_order_and_by_name)
{
    distributor_group_t *group = new_group("g");
    distributor_group_result_t r;
    distributor_group_add(group, FUNCTION(.name = "f1", .run = count_one));
    distributor_group_add(group, FUNCTION(.name = "f2", .run = fail));
    distributor_group_add(group, FUNCTION(.name = "f3", .run = no_work));
    expect(distributor_group_execute(group, NULL), 0);
    expect_results(group, "[(function=f1; result=1), (function=f2; error=HTTP 503), "
                          "(function=f3; result=none)]");
    expect(distributor_group_find(group, "f2"), 1);
    expect(distributor_group_find(group, "f4"), -ENOENT);
    expect(distributor_group_result(group, 0, &r), 0);
    expect_text(r.function, "f1");
    expect(r.outcome, DISTRIBUTOR_PASSED);
    expect(r.error, 0);
    expect_text(r.message, "");
    expect(r.value.as.integer, 1);
    expect(distributor_group_result(group, 1, &r), 0);
    expect(r.outcome, DISTRIBUTOR_FAILED);
    expect(r.error, -EIO);
    expect_text(r.message, "HTTP 503");
    expect(r.value.type, DISTRIBUTOR_NONE);
    expect(distributor_group_result(group, 3, &r), -ENOENT);
    expect(distributor_group_result(group, 0, NULL), -EINVAL);
    expect(distributor_group_result(NULL, 0, &r), -EINVAL);
    char text[10];
    expect(distributor_group_format(group, text, sizeof(text)), 84);
    expect_text(text, "[(functio");
    expect(distributor_group_format(group, NULL, 0), 84);
    expect(distributor_group_format(group, NULL, 1), -EINVAL);
    distributor_group_destroy(group);
    finish();
}

/* B4 */
Test(flow_group, functions_without_a_group)
{
    distributor_value_t inputs[5];
    distributor_node_t functions[6];
    distributor_group_t *group;
    for (unsigned i = 0; i < 5; i++) {
        inputs[i] = distributor_int(i + 1);
        functions[i] = (distributor_node_t){.size = sizeof(functions[i]),
                                            .name = "f1",
                                            .run = return_argument,
                                            .arguments = &inputs[i],
                                            .argument_count = 1};
    }
    functions[5] = (distributor_node_t){.size = sizeof(functions[5]), .run = count_one};
    expect(distributor_execute(&group, functions, 6, NULL), 0);
    expect_results(group, "[(function=f1; result=1), (function=f1; result=2), "
                          "(function=f1; result=3), (function=f1; result=4), "
                          "(function=f1; result=5), (function=; result=1)]");
    expect(distributor_group_find(group, "f1"), 0);
    ensure(distributor_group_executed(group));
    distributor_group_destroy(group);
    expect(distributor_execute(&group, NULL, 0, NULL), 0);
    expect_results(group, "[]");
    distributor_group_destroy(group);
    functions[3].run = NULL;
    expect(distributor_execute(&group, functions, 6, NULL), -EINVAL);
    ensure(group == NULL);
    expect(distributor_execute(&group, NULL, 1, NULL), -EINVAL);
    expect(distributor_execute(NULL, functions, 1, NULL), -EINVAL);
    finish();
}

/* B5 */
Test(flow_group, arguments_can_be_replaced)
{
    distributor_group_t *group = new_group("g");
    distributor_value_t argument = distributor_string("one");
    distributor_group_add(group, FUNCTION(.name = "f", .run = return_argument,
                                          .arguments = &argument, .argument_count = 1));
    expect(distributor_group_execute(group, NULL), 0);
    expect_results(group, "[(function=f; result=one)]");
    argument = distributor_string("two");
    expect(distributor_group_set_arguments(group, "f", &argument, 1), 0);
    expect(distributor_group_execute(group, NULL), 0);
    expect_results(group, "[(function=f; result=two)]");
    expect(distributor_group_set_arguments(group, "g", &argument, 1), -ENOENT);
    expect_text(distributor_group_message(group), "no function has the name g");
    expect(distributor_group_set_arguments(group, NULL, &argument, 1), -EINVAL);
    distributor_group_destroy(group);
    finish();
}

static pthread_barrier_t barrier;

static int meet_all(distributor_call_t *call)
{
    (void)call;
    pthread_barrier_wait(&barrier);
    return 0;
}

/* Each function has a thread, however few CPUs there are. */
Test(flow_group, all_functions_run_at_once)
{
    enum { FUNCTIONS = 20 };
    distributor_group_t *group = new_group("g");
    pthread_barrier_init(&barrier, NULL, FUNCTIONS);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%u", i);
        expect(distributor_group_add(group, FUNCTION(.name = name, .run = meet_all)), i);
    }
    for (unsigned again = 0; again < 3; again++)
        expect(distributor_group_execute(group, NULL), 0);
    distributor_group_destroy(group);
    finish();
}

static int give(distributor_call_t *call)
{
    return distributor_return_string(call, "valid");
}

static int use(distributor_call_t *call)
{
    distributor_value_t value;
    int rc = distributor_call_get(call, "k1", &value);
    return rc != 0 ? rc : distributor_return(call, &value);
}

/* B6: what one group sets, the next one uses. */
Test(flow_group, a_state_carries_values_between_groups)
{
    distributor_group_t *init = new_group("init"), *uses = new_group("use");
    distributor_state_t *state;
    expect(distributor_state_create(&state, 0), 0);
    expect(distributor_state_declare(state, "k1", DISTRIBUTOR_STRING, 0), 0);
    expect(distributor_group_add(init, FUNCTION(.name = "set_k1", .run = give,
                                                .outputs = NAMES("k1"))), 0);
    expect(distributor_group_add(uses, FUNCTION(.name = "use_k1", .run = use,
                                                .inputs = NAMES("k1"))), 0);
    expect(distributor_group_execute(uses, RUN_OPTIONS(.state = state)), 0);
    expect_results(uses, "[(function=use_k1; error=use_k1 needs the input k1, "
                         "which has no value)]");
    expect(distributor_group_execute(init, RUN_OPTIONS(.state = state)), 0);
    expect(distributor_group_execute(uses, RUN_OPTIONS(.state = state)), 0);
    expect_results(uses, "[(function=use_k1; result=valid)]");
    expect(distributor_group_execute(init, RUN_OPTIONS(.state = state)), 0);
    expect_results(init, "[(function=set_k1; error=set_k1: the key k1 has a value, "
                         "and takes one only)]");
    distributor_group_destroy(init);
    distributor_group_destroy(uses);
    distributor_state_destroy(state);
    finish();
}
