/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DISTRIBUTOR_AS_ADDED: results, failures and children in the order of a serial run; how far
 * workers run ahead; what a reader gets while tasks still run.  Random programs are compared with a
 * serial run in tests/stress/determinism.c.
 */
#include "support.h"

#include <sys/wait.h>

TestSuite(order, .timeout = 240);

#define ORDERED(...) OPTIONS(.order = DISTRIBUTOR_AS_ADDED, __VA_ARGS__)

enum { MOST = 4096 };

/* Tasks have numbers; each has a gate, and says when it began. */
static sem_t gates[MOST], begun;
static atomic_uint begins, emitted;

static void open_gates(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sem_init(&gates[i], 0, 0);
    sem_init(&begun, 0, 0);
    atomic_store(&begins, 0);
    atomic_store(&emitted, 0);
}

static void remove_gates(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sem_destroy(&gates[i]);
    sem_destroy(&begun);
}

static unsigned begin(const void *input)
{
    unsigned number = *(const unsigned *)input;
    atomic_fetch_add(&begins, 1);
    sem_post(&begun);
    return number;
}

static void emit_number(distributor_task_t *self, unsigned number)
{
    task_assert(distributor_emit(self, &number, sizeof(number)) == 0);
    atomic_fetch_add(&emitted, 1);
}

static void add_number(distributor_t *d, const distributor_task_type_t *type, unsigned number)
{
    expect(distributor_add_task(d, type, &number, sizeof(number)), 0);
}

static void add_numbers(distributor_t *d, const distributor_task_type_t *type, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        add_number(d, type, i);
}

static unsigned read_number(distributor_t *d)
{
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    expect(r.error, 0);
    expect(r.size, sizeof(unsigned));
    return *(const unsigned *)r.data;
}

static int run_plain(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned number = begin(input);
    for (volatile unsigned i = number * 7919 % 20000; i > 0; i--)
        continue;
    emit_number(self, number);
    return 0;
}

/* Emits, then waits, then emits again. */
static int run_gated(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned number = begin(input);
    emit_number(self, 2 * number);
    await(&gates[number]);
    emit_number(self, 2 * number + 1);
    return 0;
}

static int run_silent(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)size;
    unsigned number = begin(input);
    await(&gates[number]);
    return 0;
}

static const distributor_task_type_t plain = {.name = "plain", .run = run_plain};
static const distributor_task_type_t gated = {.name = "gated", .run = run_gated};
static const distributor_task_type_t silent = {.name = "silent", .run = run_silent};

/* ---- The sequence ---- */

