/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources: inputs come one at a time and as they are wanted; what each answer of the callback does,
 * and how a source ends.
 */
#include "support.h"

TestSuite(sources, .timeout = 240);

/* Counts up to `end`; whatever it meets on the way is up to the test. */
struct counter {
    uint64_t next, end;
    int last;         /* the answer after the last number */
    unsigned inside;  /* callbacks that are running */
    uint64_t begun;   /* of its tasks, in the tests that count them */
    unsigned pattern; /* of answers */
};

static int count_up(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->next == c->end)
        return c->last;
    c->next++;
    return distributor_set_input(input, &c->next, sizeof(c->next));
}

/* Reads all results, which are numbers, and returns their sum; *failures counts the others. */
static uint64_t read_sum(distributor_t *d, unsigned *failures)
{
    distributor_result_t r;
    uint64_t sum = 0;
    int rc;
    *failures = 0;
    while ((rc = distributor_next_result(d, &r)) == 1) {
        if (r.error != 0)
            ++*failures;
        else
            sum += *(const uint64_t *)r.data;
    }
    expect(rc, 0);
    return sum;
}

static uint64_t sum_to(uint64_t n)
{
    return n * (n + 1) / 2;
}

Test(sources, gives_every_input_once)
{
    static const unsigned workers[] = {1, 2, 3, 16};
    for (int i = 0; i < 4; i++) {
        struct counter c = {.end = 20000};
        unsigned failures;
        distributor_t *d = make(OPTIONS(.workers = workers[i]));
        expect(distributor_add_source(d, &echo, count_up, &c), 0);
        expect(distributor_start(d), 0);
        expect(distributor_close(d), 0);
        expect(read_sum(d, &failures), sum_to(20000));
        expect(failures, 0);
        distributor_summary_t s = sum_up(d);
        expect(s.added, 20000);
        expect(s.completed, 20000);
        expect(s.results, 20000);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* A source that ends at once, many of them, and again in a second run. */
Test(sources, can_be_empty_and_many)
{
    struct counter empty = {.end = 0}, c[200];
    distributor_t *d = make(OPTIONS(.workers = 2));
    for (int round = 0; round < 3; round++) {
        expect(distributor_add_source(d, &echo, count_up, &empty), 0);
        expect(run(d).added, 0);
        for (int i = 0; i < 200; i++) {
            c[i] = (struct counter){.end = (uint64_t)i};
            expect(distributor_add_source(d, &nothing, count_up, &c[i]), 0);
        }
        expect(run(d).completed, 199 * 200 / 2);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int give_sizes(void *context, distributor_input_t *input)
{
    static char bytes[5000];
    static const size_t sizes[] = {0, 1, 8, 15, 16, 17, 4096, 5000, 8, 0, 100};
    size_t *next = context;
    if (*next == sizeof(sizes) / sizeof(sizes[0]))
        return 0;
    size_t size = sizes[(*next)++];
    if (size == 0)
        return 1; /* nothing set: no bytes */
    memset(bytes, (int)size, size);
    /* The first is replaced, whatever the two sizes. */
    task_assert(distributor_set_input(input, bytes, sizeof(bytes) - size) == 1);
    return distributor_set_input(input, bytes, size);
}

static int check_size(distributor_task_t *self, const void *input, size_t size)
{
    const char *bytes = input;
    task_assert((size == 0) == (input == NULL));
    for (size_t i = 0; i < size; i++)
        task_assert(bytes[i] == (char)size);
    return distributor_emit(self, &size, sizeof(size));
}

Test(sources, inputs_have_any_size)
{
    static const distributor_task_type_t type = {.run = check_size};
    size_t next = 0;
    unsigned failures;
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_source(d, &type, give_sizes, &next), 0);
    expect(run(d).completed, 11);
    expect(read_sum(d, &failures), 1 + 8 + 15 + 16 + 17 + 4096 + 5000 + 8 + 100);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- one at a time ---- */

static int count_alone(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    task_assert(__atomic_fetch_add(&c->inside, 1, __ATOMIC_SEQ_CST) == 0);
    int rc = count_up(c, input);
    task_assert(__atomic_fetch_sub(&c->inside, 1, __ATOMIC_SEQ_CST) == 1);
    return rc;
}

Test(sources, is_never_asked_by_two_at_once)
{
    struct counter c[3] = {{.end = rounds(50000)}, {.end = 1000}, {.end = rounds(20000)}};
    distributor_t *d = make(OPTIONS(.workers = 8));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_source(d, &nothing, count_alone, &c[i]), 0);
    expect(run(d).completed, c[0].end + c[1].end + c[2].end);
    expect(distributor_destroy(d), 0);
    finish();
}

static int name_yourself(void *context, distributor_input_t *input)
{
    uint64_t *c = context; /* c[0]: who, c[1]: how often */
    if (c[1]-- == 0)
        return 0;
    return distributor_set_input(input, &c[0], sizeof(c[0]));
}

/* With one worker: the order of a source, and the turns of several. */
Test(sources, take_turns)
{
    uint64_t c[3][2] = {{0, 50}, {1, 50}, {2, 50}};
    distributor_result_t r;
    distributor_t *d = make(OPTIONS(.workers = 1));
    for (int i = 0; i < 3; i++)
        expect(distributor_add_source(d, &echo, name_yourself, c[i]), 0);
    expect(run(d).completed, 150);
    unsigned seen[3] = {0};
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < 3; k++) {
            expect(distributor_next_result(d, &r), 1);
            seen[*(const uint64_t *)r.data]++;
        }
        for (int k = 0; k < 3; k++)
            expect(seen[k], i + 1);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

Test(sources, one_worker_keeps_the_order)
{
    struct counter c = {.end = 5000};
    distributor_result_t r;
    uint64_t serial = 0;
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_source(d, &echo, count_up, &c), 0);
    expect(run(d).completed, 5000);
    for (uint64_t i = 1; i <= 5000; i++) {
        expect(distributor_next_result(d, &r), 1);
        expect(*(const uint64_t *)r.data, i);
        ensure(i == 1 || r.serial > serial);
        serial = r.serial;
    }
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- it holds nothing back ---- */

static sem_t begun, gate;

static void open_gates(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
}

static void remove_gates(void)
{
    sem_destroy(&begun);
    sem_destroy(&gate);
}

static int wait_at_gate(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    sem_post(&begun);
    await(&gate);
    return 0;
}

static const distributor_task_type_t gated = {.name = "gated", .run = wait_at_gate};

static int tell_counter(distributor_task_t *self, const void *input, size_t size)
{
    struct counter *c = distributor_context(distributor_of(self));
    (void)input, (void)size;
    __atomic_fetch_add(&c->begun, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static const distributor_task_type_t telling = {.name = "telling", .run = tell_counter};

/* Answers at once for a long time, and then not before all that it gave has begun. */
static int wait_for_tasks(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->next % 1000 > 900)
        while (__atomic_load_n(&c->begun, __ATOMIC_SEQ_CST) < c->next)
            nap(10000);
    return count_up(c, input);
}

/* `blocked` of the workers are in a task that does not end. */
static void wait_with(unsigned workers, unsigned blocked)
{
    struct counter c = {.end = rounds(20000)};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = workers, .context = &c));
    expect(distributor_start(d), 0);
    for (unsigned i = 0; i < blocked; i++)
        expect(distributor_add_task(d, &gated, NULL, 0), 0);
    for (unsigned i = 0; i < blocked; i++)
        await(&begun);
    expect(distributor_add_source(d, &telling, wait_for_tasks, &c), 0);
    while (__atomic_load_n(&c.begun, __ATOMIC_SEQ_CST) < c.end)
        nap(MILLISECONDS(1));
    for (unsigned i = 0; i < blocked; i++)
        sem_post(&gate);
    expect(sum_up(d).completed, c.end + blocked);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(sources, an_input_can_run_before_the_next_is_asked_for)
{
    wait_with(1, 0);
    wait_with(2, 0);
    wait_with(2, 1);
    wait_with(3, 1);
    finish();
}

static int wait_for_terminal(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->next == c->end / 2) {
        sem_post(&begun);
        await(&gate);
    }
    return count_up(c, input);
}

/* It blocks: what it gave, tasks from outside and other sources go on. */
Test(sources, a_blocking_source_holds_nothing_back)
{
    struct counter blocking = {.end = 1000}, other = {.end = 1000};
    distributor_result_t r;
    uint64_t n = 7;
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &echo, wait_for_terminal, &blocking), 0);
    await(&begun);
    for (int i = 0; i < 500; i++)
        expect(distributor_next_result(d, &r), 1);
    expect(distributor_add_task(d, &echo, &n, sizeof(n)), 0);
    expect(distributor_next_result(d, &r), 1);
    expect(*(const uint64_t *)r.data, n);
    expect(distributor_add_source(d, &echo, count_up, &other), 0);
    for (int i = 0; i < 1000; i++)
        expect(distributor_next_result(d, &r), 1);
    expect(distributor_try_next_result(d, &r), -EAGAIN);
    sem_post(&gate);
    expect(sum_up(d).completed, 2001);
    expect(drain(d), 500);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

static int again_then_block(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    (void)input;
    sem_post(&begun);
    if (c->pattern++ == 0)
        return -EAGAIN;
    await(&gate);
    return 0;
}

/* The worker that was woken for a source blocks in it: who adds a task then wakes another one. */
Test(sources, a_task_does_not_wait_for_who_asks)
{
    for (int i = 0; i < 20; i++) {
        struct counter c = {0};
        distributor_result_t r;
        open_gates();
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_start(d), 0);
        expect(distributor_add_source(d, &echo, again_then_block, &c), 0);
        await(&begun);
        nap(MILLISECONDS(2));
        expect(distributor_source_ready(d, &c), 0);
        await(&begun);
        nap(MILLISECONDS(2));
        expect(distributor_add_task(d, &echo, "x", 1), 0);
        expect(distributor_next_result(d, &r), 1);
        sem_post(&gate);
        expect(sum_up(d).completed, 1);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

static pthread_barrier_t pair;

static int meet(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    pthread_barrier_wait(&pair);
    return 0;
}

static int later(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->pattern++ > 0)
        return count_up(c, input);
    sem_post(&begun);
    return -EAGAIN;
}

/* Inputs that wait for each other: while one runs, the other is asked for by another worker, which
 * sleeps when the first one comes. */
Test(sources, inputs_can_wait_for_each_other)
{
    static const distributor_task_type_t type = {.run = meet};
    for (int i = 0; i < 100; i++) {
        struct counter c = {.end = 2 * (uint64_t)i};
        open_gates();
        pthread_barrier_init(&pair, NULL, 2);
        distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = (unsigned)i % 3));
        expect(distributor_start(d), 0);
        expect(distributor_add_source(d, &type, later, &c), 0);
        await(&begun);
        expect(distributor_is_idle(d), 0);
        nap(MILLISECONDS(1));
        expect(distributor_source_ready(d, &c), 0);
        expect(sum_up(d).completed, c.end);
        expect(distributor_destroy(d), 0);
        pthread_barrier_destroy(&pair);
        remove_gates();
    }
    finish();
}

