/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults through a whole life: from create to destroy every call of the library may fail, on any
 * thread.  Each add, spawn and emit says whether it took what it was given, and that is what must
 * come out; nobody hangs while there is no memory, and what is left is discarded once.
 */
#include "book.h"
#include "inject.h"

#include <distributor/map.h>

#include <errno.h>
#include <pthread.h>

#define TASKS 12
#define CHILDREN 100 /* the ids of what task i spawns begin at CHILDREN * (i + 1) */

/* Emits a little and a lot, spawns two, sends itself a message, fails now and then. */
static int busy_body(distributor_task_t *self, unsigned id, size_t size)
{
    distributor_message_t message;
    distributor_t *d = distributor_of(self);
    int rc = distributor_send(d, distributor_worker_index(self), "text", 4);
    FAULT_MAY(rc, 0, -ENOMEM);
    while (distributor_receive(self, &message) == 1) {
        FAULT_CHECK(message.size == 4, "a message of %zu\n", message.size);
    }
    rc = book_emit(self, id, id % 2 == 0 ? BOOK_INLINE : BOOK_LARGE);
    FAULT_MAY(rc, 0, -ENOMEM);
    for (unsigned i = 0; id < TASKS && i < 2; i++) {
        rc = book_spawn(self, CHILDREN * (id + 1) + i, size == BOOK_LARGE ? BOOK_INLINE : size);
        if (rc != -ESHUTDOWN || !distributor_should_stop(self)) {
            FAULT_MAY(rc, 0, -ENOMEM);
        }
    }
    return id % 5 == 4 ? distributor_fail(self, -EIO, "task %u", id) : rc;
}

static void *add_some(void *d)
{
    for (unsigned id = TASKS / 2; id < TASKS; id++) {
        int rc = book_add(d, id, id % 3 == 0 ? BOOK_LARGE : BOOK_INLINE);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    return NULL;
}

/* Adds from a thread that is not counted among the calls that fail. */
static void add_from_thread(distributor_t *d)
{
    pthread_t thread;
    fault_disarm();
    FAULT_CHECK(pthread_create(&thread, NULL, add_some, d) == 0, "no thread\n");
    fault_arm();
    FAULT_CHECK(pthread_join(thread, NULL) == 0, "join\n");
}

static void work(distributor_t *d)
{
    for (unsigned id = 0; id < TASKS / 2; id++) {
        int rc = book_add(d, id, id % 3 == 0 ? BOOK_LARGE : BOOK_INLINE);
        FAULT_MAY(rc, 0, -ENOMEM);
    }
    int rc = distributor_add_worker(d, "late");
    FAULT_CHECK(rc >= 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "%d\n", rc);
    rc = distributor_start(d);
    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "%d\n", rc);
    bool started = rc == 0;
    add_from_thread(d);
    if (!started) {
        fault_disarm();
        FAULT_CHECK(distributor_start(d) == 0, "start with memory\n");
    }
}

static void life(bool reads, bool cancels, distributor_order_t order)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2, .name = "whole",
                                     .order = order};
    book_reset(busy_body);
    fault_arm();
    int rc = distributor_create(&d, &options);
    FAULT_MAY(rc, 0, -ENOMEM);
    if (rc == 0) {
        work(d);
        if (cancels) {
            FAULT_CHECK(distributor_cancel(d) == 0, "cancel\n");
        }
        if (reads) {
            book_finish(d);
        } else {
            FAULT_CHECK(distributor_join(d, NULL) == 0, "join\n");
        }
        FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
    }
    fault_disarm();
    book_close();
}

static void life_read(void)
{
    life(true, false, DISTRIBUTOR_AS_COMPLETED);
}

static void life_unread(void)
{
    life(false, false, DISTRIBUTOR_AS_COMPLETED);
}

static void life_cancelled(void)
{
    life(false, true, DISTRIBUTOR_AS_COMPLETED);
}

static void life_ordered(void)
{
    life(true, false, DISTRIBUTOR_AS_ADDED);
}

static void life_ordered_cancelled(void)
{
    life(false, true, DISTRIBUTOR_AS_ADDED);
}

/* ---- a map: all or nothing ---- */

#define ITEMS 1000

static int add_one(void *context, const void *inputs, void *outputs, size_t count)
{
    const int *in = inputs;
    int *out = outputs;
    (void)context;
    for (size_t i = 0; i < count; i++) {
        out[i] += in[i] + 1;
    }
    return 0;
}

static void map_with(distributor_t *d)
{
    static int in[ITEMS], out[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        in[i] = i;
        out[i] = 0;
    }
    fault_arm();
    int rc = distributor_map(d, add_one, NULL, in, sizeof(int), out, sizeof(int), ITEMS);
    fault_disarm();
    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired()), "map: %d\n", rc);
    for (int i = 0; i < ITEMS; i++) {
        FAULT_CHECK(out[i] == (rc == 0 ? i + 1 : 0), "item %d is %d\n", i, out[i]);
    }
}

static void map_temporary(void)
{
    map_with(NULL);
}

