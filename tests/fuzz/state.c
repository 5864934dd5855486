/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the JSON of a state: what is refused changes nothing and says why, and what is taken
 * comes out so that another state takes the same.
 */
#include <distributor/state.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

#define KEYS 6

/* Keys of each type, one of which has a value that may not be replaced. */
static distributor_state_t *make_state(void)
{
    const distributor_value_t seven = distributor_int(7);
    distributor_state_t *state;

    must(distributor_state_create(&state, DISTRIBUTOR_OPEN) == 0);
    must(distributor_state_declare(state, "i", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE) == 0);
    must(distributor_state_declare(state, "f", DISTRIBUTOR_FLOAT, DISTRIBUTOR_REPLACE) == 0);
    must(distributor_state_declare(state, "s", DISTRIBUTOR_STRING, 0) == 0);
    must(distributor_state_declare(state, "b", DISTRIBUTOR_BYTES, DISTRIBUTOR_TRANSIENT) == 0);
    must(distributor_state_declare(state, "p", DISTRIBUTOR_POINTER, 0) == 0);
    must(distributor_state_declare(state, "fixed", DISTRIBUTOR_INT, DISTRIBUTOR_TRANSIENT) == 0);
    must(distributor_state_set(state, "fixed", &seven) == 0);
    return state;
}

static char *json_of(distributor_state_t *state)
{
    char *text;

    must(distributor_state_to_json(state, &text) == 0);
    return text;
}

static void read_again(const char *text)
{
    distributor_state_t *other = make_state();

    must(distributor_state_from_json(other, text, strlen(text)) == 0);
    char *again = json_of(other);
    must(strcmp(again, text) == 0);
    free(again);
    distributor_state_destroy(other);
}

/* Counts the keys, none of which but one has a value. */
static int see_key(void *context, const char *key, distributor_value_type_t type, unsigned flags,
                   const distributor_value_t *value)
{
    bool is_fixed = strcmp(key, "fixed") == 0;

    (void)type, (void)flags;
    ++*(unsigned *)context;
    must(is_fixed ? value->as.integer == 7 : value->type == DISTRIBUTOR_NONE);
    return 0;
}

static void must_be_untouched(distributor_state_t *state)
{
    unsigned count = 0;

    must(distributor_state_each(state, see_key, &count) == 0 && count == KEYS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static distributor_state_t *state; /* nothing was taken yet: the next input can have it */
    char why[256];

    if (!state)
        state = make_state();
    int rc = distributor_state_from_json(state, (const char *)data, size);
    if (rc == 0) {
        char *text = json_of(state);
        read_again(text);
        free(text);
        distributor_state_destroy(state);
        state = NULL;
    } else {
        must(rc < 0 && rc != -ENOMEM);
        must(distributor_state_message(state, why, sizeof why) > 0);
        must_be_untouched(state);
    }
    return 0;
}