Test(order, results_come_in_the_order_of_adding)
{
    enum { TASKS = 2000 };
    open_gates(0);
    for (unsigned workers = 1; workers <= 5; workers++) {
        distributor_t *d = make(ORDERED(.workers = workers));
        expect(distributor_start(d), 0);
        add_numbers(d, &plain, TASKS);
        expect(distributor_close(d), 0);
        for (unsigned i = 0; i < TASKS; i++) {
            distributor_result_t r;
            expect(distributor_next_result(d, &r), 1);
            expect(*(const unsigned *)r.data, i);
            expect(r.serial, i);
            ensure(r.worker < workers);
        }
        expect(drain(d), 0);
        expect(sum_up(d).results, TASKS);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int run_family(distributor_task_t *self, const void *input, size_t size)
{
    const char *name = input;
    char child[8];
    task_assert(distributor_emit(self, name, size) == 0);
    for (char c = '1'; strlen(name) < 3 && c <= '2'; c++) {
        snprintf(child, sizeof(child), "%s%c", name, c);
        task_assert(distributor_spawn(self, &(const distributor_task_type_t){.run = NULL}, NULL,
                                      0) == -EINVAL);
        task_assert(distributor_add_task(distributor_of(self), distributor_context(
                                         distributor_of(self)), child, strlen(child) + 1) == 0);
    }
    return 0;
}

static const distributor_task_type_t family = {.name = "family", .run = run_family};

/* Children stand behind everything that stood in the queue when their parent ran. */
Test(order, children_stand_behind_the_queue)
{
    static const char *const want[] = {"a",  "b",  "c",   "a1",  "a2",  "b1",  "b2",
                                       "c1", "c2", "a11", "a12", "a21", "a22", "b11",
                                       "b12", "b21", "b22", "c11", "c12", "c21", "c22"};
    for (unsigned n = rounds(200); n > 0; n--) {
        distributor_t *d = make(ORDERED(.workers = 1 + n % 4, .window = n % 5,
                                        .context = (void *)(uintptr_t)&family));
        expect(distributor_add_task(d, &family, "a", 2), 0);
        expect(distributor_add_task(d, &family, "b", 2), 0);
        expect(distributor_add_task(d, &family, "c", 2), 0);
        expect(distributor_start(d), 0);
        expect(distributor_close(d), 0);
        for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
            distributor_result_t r;
            expect(distributor_next_result(d, &r), 1);
            if (strcmp(r.data, want[i]) != 0)
                cr_assert_fail("%s, not %s", (const char *)r.data, want[i]);
            expect(r.serial, i);
        }
        expect(drain(d), 0);
        expect(sum_up(d).completed, 21);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int run_failing(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned number = begin(input);
    emit_number(self, number);
    if (number % 7 == 3)
        pthread_exit(NULL);
    if (number % 5 == 0)
        return distributor_fail(self, -EIO, "number %u", number);
    return number % 3 == 0 ? -ENOENT : 0;
}

static const distributor_task_type_t failing = {.name = "failing", .run = run_failing};

/* Also that of a task which ended its thread. */
Test(order, failures_stand_in_their_place)
{
    enum { TASKS = 100 };
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = 3));
    add_numbers(d, &failing, TASKS);
    expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
    for (unsigned i = 0; i < TASKS; i++) {
        distributor_result_t r;
        expect(read_number(d), i);
        if (i % 7 != 3 && i % 5 != 0 && i % 3 != 0)
            continue;
        expect(distributor_next_result(d, &r), 1);
        expect(r.error, i % 7 == 3 ? -EOWNERDEAD : i % 5 == 0 ? -EIO : -ENOENT);
        expect(*(const unsigned *)r.data, i);
        ensure(r.message != NULL);
    }
    expect(drain(d), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

static int run_who(distributor_task_t *self, const void *input, size_t size)
{
    (void)input, (void)size;
    unsigned worker = distributor_worker_index(self);
    emit_number(self, worker);
    return 0;
}

static const distributor_task_type_t who = {.name = "who", .run = run_who};

Test(order, a_result_names_its_worker)
{
    distributor_t *d = make(ORDERED(.workers = 4));
    add_numbers(d, &who, 3000);
    expect(run(d).results, 3000);
    distributor_result_t r[7];
    ptrdiff_t n;
    while ((n = distributor_next_results(d, r, 7)) > 0)
        for (ptrdiff_t i = 0; i < n; i++)
            expect(r[i].worker, *(const unsigned *)r[i].data);
    expect(n, 0);
    expect(distributor_destroy(d), 0);
    finish();
}

static void *add_hundred(void *argument)
{
    static atomic_uint adders;
    unsigned first = atomic_fetch_add(&adders, 1) * 1000;
    for (unsigned i = 0; i < 100; i++)
        expect(distributor_add_task(argument, &plain, &(unsigned){first + i}, sizeof(i)), 0);
    return NULL;
}

/* Each one's tasks in its order; one behind the other if the other had added before. */
Test(order, several_adders)
{
    enum { ADDERS = 8 };
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = 2));
    pthread_t thread[ADDERS];
    add_numbers(d, &echo, 10);
    expect(distributor_start(d), 0);
    for (int i = 0; i < ADDERS; i++)
        thread[i] = begin_thread(add_hundred, d);
    for (int i = 0; i < ADDERS; i++)
        end_thread(thread[i]);
    add_numbers(d, &echo, 10);
    expect(distributor_close(d), 0);
    unsigned next[ADDERS] = {0};
    for (unsigned i = 0; i < 10; i++)
        expect(read_number(d), i);
    for (unsigned i = 0; i < ADDERS * 100; i++) {
        unsigned number = read_number(d);
        expect(number % 1000, next[number / 1000]++);
    }
    for (unsigned i = 0; i < 10; i++)
        expect(read_number(d), i);
    expect(drain(d), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(order, an_array_and_several_runs)
{
    unsigned inputs[1000];
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = 3, .input_limit = 5000));
    for (unsigned n = 0; n < 5; n++) {
        for (unsigned i = 0; i < 1000; i++)
            inputs[i] = i;
        expect(distributor_add_tasks(d, &plain, inputs, sizeof(unsigned), 1000), 1000);
        expect(run(d).results, 1000);
        expect(distributor_start(d), -EBUSY);
        for (unsigned i = 0; i < 1000; i++) {
            distributor_result_t r;
            expect(distributor_next_result(d, &r), 1);
            expect(*(const unsigned *)r.data, i);
            expect(r.serial, n * 1000 + i);
        }
        expect(drain(d), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- The window ---- */

/* Exactly `window` tasks from the oldest that has not ended can begin; which one that is does not
 * matter, nor does it that nobody reads. */
static void expect_window(unsigned workers, unsigned window, unsigned oldest)
{
    unsigned tasks = oldest + 2 * window;
    open_gates(tasks);
    distributor_t *d = make(ORDERED(.workers = workers, .window = window));
    for (unsigned i = 0; i < tasks; i++)
        add_number(d, i == oldest ? &silent : &plain, i);
    expect(distributor_start(d), 0);
    for (unsigned i = 0; i < oldest + window; i++)
        await(&begun);
    nap(MILLISECONDS(3));
    expect(atomic_load(&begins), oldest + window);
    sem_post(&gates[oldest]);
    expect(sum_up(d).completed, tasks);
    for (unsigned i = 0; i < tasks; i++)
        if (i != oldest)
            expect(read_number(d), i);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    remove_gates(tasks);
}

Test(order, the_window_is_exact)
{
    static const unsigned windows[] = {1, 2, 3, 7, 64, 200, 1024};
    for (unsigned i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
        for (unsigned workers = 2; workers <= 4; workers++) {
            expect_window(workers, windows[i], 0);
            expect_window(workers, windows[i], 17);
            expect_window(workers, windows[i], 100 + workers);
        }
    finish();
}

Test(order, two_tasks_wait_for_each_other)
{
    for (unsigned n = rounds(100); n > 0; n--) {
        open_gates(2);
        distributor_t *d = make(ORDERED(.workers = 2, .window = 2));
        add_numbers(d, &gated, 2);
        expect(distributor_start(d), 0);
        await(&begun);
        await(&begun);
        sem_post(&gates[1]);
        sem_post(&gates[0]);
        sum_up(d);
        for (unsigned i = 0; i < 4; i++)
            expect(read_number(d), i);
        expect(distributor_destroy(d), 0);
        remove_gates(2);
    }
    finish();
}

static int run_parent(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned number = begin(input);
    for (unsigned i = 1; i <= 3; i++)
        task_assert(distributor_spawn(self, &plain, &(unsigned){number * 10 + i}, sizeof(i)) == 0);
    await(&gates[number]);
    emit_number(self, number);
    return 0;
}

static const distributor_task_type_t parent = {.name = "parent", .run = run_parent};

/* The children of a task whose turn has come are there for others while it runs on; those of a
 * later one when its turn comes. */
Test(order, children_begin_while_their_parent_runs)
{
    open_gates(2);
    distributor_t *d = make(ORDERED(.workers = 3));
    add_numbers(d, &parent, 2); /* both stand before the children of the first */
    expect(distributor_start(d), 0);
    for (int i = 0; i < 5; i++)
        await(&begun);
    nap(MILLISECONDS(3));
    expect(atomic_load(&begins), 5);
    sem_post(&gates[0]);
    for (int i = 0; i < 3; i++)
        await(&begun);
    sem_post(&gates[1]);
    sum_up(d);
    static const unsigned want[] = {0, 1, 1, 2, 3, 11, 12, 13};
    for (unsigned i = 0; i < 8; i++)
        expect(read_number(d), want[i]);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    remove_gates(2);
    finish();
}

/* ---- What a reader gets meanwhile ---- */

Test(order, results_of_a_task_that_still_runs)
{
    open_gates(3);
    distributor_t *d = make(ORDERED(.workers = 3));
    distributor_result_t r;
    expect(distributor_start(d), 0);
    add_numbers(d, &gated, 3);
    expect(read_number(d), 0); /* its turn has come */
    for (unsigned i = 0; i < 3; i++)
        await(&begun);
    while (atomic_load(&emitted) < 3)
        nap(MILLISECONDS(1));
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    sem_post(&gates[2]);
    while (atomic_load(&emitted) < 4)
        nap(MILLISECONDS(1));
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    sem_post(&gates[0]);
    expect(read_number(d), 1);
    expect(read_number(d), 2); /* the next one's, who still waits */
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    sem_post(&gates[1]);
    for (unsigned i = 3; i < 6; i++)
        expect(read_number(d), i);
    expect(distributor_close(d), 0);
    expect(drain(d), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    remove_gates(3);
    finish();
}

/* ---- Limits ---- */

/* The task whose turn it is waits for room, later ones for the window. */
static void expect_limits(unsigned workers, unsigned window, unsigned output_limit)
{
    enum { TASKS = 300 };
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = workers, .window = window, .input_limit = 1,
                                    .output_limit = output_limit));
    expect(distributor_start(d), 0);
    unsigned read = 0, added = 0;
    while (read < TASKS) {
        while (added < TASKS &&
               distributor_try_add_task(d, &plain, &added, sizeof(added)) == 0)
            added++;
        expect(read_number(d), read++);
        ensure(atomic_load(&begins) <= read + 2 * output_limit + window + workers);
        if (read == added && read < TASKS)
            add_number(d, &plain, added++);
    }
    expect(distributor_close(d), 0);
    expect(drain(d), 0);
    expect(sum_up(d).completed, TASKS);
    expect(distributor_destroy(d), 0);
}

Test(order, limits_at_both_ends)
{
    static const unsigned windows[] = {1, 2, 3, 1024};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned workers = 1; workers <= 4; workers++)
            for (unsigned output_limit = 1; output_limit <= 2; output_limit++)
                expect_limits(workers, windows[i], output_limit);
    finish();
}

/* What is held back is not there for a reader before there is room. */
Test(order, a_read_gets_no_more_than_the_output_holds)
{
    enum { TASKS = 200 };
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = 2, .window = 64, .output_limit = 3));
    add_numbers(d, &plain, TASKS);
    expect(distributor_start(d), 0);
    expect(distributor_close(d), 0);
    for (unsigned read = 0; read < TASKS;) {
        distributor_result_t r[16];
        ptrdiff_t n = distributor_next_results(d, r, 16);
        ensure(n >= 1 && n <= 3);
        for (ptrdiff_t i = 0; i < n; i++)
            expect(*(const unsigned *)r[i].data, read++);
        ensure(atomic_load(&begins) <= read + 2 * 3 + 64 + 2);
    }
    expect(drain(d), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    finish();
}

Test(order, the_starter_alone_is_told_of_a_deadlock)
{
    open_gates(0);
    distributor_t *d = make(ORDERED(.workers = 2, .window = 4, .input_limit = 2, .output_limit = 1,
                                    .deadlock_ns = MILLISECONDS(20)));
    expect(distributor_start(d), 0);
    unsigned added = 0;
    int rc;
    while ((rc = distributor_add_task(d, &plain, &added, sizeof(added))) == 0)
        added++;
    expect(rc, -EDEADLK);
    expect(distributor_join(d, NULL), -EDEADLK);
    for (unsigned i = 0; i < added; i++)
        expect(read_number(d), i);
    expect(sum_up(d).completed, added);
    expect(distributor_destroy(d), 0);
    finish();
}

enum { BIG = 1 << 20, MANY = 100 };

static int run_big(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    static const char bytes[BIG];
    unsigned number = begin(input);
    if (number == 0)
        await(&gates[0]);
    for (unsigned i = 0; i < 3; i++) {
        task_assert(distributor_emit(self, bytes, BIG) == 0);
        atomic_fetch_add(&emitted, 1);
    }
    return 0;
}

static int run_talkative(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    unsigned number = begin(input);
    if (number == 0)
        await(&gates[0]);
    for (unsigned i = 0; i < 100000; i++)
        emit_number(self, i);
    return 0;
}

static const distributor_task_type_t big = {.name = "big", .run = run_big};
static const distributor_task_type_t talkative = {.name = "talkative", .run = run_talkative};

/* Bytes that are held back are bounded too; a later task waits until its turn comes. */
Test(order, big_results_wait_for_their_turn)
{
    open_gates(1);
    distributor_t *d = make(ORDERED(.workers = 4, .window = 4));
    add_numbers(d, &big, MANY);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 4; i++)
        await(&begun);
    nap(MILLISECONDS(10));
    expect(atomic_load(&emitted), 0);
    sem_post(&gates[0]);
    expect(distributor_close(d), 0);
    for (unsigned i = 0; i < 3 * MANY; i++) {
        distributor_result_t r;
        expect(distributor_next_result(d, &r), 1);
        expect(r.serial, i / 3);
        expect(r.size, BIG);
    }
    sum_up(d);
    expect(distributor_destroy(d), 0);
    remove_gates(1);
    finish();
}

Test(order, many_results_wait_for_their_turn)
{
    open_gates(1);
    distributor_t *d = make(ORDERED(.workers = 3, .window = 3));
    add_numbers(d, &talkative, 5);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 3; i++)
        await(&begun);
    nap(MILLISECONDS(10));
    ensure(atomic_load(&emitted) < 2 * 40000); /* a slot has 32 bytes: each less than 1.3 MB */
    sem_post(&gates[0]);
    expect(distributor_close(d), 0);
    for (unsigned i = 0; i < 5 * 100000; i++)
        expect(read_number(d), i % 100000);
    expect(drain(d), 0);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    remove_gates(1);
    finish();
}

