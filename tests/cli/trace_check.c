/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a trace as strictly as its format is written down, and says how much of what it has.
 *
 *     trace_check FILE        prints "SLICES slices, ARROWS arrows, LANES lanes"
 *
 * The format: an object with the array traceEvents.  Each event has name, ph, ts, pid and tid; a
 * slice (X) has dur; the slices of a lane do not overlap; an arrow is two ends, s and f, of one id,
 * name and category, the first not later, and each end lies within a slice of its lane; each lane
 * has one name (M, thread_name); there is nothing else.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *events;
static unsigned slices, arrows, lanes;

static void wrong(const json_t *event, const char *what)
{
    char *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);

    printf("%s: %s\n", what, text ? text : "?");
    exit(1);
}

static const char *text_of(const json_t *event, const char *key)
{
    const json_t *member = json_object_get(event, key);

    if (!json_is_string(member) || !*json_string_value(member))
        wrong(event, key);
    return json_string_value(member);
}

static double number_of(const json_t *event, const char *key)
{
    const json_t *member = json_object_get(event, key);

    if (!json_is_number(member) || json_number_value(member) < 0)
        wrong(event, key);
    return json_number_value(member);
}

static json_int_t integer_of(const json_t *event, const char *key)
{
    if (!json_is_integer(json_object_get(event, key)))
        wrong(event, key);
    return json_integer_value(json_object_get(event, key));
}

static bool is_phase(const json_t *event, const char *phase)
{
    return strcmp(text_of(event, "ph"), phase) == 0;
}

static bool is_lane_of(const json_t *a, const json_t *b)
{
    return integer_of(a, "pid") == integer_of(b, "pid") &&
        integer_of(a, "tid") == integer_of(b, "tid");
}

/* How many events of a phase there are in the lane of this one. */
static unsigned count_in_lane(const json_t *event, const char *phase)
{
    unsigned count = 0;

    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *other = json_array_get(events, i);
        count += is_phase(other, phase) && is_lane_of(event, other);
    }
    return count;
}

static void check_slice(const json_t *event)
{
    double begin = number_of(event, "ts"), end = begin + number_of(event, "dur");

    slices++;
    if (count_in_lane(event, "M") != 1)
        wrong(event, "a lane without one name");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *other = json_array_get(events, i);
        if (other == event || !is_phase(other, "X") || !is_lane_of(event, other))
            continue;
        double from = number_of(other, "ts"), to = from + number_of(other, "dur");
        /* Sums of microseconds are not exact. */
        if (begin + 0.0005 < to && from + 0.0005 < end)
            wrong(event, "overlaps another slice of its lane");
    }
}

static bool is_within_slice(const json_t *end)
{
    double time = number_of(end, "ts");

    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *slice = json_array_get(events, i);
        if (is_phase(slice, "X") && is_lane_of(end, slice) && time >= number_of(slice, "ts") &&
            time <= number_of(slice, "ts") + number_of(slice, "dur"))
            return true;
    }
    return false;
}

static void check_arrow(const json_t *begin)
{
    unsigned begins = 0, ends = 0;

    arrows++;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *end = json_array_get(events, i);
        if ((!is_phase(end, "s") && !is_phase(end, "f")) ||
            integer_of(end, "id") != integer_of(begin, "id"))
            continue;
        if (strcmp(text_of(end, "name"), text_of(begin, "name")) != 0 ||
            strcmp(text_of(end, "cat"), text_of(begin, "cat")) != 0)
            wrong(end, "an arrow whose ends have other names");
        if (!is_within_slice(end))
            wrong(end, "an arrow's end outside of all slices");
        if (number_of(end, "ts") < number_of(begin, "ts"))
            wrong(end, "an arrow that goes back");
        begins += is_phase(end, "s");
        ends += is_phase(end, "f");
        /* Without it a viewer looks for the next slice. */
        if (is_phase(end, "f") && strcmp(text_of(end, "bp"), "e") != 0)
            wrong(end, "an end that is not bound to the slice around it");
    }
    if (begins != 1 || ends != 1)
        wrong(begin, "an arrow without two ends");
}

static void check_event(const json_t *event)
{
    text_of(event, "name");
    text_of(event, "cat"); /* not asked for, and yet there are viewers that read it */
    number_of(event, "ts");
    integer_of(event, "pid");
    integer_of(event, "tid");
    if (is_phase(event, "M")) {
        lanes++;
        if (strcmp(text_of(event, "name"), "thread_name") != 0)
            wrong(event, "unknown metadata");
        text_of(json_object_get(event, "args"), "name");
    } else if (is_phase(event, "X")) {
        check_slice(event);
    } else if (is_phase(event, "s")) {
        check_arrow(event);
    } else if (!is_phase(event, "f")) {
        wrong(event, "unknown phase");
    }
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *trace = argc == 2 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL;
    unsigned ends = 0;

    if (!trace) {
        printf("no JSON: %s\n", argc == 2 ? error.text : "no file");
        return 1;
    }
    events = json_object_get(trace, "traceEvents");
    if (!json_is_array(events) || strcmp(text_of(trace, "displayTimeUnit"), "ns") != 0)
        wrong(trace, "no trace");
    for (size_t i = 0; i < json_array_size(events); i++)
        check_event(json_array_get(events, i));
    for (size_t i = 0; i < json_array_size(events); i++)
        ends += is_phase(json_array_get(events, i), "f");
    if (ends != arrows)
        wrong(trace, "ends without arrows");
    printf("%u slices, %u arrows, %u lanes\n", slices, arrows, lanes);
    json_decref(trace);
    return 0;
}