/* The tasks are short, until one waits for an input that has not been asked for. */
static int wait_for_later(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = *(const uint64_t *)input;
    (void)self;
    (void)size;
    if (number % 5000 == 0)
        await(&gate);
    if (number % 5000 == 50 && number > 5000)
        sem_post(&gate);
    return 0;
}

Test(sources, a_long_task_holds_nothing_back)
{
    static const distributor_task_type_t short_ones = {.run = wait_for_later};
    static const unsigned workers[] = {2, 3, 16};
    for (int i = 0; i < 3; i++) {
        struct counter c = {.end = 50100};
        open_gates();
        distributor_t *d = make(OPTIONS(.workers = workers[i]));
        expect(distributor_start(d), 0);
        expect(distributor_add_source(d, &short_ones, count_up, &c), 0);
        expect(sum_up(d).completed, c.end);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

#define LONG_ONE 200000

static atomic_bool later_came;

static int until_later_came(void *context, distributor_input_t *input)
{
    return atomic_load(&later_came) ? 0 : distributor_set_input(input, &context, sizeof context);
}

/* The tasks are short, until one adds a source that does not end before a later input has come. */
static int wait_beside_another(distributor_task_t *self, const void *input, size_t size)
{
    uint64_t number = *(const uint64_t *)input;
    (void)size;
    if (number == LONG_ONE) {
        task_assert(distributor_add_source(distributor_of(self), &nothing, until_later_came,
                                           NULL) == 0);
        await(&gate);
    }
    if (number == LONG_ONE + 50) {
        atomic_store(&later_came, true);
        sem_post(&gate);
    }
    return 0;
}

Test(sources, a_long_task_holds_nothing_back_beside_another_source)
{
    static const distributor_task_type_t short_ones = {.run = wait_beside_another};
    struct counter c = {.end = LONG_ONE + 100};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &short_ones, count_up, &c), 0);
    expect(sum_up(d).failed, 0);
    expect(c.next, c.end);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

static int until_the_other_ends(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->next == 1000)
        sem_post(&begun);
    return __atomic_load_n(&c->begun, __ATOMIC_SEQ_CST) != 0 ? 0 : count_up(c, input);
}

