/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources of a distributor that keeps the order: the sequence of a serial worker that asks a source
 * when its queue is empty.  Random programs are compared with one in tests/stress/determinism.c.
 */
#include "support.h"

TestSuite(order_sources, .timeout = 240);

#define ORDERED(...) OPTIONS(.order = DISTRIBUTOR_AS_ADDED, __VA_ARGS__)

static const unsigned crowds[] = {1, 2, 3, 5, 16};
enum { CROWDS = sizeof(crowds) / sizeof(crowds[0]) };

/* ---- Sources and tasks ---- */

/* Gives first, first + step, ... and then `last`. */
struct counter {
    unsigned first, count, step;
    int last;
    _Atomic unsigned given;
};

static int count_up(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    unsigned given = atomic_load(&c->given);
    if (given == c->count)
        return c->last;
    unsigned number = c->first + given * c->step;
    atomic_store(&c->given, given + 1);
    return distributor_set_input(input, &number, sizeof(number));
}

static void add_counter(distributor_t *d, const distributor_task_type_t *type, struct counter *c)
{
    if (c->step == 0)
        c->step = 1;
    expect(distributor_add_source(d, type, count_up, c), 0);
}

static unsigned number_of(const void *input)
{
    return *(const unsigned *)input;
}

static void emit(distributor_task_t *self, const void *bytes, size_t size)
{
    int rc = distributor_emit(self, bytes, size);
    task_assert(rc == 0 || rc == -ECANCELED);
}

static void spawn(distributor_task_t *self, const distributor_task_type_t *type, unsigned number)
{
    int rc = distributor_spawn(self, type, &number, sizeof(number));
    task_assert(rc == 0 || rc == -ESHUTDOWN);
}

static int run_plain(distributor_task_t *self, const void *input, size_t size)
{
    for (volatile unsigned i = number_of(input) * 7919 % 5000; i > 0; i--)
        continue;
    emit(self, input, size);
    return 0;
}

static const distributor_task_type_t plain = {.name = "plain", .run = run_plain};

/* Numbers of three digits make a tree: the last one counts down, the others are the way. */
static int run_tree(distributor_task_t *self, const void *input, size_t size)
{
    unsigned number = number_of(input);
    emit(self, input, size);
    for (unsigned i = 1; number % 10 > 0 && i <= 2; i++)
        spawn(self, distributor_context(distributor_of(self)),
              number / 10 * 100 + i * 10 + number % 10 - 1);
    return 0;
}

static distributor_task_type_t tree = {.name = "tree", .run = run_tree};

static void read_number(distributor_t *d, unsigned number)
{
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    expect(r.error, 0);
    expect(r.size, sizeof(unsigned));
    expect(*(const unsigned *)r.data, number);
}

static void read_failure(distributor_t *d, int error)
{
    distributor_result_t r;
    expect(distributor_next_result(d, &r), 1);
    expect(r.error, error);
    ensure(r.data == NULL);
}

/* ---- The sequence ---- */

