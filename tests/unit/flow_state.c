/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/state.c, text.c, json.c, file.c: typed keys, their values, texts and JSON. */
#include "flow_support.h"

#include <distributor/state.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>

TestSuite(flow_state, .timeout = 240);

static distributor_state_t *new_state(unsigned flags)
{
    distributor_state_t *state = NULL;
    expect(distributor_state_create(&state, flags), 0);
    ensure(state != NULL);
    return state;
}

static void expect_message(distributor_state_t *state, const char *wanted)
{
    char text[256];
    expect(distributor_state_message(state, text, sizeof(text)), strlen(wanted));
    expect_text(text, wanted);
}

static int set(distributor_state_t *state, const char *key, distributor_value_t value)
{
    return distributor_state_set(state, key, &value);
}

static int from_json(distributor_state_t *state, const char *text)
{
    return distributor_state_from_json(state, text, strlen(text));
}

static int64_t get_int(distributor_state_t *state, const char *key)
{
    distributor_value_t value;
    expect(distributor_state_get(state, key, &value), 0);
    expect(value.type, DISTRIBUTOR_INT);
    return value.as.integer;
}

static unsigned destroyed;

static void destroy(void *pointer)
{
    ensure(pointer == &destroyed);
    destroyed++;
}

Test(flow_state, each_type_comes_back)
{
    distributor_state_t *state = new_state(0);
    distributor_value_t value;
    char text[] = "text";
    const distributor_value_t values[] = {
        distributor_bool(true),    distributor_int(INT64_MIN),   distributor_float(0.1),
        distributor_string(text),  distributor_bytes("a\0b", 3),
        distributor_pointer(&destroyed, destroy)};
    for (unsigned i = 0; i < 6; i++) {
        const char key[] = {(char)('a' + i), '\0'};
        expect(distributor_state_declare(state, key, values[i].type, 0), 0);
        expect(distributor_state_get(state, key, &value), -ENODATA);
        expect(distributor_state_set(state, key, &values[i]), 0);
    }
    memset(text, 0, sizeof(text)); /* it was copied */
    expect(distributor_state_get(state, "a", &value), 0);
    ensure(value.as.boolean);
    expect(get_int(state, "b"), INT64_MIN);
    expect(distributor_state_get(state, "c", &value), 0);
    ensure(value.as.number > 0.09999 && value.as.number < 0.10001);
    expect(distributor_state_get(state, "d", &value), 0);
    expect_text(value.as.string, "text");
    distributor_value_free(&value);
    expect(value.type, DISTRIBUTOR_NONE);
    expect(distributor_state_get(state, "e", &value), 0);
    ensure(value.size == 3 && memcmp(value.as.bytes, "a\0b", 3) == 0);
    distributor_value_free(&value);
    expect(distributor_state_get(state, "f", &value), 0);
    distributor_value_free(&value); /* the state's pointer stays */
    distributor_value_free(NULL);
    expect(destroyed, 0);
    expect(distributor_state_unset(state, "f"), 0);
    expect(destroyed, 1);
    expect(distributor_state_unset(state, "f"), -ENODATA);
    expect(distributor_state_unset(state, "x"), -ENOENT);
    distributor_state_destroy(state);
    finish();
}