/* The other: its end is the end of the first. */
static int end_both(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c[1].next == c[1].end)
        __atomic_store_n(&c[0].begun, 1, __ATOMIC_SEQ_CST);
    return count_up(&c[1], input);
}

/* Tasks, a second source and a worker come while the only worker is busy with one source. */
static void come_beside(unsigned more_workers)
{
    struct counter c[2] = {{.end = UINT64_MAX}, {.end = 1000}};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &nothing, until_the_other_ends, &c[0]), 0);
    await(&begun);
    for (int i = 0; i < 100; i++)
        expect(distributor_add_task(d, &nothing, NULL, 0), 0);
    for (unsigned i = 0; i < more_workers; i++)
        expect(distributor_add_worker(d, NULL), 1 + (int)i);
    expect(distributor_add_source(d, &nothing, end_both, &c[0]), 0);
    expect(sum_up(d).completed, c[0].next + c[1].next + 100);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(sources, others_come_beside_a_busy_one)
{
    for (unsigned i = 0; i < 20; i++)
        come_beside(i % 3);
    finish();
}

/* A pending task comes first: the source waits, and then sees all of them done. */
static int see_the_count(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    (void)input;
    task_assert(__atomic_load_n(&c->begun, __ATOMIC_SEQ_CST) == 100);
    return 0;
}