/* ---- Its end ---- */

static atomic_uint dropped;

static void drop_number(void *bytes, size_t size)
{
    (void)bytes, (void)size;
    atomic_fetch_add(&dropped, 1);
}

static const distributor_task_type_t owned = {
    .name = "owned", .run = run_gated, .discard_result = drop_number};

/* The first task still runs, others are done: after cancel only what it emitted can be read. */
Test(order, cancel_leaves_a_prefix)
{
    enum { TASKS = 20 };
    open_gates(TASKS);
    distributor_t *d = make(ORDERED(.workers = 3));
    for (unsigned i = 1; i < TASKS; i++)
        sem_post(&gates[i]);
    atomic_store(&dropped, 0);
    add_numbers(d, &owned, TASKS);
    expect(distributor_start(d), 0);
    for (int i = 0; i < TASKS; i++)
        await(&begun);
    while (atomic_load(&emitted) < 2 * TASKS - 1)
        nap(MILLISECONDS(1));
    expect(distributor_cancel(d), 0);
    sem_post(&gates[0]);
    distributor_summary_t s = sum_up(d);
    expect(s.completed, TASKS);
    expect(s.results, 2 * TASKS);
    unsigned read = 0;
    distributor_result_t r;
    while (distributor_next_result(d, &r) == 1)
        expect(*(const unsigned *)r.data, read++);
    ensure(read >= 2);
    expect(atomic_load(&dropped), 2 * TASKS - read);
    expect(distributor_destroy(d), 0);
    remove_gates(TASKS);
    finish();
}