Test(flow_state, bad_arguments)
{
    distributor_state_t *state;
    distributor_value_t value = distributor_none();
    expect(distributor_state_create(NULL, 0), -EINVAL);
    expect(distributor_state_create(&state, 2), -EINVAL);
    ensure(state == NULL);
    expect(distributor_state_destroy(NULL), 0);
    state = new_state(0);
    expect(distributor_state_declare(NULL, "a", DISTRIBUTOR_INT, 0), -EINVAL);
    expect(distributor_state_declare(state, NULL, DISTRIBUTOR_INT, 0), -EINVAL);
    expect(distributor_state_declare(state, "", DISTRIBUTOR_INT, 0), -EINVAL);
    expect(distributor_state_declare(state, "a", DISTRIBUTOR_NONE, 0), -EINVAL);
    expect_message(state, "the type of the key a is unknown");
    expect(distributor_state_declare(state, "a", DISTRIBUTOR_INT, 4), -EINVAL);
    expect_message(state, "a flag of the key a is unknown");
    expect(distributor_state_declare(state, "a", DISTRIBUTOR_STRING, 0), 0);
    expect(distributor_state_set(state, "a", &value), -EINVAL);
    expect_message(state, "the value of a has no valid type or no bytes");
    expect(distributor_state_set(state, "a", NULL), -EINVAL);
    expect(distributor_state_set_text(state, "a", NULL), -EINVAL);
    expect(distributor_state_set_text(NULL, "a", "1"), -EINVAL);
    expect(distributor_state_set_text(state, "b", "1"), -ENOENT);
    expect(distributor_value_read(NULL, "1"), -EINVAL);
    expect(distributor_value_read(&value, NULL), -EINVAL);
    value = distributor_string("a\0b");
    value.size = 3; /* a NUL among the bytes of a string */
    expect(distributor_state_set(state, "a", &value), -EINVAL);
    expect(distributor_state_get(state, "a", NULL), -EINVAL);
    expect(distributor_state_update(state, "a", NULL, NULL), -EINVAL);
    expect(distributor_state_each(state, NULL, NULL), -EINVAL);
    expect(distributor_state_lock(NULL), -EINVAL);
    expect(distributor_state_unlock(state), -EPERM);
    expect(distributor_state_save(state, NULL), -EINVAL);
    expect(distributor_state_load(NULL, "x"), -EINVAL);
    distributor_state_destroy(state);
    finish();
}

/* B6: an unknown key, a wrong type, an unwanted overwrite. */
Test(flow_state, what_is_refused_is_named)
{
    distributor_state_t *state = new_state(0);
    expect_message(state, "");
    expect(distributor_state_declare(state, "once", DISTRIBUTOR_INT, 0), 0);
    expect(distributor_state_declare(state, "often", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE), 0);
    expect(set(state, "other", distributor_int(1)), -ENOENT);
    expect_message(state, "there is no key other");
    expect(set(state, "once", distributor_string("1")), -EINVAL);
    expect_message(state, "the key once takes a value of type int, not string");
    expect(set(state, "once", distributor_int(1)), 0);
    expect(set(state, "once", distributor_int(2)), -EEXIST);
    expect_message(state, "the key once has a value, and takes one only");
    expect(get_int(state, "once"), 1);
    expect(set(state, "often", distributor_int(1)), 0);
    expect(set(state, "often", distributor_int(2)), 0);
    expect(get_int(state, "often"), 2);
    expect(distributor_state_unset(state, "once"), 0);
    expect(set(state, "once", distributor_int(3)), 0);
    expect(distributor_state_declare(state, "once", DISTRIBUTOR_INT, 0), 0);
    expect(distributor_state_declare(state, "once", DISTRIBUTOR_FLOAT, 0), -EEXIST);
    expect(distributor_state_declare(state, "once", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE), -EEXIST);
    distributor_value_t value;
    expect(distributor_state_get(state, "other", &value), -ENOENT);
    distributor_state_destroy(state);
    finish();
}

Test(flow_state, an_open_state_declares_by_the_first_value)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    distributor_value_t value;
    expect(distributor_state_get(state, "n", &value), -ENOENT);
    expect(set(state, "n", distributor_int(1)), 0);
    expect(set(state, "n", distributor_int(2)), 0);
    expect(set(state, "n", distributor_bool(true)), -EINVAL);
    expect(get_int(state, "n"), 2);
    distributor_state_destroy(state);
    finish();
}

/* ---- Texts ---- */

static void expect_value(distributor_state_t *state, const char *key, const char *wanted)
{
    distributor_value_t value;
    char text[64], typed[80];
    expect(distributor_state_get(state, key, &value), 0);
    distributor_value_format(&value, text, sizeof(text));
    snprintf(typed, sizeof(typed), "%s %s", distributor_value_type_name(value.type), text);
    expect_text(typed, wanted);
    distributor_value_free(&value);
}