Test(sources, pending_tasks_come_first)
{
    struct counter c = {0};
    distributor_t *d = make(OPTIONS(.workers = 1, .context = &c));
    for (int i = 0; i < 50; i++)
        expect(distributor_add_task(d, &telling, NULL, 0), 0);
    expect(distributor_add_source(d, &telling, see_the_count, &c), 0);
    for (int i = 0; i < 50; i++)
        expect(distributor_add_task(d, &telling, NULL, 0), 0);
    expect(run(d).completed, 100);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- room ---- */

static int count_pending(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    uint64_t limit = c->last > 0 ? (uint64_t)c->last : 0;
    uint64_t begun_tasks = __atomic_load_n(&c->begun, __ATOMIC_SEQ_CST);
    task_assert(c->next - begun_tasks <= limit);
    if (c->next == c->end)
        return 0;
    return count_up(c, input);
}

/* What was given and has not begun is bounded, with an input_limit and without. */
Test(sources, inputs_wait_for_room)
{
    static const struct {
        unsigned workers, limit;
    } cases[] = {{1, 0}, {2, 0}, {8, 0}, {2, 1}, {2, 3}, {1, 1}};
    for (int i = 0; i < 6; i++) {
        unsigned workers = cases[i].workers, limit = cases[i].limit;
        struct counter c = {.end = rounds(50000)};
        /* A task of each worker may have begun, and not said so; a row has 128 at most. */
        c.last = (int)(workers + (limit ? limit : workers * 128));
        distributor_t *d = make(OPTIONS(.workers = workers, .input_limit = limit, .context = &c));
        expect(distributor_add_source(d, &telling, count_pending, &c), 0);
        expect(run(d).completed, c.end);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* The input is full of other tasks: a source waits until they have begun. */
Test(sources, share_the_room_with_adders)
{
    struct counter c = {.end = 1000};
    unsigned failures;
    uint64_t n = 1;
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &echo, count_up, &c), 0);
    for (int i = 0; i < 1000; i++)
        expect(distributor_add_task(d, &echo, &n, sizeof(n)), 0);
    expect(distributor_close(d), 0);
    expect(read_sum(d, &failures), sum_to(1000) + 1000);
    expect(sum_up(d).completed, 2000);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- not now ---- */

static int say_again(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    uint64_t dropped = 1;
    c->pattern++;
    if (c->pattern % 2 == 1) {
        task_assert(distributor_set_input(input, &dropped, sizeof(dropped)) == 1);
        sem_post(&begun);
        return -EAGAIN;
    }
    return count_up(c, input);
}

Test(sources, not_now_until_it_is_ready)
{
    struct counter c = {.end = 100};
    unsigned failures;
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &echo, say_again, &c), 0);
    expect(distributor_close(d), 0);
    for (int i = 0; i < 101; i++) {
        await(&begun);
        expect(distributor_source_ready(d, &failures), 0); /* no such source */
        expect(distributor_source_ready(d, &c), 0);
    }
    expect(read_sum(d, &failures), sum_to(100));
    expect(c.pattern, 202);
    expect(distributor_source_ready(d, &c), 0); /* it has ended */
    expect(sum_up(d).completed, 100);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

/* It is said to be ready while it is asked, just before it says "not now". */
static int again_too_late(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    c->pattern++;
    if (c->pattern % 2 == 1) {
        sem_post(&begun);
        await(&gate);
        return -EAGAIN;
    }
    return count_up(c, input);
}

Test(sources, ready_is_not_lost_while_it_is_asked)
{
    struct counter c = {.end = 100};
    unsigned failures;
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &echo, again_too_late, &c), 0);
    for (int i = 0; i < 101; i++) {
        await(&begun);
        expect(distributor_source_ready(d, &c), 0);
        sem_post(&gate);
    }
    expect(distributor_close(d), 0);
    expect(read_sum(d, &failures), sum_to(100));
    expect(sum_up(d).completed, 100);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

