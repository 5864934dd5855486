/* SPDX-License-Identifier: BSD-2-Clause */
/* Who was accepted, and what became of it; see book.h. */
#include "book.h"
#include "inject.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define MAX_SIZE 4096

/* What happened to one task, and how often. */
static struct entry {
    atomic_uint accepted, begun, completed, failed, discarded;
    atomic_uint emitted, read, failure_read, result_discarded;
} book[BOOK_TASKS];

static book_body_fn *body;
static bool ordered;
static unsigned newest; /* of the ids that were read; kept in order */

void book_reset(book_body_fn *next)
{
    memset(book, 0, sizeof book);
    body = next;
    ordered = false;
    newest = 0;
}

void book_expect_order(void)
{
    ordered = true;
}

/* ---- Bytes ---- */

static void fill(unsigned char *bytes, unsigned id, size_t size)
{
    uint32_t word = id;
    memcpy(bytes, &word, sizeof word);
    for (size_t i = sizeof word; i < size; i++) {
        bytes[i] = (unsigned char)(id + i);
    }
}

static unsigned id_of(const void *bytes, size_t size)
{
    uint32_t word = BOOK_TASKS;
    FAULT_CHECK(bytes != NULL && size >= sizeof word, "%zu bytes\n", size);
    memcpy(&word, bytes, sizeof word);
    FAULT_CHECK(word < BOOK_TASKS, "task %u\n", word);
    for (size_t i = sizeof word; i < size; i++) {
        FAULT_CHECK(((const unsigned char *)bytes)[i] == (unsigned char)(word + i),
                    "byte %zu of task %u\n", i, word);
    }
    return word;
}

/* ---- The task type ---- */

static int run(distributor_task_t *self, const void *input, size_t size)
{
    unsigned id = id_of(input, size);
    atomic_fetch_add(&book[id].begun, 1);
    int rc = body != NULL ? body(self, id, size) : book_emit(self, id, size);
    atomic_fetch_add(rc == 0 ? &book[id].completed : &book[id].failed, 1);
    return rc;
}

static void discard_input(void *input, size_t size)
{
    atomic_fetch_add(&book[id_of(input, size)].discarded, 1);
}

static void discard_result(void *result, size_t size)
{
    atomic_fetch_add(&book[id_of(result, size)].result_discarded, 1);
}

static const distributor_task_type_t type = {.name = "booked", .run = run,
                                             .discard_input = discard_input,
                                             .discard_result = discard_result};

/* ---- Adding ---- */

static int note(unsigned id, int rc)
{
    atomic_fetch_add(&book[id].accepted, rc == 0);
    return rc;
}

int book_add(distributor_t *d, unsigned id, size_t size)
{
    unsigned char bytes[MAX_SIZE];
    fill(bytes, id, size);
    return note(id, distributor_add_task(d, &type, bytes, size));
}

int book_try_add(distributor_t *d, unsigned id, size_t size)
{
    unsigned char bytes[MAX_SIZE];
    fill(bytes, id, size);
    return note(id, distributor_try_add_task(d, &type, bytes, size));
}

int book_add_until(distributor_t *d, unsigned id, size_t size)
{
    unsigned char bytes[MAX_SIZE];
    fill(bytes, id, size);
    return note(id, distributor_add_task_until(d, &type, bytes, size, DISTRIBUTOR_FOREVER));
}

ptrdiff_t book_add_several(distributor_t *d, unsigned first, size_t size, unsigned count)
{
    static unsigned char bytes[BOOK_TASKS * BOOK_LARGE];
    for (unsigned i = 0; i < count; i++) {
        fill(bytes + i * size, first + i, size);
    }
    ptrdiff_t rc = distributor_add_tasks(d, &type, bytes, size, count);
    for (ptrdiff_t i = 0; i < rc; i++) {
        note(first + (unsigned)i, 0);
    }
    return rc;
}

int book_spawn(distributor_task_t *self, unsigned id, size_t size)
{
    unsigned char bytes[MAX_SIZE];
    fill(bytes, id, size);
    return note(id, distributor_spawn(self, &type, bytes, size));
}