Test(flow_state, a_text_has_the_type_that_it_looks_like)
{
    static const char *const texts[][2] = {
        {"true", "bool true"}, {"false", "bool false"}, {"True", "string True"},
        {"0", "int 0"}, {"-0", "int 0"}, {"+5", "int 5"}, {"42", "int 42"},
        {"9223372036854775807", "int 9223372036854775807"},
        {"9223372036854775808", "string 9223372036854775808"},
        {"-9223372036854775808", "int -9223372036854775808"},
        {"-9223372036854775809", "string -9223372036854775809"},
        {"2.5", "float 2.5"}, {".5", "float 0.5"}, {"5.", "float 5"}, {"-1e3", "float -1000"},
        {"1E-2", "float 0.01"}, {"1e400", "string 1e400"}, {"-1e400", "string -1e400"},
        {"007", "string 007"}, {"-01", "string -01"}, {"00.5", "string 00.5"},
        {"0.5", "float 0.5"}, {"0x10", "string 0x10"}, {"1_000", "string 1_000"},
        {"1,5", "string 1,5"}, {"nan", "string nan"}, {"inf", "string inf"}, {"", "string "},
        {"+", "string +"}, {".", "string ."}, {"e5", "string e5"}, {"1e", "string 1e"},
        {"1e+", "string 1e+"}, {"1e5.", "string 1e5."}, {"--1", "string --1"},
        {" 1", "string  1"}, {"1 ", "string 1 "}, {"1.2.3", "string 1.2.3"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
        expect(distributor_state_set_text(state, "key", texts[i][0]), 0);
        expect_value(state, "key", texts[i][1]);
        /* It is the text that counts, for who declares the key afterwards. */
        expect(distributor_state_declare(state, "key", DISTRIBUTOR_STRING, 0), 0);
        distributor_value_t value;
        expect(distributor_state_get(state, "key", &value), 0);
        expect_text(value.as.string, texts[i][0]);
        distributor_value_free(&value);
        distributor_state_destroy(state);
    }
    finish();
}

static int declared_text(distributor_value_type_t type, const char *text, const char *wanted)
{
    distributor_state_t *state = new_state(0);
    expect(distributor_state_declare(state, "key", type, 0), 0);
    int rc = distributor_state_set_text(state, "key", text);
    if (rc == 0)
        expect_value(state, "key", wanted);
    else
        expect_message(state, wanted);
    distributor_state_destroy(state);
    return rc;
}

Test(flow_state, a_text_is_read_as_the_type_of_its_key)
{
    expect(declared_text(DISTRIBUTOR_STRING, "42", "string 42"), 0);
    expect(declared_text(DISTRIBUTOR_FLOAT, "2", "float 2"), 0);
    expect(declared_text(DISTRIBUTOR_FLOAT, "99999999999999999999", "float 1e+20"), 0);
    expect(declared_text(DISTRIBUTOR_INT, "007", "int 7"), 0);
    expect(declared_text(DISTRIBUTOR_BOOL, "true", "bool true"), 0);
    expect(declared_text(DISTRIBUTOR_INT, "0x10",
                         "the key key takes a value of type int, and '0x10' is none"), -EINVAL);
    expect(declared_text(DISTRIBUTOR_INT, "2.0",
                         "the key key takes a value of type int, and '2.0' is none"), -EINVAL);
    expect(declared_text(DISTRIBUTOR_FLOAT, "nan",
                         "the key key takes a value of type float, and 'nan' is none"), -EINVAL);
    expect(declared_text(DISTRIBUTOR_BOOL, "1",
                         "the key key takes a value of type bool, and '1' is none"), -EINVAL);
    expect(declared_text(DISTRIBUTOR_BYTES, "ff",
                         "the key key takes a value of type bytes, and 'ff' is none"), -EINVAL);
    expect(declared_text(DISTRIBUTOR_INT, "9223372036854775808",
                         "the key key has the type int, and 9223372036854775808 is too large for "
                         "it"), -ERANGE);
    expect(declared_text(DISTRIBUTOR_FLOAT, "1e400",
                         "the key key has the type float, and 1e400 is too large for it"), -ERANGE);
    finish();
}

Test(flow_state, a_guessed_key_is_declared)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    expect(set(state, "ratio", distributor_int(2)), 0);
    expect(distributor_state_declare(state, "ratio", DISTRIBUTOR_FLOAT, 0), 0);
    expect_value(state, "ratio", "float 2");
    expect(set(state, "ratio", distributor_float(3)), -EEXIST); /* these flags count now */
    expect(distributor_state_declare(state, "ratio", DISTRIBUTOR_INT, 0), -EEXIST);

    expect(set(state, "count", distributor_int(5)), 0);
    expect(distributor_state_declare(state, "count", DISTRIBUTOR_STRING, 0), -EEXIST);
    expect_message(state, "the key count was declared otherwise, as int");
    expect(distributor_state_declare(state, "count", DISTRIBUTOR_INT, 0), 0);
    expect_value(state, "count", "int 5");
    expect(distributor_state_declare(state, "count", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE),
           -EEXIST); /* once */

    expect(distributor_state_set_text(state, "port", "high"), 0);
    expect(distributor_state_declare(state, "port", DISTRIBUTOR_INT, 0), -EINVAL);
    expect_message(state, "the key port takes a value of type int, and 'high' is none");
    expect_value(state, "port", "string high");
    expect(distributor_state_set_text(state, "big", "1e400"), 0);
    expect(distributor_state_declare(state, "big", DISTRIBUTOR_FLOAT, 0), -ERANGE);

    /* A value that is no text takes the place of the text; no value has any type. */
    expect(distributor_state_set_text(state, "port", "1"), 0);
    expect_value(state, "port", "string 1");
    expect(set(state, "port", distributor_string("2")), 0);
    expect(distributor_state_declare(state, "port", DISTRIBUTOR_INT, 0), -EEXIST);
    expect(distributor_state_unset(state, "port"), 0);
    expect(distributor_state_declare(state, "port", DISTRIBUTOR_BYTES, 0), 0);

    /* What JSON wrote without a point. */
    expect(from_json(state, "{\"f\": 2}"), 0);
    expect(distributor_state_set_text(state, "f", "2.5"), 0);
    expect_value(state, "f", "float 2.5");
    expect(distributor_state_set_text(state, "f", "x"), -EINVAL);
    expect_value(state, "f", "float 2.5");
    distributor_state_destroy(state);
    finish();
}