/* ---- failing ---- */

static int set_and_leave(void *context, distributor_input_t *input)
{
    char bytes[100] = "dropped";
    struct counter *c = context;
    if (c->next < c->end)
        return count_up(c, input);
    task_assert(distributor_set_input(input, bytes, sizeof(bytes)) == 1);
    if (c->last == -EOWNERDEAD)
        pthread_exit(NULL);
    return c->last;
}

static void one_fails(int answer, int error)
{
    struct counter failing = {.end = 10, .last = answer}, other = {.end = 1000};
    distributor_result_t r;
    unsigned failures = 0;
    uint64_t sum = 0;
    distributor_t *d = make(OPTIONS(.workers = 2));
    expect(distributor_add_source(d, &echo, set_and_leave, &failing), 0);
    expect(distributor_add_source(d, &echo, count_up, &other), 0);
    distributor_summary_t s = run(d);
    expect(s.completed, 1010);
    expect(s.failed, error != 0);
    expect(s.results, 1010);
    while (distributor_next_result(d, &r) == 1) {
        ensure(r.type == &echo);
        if (r.error == 0) {
            sum += *(const uint64_t *)r.data;
            continue;
        }
        failures++;
        expect(r.error, error);
        ensure(r.data == NULL && r.size == 0);
        ensure(strcmp(r.message, distributor_strerror(error)) == 0);
    }
    expect(failures, error != 0);
    expect(sum, sum_to(10) + sum_to(1000));
    expect(distributor_destroy(d), 0);
}

Test(sources, one_that_fails_ends_alone)
{
    one_fails(-EIO, -EIO);
    one_fails(-5000, -5000);
    one_fails(2, -EINVAL);
    one_fails(0, 0);
    one_fails(-EOWNERDEAD, -EOWNERDEAD);
    finish();
}

