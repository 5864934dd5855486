/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stateful fuzzer of pool.h.  The input is a script: some bytes choose the options, the rest is
 * dealt to two to four threads, a byte a call, in any order and at any time that the contract
 * allows.  It fails if a call returns what the contract does not allow in its place, if a task or a
 * result is lost, doubled or changed, if a summary does not add up, and if anything hangs.
 *
 * Threads may wait for ever in a call.  At the end of its own script the main thread, which never
 * does, cancels, runs and joins until all others have come back, and destroys.
 */
#include "model.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ACTORS 3
#define MAX_SCRIPT 600 /* bytes */
#define MAX_MORE_WORKERS 3
#define WATCHDOG_SECONDS 60
#define SOON_NS 2000000

/* ThreadSanitizer reports who unlocks what it does not hold; the contract has an error for it. */
#if defined(__SANITIZE_THREAD__)
#define UNLOCK_IS_REPORTED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNLOCK_IS_REPORTED
#endif
#endif

#define ALLOW(call, ...)                                                                           \
    model_allow(#call, (call), (const long long[]){__VA_ARGS__, INT_MAX})

struct actor {
    pthread_t thread;
    const uint8_t *script;
    size_t size, step; /* every step-th byte is this actor's */
    unsigned locked;
    bool is_main;
};

static distributor_t *d;
static distributor_options_t options;
static long long full, late, stuck; /* errors that the limits allow; else 0, which is allowed */
static atomic_bool ending;
static atomic_uint at_work, more_workers, executions;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- A hang is a failure ---- */

static void nap(long ns)
{
    struct timespec pause = {0, ns};
    nanosleep(&pause, NULL);
}

/* Counts its own sleeps: a machine that was stopped for a while is no hang. */
static void *watch(void *unused)
{
    unsigned seen = 0, sleeps = 0;
    for (;;) {
        nap(100000000);
        unsigned now = atomic_load(&executions);
        sleeps = now == seen ? sleeps + 1 : 0;
        seen = now;
        if (now % 2 != 0 && sleeps > WATCHDOG_SECONDS * 10)
            model_fail(__FILE__, __LINE__, "an execution ends", sleeps);
    }
    return unused;
}

static void start_watching(void)
{
    pthread_t thread;
    if (atomic_load(&executions) == 0)
        MODEL_CHECK(pthread_create(&thread, NULL, watch, NULL) == 0 && pthread_detach(thread) == 0,
                    0);
}

/* ---- Tasks.  The plan: results : 2 | spawns : 2 | end : 2 | size : 2 ---- */

static distributor_run_fn run;
static const distributor_task_type_t types[2] = {
    {.name = "even", .run = run, .discard_input = model_discard_input,
     .discard_result = model_discard_result},
    {.name = "odd", .run = run, .discard_input = model_discard_input,
     .discard_result = model_discard_result},
};

static const size_t sizes[] = {8, 16, 17, MODEL_MAX_SIZE};

static size_t size_of(unsigned plan)
{
    return sizes[plan >> 6 & 3];
}

static void emit(distributor_task_t *self, struct model_word word)
{
    unsigned char bytes[MODEL_MAX_SIZE];
    model_fill(bytes, size_of(word.plan), word);
    int rc = distributor_emit(self, bytes, size_of(word.plan));
    MODEL_CHECK(rc == 0 || (rc == -ECANCELED && options.output_limit != 0), rc);
    model_emitted(word);
}

static void spawn(distributor_task_t *self, unsigned plan, bool as_add)
{
    unsigned char bytes[MODEL_MAX_SIZE];
    struct model_word word = {.task = model_new_task(), .plan = (uint8_t)(plan & ~0xcu)};
    const distributor_task_type_t *type = &types[word.task & 1];
    if (word.task == MODEL_TASKS)
        return;
    model_fill(bytes, size_of(plan), word);
    int rc = as_add ? distributor_add_task(d, type, bytes, size_of(plan))
                    : distributor_spawn(self, type, bytes, size_of(plan));
    MODEL_CHECK(rc == 0 || rc == -ESHUTDOWN, rc);
    if (rc == 0)
        model_accepted(word.task);
}

/* What a task cannot do, and what it may do to its distributor. */
static void misuse(distributor_task_t *self)
{
    distributor_result_t result;
    distributor_message_t message;
    ALLOW(distributor_join(d, NULL), -EDEADLK);
    ALLOW(distributor_next_result(d, &result), -EDEADLK);
    ALLOW(distributor_try_next_result(d, &result), -EDEADLK);
    ALLOW(distributor_is_idle(d), -EDEADLK);
    ALLOW(distributor_destroy(d), -EDEADLK);
    ALLOW(distributor_start(d), -EBUSY);
    ALLOW(distributor_receive(self, &message), 0, 1);
    MODEL_CHECK(distributor_of(self) == d, 0);
}

static int run(distributor_task_t *self, const void *input, size_t size)
{
    struct model_word word = model_parse(input, size);
    model_begun(word.task);
    for (unsigned i = word.plan & 3; i > 0; i--) {
        word.part = (uint8_t)i;
        emit(self, word);
    }
    for (unsigned i = word.plan >> 2 & 3; i > 0; i--)
        spawn(self, word.plan, i == 1);
    unsigned end = word.plan >> 4 & 3;
    if (end == 1)
        misuse(self);
    if (end == 2)
        nap(50000);
    model_ended(end == 3);
    return end != 3 ? 0 : distributor_fail(self, -EIO, "task %u", word.task);
}

/* ---- Calls of the actors ---- */

static void add(unsigned how, unsigned plan)
{
    unsigned char bytes[MODEL_MAX_SIZE];
    struct model_word word = {.task = model_new_task(), .plan = (uint8_t)plan};
    size_t size = size_of(plan);
    const distributor_task_type_t *type = &types[word.task & 1];
    int rc;
    if (word.task == MODEL_TASKS)
        return;
    model_fill(bytes, size, word);
    if (how == 0) {
        rc = distributor_add_task(d, type, bytes, size);
        model_allow("add_task", rc, (const long long[]){0, -ESHUTDOWN, stuck, INT_MAX});
    } else if (how == 1) {
        rc = distributor_try_add_task(d, type, bytes, size);
        model_allow("try_add_task", rc, (const long long[]){0, -ESHUTDOWN, full, INT_MAX});
    } else {
        rc = distributor_add_task_until(d, type, bytes, size, distributor_now() + SOON_NS);
        model_allow("add_task_until", rc,
                    (const long long[]){0, -ESHUTDOWN, late, stuck, INT_MAX});
    }
    if (rc == 0)
        model_accepted(word.task);
}

static void add_array(unsigned count, unsigned plan)
{
    unsigned char bytes[3 * MODEL_MAX_SIZE];
    struct model_word word[3];
    size_t size = size_of(plan);
    unsigned n = 0;
    for (; n < count; n++) {
        word[n] = (struct model_word){.task = model_new_task(), .plan = (uint8_t)plan};
        if (word[n].task == MODEL_TASKS)
            break;
        model_fill(bytes + n * size, size, word[n]);
    }
    ptrdiff_t rc = distributor_add_tasks(d, &types[0], bytes, size, n);
    MODEL_CHECK(rc <= (ptrdiff_t)n, rc);
    for (unsigned i = 0; (ptrdiff_t)i < rc; i++)
        model_accepted(word[i].task);
    if (rc < 0)
        model_allow("add_tasks", rc, (const long long[]){-ESHUTDOWN, stuck, INT_MAX});
    else
        MODEL_CHECK(rc > 0 || n == 0 || options.input_limit != 0, rc);
}

static void take(const distributor_result_t *result)
{
    struct model_word word = model_parse(result->data, result->size);
    MODEL_CHECK(result->type == &types[word.task & 1] || result->type == &types[0], word.task);
    MODEL_CHECK(result->attempt == 1, result->attempt);
    if (result->error == 0) {
        model_read(word);
        return;
    }
    char text[40];
    snprintf(text, sizeof text, "task %u", word.task);
    MODEL_CHECK(result->error == -EIO && strcmp(result->message, text) == 0, result->error);
}

/* Returns whether it got one. */
static bool read_one(unsigned how)
{
    distributor_result_t results[3];
    ptrdiff_t rc;
    if (how == 0) {
        rc = distributor_next_result(d, results);
        model_allow("next_result", rc, (const long long[]){0, 1, INT_MAX});
    } else if (how == 1) {
        rc = distributor_try_next_result(d, results);
        model_allow("try_next_result", rc, (const long long[]){0, 1, -EAGAIN, INT_MAX});
    } else if (how == 2) {
        rc = distributor_next_result_until(d, results, distributor_now() + SOON_NS);
        model_allow("next_result_until", rc, (const long long[]){0, 1, -ETIMEDOUT, INT_MAX});
    } else {
        rc = distributor_next_results(d, results, 3);
        MODEL_CHECK(rc >= 0 && rc <= 3, rc);
    }
    for (ptrdiff_t i = 0; i < rc; i++)
        take(&results[i]);
    return rc > 0;
}

static int join(unsigned how)
{
    distributor_summary_t summary;
    int rc = how == 0   ? distributor_join(d, &summary)
             : how == 1 ? distributor_run(d, &summary)
                        : distributor_join_until(d, &summary, distributor_now() + SOON_NS);
    long long timed_out = how >= 2 ? -ETIMEDOUT : 0, refused = how == 1 ? -EBUSY : -EINVAL;
    long long stuck_here = options.output_limit != 0 &&
                           options.deadlock_ns != DISTRIBUTOR_FOREVER ? -EDEADLK : 0;
    /* Another thread may join what this one has started. */
    model_allow("join", rc,
                (const long long[]){0, -EBUSY, -EINVAL, refused, timed_out, stuck_here, INT_MAX});
    if (rc == 0)
        model_joined(&summary);
    return rc;
}

static void add_worker(unsigned argument)
{
    char name[20];
    if (atomic_fetch_add(&more_workers, 1) >= MAX_MORE_WORKERS)
        return;
    snprintf(name, sizeof name, "named-%u", argument & 1);
    int rc = distributor_add_worker(d, argument & 2 ? name : NULL);
    MODEL_CHECK(rc >= 0 || rc == -ESHUTDOWN || (rc == -EEXIST && (argument & 2)), rc);
}

static void lock(struct actor *actor, bool more)
{
    if (more) {
        ALLOW(distributor_lock(d), 0);
        actor->locked++;
    } else if (actor->locked > 0) {
        ALLOW(distributor_unlock(d), 0);
        actor->locked--;
    } else {
#ifndef UNLOCK_IS_REPORTED
        ALLOW(distributor_unlock(d), -EPERM);
#endif
    }
}

/* Bad arguments are refused in every state. */
static void misuse_arguments(void)
{
    static const distributor_task_type_t empty = {.name = "no run"};
    distributor_result_t result;
    ALLOW(distributor_add_task(d, NULL, NULL, 0), -EINVAL, -ESHUTDOWN);
    ALLOW(distributor_add_task(d, &empty, NULL, 0), -EINVAL, -ESHUTDOWN);
    ALLOW(distributor_try_add_task(d, &types[0], NULL, 8), -EINVAL, -ESHUTDOWN, full);
    ALLOW(distributor_next_results(d, &result, 0), -EINVAL);
    ALLOW(distributor_try_next_result(d, NULL), -EINVAL);
    ALLOW(distributor_find_worker(d, NULL), -EINVAL);
    ALLOW(distributor_send(d, 0, NULL, 8), -EINVAL, -ENOENT);
}

static void use_rarely(struct actor *actor, unsigned argument)
{
    switch (argument & 7) {
    case 0:
    case 1:
        if (!actor->is_main)
            lock(actor, argument & 1);
        break;
    case 2:
        ALLOW(distributor_send(d, argument >> 3, "message", 8), 0, -ENOENT);
        break;
    case 3:
        MODEL_CHECK(distributor_find_worker(d, "named-0") >= -ENOENT, 0);
        break;
    case 4:
        ALLOW(distributor_is_idle(d), 0, 1, -ESHUTDOWN);
        break;
    case 5:
        misuse_arguments();
        break;
    case 6:
        add_worker(argument >> 3);
        break;
    default:
        distributor_drop_results(d);
    }
}

/* A byte of the script: call : 4 | argument : 4, and what the next byte says. */
static void call(struct actor *actor, unsigned byte, unsigned next)
{
    unsigned waits = actor->is_main ? 2 : 0; /* the main thread waits for a moment only */
    switch (byte & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        add(byte & 3 ? byte & 3 : waits, next);
        break;
    case 4:
        if (!actor->is_main || options.input_limit == 0)
            add_array(byte >> 4 & 3, next);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        read_one(actor->is_main ? 1 + (byte & 1) : (byte - 5) & 3);
        break;
    case 9:
    case 10:
        ALLOW(distributor_start(d), 0, -EBUSY);
        break;
    case 11:
        (void)join(waits ? waits : byte >> 4 & 3);
        break;
    case 12:
        ALLOW(distributor_close(d), 0);
        break;
    case 13:
        ALLOW(byte & 16 ? distributor_stop(d) : distributor_cancel(d), 0);
        break;
    case 14:
        use_rarely(actor, next);
        break;
    default:
        nap(byte * 1000);
    }
}

static void play(struct actor *actor)
{
    for (size_t i = 0; i + actor->step < actor->size && !atomic_load(&ending); i += actor->step)
        call(actor, actor->script[i], actor->script[i + actor->step]);
    while (actor->locked > 0)
        lock(actor, false);
}

static void *act(void *actor)
{
    play(actor);
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

/* ---- One execution ---- */

static void choose_options(const uint8_t *data)
{
    static const uint64_t limits[] = {0, 1, 3, 64};
    options = (distributor_options_t){
        .size = sizeof options,
        .workers = 1 + (data[0] & 3),
        .input_limit = limits[data[0] >> 2 & 3],
        .output_limit = limits[data[0] >> 4 & 3],
        .deadlock_ns = data[0] & 64 ? SOON_NS : DISTRIBUTOR_FOREVER,
    };
    full = options.input_limit != 0 ? -EAGAIN : 0;
    late = options.input_limit != 0 ? -ETIMEDOUT : 0;
    stuck = options.input_limit != 0 && (data[0] & 64) ? -EDEADLK : 0;
}

/* Until the others have come back from whatever they wait for. */
static void bring_back(unsigned actors)
{
    atomic_store(&ending, true);
    for (bool last = actors == 0;; last = atomic_load(&at_work) == 0) {
        ALLOW(distributor_cancel(d), 0);
        while (read_one(1))
            continue;
        ALLOW(distributor_start(d), 0, -EBUSY);
        ALLOW(distributor_cancel(d), 0);
        int rc;
        while ((rc = join(2)) != 0 && rc != -EINVAL)
            while (read_one(1))
                continue;
        if (last)
            return;
        nap(100000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct actor actors[MAX_ACTORS + 1];
    if (size < 4 || size > MAX_SCRIPT)
        return 0;
    start_watching();
    atomic_fetch_add(&executions, 1);
    model_reset();
    choose_options(data);
    unsigned count = 1 + data[1] % MAX_ACTORS;
    atomic_store(&ending, false);
    atomic_store(&more_workers, 0);
    atomic_store(&at_work, count);
    MODEL_CHECK(distributor_create(&d, &options) == 0, 0);
    for (unsigned i = 0; i <= count; i++) {
        actors[i] = (struct actor){.script = data + 2 + i, .step = count + 1};
        actors[i].is_main = i == count;
        actors[i].size = size > 2 + i ? size - 2 - i : 0;
        if (i < count)
            MODEL_CHECK(pthread_create(&actors[i].thread, NULL, act, &actors[i]) == 0, i);
    }
    play(&actors[count]);
    bring_back(count);
    for (unsigned i = 0; i < count; i++)
        pthread_join(actors[i].thread, NULL);
    MODEL_CHECK(distributor_destroy(d) == 0, 0);
    model_settle();
    atomic_fetch_add(&executions, 1);
    return 0;
}