static int add_one(void *context, const distributor_value_t *before, distributor_value_t *value)
{
    int64_t *most = context;
    int64_t now = before->type == DISTRIBUTOR_INT ? before->as.integer : 0;
    if (now == *most)
        return -ERANGE;
    if (now + 1 != *most || *most != 4)
        *value = distributor_int(now + 1);
    return 0;
}

Test(flow_state, update_sees_the_value_before)
{
    distributor_state_t *state = new_state(0);
    int64_t most = 3;
    expect(distributor_state_update(state, "n", add_one, &most), -ENOENT);
    expect(distributor_state_declare(state, "n", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE), 0);
    for (unsigned i = 0; i < 3; i++)
        expect(distributor_state_update(state, "n", add_one, &most), 0);
    expect(get_int(state, "n"), 3);
    expect(distributor_state_update(state, "n", add_one, &most), -ERANGE);
    most = 4; /* NONE: nothing changes */
    expect(distributor_state_update(state, "n", add_one, &most), 0);
    expect(get_int(state, "n"), 3);
    distributor_state_destroy(state);
    finish();
}

struct seen {
    char text[256];
    unsigned stop_at;
};

static int see(void *context, const char *key, distributor_value_type_t type, unsigned flags,
               const distributor_value_t *value)
{
    struct seen *seen = context;
    char text[32];
    distributor_value_format(value, text, sizeof(text));
    snprintf(seen->text + strlen(seen->text), sizeof(seen->text) - strlen(seen->text),
             "%s %s %u %s;", key, distributor_value_type_name(type), flags, text);
    return --seen->stop_at == 0 ? 7 : 0;
}

Test(flow_state, each_in_the_order_of_declaration)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    struct seen seen = {.stop_at = 3};
    expect(distributor_state_declare(state, "z", DISTRIBUTOR_BOOL, DISTRIBUTOR_TRANSIENT), 0);
    expect(set(state, "a", distributor_int(5)), 0);
    expect(distributor_state_each(state, see, &seen), 0);
    expect_text(seen.text, "z bool 2 none;a int 1 5;");
    seen = (struct seen){.stop_at = 1};
    expect(distributor_state_each(state, see, &seen), 7);
    expect_text(seen.text, "z bool 2 none;");
    distributor_state_destroy(state);
    finish();
}