/* With a full output: what was held back before cancel and is whole can be read all the same. */
static int run_cancelled(distributor_task_t *self, const void *input, size_t size)
{
    begin(input);
    int rc = distributor_emit(self, input, size);
    task_assert(rc == 0 || (rc == -ECANCELED && distributor_should_stop(self)));
    return 0;
}

static const distributor_task_type_t cancelled = {.name = "cancelled", .run = run_cancelled};

Test(order, cancel_while_the_output_is_full)
{
    enum { TASKS = 100 };
    for (unsigned n = rounds(100); n > 0; n--) {
        open_gates(0);
        distributor_t *d = make(ORDERED(.workers = 3, .window = 16, .output_limit = 2));
        add_numbers(d, &cancelled, TASKS);
        expect(distributor_start(d), 0);
        for (unsigned i = 0; i < n % 17; i++)
            await(&begun);
        expect(distributor_cancel(d), 0);
        distributor_summary_t s = sum_up(d);
        expect(s.added, TASKS);
        unsigned read = 0;
        distributor_result_t r;
        while (distributor_next_result(d, &r) == 1)
            expect(*(const unsigned *)r.data, read++);
        ensure(read <= s.results);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

static int run_gap(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    emit_number(self, 0);
    begin(input);
    task_assert(distributor_emit(self, &(unsigned){1}, sizeof(unsigned)) == -ECANCELED);
    sem_post(&begun);
    await(&gates[0]);
    task_assert(distributor_emit(self, &(unsigned){2}, sizeof(unsigned)) == -ECANCELED);
    return 0;
}

static const distributor_task_type_t gap = {.name = "gap", .run = run_gap};

/* A result that was dropped leaves no gap: later ones of that task are dropped too. */
Test(order, cancel_leaves_no_gap)
{
    open_gates(1);
    distributor_t *d = make(ORDERED(.workers = 1, .output_limit = 1));
    add_number(d, &gap, 0);
    expect(distributor_start(d), 0);
    await(&begun);
    expect(distributor_cancel(d), 0);
    await(&begun);
    expect(read_number(d), 0);
    sem_post(&gates[0]);
    expect(drain(d), 0);
    expect(sum_up(d).results, 3);
    expect(distributor_destroy(d), 0);
    remove_gates(1);
    finish();
}

Test(order, stop_runs_what_was_accepted)
{
    open_gates(2);
    distributor_t *d = make(ORDERED(.workers = 2));
    add_numbers(d, &parent, 2);
    add_number(d, &plain, 7);
    expect(distributor_start(d), 0);
    for (int i = 0; i < 2; i++)
        await(&begun);
    nap(MILLISECONDS(1));
    sem_post(&gates[0]);
    sem_post(&gates[1]);
    expect(distributor_close(d), 0);
    static const unsigned want[] = {0, 1, 7, 1, 2, 3, 11, 12, 13};
    for (unsigned i = 0; i < 9; i++)
        expect(read_number(d), want[i]);
    expect(distributor_stop(d), 0);
    expect(distributor_add_task(d, &plain, "abc", 4), -ESHUTDOWN);
    sum_up(d);
    expect(distributor_destroy(d), 0);
    remove_gates(2);
    finish();
}

Test(order, destroy_with_everything_left)
{
    static const distributor_task_type_t left = {.name = "left", .run = run_plain,
                                                 .discard_input = drop_number,
                                                 .discard_result = drop_number};
    open_gates(0);
    for (unsigned n = rounds(100); n > 0; n--) {
        atomic_store(&dropped, 0);
        atomic_store(&emitted, 0);
        atomic_store(&begins, 0);
        distributor_t *d = make(ORDERED(.workers = 2, .window = 1 + n % 9));
        add_numbers(d, &left, 200);
        if (n % 3 != 0)
            expect(distributor_start(d), 0);
        if (n % 3 == 1)
            await(&begun);
        expect(distributor_destroy(d), 0);
        expect(atomic_load(&dropped), 200 - atomic_load(&begins) + atomic_load(&emitted));
    }
    finish();
}

static int run_fork(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    emit_number(self, *(const unsigned *)input);
    pid_t child = fork();
    if (child == 0)
        end_child(distributor_emit(self, input, size) == -ECHILD &&
                          distributor_spawn(self, &plain, input, size) == -ECHILD
                      ? 0
                      : 1);
    int status;
    task_assert(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}

static const distributor_task_type_t forking = {.name = "forking", .run = run_fork};

Test(order, the_child_of_a_fork_is_told)
{
    distributor_t *d = make(ORDERED(.workers = 2));
    add_numbers(d, &forking, 4);
    expect(run(d).completed, 4);
    for (unsigned i = 0; i < 4; i++)
        expect(read_number(d), i);
    expect(distributor_destroy(d), 0);
    finish();
}
