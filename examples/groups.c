/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups - two phases of functions that run at once, with a state between them, and one function
 * with many inputs.
 *
 * The functions of the first group know nothing of those of the second: each names the keys that it
 * fills or needs, and the state hands them over.
 */
#include <distributor/group.h>
#include <distributor/state.h>

#include <stdio.h>
#include <time.h>

#define KEYS(...) (const char *const[]){__VA_ARGS__, NULL}

static void rest(void)
{
    const struct timespec a_moment = {.tv_nsec = 50000000};

    nanosleep(&a_moment, NULL);
}

static int find_host(distributor_call_t *call)
{
    rest();
    return distributor_return_string(call, "example.org");
}

static int find_port(distributor_call_t *call)
{
    rest();
    return distributor_return_int(call, 8080);
}

static int make_address(distributor_call_t *call)
{
    distributor_value_t host, port;
    char address[64];

    if (distributor_call_get(call, "host", &host) != 0 ||
        distributor_call_get(call, "port", &port) != 0)
        return distributor_call_fail(call, -1, "no host or no port");
    snprintf(address, sizeof address, "%s:%lld", host.as.string, (long long)port.as.integer);
    return distributor_return_string(call, address);
}

static int square(distributor_call_t *call)
{
    distributor_value_t number;
    int rc = distributor_call_argument(call, 0, &number);

    return rc != 0 ? rc : distributor_return_int(call, number.as.integer * number.as.integer);
}

static int print(distributor_group_t *group)
{
    char text[256];
    int length = distributor_group_format(group, text, sizeof text);

    if (length >= 0)
        printf("%s\n", text);
    return length < 0 ? length : 0;
}

/* Runs both phases and prints their results. */
static int phases(distributor_group_t *first, distributor_group_t *second,
                  distributor_state_t *state)
{
    const distributor_node_t host = {.size = sizeof host, .name = "find_host", .run = find_host,
                                     .outputs = KEYS("host")};
    const distributor_node_t port = {.size = sizeof port, .name = "find_port", .run = find_port,
                                     .outputs = KEYS("port")};
    const distributor_node_t address = {.size = sizeof address, .name = "make_address",
                                        .run = make_address, .inputs = KEYS("host", "port")};
    const distributor_graph_options_t options = {.size = sizeof options, .state = state};

    if (distributor_state_declare(state, "host", DISTRIBUTOR_STRING, 0) != 0 ||
        distributor_state_declare(state, "port", DISTRIBUTOR_INT, 0) != 0 ||
        distributor_group_add(first, &host) < 0 || distributor_group_add(first, &port) < 0 ||
        distributor_group_add(second, &address) < 0)
        return 1;
    if (distributor_group_execute(first, &options) != 0 || print(first) != 0)
        return 1;
    printf("first: %s, second: %s\n", distributor_group_executed(first) ? "executed" : "waiting",
           distributor_group_executed(second) ? "executed" : "waiting");
    return distributor_group_execute(second, &options) != 0 || print(second) != 0;
}

/* The same function with several inputs, and no group of one's own. */
static int many_inputs(void)
{
    distributor_value_t numbers[5];
    distributor_node_t functions[5];
    distributor_group_t *results;

    for (int i = 0; i < 5; i++) {
        numbers[i] = distributor_int(i + 1);
        functions[i] = (distributor_node_t){.size = sizeof functions[i], .name = "square",
                                            .run = square, .arguments = &numbers[i],
                                            .argument_count = 1};
    }
    if (distributor_execute(&results, functions, 5, NULL) != 0)
        return 1;
    int rc = print(results);
    distributor_group_destroy(results);
    return rc != 0;
}

int main(void)
{
    distributor_group_t *first = NULL, *second = NULL;
    distributor_state_t *state = NULL;
    int rc = distributor_group_create(&first, "first") != 0 ||
             distributor_group_create(&second, "second") != 0 ||
             distributor_state_create(&state, 0) != 0;

    if (rc == 0)
        rc = phases(first, second, state);
    distributor_group_destroy(second);
    distributor_group_destroy(first);
    distributor_state_destroy(state);
    return rc != 0 ? rc : many_inputs();
}