Test(flow_state, no_pointer_where_one_is_needed)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    distributor_value_t value = distributor_int(1);
    char text[16], *json;
    expect(distributor_state_set(NULL, "a", &value), -EINVAL);
    expect(distributor_state_set(state, NULL, &value), -EINVAL);
    expect(distributor_state_get(NULL, "a", &value), -EINVAL);
    expect(distributor_state_get(state, NULL, &value), -EINVAL);
    expect(distributor_state_update(NULL, "a", add_one, NULL), -EINVAL);
    expect(distributor_state_update(state, NULL, add_one, NULL), -EINVAL);
    expect(distributor_state_unset(NULL, "a"), -EINVAL);
    expect(distributor_state_unset(state, NULL), -EINVAL);
    expect(distributor_state_each(NULL, see, NULL), -EINVAL);
    expect(distributor_state_unlock(NULL), -EINVAL);
    expect(distributor_state_message(NULL, text, sizeof(text)), -EINVAL);
    expect(distributor_state_message(state, NULL, 1), -EINVAL);
    expect(distributor_state_message(state, NULL, 0), 0);
    expect(distributor_state_to_json(NULL, &json), -EINVAL);
    expect(distributor_state_to_json(state, NULL), -EINVAL);
    expect(distributor_state_from_json(NULL, "{}", 2), -EINVAL);
    expect(distributor_state_from_json(state, NULL, 2), -EINVAL);
    expect(distributor_state_save(NULL, "x"), -EINVAL);
    expect(distributor_state_load(state, NULL), -EINVAL);
    distributor_state_destroy(state);
    finish();
}

/* What an update makes: a return that is no errno, or a value that is none. */
static int make_wrongly(void *context, const distributor_value_t *before,
                        distributor_value_t *value)
{
    (void)before;
    *value = distributor_int(1);
    value->type = (distributor_value_type_t)99;
    return *(const int *)context;
}

Test(flow_state, an_update_that_goes_wrong)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    int rc = 3;
    expect(set(state, "n", distributor_int(7)), 0);
    expect(distributor_state_update(state, "n", make_wrongly, &rc), -EINVAL);
    expect_message(state, "the update of n failed: Invalid argument");
    rc = 0;
    expect(distributor_state_update(state, "n", make_wrongly, &rc), -EINVAL);
    expect_message(state, "the update of n made no valid value");
    expect(get_int(state, "n"), 7);
    distributor_state_destroy(state);
    finish();
}

/* ---- JSON ---- */

static distributor_state_t *filled_state(void)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    expect(set(state, "b", distributor_bool(false)), 0);
    expect(set(state, "i", distributor_int(-5)), 0);
    expect(set(state, "f", distributor_float(2.5)), 0);
    expect(set(state, "s", distributor_string("line\n\"quoted\" \xc3\xa9")), 0);
    expect(set(state, "x", distributor_bytes("\x00\xff", 2)), 0);
    expect(set(state, "e", distributor_bytes(NULL, 0)), 0);
    return state;
}

static void expect_filled(distributor_state_t *state)
{
    distributor_value_t value;
    expect(distributor_state_get(state, "b", &value), 0);
    ensure(value.type == DISTRIBUTOR_BOOL && !value.as.boolean);
    expect(get_int(state, "i"), -5);
    expect(distributor_state_get(state, "f", &value), 0);
    ensure(value.type == DISTRIBUTOR_FLOAT && value.as.number > 2.4 && value.as.number < 2.6);
    expect(distributor_state_get(state, "s", &value), 0);
    expect_text(value.as.string, "line\n\"quoted\" \xc3\xa9");
    distributor_value_free(&value);
    expect(distributor_state_get(state, "x", &value), 0);
    ensure(value.size == 2 && memcmp(value.as.bytes, "\x00\xff", 2) == 0);
    distributor_value_free(&value);
    expect(distributor_state_get(state, "e", &value), 0);
    ensure(value.type == DISTRIBUTOR_BYTES && value.size == 0);
    distributor_value_free(&value);
}

Test(flow_state, json_there_and_back)
{
    distributor_state_t *state = filled_state(), *copy = new_state(DISTRIBUTOR_OPEN);
    char *text;
    expect(set(state, "p", distributor_pointer(&destroyed, NULL)), 0);
    expect(distributor_state_declare(state, "t", DISTRIBUTOR_INT, DISTRIBUTOR_TRANSIENT), 0);
    expect(set(state, "t", distributor_int(1)), 0);
    expect(distributor_state_to_json(state, &text), 0);
    ensure(strstr(text, "\"hex\": \"00ff\"") != NULL);
    ensure(strstr(text, "\"p\"") == NULL && strstr(text, "\"t\"") == NULL);
    expect(distributor_state_from_json(copy, text, strlen(text)), 0);
    expect_filled(copy);
    free(text);
    distributor_state_destroy(state);
    distributor_state_destroy(copy);
    finish();
}