/* The failure needs room like any result. */
Test(sources, a_failure_waits_for_room)
{
    struct counter c = {.end = 3, .last = -EIO};
    distributor_t *d = make(OPTIONS(.workers = 1, .output_limit = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_source(d, &echo, count_up, &c), 0);
    expect(distributor_close(d), 0);
    expect(drain(d), 4);
    expect(sum_up(d).failed, 1);
    expect(distributor_destroy(d), 0);
    finish();
}

/* ---- how it ends ---- */

static int endless(void *context, distributor_input_t *input)
{
    static const char bytes[40];
    struct counter *c = context;
    task_assert(!c->last); /* asked after stop */
    c->next++;
    return distributor_set_input(input, bytes, c->next % sizeof(bytes));
}

typedef int end_fn(distributor_t *d);

static void end_an_endless_one(end_fn *end, bool started, uint64_t limit)
{
    struct counter c = {0}, waiting = {.last = -EAGAIN};
    distributor_t *d = make(OPTIONS(.workers = 2, .input_limit = limit));
    expect(distributor_add_source(d, &nothing, endless, &c), 0);
    expect(distributor_add_source(d, &nothing, count_up, &waiting), 0);
    if (started) {
        expect(distributor_start(d), 0);
        nap(MILLISECONDS(5));
        expect(end(d), 0);
    } else {
        expect(end(d), 0);
        expect(distributor_start(d), 0);
    }
    distributor_summary_t s = sum_up(d);
    expect(s.added, c.next);
    c.last = 1;
    expect(s.completed + s.discarded, s.added);
    ensure(end == distributor_cancel || s.discarded == 0);
    ensure(started || s.added == 0);
    expect(distributor_destroy(d), 0);
}

Test(sources, stop_and_cancel_end_all)
{
    for (int i = 0; i < 20; i++) {
        end_an_endless_one(distributor_stop, true, 0);
        end_an_endless_one(distributor_cancel, true, 0);
        end_an_endless_one(distributor_stop, true, 3);
        end_an_endless_one(distributor_cancel, true, 3);
        end_an_endless_one(distributor_stop, false, 0);
        end_an_endless_one(distributor_cancel, false, 0);
    }
    finish();
}

static int stopped_meanwhile(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    sem_post(&begun);
    await(&gate);
    return count_up(c, input);
}

/* What it gives when stop comes is added; on cancel it is discarded; a failure after it stands. */
Test(sources, stop_while_it_is_asked)
{
    static const int ends[] = {10, 0, 0};
    static const int answers[] = {0, -EAGAIN, -EIO};
    for (int i = 0; i < 6; i++) {
        struct counter c = {.end = (uint64_t)ends[i % 3], .last = answers[i % 3]};
        bool stops = i < 3;
        open_gates();
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_start(d), 0);
        expect(distributor_add_source(d, &echo, stopped_meanwhile, &c), 0);
        await(&begun);
        expect(stops ? distributor_stop(d) : distributor_cancel(d), 0);
        sem_post(&gate);
        distributor_summary_t s = sum_up(d);
        expect(s.completed, stops && i % 3 == 0);
        expect(s.discarded, !stops && i % 3 == 0);
        expect(s.failed, stops && i % 3 == 2);
        expect(s.cancelled, !stops && i % 3 == 2);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

Test(sources, destroy_with_open_ones)
{
    for (int i = 0; i < 20; i++) {
        struct counter c = {.end = UINT64_MAX}, waiting = {.last = -EAGAIN};
        distributor_t *d = make(OPTIONS(.workers = 2));
        expect(distributor_add_source(d, &nothing, count_up, &c), 0);
        expect(distributor_add_source(d, &nothing, count_up, &waiting), 0);
        if (i % 2 == 0)
            expect(distributor_start(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* ---- where it can be added ---- */

static int add_inside(distributor_task_t *self, const void *input, size_t size)
{
    static struct counter c;
    int expected = *(const int *)input;
    (void)size;
    c = (struct counter){.end = 10};
    sem_post(&begun);
    await(&gate);
    task_assert(distributor_add_source(distributor_of(self), &nothing, count_up, &c) == expected);
    return 0;
}

static void add_in_a_task(end_fn *end, int expected)
{
    static const distributor_task_type_t type = {.run = add_inside};
    struct counter c = {.end = 10};
    open_gates();
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_start(d), 0);
    expect(distributor_add_task(d, &type, &expected, sizeof(int)), 0);
    await(&begun);
    expect(end(d), 0);
    expect(distributor_add_source(d, &nothing, count_up, &c), -ESHUTDOWN);
    sem_post(&gate);
    expect(sum_up(d).completed, expected == 0 ? 11 : 1);
    expect(distributor_add_source(d, &nothing, count_up, &c), 0); /* of the next run */
    expect(run(d).completed, 10);
    expect(distributor_destroy(d), 0);
    remove_gates();
}

Test(sources, are_added_like_tasks)
{
    add_in_a_task(distributor_close, 0);
    add_in_a_task(distributor_stop, -ESHUTDOWN);
    finish();
}

/* Every call of the distributor that asks it; others are fine. */
static int call_it(void *context, distributor_input_t *input)
{
    static bool called;
    distributor_t *d = context;
    distributor_t *own = make(OPTIONS(.workers = 1));
    distributor_result_t r;
    if (called) {
        expect(distributor_destroy(own), 0);
        return 0;
    }
    called = true;
    task_assert(distributor_add_task(d, &nothing, NULL, 0) == -EDEADLK);
    task_assert(distributor_try_add_task(d, &nothing, NULL, 0) == -EDEADLK);
    task_assert(distributor_add_task_until(d, &nothing, NULL, 0, 0) == -EDEADLK);
    task_assert(distributor_add_tasks(d, &nothing, NULL, 0, 1) == -EDEADLK);
    task_assert(distributor_add_source(d, &nothing, call_it, d) == -EDEADLK);
    task_assert(distributor_source_ready(d, d) == -EDEADLK);
    task_assert(distributor_add_worker(d, NULL) == -EDEADLK);
    task_assert(distributor_start(d) == -EDEADLK);
    task_assert(distributor_close(d) == -EDEADLK);
    task_assert(distributor_stop(d) == -EDEADLK);
    task_assert(distributor_cancel(d) == -EDEADLK);
    task_assert(distributor_join(d, NULL) == -EDEADLK);
    task_assert(distributor_run(d, NULL) == -EDEADLK);
    task_assert(distributor_destroy(d) == -EDEADLK);
    task_assert(distributor_next_result(d, &r) == -EDEADLK);
    task_assert(distributor_try_next_result(d, &r) == -EDEADLK);
    task_assert(distributor_next_results(d, &r, 1) == -EDEADLK);
    task_assert(distributor_send(d, 0, NULL, 0) == -EDEADLK);
    task_assert(distributor_find_worker(d, "x") == -EDEADLK);
    task_assert(distributor_lock(d) == -EDEADLK);
    task_assert(distributor_unlock(d) == -EDEADLK);
    distributor_drop_results(d);
    task_assert(distributor_add_task(own, &echo, "x", 1) == 0);
    task_assert(distributor_run(own, NULL) == 0);
    task_assert(distributor_next_result(own, &r) == 1);
    task_assert(distributor_destroy(own) == 0);
    return distributor_set_input(input, "y", 1);
}

Test(sources, must_not_call_their_distributor)
{
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_source(d, &echo, call_it, d), 0);
    expect(run(d).completed, 1);
    expect(drain(d), 1);
    expect(distributor_destroy(d), 0);
    finish();
}

static int set_wrongly(void *context, distributor_input_t *input)
{
    (void)context;
    task_assert(distributor_set_input(input, NULL, 1) == -EINVAL);
    task_assert(distributor_set_input(input, "x", DISTRIBUTOR_MAX_SIZE + 1) == -EMSGSIZE);
    task_assert(distributor_set_input(NULL, "x", 1) == -EINVAL);
    return 0;
}

Test(sources, wrong_arguments)
{
    static const distributor_task_type_t no_run = {.name = "x"};
    static const distributor_task_type_t retries = {.run = support_nothing, .retries = 1};
    struct counter c = {.end = 1};
    distributor_t *d = make(OPTIONS(.workers = 1));
    expect(distributor_add_source(NULL, &nothing, count_up, &c), -EINVAL);
    expect(distributor_add_source(d, NULL, count_up, &c), -EINVAL);
    expect(distributor_add_source(d, &no_run, count_up, &c), -EINVAL);
    expect(distributor_add_source(d, &retries, count_up, &c), -ENOTSUP);
    expect(distributor_add_source(d, &nothing, NULL, &c), -EINVAL);
    expect(distributor_source_ready(NULL, &c), -EINVAL);
    expect(distributor_source_ready(d, NULL), 0);
    expect(distributor_add_source(d, &nothing, set_wrongly, NULL), 0);
    expect(run(d).added, 0);
    expect(distributor_destroy(d), 0);
    finish();
}