static void map_on(bool started)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    if (started) {
        FAULT_CHECK(distributor_start(d) == 0, "start\n");
    }
    map_with(d);
    FAULT_CHECK(distributor_is_idle(d) == 1, "not idle after a map\n");
    map_with(d);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

static void map_started(void)
{
    map_on(true);
}

static void map_created(void)
{
    map_on(false);
}

/* ---- a map that announces its ranges: all of them, or an error in the last one, which may be read
 * before others ---- */

static void read_ranges(distributor_t *d, const int *out)
{
    distributor_result_t r;
    size_t done = 0, announced = 0;
    unsigned last = 0;
    int rc;
    while ((rc = distributor_next_result(d, &r)) != 0) {
        FAULT_MAY(rc, 1, -ENOMEM);
        if (rc == -ENOMEM) {
            fault_disarm(); /* from here on it can be read */
            continue;
        }
        if (r.error != 0) {
            FAULT_CHECK(fault_fired(), "a failure: %s\n", r.message);
            continue;
        }
        const distributor_map_range_t *range = r.data;
        for (size_t i = 0; !range->last && i < range->count; i++) {
            FAULT_CHECK(out[range->first + i] == (int)(range->first + i) + 1, "a wrong item\n");
        }
        done += range->last ? 0 : range->count;
        if (range->last) {
            last++;
            announced = range->count;
            FAULT_CHECK(range->error == 0 || fault_fired(), "the map failed: %d\n", range->error);
        }
    }
    FAULT_CHECK(announced == done || fault_fired(), "%zu of %zu announced\n", done, announced);
    FAULT_CHECK(last <= 1, "%u last ones\n", last);
    FAULT_CHECK((last == 1 && done == ITEMS) || fault_fired(), "%zu of all\n", done);
}

static void map_async(void)
{
    static int in[ITEMS], out[ITEMS];
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2};
    for (int i = 0; i < ITEMS; i++) {
        in[i] = i;
        out[i] = 0;
    }
    FAULT_CHECK(distributor_create(&d, &options) == 0 && distributor_start(d) == 0, "start\n");
    fault_arm();
    int rc = distributor_map_async(d, add_one, NULL, in, sizeof(int), out, sizeof(int), ITEMS);
    FAULT_MAY(rc, 0, -ENOMEM);
    FAULT_CHECK(distributor_close(d) == 0, "close\n");
    if (rc == 0) {
        read_ranges(d, out);
    }
    fault_disarm();
    FAULT_CHECK(distributor_join(d, NULL) == 0 && distributor_destroy(d) == 0, "destroy\n");
    for (int i = 0; i < ITEMS; i++) {
        FAULT_CHECK((rc == 0 && out[i] == i + 1) || (out[i] == 0 && fault_fired()),
                    "item %d is %d\n", i, out[i]);
    }
}

/* ---- a lazy map: made or not, and then it needs no memory ---- */

static int give(void *context, void *input)
{
    int *next = context;
    *(int *)input = *next;
    return (*next)++ < ITEMS;
}

static int one_more(void *context, const void *inputs, void *outputs, size_t count)
{
    (void)context, (void)count;
    *(int *)outputs = *(const int *)inputs + 1;
    return 0;
}

static void lazy_map_with(distributor_t *d)
{
    distributor_lazy_map_t *map;
    int next = 0;
    int read = 0;
    int output;
    fault_arm();
    int rc = distributor_map_lazy(&map, d, one_more, NULL, give, &next, sizeof(int), sizeof(int),
                                  50);
    FAULT_CHECK(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && fault_fired() && !map),
                "map_lazy: %d\n", rc);
    while (rc == 0 && (rc = distributor_map_next(map, &output)) == 1) {
        read++;
        FAULT_CHECK(output == read, "item %d is %d\n", read, output);
        rc = 0;
    }
    fault_disarm();
    FAULT_CHECK(!map || (rc == 0 && read == ITEMS), "read %d: %d\n", read, rc);
    FAULT_CHECK(distributor_map_destroy(map) == 0, "destroy\n");
}

static void lazy_map_temporary(void)
{
    lazy_map_with(NULL);
}

static void lazy_map_started(void)
{
    distributor_t *d = NULL;
    distributor_options_t options = {.size = sizeof options, .workers = 2};
    FAULT_CHECK(distributor_create(&d, &options) == 0, "create\n");
    FAULT_CHECK(distributor_start(d) == 0, "start\n");
    lazy_map_with(d);
    lazy_map_with(d);
    FAULT_CHECK(distributor_destroy(d) == 0, "destroy\n");
}

int main(int argc, char **argv)
{
    static const struct fault_scenario scenarios[] = {
        {"life_read", life_read},
        {"life_unread", life_unread},
        {"life_cancelled", life_cancelled},
        {"life_ordered", life_ordered},
        {"life_ordered_cancelled", life_ordered_cancelled},
        {"map_temporary", map_temporary},
        {"map_created", map_created},
        {"map_started", map_started},
        {"map_async", map_async},
        {"lazy_map_temporary", lazy_map_temporary},
        {"lazy_map_started", lazy_map_started},
    };
    return fault_main(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