Test(flow_state, json_that_is_refused)
{
    distributor_state_t *state = new_state(0);
    distributor_value_t value;
    expect(distributor_state_declare(state, "i", DISTRIBUTOR_INT, 0), 0);
    expect(distributor_state_declare(state, "f", DISTRIBUTOR_FLOAT, 0), 0);
    expect(distributor_state_declare(state, "x", DISTRIBUTOR_BYTES, 0), 0);
    expect(from_json(state, ""), -EBADMSG);
    expect(from_json(state, "{\"i\": 1,}"), -EBADMSG);
    expect(from_json(state, "{\"i\": 1, \"i\": 2}"), -EBADMSG);
    expect(from_json(state, "[1]"), -EBADMSG);
    expect_message(state, "the JSON is no object");
    expect(from_json(state, "{\"i\": 1, \"j\": 2}"), -ENOENT);
    expect_message(state, "there is no key j");
    expect(distributor_state_get(state, "i", &value), -ENODATA); /* all or none */
    expect(from_json(state, "{\"i\": null}"), -EINVAL);
    expect_message(state, "the member i is of no type that a key can have");
    expect(from_json(state, "{\"i\": [1]}"), -EINVAL);
    expect(from_json(state, "{\"i\": 1.5}"), -EINVAL);
    expect(from_json(state, "{\"\": 1}"), -EINVAL);
    expect(from_json(state, "{\"x\": {\"hex\": \"0\"}}"), -EINVAL);
    expect(from_json(state, "{\"x\": {\"hex\": \"0g\"}}"), -EINVAL);
    expect(from_json(state, "{\"x\": {\"hex\": \"00\", \"more\": 1}}"), -EINVAL);
    expect(from_json(state, "{\"f\": 2}"), 0); /* a whole number is a number */
    expect(from_json(state, "{\"i\": 1, \"f\": 2}"), -EEXIST);
    expect(distributor_state_from_json(state, NULL, 0), -EBADMSG);
    distributor_state_destroy(state);
    finish();
}

Test(flow_state, values_that_json_cannot_say)
{
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    char *text;
    expect(set(state, "s", distributor_string("\xff")), 0);
    expect(distributor_state_to_json(state, &text), -EILSEQ);
    expect_message(state, "the value of s is no UTF-8");
    ensure(text == NULL);
    expect(set(state, "s", distributor_string("s")), 0);
    expect(set(state, "f", distributor_float((double)INFINITY)), 0);
    expect(distributor_state_to_json(state, &text), -EDOM);
    expect_message(state, "the value of f is no finite number");
    expect(set(state, "f", distributor_float(0.5)), 0);
    expect(set(state, "\xff", distributor_int(1)), 0);
    expect(distributor_state_to_json(state, &text), -EILSEQ);
    expect_message(state, "the name of \xff is no UTF-8");
    distributor_state_destroy(state);
    finish();
}

/* The machine may have no locale with a comma, so this makes one.  False: it cannot. */
static bool use_comma(const char *folder)
{
    char path[64], command[160];
    snprintf(path, sizeof(path), "%s/source", folder);
    FILE *source = fopen(path, "w");
    ensure(source != NULL);
    fputs("LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \"\"\ngrouping -1\nEND LC_NUMERIC\n",
          source);
    fclose(source);
    snprintf(command, sizeof(command), "localedef -c --no-archive -i %s %s/comma > %s/log 2>&1",
             path, folder, folder);
    if (system(command) < 0 || setenv("LOCPATH", folder, 1) != 0)
        return false;
    return setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
}

Test(flow_state, numbers_have_a_point_in_any_locale)
{
    char folder[] = "/tmp/distributor-locale-XXXXXX", command[64], text[32], *json = NULL;
    ensure(mkdtemp(folder) != NULL);
    bool comma = use_comma(folder);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    expect(system(command), 0);
    if (!comma)
        cr_skip_test("no localedef here");
    distributor_value_t value;
    expect(distributor_value_read(&value, "2.5"), 0);
    expect(value.type, DISTRIBUTOR_FLOAT);
    expect(value.as.number * 2, 5);
    expect(distributor_value_format(&value, text, sizeof(text)), 3);
    expect_text(text, "2.5");
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    expect(set(state, "f", value), 0);
    expect(distributor_state_to_json(state, &json), 0);
    ensure(strstr(json, "2.5"));
    free(json);
    distributor_state_destroy(state);
    snprintf(text, sizeof(text), "%.1f", 2.5);
    expect_text(text, "2,5"); /* the caller's locale is as it was */
    finish();
}

