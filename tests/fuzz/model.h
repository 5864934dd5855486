/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference that the fuzzer of the public API compares with: every task has a number, and the
 * model counts what becomes of it and of each of its results.  All of it is atomic counters, so
 * that callbacks on any thread can tell it.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <distributor/pool.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MODEL_TASKS 1500 /* of one execution; later adds do nothing */
#define MODEL_PARTS 4    /* results of one task */
#define MODEL_MAX_SIZE 48

/* An input and a result begin with this; the rest is a pattern. */
struct model_word {
    uint32_t task;
    uint8_t part;
    uint8_t plan; /* what the task does: see api.c */
    uint16_t magic;
};

/* Prints and ends the process: a libFuzzer crash, a failed test. */
void model_fail(const char *file, int line, const char *what, long long value)
    __attribute__((noreturn));

#define MODEL_CHECK(condition, value)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            model_fail(__FILE__, __LINE__, #condition, (long long)(value));                        \
    } while (0)

/* What a return code may be; the last value is INT_MAX. */
void model_allow(const char *call, long long rc, const long long *allowed);

void model_reset(void);

/* A number for a task to come; MODEL_TASKS: there are no more. */
uint32_t model_new_task(void);

/* Fills `size` bytes, at least those of a word; reads them back, and fails if they changed. */
void model_fill(void *bytes, size_t size, struct model_word word);
struct model_word model_parse(const void *bytes, size_t size);

/* ---- what became of it ---- */

void model_accepted(uint32_t task);
void model_begun(uint32_t task);
void model_ended(bool failed);
void model_emitted(struct model_word word);
void model_read(struct model_word word);
void model_discard_input(void *input, size_t size);
void model_discard_result(void *result, size_t size);
void model_joined(const distributor_summary_t *summary);

/* After destroy: each accepted task began or was discarded, each result was read or discarded,
 * once; all summaries together say the same. */
void model_settle(void);

#endif
