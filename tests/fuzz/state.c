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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    distributor_state_t *state = make_state();
    char why[256], *before = json_of(state);
    int rc = distributor_state_from_json(state, (const char *)data, size);
    char *after = json_of(state);

    if (rc == 0) {
        read_again(after);
    } else {
        must(rc < 0 && rc != -ENOMEM && strcmp(before, after) == 0);
        must(distributor_state_message(state, why, sizeof why) > 0);
    }
    free(before);
    free(after);
    distributor_state_destroy(state);
    return 0;
}