Test(flow_state, a_file_that_is_reopened)
{
    char folder[] = "/tmp/distributor-state-XXXXXX", path[64], missing[64];
    ensure(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/state.json", folder);
    snprintf(missing, sizeof(missing), "%s/no/state.json", folder);
    distributor_state_t *state = filled_state(), *copy = new_state(DISTRIBUTOR_OPEN);
    expect(distributor_state_load(copy, path), -ENOENT);
    expect(distributor_state_save(state, missing), -ENOENT);
    expect(distributor_state_save(state, path), 0);
    expect(distributor_state_load(copy, path), 0);
    expect_filled(copy);

    /* A save that fails leaves the old file and nothing else. */
    expect(set(state, "f", distributor_float((double)NAN)), 0);
    expect(distributor_state_save(state, path), -EDOM);
    expect(distributor_state_load(copy, path), 0);
    expect_filled(copy);
    expect(distributor_state_load(copy, folder), -EISDIR);
    expect(unlink(path), 0);
    FILE *file = fopen(path, "w");
    fputs("{\"i\": ", file);
    fclose(file);
    expect(distributor_state_load(copy, path), -EBADMSG);
    expect_filled(copy);
    expect(unlink(path), 0);
    expect(rmdir(folder), 0); /* nothing else was left there */
    distributor_state_destroy(state);
    distributor_state_destroy(copy);
    finish();
}

/* ---- Inputs and outputs of nodes ---- */

static distributor_state_t *keyring(void)
{
    distributor_state_t *state = new_state(0);
    expect(distributor_state_declare(state, "k1", DISTRIBUTOR_STRING, DISTRIBUTOR_REPLACE), 0);
    expect(distributor_state_declare(state, "k2", DISTRIBUTOR_INT, DISTRIBUTOR_REPLACE), 0);
    expect(distributor_state_declare(state, "k3", DISTRIBUTOR_FLOAT, DISTRIBUTOR_REPLACE), 0);
    return state;
}

static int set_k1(distributor_call_t *call)
{
    return distributor_return_string(call, "valid");
}

static int set_k2_and_k3(distributor_call_t *call)
{
    const distributor_value_t one = distributor_int(1), two = distributor_int(2),
                              pi = distributor_float(3.14);
    task_assert(distributor_call_set(call, "k2", &one) == 0);
    task_assert(distributor_call_set(call, "k2", &two) == 0);
    task_assert(distributor_call_set(call, "k3", &pi) == 0);
    task_assert(distributor_call_set(call, "k1", &one) == -ENOENT);
    task_assert(distributor_call_set(call, "k2", NULL) == -EINVAL);
    return 0;
}

static int use_all(distributor_call_t *call)
{
    distributor_value_t value;
    task_assert(distributor_call_state(call) != NULL);
    task_assert(distributor_call_get(call, "k1", &value) == 0);
    task_assert(strcmp(value.as.string, "valid") == 0);
    task_assert(distributor_call_get(call, "k2", &value) == 0 && value.as.integer == 2);
    task_assert(distributor_call_get(call, "k3", &value) == 0);
    task_assert(value.type == DISTRIBUTOR_FLOAT);
    task_assert(distributor_call_get(call, "k4", &value) == -ENOENT);
    task_assert(distributor_call_get(call, "k1", NULL) == -EINVAL);
    return 0;
}

static int no_inputs(distributor_call_t *call)
{
    distributor_value_t value;
    task_assert(distributor_call_get(call, "k1", &value) == -ENOENT);
    return 0;
}

/* B6: the vault hands functions their inputs and takes what they give. */
Test(flow_state, a_graph_with_a_state)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = keyring();
    distributor_value_t value;
    add_node(graph, .name = "use", .run = use_all, .inputs = NAMES("k1", "k2", "k3"),
             .after = NAMES("set_k1", "set_k2"));
    add_node(graph, .name = "set_k1", .run = set_k1, .outputs = NAMES("k1"));
    add_node(graph, .name = "set_k2", .run = set_k2_and_k3, .outputs = NAMES("k2", "k3"));
    add_node(graph, .name = "neither", .run = no_inputs);
    for (unsigned workers = 1; workers <= 3; workers++)
        expect(run_graph(graph, RUN_OPTIONS(.workers = workers, .state = state)).passed, 4);
    expect(get_int(state, "k2"), 2);
    expect(distributor_graph_result(graph, 1, &value), 0); /* it is the result as well */
    expect_text(value.as.string, "valid");
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
    finish();
}