int book_emit(distributor_task_t *self, unsigned id, size_t size)
{
    unsigned char bytes[MAX_SIZE];
    fill(bytes, id, size);
    int rc = distributor_emit(self, bytes, size);
    atomic_fetch_add(&book[id].emitted, rc == 0);
    return rc;
}

/* ---- Reading ---- */

void book_take(const distributor_result_t *result)
{
    unsigned id = id_of(result->data, result->size);
    FAULT_CHECK(result->type == &type, "the type of another task\n");
    FAULT_CHECK(result->error == 0 || (result->error < 0 && result->message != NULL),
                "error %d\n", result->error);
    if (ordered) {
        FAULT_CHECK(id >= newest, "task %u after task %u\n", id, newest);
        newest = id;
    }
    atomic_fetch_add(result->error == 0 ? &book[id].read : &book[id].failure_read, 1);
}

void book_read_all(distributor_t *d)
{
    distributor_result_t result;
    int rc;
    while ((rc = distributor_next_result(d, &result)) != 0) {
        FAULT_MAY(rc, 1, -ENOMEM);
        if (rc == 1) {
            book_take(&result);
        } else {
            fault_disarm(); /* what did not fit into memory is still there */
        }
    }
}

/* ---- Sums ---- */

#define SUM(field)                                                                                 \
    unsigned sum = 0;                                                                              \
    for (unsigned i = 0; i < BOOK_TASKS; i++) {                                                    \
        sum += atomic_load(&book[i].field);                                                        \
    }                                                                                              \
    return sum

unsigned book_accepted(void)
{
    SUM(accepted);
}

unsigned book_begun(void)
{
    SUM(begun);
}

unsigned book_emitted(void)
{
    SUM(emitted);
}

unsigned book_read(void)
{
    SUM(read);
}

static unsigned sum_completed(void)
{
    SUM(completed);
}

static unsigned sum_failed(void)
{
    SUM(failed);
}

static unsigned sum_discarded(void)
{
    SUM(discarded);
}

/* ---- Checks ---- */

static void check_entry(unsigned id, bool records)
{
    const struct entry *is = &book[id];
    unsigned ends = is->completed + is->failed;
    FAULT_CHECK(is->accepted <= 1 && is->accepted == is->begun + is->discarded,
                "task %u: accepted %u, begun %u, discarded %u\n", id, is->accepted, is->begun,
                is->discarded);
    FAULT_CHECK(is->begun == ends, "task %u: begun %u, ended %u\n", id, is->begun, ends);
    FAULT_CHECK(is->emitted == is->read + is->result_discarded,
                "task %u: emitted %u, read %u, discarded %u\n", id, is->emitted, is->read,
                is->result_discarded);
    FAULT_CHECK(is->failure_read <= is->failed, "task %u: a failure that was none\n", id);
    FAULT_CHECK(!records || is->failure_read == is->failed, "task %u: its failure is lost\n", id);
}

static void check_entries(bool records)
{
    for (unsigned id = 0; id < BOOK_TASKS; id++) {
        check_entry(id, records);
    }
}

void book_finish(distributor_t *d)
{
    distributor_summary_t summary;
    FAULT_CHECK(distributor_close(d) == 0, "close\n");
    book_read_all(d);
    FAULT_CHECK(distributor_join(d, &summary) == 0, "join\n");
    check_entries(true);
    FAULT_CHECK(summary.added == book_accepted() && summary.completed == sum_completed() &&
                    summary.failed == sum_failed() && summary.discarded == sum_discarded() &&
                    summary.results == book_emitted() && summary.cancelled == 0,
                "added %llu, completed %llu, failed %llu, discarded %llu, results %llu\n",
                (unsigned long long)summary.added, (unsigned long long)summary.completed,
                (unsigned long long)summary.failed, (unsigned long long)summary.discarded,
                (unsigned long long)summary.results);
}

void book_close(void)
{
    check_entries(false);
}