Test(order_sources, inputs_come_in_the_order_of_asking)
{
    for (int i = 0; i < CROWDS; i++) {
        struct counter c = {.count = rounds(20000)};
        uint64_t serial = 0;
        distributor_t *d = make(ORDERED(.workers = crowds[i]));
        add_counter(d, &plain, &c);
        expect(distributor_start(d), 0);
        expect(distributor_close(d), 0);
        for (unsigned n = 0; n < c.count; n++) {
            distributor_result_t r;
            expect(distributor_next_result(d, &r), 1);
            expect(*(const unsigned *)r.data, n);
            expect(r.serial, n == 0 ? (uint64_t)1 << 43 : serial + 1);
            serial = r.serial;
        }
        expect(drain(d), 0);
        expect(sum_up(d).completed, c.count);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* What an input spawns, and all that comes of it, stands before the next input; and what was added
 * before all of them. */
Test(order_sources, a_whole_tree_before_the_next_input)
{
    static const unsigned one[] = {12, 111, 121, 1110, 1120, 1210, 1220};
    static const unsigned roots[] = {90, 80};
    for (int i = 0; i < CROWDS; i++) {
        struct counter c = {.first = 12, .count = 5, .step = 0};
        distributor_t *d = make(ORDERED(.workers = crowds[i], .context = &tree));
        c.step = 10; /* 12, 22, 32, ... */
        add_counter(d, &tree, &c);
        expect(distributor_add_tasks(d, &tree, roots, sizeof(roots[0]), 2), 2);
        expect(run(d).completed, 2 + 5 * 7);
        read_number(d, 90);
        read_number(d, 80);
        for (unsigned n = 0; n < 5; n++)
            for (unsigned k = 0; k < 7; k++) {
                unsigned power = k == 0 ? 10 : k < 3 ? 100 : 1000;
                read_number(d, one[k] + n * power);
            }
        expect(drain(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* One after the other, whoever is slow; who has ended is left out. */
Test(order_sources, several_take_turns)
{
    for (int i = 0; i < CROWDS; i++) {
        struct counter c[3] = {{.first = 1000, .count = 2}, {.first = 2000, .count = 50},
                               {.first = 3000, .count = 20}};
        distributor_t *d = make(ORDERED(.workers = crowds[i]));
        for (int k = 0; k < 3; k++)
            add_counter(d, &plain, &c[k]);
        expect(run(d).completed, 72);
        for (unsigned n = 0; n < 50; n++)
            for (int k = 0; k < 3; k++)
                if (n < c[k].count)
                    read_number(d, c[k].first + n);
        expect(drain(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

Test(order_sources, hundreds_of_them_in_several_runs)
{
    enum { SOURCES = 150 };
    static struct counter c[SOURCES];
    distributor_t *d = make(ORDERED(.workers = 3));
    for (int again = 0; again < 3; again++) {
        for (unsigned k = 0; k < SOURCES; k++) {
            c[k] = (struct counter){.first = k, .count = k % 3};
            add_counter(d, &plain, &c[k]);
        }
        expect(run(d).completed, SOURCES);
        for (unsigned k = 0; k < SOURCES; k++)
            if (k % 3 > 0)
                read_number(d, k);
        for (unsigned k = 2; k < SOURCES; k += 3)
            read_number(d, k + 1);
        expect(drain(d), 0);
    }
    expect(distributor_destroy(d), 0);
    finish();
}

static int end_thread_at_once(void *context, distributor_input_t *input)
{
    (void)context, (void)input;
    pthread_exit(NULL);
}

/* A source that fails ends alone, with a record where its next input would stand. */
Test(order_sources, failures_stand_in_their_place)
{
    for (int i = 0; i < CROWDS; i++) {
        struct counter c[2] = {{.count = 3, .last = -EIO}, {.first = 100, .count = 6}};
        distributor_t *d = make(ORDERED(.workers = crowds[i]));
        add_counter(d, &plain, &c[0]);
        add_counter(d, &plain, &c[1]);
        expect(distributor_add_source(d, &plain, end_thread_at_once, NULL), 0);
        expect(run(d).failed, 2);
        read_number(d, 0);
        read_number(d, 100);
        read_failure(d, -EOWNERDEAD);
        for (unsigned n = 1; n < 3; n++) {
            read_number(d, n);
            read_number(d, 100 + n);
        }
        read_failure(d, -EIO);
        for (unsigned n = 3; n < 6; n++)
            read_number(d, 100 + n);
        expect(drain(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* ---- At the same time ---- */

static sem_t begun, gate, other;
static atomic_uint begins;

static void open_gates(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    sem_init(&other, 0, 0);
    atomic_store(&begins, 0);
}

static void remove_gates(void)
{
    sem_destroy(&begun);
    sem_destroy(&gate);
    sem_destroy(&other);
}

/* Number 0 waits. */
static int run_first_waits(distributor_task_t *self, const void *input, size_t size)
{
    atomic_fetch_add(&begins, 1);
    sem_post(&begun);
    if (number_of(input) == 0)
        await(&gate);
    return run_plain(self, input, size);
}

static const distributor_task_type_t first_waits = {.name = "first_waits", .run = run_first_waits};

static int run_meets(distributor_task_t *self, const void *input, size_t size)
{
    sem_post(number_of(input) % 2 == 0 ? &gate : &other);
    await(number_of(input) % 2 == 0 ? &other : &gate);
    return run_plain(self, input, size);
}

static const distributor_task_type_t meets = {.name = "meets", .run = run_meets};

Test(order_sources, two_inputs_wait_for_each_other)
{
    struct counter c = {.count = 2 * rounds(200)};
    open_gates();
    distributor_t *d = make(ORDERED(.workers = 2, .window = 2));
    add_counter(d, &meets, &c);
    expect(run(d).completed, c.count);
    for (unsigned n = 0; n < c.count; n++)
        read_number(d, n);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

/* As many as the window has are asked for, whoever waits for the first. */
Test(order_sources, the_window_is_exact)
{
    static const unsigned windows[] = {1, 2, 3, 64, 1024};
    for (unsigned i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        struct counter c = {.count = 2 * windows[i]};
        open_gates();
        distributor_t *d = make(ORDERED(.workers = 3, .window = windows[i]));
        add_counter(d, &first_waits, &c);
        expect(distributor_start(d), 0);
        for (unsigned n = 0; n < windows[i]; n++)
            await(&begun);
        nap(MILLISECONDS(3));
        expect(atomic_load(&begins), windows[i]);
        expect(atomic_load(&c.given), windows[i]);
        sem_post(&gate);
        expect(sum_up(d).completed, c.count);
        for (unsigned n = 0; n < c.count; n++)
            read_number(d, n);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

static int run_parent(distributor_task_t *self, const void *input, size_t size)
{
    (void)size;
    spawn(self, &plain, number_of(input) + 1);
    atomic_fetch_add(&begins, 1);
    sem_post(&begun);
    await(&gate);
    emit(self, input, sizeof(unsigned));
    atomic_fetch_sub(&begins, 1);
    return 0;
}

static const distributor_task_type_t parent = {.name = "parent", .run = run_parent};

/* The window counts from an input of a source as well: with 1 its child waits for its end. */
Test(order_sources, a_window_of_one_is_a_serial_run)
{
    for (unsigned n = 0; n < rounds(50); n++) {
        struct counter c = {.count = 2, .step = 2};
        open_gates();
        distributor_t *d = make(ORDERED(.workers = 3, .window = 1));
        add_counter(d, &parent, &c);
        expect(distributor_start(d), 0);
        for (int i = 0; i < 2; i++) {
            await(&begun);
            expect(atomic_load(&begins), 1);
            sem_post(&gate);
        }
        sum_up(d);
        for (unsigned i = 0; i < 4; i++)
            read_number(d, i);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

static int block_at_the_third(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (atomic_load(&c->given) == 2) {
        sem_post(&begun);
        await(&gate);
    }
    return count_up(c, input);
}

/* It blocks: what it gave and tasks from outside go on, on one worker less. */
Test(order_sources, one_that_blocks_holds_nothing_back)
{
    struct counter c = {.count = 3};
    unsigned number = 7;
    open_gates();
    distributor_t *d = make(ORDERED(.workers = 2));
    expect(distributor_start(d), 0);
    c.step = 1;
    expect(distributor_add_source(d, &plain, block_at_the_third, &c), 0);
    await(&begun);
    read_number(d, 0);
    read_number(d, 1);
    for (int i = 0; i < 100; i++) {
        expect(distributor_add_task(d, &plain, &number, sizeof(number)), 0);
        read_number(d, number);
    }
    sem_post(&gate);
    expect(sum_up(d).completed, 103);
    read_number(d, 2);
    expect(drain(d), 0);
    expect(distributor_destroy(d), 0);
    remove_gates();
    finish();
}

static int not_now_at_every_third(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    if (c->last++ % 3 == 2) {
        sem_post(&begun);
        return -EAGAIN;
    }
    return atomic_load(&c->given) == c->count ? 0 : count_up(c, input);
}

Test(order_sources, not_now_until_it_is_ready)
{
    for (int i = 0; i < CROWDS; i++) {
        struct counter c = {.count = 200, .step = 1};
        open_gates();
        distributor_t *d = make(ORDERED(.workers = crowds[i]));
        expect(distributor_start(d), 0);
        expect(distributor_add_source(d, &plain, not_now_at_every_third, &c), 0);
        expect(distributor_close(d), 0);
        for (int k = 0; k < 100; k++) {
            await(&begun);
            expect(distributor_source_ready(d, &c), 0);
        }
        for (unsigned n = 0; n < 200; n++)
            read_number(d, n);
        expect(drain(d), 0);
        sum_up(d);
        expect(distributor_destroy(d), 0);
        remove_gates();
    }
    finish();
}

/* ---- Limits ---- */

#define BIG 1200000 /* bytes: more than a worker may ever hold back */

static size_t size_of(unsigned number)
{
    return number % 20 < 10 ? 16 : BIG;
}

/* Every other input is small and spawns three that are. */
static int run_mixed(distributor_task_t *self, const void *input, size_t size)
{
    static const char bytes[BIG];
    unsigned number = number_of(input);
    (void)size;
    emit(self, bytes, size_of(number));
    for (unsigned i = 1; number % 20 == 0 && i <= 3; i++)
        spawn(self, distributor_context(distributor_of(self)), number + i);
    return 0;
}

static distributor_task_type_t mixed = {.name = "mixed", .run = run_mixed};

/* The turn is parked with small results, for the reader; whoever runs ahead with a big one waits
 * for it.  A worker must be left for what the small ones spawn. */
Test(order_sources, those_ahead_leave_a_worker_for_children)
{
    unsigned inputs = rounds(100);
    for (int i = 0; i < CROWDS; i++)
        for (unsigned output_limit = 1; output_limit <= 2; output_limit++) {
            struct counter c = {.count = inputs, .step = 10};
            distributor_result_t r;
            distributor_t *d = make(ORDERED(.workers = crowds[i], .output_limit = output_limit,
                                            .window = 40, .context = &mixed));
            add_counter(d, &mixed, &c);
            expect(distributor_start(d), 0);
            expect(distributor_close(d), 0);
            for (unsigned n = 0; n < 10 * inputs; n++)
                if (n % 10 == 0 || n % 20 < 4) {
                    expect(distributor_next_result(d, &r), 1);
                    expect(r.size, size_of(n));
                }
            expect(drain(d), 0);
            sum_up(d);
            expect(distributor_destroy(d), 0);
        }
    finish();
}

static void *read_two_and_leave(void *context)
{
    distributor_result_t r;
    for (int i = 0; i < 2; i++)
        task_assert(distributor_next_result(context, &r) == 1);
    return NULL;
}

/* ---- Its end ---- */

static int endless(void *context, distributor_input_t *input)
{
    struct counter *c = context;
    unsigned number = atomic_fetch_add(&c->given, 1);
    return distributor_set_input(input, &number, sizeof(number));
}

/* After cancel a reader gets the first results, without a gap. */
Test(order_sources, cancel_leaves_a_prefix)
{
    for (unsigned n = rounds(100); n > 0; n--) {
        struct counter c = {0}, c2 = {0};
        distributor_result_t r;
        distributor_t *d = make(ORDERED(.workers = 1 + n % 4, .output_limit = n % 3 * 10,
                                        .window = n % 5));
        expect(distributor_add_source(d, &plain, endless, &c), 0);
        expect(distributor_add_source(d, &plain, endless, &c2), 0);
        expect(distributor_start(d), 0);
        read_number(d, 0);
        expect(distributor_cancel(d), 0);
        sum_up(d);
        for (unsigned i = 1; distributor_next_result(d, &r) == 1; i++)
            expect(*(const unsigned *)r.data, i / 2);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* What was asked for until then runs; nothing is asked for later. */
Test(order_sources, stop_asks_no_more)
{
    for (unsigned n = rounds(100); n > 0; n--) {
        struct counter c = {0};
        distributor_t *d = make(ORDERED(.workers = 1 + n % 4, .window = n % 5));
        expect(distributor_add_source(d, &plain, endless, &c), 0);
        expect(distributor_start(d), 0);
        read_number(d, 0);
        expect(distributor_stop(d), 0);
        unsigned given = (unsigned)sum_up(d).completed;
        expect(atomic_load(&c.given), given);
        for (unsigned i = 1; i < given; i++)
            read_number(d, i);
        expect(drain(d), 0);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

Test(order_sources, destroy_with_open_ones)
{
    for (unsigned n = rounds(100); n > 0; n--) {
        struct counter c = {0};
        distributor_t *d = make(ORDERED(.workers = 1 + n % 4, .output_limit = 1 + n % 3,
                                        .context = &tree));
        expect(distributor_add_source(d, &tree, endless, &c), 0);
        expect(distributor_start(d), 0);
        pthread_t reader = begin_thread(read_two_and_leave, d);
        end_thread(reader);
        expect(distributor_destroy(d), 0);
    }
    finish();
}

/* The results of one are the inputs of the other, and arrive in order; so do failures. */
Test(order_sources, a_pipe_keeps_the_order)
{
    for (int i = 0; i < CROWDS; i++) {
        struct counter c = {.count = 2000, .last = -EPROTO};
        distributor_t *from = make(ORDERED(.workers = crowds[i], .output_limit = 5));
        distributor_t *to = make(ORDERED(.workers = crowds[CROWDS - 1 - i], .output_limit = 3));
        add_counter(from, &plain, &c);
        expect(distributor_pipe(from, to, &plain), 0);
        expect(distributor_start(from), 0);
        expect(distributor_start(to), 0);
        expect(distributor_close(from), 0);
        expect(distributor_close(to), 0);
        for (unsigned n = 0; n < 2000; n++)
            read_number(to, n);
        read_failure(to, -EPROTO);
        expect(drain(to), 0);
        sum_up(from);
        sum_up(to);
        expect(distributor_destroy(from), 0);
        expect(distributor_destroy(to), 0);
    }
    finish();
}