static int give_wrong_type(distributor_call_t *call)
{
    return distributor_return_int(call, 1);
}

static int give_half(distributor_call_t *call)
{
    const distributor_value_t two = distributor_int(2);
    task_assert(distributor_call_set(call, "k2", &two) == 0);
    return 0;
}

static int give_one_wrong(distributor_call_t *call)
{
    const distributor_value_t two = distributor_int(2);
    task_assert(distributor_call_set(call, "k2", &two) == 0);
    task_assert(distributor_call_set(call, "k3", &two) == 0);
    return 0;
}

static int give_pointer(distributor_call_t *call)
{
    const distributor_value_t pointer = distributor_pointer(&destroyed, destroy);
    return distributor_return(call, &pointer);
}

static int never(distributor_call_t *call)
{
    task_assert(!call);
    return 0;
}

Test(flow_state, what_a_node_misses_or_gives_wrong_is_named)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = keyring();
    distributor_value_t value;
    add_node(graph, .name = "use", .run = never, .inputs = NAMES("k1"));
    add_node(graph, .name = "wrong", .run = give_wrong_type, .outputs = NAMES("k1"));
    add_node(graph, .name = "half", .run = give_half, .outputs = NAMES("k2", "k3"));
    add_node(graph, .name = "nothing", .run = no_work, .outputs = NAMES("k1"));
    add_node(graph, .name = "one", .run = give_one_wrong, .outputs = NAMES("k2", "k3"));
    expect(run_graph(graph, RUN_OPTIONS(.state = state)).failed, 5);
    expect(report_of(graph, "one").error, -EINVAL);
    expect(report_of(graph, "use").error, -ENODATA);
    expect_text(report_of(graph, "use").message, "use needs the input k1, which has no value");
    expect(report_of(graph, "wrong").error, -EINVAL);
    expect_text(report_of(graph, "wrong").message,
                "wrong: the key k1 takes a value of type string, not int");
    expect_text(report_of(graph, "half").message, "half gave no value for its output k3");
    expect_text(report_of(graph, "nothing").message, "nothing gave no value for its output k1");
    expect(distributor_state_get(state, "k2", &value), -ENODATA); /* all outputs or none */
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
    finish();
}

Test(flow_state, keys_that_the_state_does_not_have)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = keyring(), *open = new_state(DISTRIBUTOR_OPEN);
    add_node(graph, .name = "use", .run = no_work, .inputs = NAMES("k1"));
    add_node(graph, .name = "give", .run = give_wrong_type, .outputs = NAMES("k9"));
    expect(distributor_graph_run(graph, NULL, NULL), -EINVAL);
    expect_text(distributor_graph_message(graph), "use names the key k1, and the run has no state");
    expect(distributor_graph_run(graph, RUN_OPTIONS(.state = state), NULL), -ENOENT);
    expect_text(distributor_graph_message(graph),
                "give names the key k9, which the state does not have");
    expect(distributor_graph_run(graph, RUN_OPTIONS(.only = NAMES("use")), NULL), -EINVAL);
    expect(run_graph(graph, RUN_OPTIONS(.state = open, .only = NAMES("give"))).passed, 1);
    expect(get_int(open, "k9"), 1);
    distributor_graph_destroy(graph);
    distributor_state_destroy(state);
    distributor_state_destroy(open);
    finish();
}

Test(flow_state, a_pointer_goes_to_the_state)
{
    distributor_graph_t *graph = new_graph();
    distributor_state_t *state = new_state(DISTRIBUTOR_OPEN);
    add_node(graph, .name = "give", .run = give_pointer, .outputs = NAMES("p"));
    expect(run_graph(graph, RUN_OPTIONS(.state = state)).passed, 1);
    expect(run_graph(graph, RUN_OPTIONS(.state = state)).passed, 1);
    expect(destroyed, 1); /* the first, when the second took its place */
    distributor_graph_destroy(graph);
    expect(destroyed, 1);
    distributor_state_destroy(state);
    expect(destroyed, 2);
    finish();
}
