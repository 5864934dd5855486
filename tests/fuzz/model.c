/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference model of the fuzzer; see model.h. */
#include "model.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0xd157

static struct {
    atomic_uint accepted, begun, discarded;
    atomic_uint emitted[MODEL_PARTS], read[MODEL_PARTS], dropped[MODEL_PARTS];
} tasks[MODEL_TASKS];

static atomic_uint next_task;
static atomic_ullong completed, failed, discarded, results; /* as the callbacks saw it */
static atomic_ullong said_completed, said_failed, said_discarded, said_results, said_added;

void model_fail(const char *file, int line, const char *what, long long value)
{
    fprintf(stderr, "%s:%d: not so: %s (%lld)\n", file, line, what, value);
    abort();
}

void model_allow(const char *call, long long rc, const long long *allowed)
{
    for (; *allowed != INT_MAX; allowed++)
        if (rc == *allowed)
            return;
    fprintf(stderr, "%s returned %lld (%s)\n", call, rc, distributor_strerror((int)rc));
    abort();
}

void model_reset(void)
{
    memset(tasks, 0, sizeof tasks);
    atomic_store(&next_task, 0);
    atomic_ullong *sums[] = {&completed,      &failed,       &discarded,    &results,
                             &said_completed, &said_failed,  &said_discarded,
                             &said_results,   &said_added};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        atomic_store(sums[i], 0);
}

uint32_t model_new_task(void)
{
    unsigned task = atomic_fetch_add(&next_task, 1);
    if (task < MODEL_TASKS)
        return task;
    atomic_store(&next_task, MODEL_TASKS);
    return MODEL_TASKS;
}

void model_fill(void *bytes, size_t size, struct model_word word)
{
    word.magic = MAGIC;
    memset(bytes, (int)(word.task + word.part) & 0xff, size);
    memcpy(bytes, &word, sizeof word);
}

struct model_word model_parse(const void *bytes, size_t size)
{
    struct model_word word;
    const unsigned char *pattern = bytes;
    MODEL_CHECK(size >= sizeof word && size <= MODEL_MAX_SIZE, size);
    memcpy(&word, bytes, sizeof word);
    MODEL_CHECK(word.magic == MAGIC && word.task < MODEL_TASKS && word.part < MODEL_PARTS,
                word.magic);
    for (size_t i = sizeof word; i < size; i++)
        MODEL_CHECK(pattern[i] == ((word.task + word.part) & 0xff), pattern[i]);
    return word;
}

void model_accepted(uint32_t task)
{
    MODEL_CHECK(atomic_fetch_add(&tasks[task].accepted, 1) == 0, task);
}

void model_begun(uint32_t task)
{
    MODEL_CHECK(atomic_fetch_add(&tasks[task].begun, 1) == 0, task);
}

void model_ended(bool has_failed)
{
    atomic_fetch_add(has_failed ? &failed : &completed, 1);
}

void model_emitted(struct model_word word)
{
    MODEL_CHECK(atomic_fetch_add(&tasks[word.task].emitted[word.part], 1) == 0, word.task);
    atomic_fetch_add(&results, 1);
}

void model_read(struct model_word word)
{
    MODEL_CHECK(atomic_fetch_add(&tasks[word.task].read[word.part], 1) == 0, word.task);
}

void model_discard_input(void *input, size_t size)
{
    struct model_word word = model_parse(input, size);
    MODEL_CHECK(atomic_fetch_add(&tasks[word.task].discarded, 1) == 0, word.task);
    atomic_fetch_add(&discarded, 1);
}

void model_discard_result(void *result, size_t size)
{
    struct model_word word = model_parse(result, size);
    MODEL_CHECK(atomic_fetch_add(&tasks[word.task].dropped[word.part], 1) == 0, word.task);
}

void model_joined(const distributor_summary_t *s)
{
    MODEL_CHECK(s->added == s->completed + s->failed + s->cancelled + s->discarded, s->added);
    MODEL_CHECK(s->retried == 0 && s->duration_ns >= 0, s->duration_ns);
    atomic_fetch_add(&said_added, s->added);
    atomic_fetch_add(&said_completed, s->completed);
    atomic_fetch_add(&said_failed, s->failed + s->cancelled);
    atomic_fetch_add(&said_discarded, s->discarded);
    atomic_fetch_add(&said_results, s->results);
}

static void settle_task(uint32_t i)
{
    unsigned ends = atomic_load(&tasks[i].begun) + atomic_load(&tasks[i].discarded);
    MODEL_CHECK(ends == atomic_load(&tasks[i].accepted), i);
    for (unsigned part = 0; part < MODEL_PARTS; part++) {
        unsigned gone = atomic_load(&tasks[i].read[part]) + atomic_load(&tasks[i].dropped[part]);
        MODEL_CHECK(gone == atomic_load(&tasks[i].emitted[part]), i);
    }
}

void model_settle(void)
{
    for (uint32_t i = 0; i < MODEL_TASKS; i++)
        settle_task(i);
    MODEL_CHECK(atomic_load(&said_completed) == atomic_load(&completed), said_completed);
    MODEL_CHECK(atomic_load(&said_failed) == atomic_load(&failed), said_failed);
    /* What was added after the last join is discarded by destroy. */
    MODEL_CHECK(atomic_load(&said_discarded) <= atomic_load(&discarded), said_discarded);
    MODEL_CHECK(atomic_load(&said_results) == atomic_load(&results), said_results);
}
