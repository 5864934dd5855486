/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state that threads share: updates are not lost, two keys that are changed under the lock are
 * never seen apart, and JSON shows them together.
 */
#include <distributor/state.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define MAX_THREADS 8

static distributor_state_t *state;
static unsigned steps;

static int add_one(void *context, const distributor_value_t *before, distributor_value_t *value)
{
    (void)context;
    *value = distributor_int(before->as.integer + 1);
    return 0;
}

static void set_both(int64_t number)
{
    const distributor_value_t left = distributor_int(number), right = distributor_int(-number);

    STRESS_CHECK(distributor_state_lock(state) == 0, "lock");
    STRESS_CHECK(distributor_state_set(state, "left", &left) == 0, "set");
    STRESS_CHECK(distributor_state_set(state, "right", &right) == 0, "set");
    STRESS_CHECK(distributor_state_unlock(state) == 0, "unlock");
}

static int sum_up(void *context, const char *key, distributor_value_type_t type, unsigned flags,
                  const distributor_value_t *value)
{
    (void)flags;
    if (type == DISTRIBUTOR_INT && strcmp(key, "count") != 0)
        *(int64_t *)context += value->as.integer;
    return 0;
}

static void look_at_both(void)
{
    int64_t sum = 0;

    STRESS_CHECK(distributor_state_each(state, sum_up, &sum) == 0, "each");
    STRESS_CHECK(sum == 0, "the two differ by %lld", (long long)sum);
}

static void replace_text(struct stress_random *random)
{
    char bytes[300];
    distributor_value_t value;
    size_t size = stress_below(random, sizeof bytes);

    memset(bytes, (int)('a' + size % 26), sizeof bytes);
    value = distributor_bytes(bytes, size);
    STRESS_CHECK(distributor_state_set(state, "bytes", &value) == 0, "set");
    STRESS_CHECK(distributor_state_get(state, "bytes", &value) == 0, "get");
    const char *got = value.as.bytes;
    for (size_t i = 0; i < value.size; i++)
        STRESS_CHECK(got[i] == (char)('a' + value.size % 26), "bytes of two values");
    distributor_value_free(&value);
}

static void show_json(void)
{
    distributor_state_t *copy;
    distributor_value_t left, right;
    char *text;

    STRESS_CHECK(distributor_state_to_json(state, &text) == 0, "to json");
    STRESS_CHECK(distributor_state_create(&copy, DISTRIBUTOR_OPEN) == 0, "create");
    STRESS_CHECK(distributor_state_from_json(copy, text, strlen(text)) == 0, "from json");
    STRESS_CHECK(distributor_state_get(copy, "left", &left) == 0, "get");
    STRESS_CHECK(distributor_state_get(copy, "right", &right) == 0, "get");
    STRESS_CHECK(left.as.integer == -right.as.integer, "JSON shows one of two changes");
    distributor_state_destroy(copy);
    free(text);
}

static void *change(void *argument)
{
    struct stress_random random = *(struct stress_random *)argument;
    char key[32];

    for (unsigned i = 0; i < steps; i++) {
        STRESS_CHECK(distributor_state_update(state, "count", add_one, NULL) == 0, "update");
        switch (stress_below(&random, 6)) {
        case 0:
            set_both((int64_t)stress_below(&random, 1000000));
            break;
        case 1:
            look_at_both();
            break;
        case 2:
            replace_text(&random);
            break;
        case 3:
            show_json();
            break;
        default:
            snprintf(key, sizeof key, "key %u", stress_below(&random, 200));
            STRESS_CHECK(distributor_state_declare(state, key, DISTRIBUTOR_BOOL, 0) == 0,
                         "declare");
        }
    }
    return NULL;
}

static void run(struct stress_random *random)
{
    pthread_t threads[MAX_THREADS];
    struct stress_random seeds[MAX_THREADS];
    unsigned count = 1 + stress_below(random, MAX_THREADS);
    const distributor_value_t zero = distributor_int(0);
    distributor_value_t value;

    stress_state("%u threads, %u steps", count, steps);
    STRESS_CHECK(distributor_state_create(&state, DISTRIBUTOR_OPEN) == 0, "create");
    STRESS_CHECK(distributor_state_set(state, "count", &zero) == 0, "set");
    set_both(0);
    for (unsigned i = 0; i < count; i++) {
        seeds[i].state = stress_random(random);
        stress_thread(&threads[i], change, &seeds[i]);
    }
    for (unsigned i = 0; i < count; i++)
        stress_join(threads[i]);
    STRESS_CHECK(distributor_state_get(state, "count", &value) == 0, "get");
    STRESS_CHECK(value.as.integer == (int64_t)count * steps, "%lld of %u updates",
                 (long long)value.as.integer, count * steps);
    STRESS_CHECK(distributor_state_destroy(state) == 0, "destroy");
}

int main(int argc, char **argv)
{
    static const struct stress_options defaults = {
        .name = "state", .rounds = 60, .tasks = 500, .placement = -1};
    struct stress_random random;

    stress_begin(&defaults, argc, argv);
    while (stress_next(&random)) {
        steps = stress.tasks;
        run(&random);
    }
    return stress_end();
}
