/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs, results, failures and messages of every size arrive whole, aligned, and as copies: the
 * caller may do with its own bytes what it likes.
 */
#include <stdalign.h>

#include "support.h"

TestSuite(bytes, .timeout = 240);

#define MEBIBYTE 1048576u

static const size_t sizes[] = {0,  1,  7,   8,    15,   16,   17,    24,      31,
                               32, 33, 100, 4095, 4096, 4097, 65536, MEBIBYTE};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Each size has bytes of its own. */
static unsigned char byte_at(size_t size, size_t i)
{
    return (unsigned char)(size * 31 + i * 7 + (i >> 8));
}

static void fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(size, i);
}

static bool is_right(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    if (size == 0)
        return data == NULL;
    if (data == NULL || (uintptr_t)data % alignof(max_align_t) != 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(size, i))
            return false;
    return true;
}

static int emit_copy(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(is_right(input, size));
    unsigned char *copy = malloc(size + 1);
    task_assert(copy != NULL);
    fill(copy, size);
    task_assert(distributor_emit(self, size == 0 ? NULL : copy, size) == 0);
    memset(copy, 0xee, size + 1);
    free(copy);
    task_assert(is_right(input, size));
    return 0;
}

static int spawn_copy(distributor_task_t *self, const void *input, size_t size)
{
    static const distributor_task_type_t type = {.name = "copy", .run = emit_copy};
    return distributor_spawn(self, &type, input, size);
}

static int fail_with_input(distributor_task_t *self, const void *input, size_t size)
{
    task_assert(is_right(input, size));
    return distributor_fail(self, -EIO, "%zu", size);
}

/* Adds one task of each size from one buffer, which is overwritten each time. */
static void add_each_size(distributor_t *d, const distributor_task_type_t *type)
{
    unsigned char *bytes = malloc(MEBIBYTE);
    ensure(bytes != NULL);
    for (int i = 0; i < SIZES; i++) {
        fill(bytes, sizes[i]);
        expect(distributor_add_task(d, type, sizes[i] == 0 ? NULL : bytes, sizes[i]), 0);
        memset(bytes, 0xee, MEBIBYTE);
    }
    free(bytes);
}

static void expect_each_size(distributor_t *d, int error)
{
    bool seen[SIZES] = {false};
    distributor_result_t r;
    for (int n = 0; n < SIZES; n++) {
        expect(distributor_next_result(d, &r), 1);
        expect(r.error, error);
        ensure(is_right(r.data, r.size));
        for (int i = 0; i < SIZES; i++)
            if (sizes[i] == r.size) {
                ensure(!seen[i]);
                seen[i] = true;
            }
    }
    expect(distributor_next_result(d, &r), 0);
    for (int i = 0; i < SIZES; i++)
        ensure(seen[i]);
}

static void through(distributor_run_fn *run_fn, int error)
{
    const distributor_task_type_t type = {.name = "through", .run = run_fn};
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 3; round++) {
        add_each_size(d, &type);
        run(d);
        expect_each_size(d, error);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

Test(bytes, of_inputs_and_results)
{
    through(emit_copy, 0);
}

Test(bytes, of_spawned_inputs)
{
    through(spawn_copy, 0);
}

Test(bytes, of_failures)
{
    through(fail_with_input, -EIO);
}

/* A pointer beside a size of zero is no input: the callback is given NULL. */
Test(bytes, of_size_zero)
{
    static const distributor_task_type_t type = {.name = "copy", .run = emit_copy};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_task(d, &type, "not read", 0), 0);
    expect(distributor_add_tasks(d, &type, NULL, 0, 3), 3);
    expect(distributor_add_tasks(d, &type, "not read", 0, 3), 3);
    expect(run(d).results, 7);
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1)
        ensure(r.data == NULL && r.size == 0);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- Arrays ---- */

static int emit_sum(distributor_task_t *self, const void *input, size_t size)
{
    const unsigned char *bytes = input;
    task_assert((uintptr_t)input % alignof(max_align_t) == 0);
    for (size_t i = 1; i < size; i++)
        task_assert(bytes[i] == bytes[0]);
    return distributor_emit(self, bytes, 1);
}

/* Each task is given its own part of the array. */
Test(bytes, of_arrays)
{
    static const distributor_task_type_t type = {.name = "sum", .run = emit_sum};
    enum { COUNT = 200 };
    for (int i = 1; i < SIZES && sizes[i] <= 4097; i++) {
        distributor_t *d = make(OPTIONS(.workers = 2));
        unsigned char *all = malloc(COUNT * sizes[i]);
        ensure(all != NULL);
        for (size_t k = 0; k < COUNT; k++)
            memset(all + k * sizes[i], (int)k, sizes[i]);
        expect(distributor_add_tasks(d, &type, all, sizes[i], COUNT), COUNT);
        free(all);
        run(d);
        bool seen[256] = {false};
        distributor_result_t r;
        for (int n = 0; n < COUNT; n++) {
            expect(distributor_next_result(d, &r), 1);
            unsigned char k = *(const unsigned char *)r.data;
            ensure(k < COUNT && !seen[k]);
            seen[k] = true;
        }
        expect(drain(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* ---- Messages ---- */

static int receive_each_size(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    distributor_message_t m;
    for (int i = 0; i < SIZES; i++) {
        task_assert(distributor_receive(self, &m) == 1);
        task_assert(m.size == sizes[i] && is_right(m.data, m.size));
    }
    task_assert(distributor_receive(self, &m) == 0);
    return 0;
}

Test(bytes, of_messages)
{
    static const distributor_task_type_t type = {.name = "mail", .run = receive_each_size};
    distributor_t *d = make(OPTIONS(.workers = 1));
    unsigned char *bytes = malloc(MEBIBYTE);
    ensure(bytes != NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SIZES; i++) {
            fill(bytes, sizes[i]);
            expect(distributor_send(d, 0, sizes[i] == 0 ? NULL : bytes, sizes[i]), 0);
            memset(bytes, 0xee, MEBIBYTE);
        }
        expect(distributor_add_task(d, &type, NULL, 0), 0);
        run(d);
    }
    free(bytes);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- What is discarded ---- */

static atomic_size_t discarded;

static void discard(void *data, size_t size)
{
    task_assert(is_right(data, size));
    atomic_fetch_add(&discarded, 1);
}

Test(bytes, of_what_is_discarded)
{
    static const distributor_task_type_t type = {
        .name = "discarded",
        .run = emit_copy,
        .discard_input = discard,
        .discard_result = discard,
    };
    distributor_t *d = make(OPTIONS(.workers = 2));
    add_each_size(d, &type);
    expect(distributor_cancel(d), 0);
    run(d);
    expect(atomic_load(&discarded), SIZES);
    add_each_size(d, &type);
    run(d);
    distributor_drop_results(d);
    expect(atomic_load(&discarded), 2 * SIZES);
    add_each_size(d, &type);
    run(d);
    expect(distributor_destroy(d), 0);
    expect(atomic_load(&discarded), 3 * SIZES);
    finish();
}
