/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads as coroutines.  Each has a stack for good and is used again in the next run; a switch is
 * a _setjmp and a _longjmp, which make no system call.
 */
#include "schedule/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_SIZE ((size_t)256 << 10)
#define MOMENTS_MAX 20000u
#define MOVES_MAX 256u
#define LOOK_NS 9000 /* a spin of 20 us gives up at the third look */
#define STALLS 12u
#define SETTLED (INT64_MAX - 1) /* the deadline of who waits until nobody can go on */

struct world world;

static jmp_buf home; /* of who called threads_run */
static ucontext_t maker;

/* ---- coroutines ---- */

/* The thread-local variables of the thread that goes on. */
static void take_over(void)
{
    distr_thread = self()->own;
    distributor_short_seat = self()->seat;
}

static void switch_to(unsigned next)
{
    struct thread *me = self();

    if (next == world.current)
        return;
    me->own = distr_thread;
    me->seat = distributor_short_seat;
    me->stalls = 0;
    if (me->state == THREAD_DONE)
        memcpy(me->context, me->top, sizeof me->context);
    if (me->state == THREAD_DONE || _setjmp(me->context) == 0) {
        world.current = next;
        take_over();
        trace("runs", NULL, next, self()->here);
        _longjmp(self()->context, 1);
    }
}

static void go_on(void);

/* A coroutine: what it runs is replaced from run to run. */
static void coroutine(void)
{
    struct thread *me = self();

    if (_setjmp(me->top) == 0) {
        memcpy(me->context, me->top, sizeof me->context);
        setcontext(&maker);
    }
    me->routine(me->argument);
    threads_exit();
}

void threads_exit(void)
{
    struct thread *me = self();

    while (me->cleanups)
        schedule_cleanup_pop(me->cleanups, true);
    system_end_thread();
    memory_drain();
    me->state = THREAD_DONE;
    threads_wake(me, INT32_MAX);
    go_on();
    abort();
}

void threads_init(void)
{
    static ucontext_t contexts[THREADS_MAX];

    for (unsigned i = 0; i < THREADS_MAX; i++) {
        char *stack =
            mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        getcontext(&contexts[i]);
        contexts[i].uc_stack.ss_sp = stack;
        contexts[i].uc_stack.ss_size = STACK_SIZE;
        makecontext(&contexts[i], coroutine, 0);
        world.current = i;
        swapcontext(&maker, &contexts[i]);
    }
}

unsigned threads_create(void *(*routine)(void *argument), void *argument)
{
    unsigned index = world.count;

    if (index == THREADS_MAX)
        schedule_fail("more than %u threads", THREADS_MAX);
    struct thread *thread = &world.threads[world.count++];
    thread->state = THREAD_RUNNABLE;
    thread->routine = routine;
    thread->argument = argument;
    return index;
}

static void *run_body(void *argument)
{
    const struct schedule_scenario *scenario = argument;

    scenario->body();
    schedule_end();
    return NULL;
}

static void clear(struct thread *thread)
{
    thread->state = THREAD_UNUSED;
    thread->here = "begin";
    thread->stored = 0;
    thread->stalled = false;
    thread->stalls = 0;
    thread->cleanups = NULL;
    memset(&thread->own, 0, sizeof thread->own);
    memset(thread->specific, 0, sizeof thread->specific);
}

void threads_run(const struct schedule_scenario *scenario)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        clear(&world.threads[i]);
    world.count = 0;
    world.cpus = scenario->cpus ? scenario->cpus : 2;
    world.look_ns = scenario->look_ns ? scenario->look_ns : LOOK_NS;
    world.clock = 1000000000;
    world.moment = 0;
    world.barred = NULL;
    world.idled = 0;
    world.exploring = false;
    memory_reset();
    system_reset();
    threads_create(run_body, (void *)(uintptr_t)scenario);
    if (_setjmp(home) == 0) {
        world.inside = true;
        world.current = 0;
        take_over();
        _longjmp(self()->context, 1);
    }
    world.inside = false;
}

/* ---- who goes on ---- */

void threads_count_moment(void)
{
    if (++world.moment > MOMENTS_MAX)
        schedule_fail("it does not end");
}

/* Moves that leave open who goes on, but let others see more. */
static unsigned add_events(struct move *moves, unsigned count)
{
    if (!search_may_preempt())
        return count;
    for (unsigned i = 0; i < world.count; i++) {
        const struct thread *thread = &world.threads[i];
        if (i != world.current && thread->stored > 0)
            moves[count++] = (struct move){.kind = MOVE_COMMIT, .thread = i};
        if (thread->state == THREAD_BLOCKED && thread->deadline < SETTLED)
            moves[count++] = (struct move){.kind = MOVE_TIME_OUT, .thread = i};
    }
    return count;
}

static void end_sleep(struct thread *thread)
{
    if (world.clock < thread->deadline && thread->deadline != SETTLED)
        world.clock = thread->deadline;
    thread->timed_out = true;
    thread->state = THREAD_RUNNABLE;
}

/* Carries out a move.  True: it was not about who goes on, so that is still open. */
static bool make_event(const struct move *move)
{
    if (move->kind == MOVE_COMMIT)
        memory_commit(&world.threads[move->thread], 1);
    else if (move->kind == MOVE_TIME_OUT)
        end_sleep(&world.threads[move->thread]);
    else
        return false;
    threads_count_moment();
    return true;
}

/* The other runnable threads, the next one first. */
static unsigned add_others(struct move *moves, unsigned count)
{
    for (unsigned i = 1; i < world.count; i++) {
        unsigned next = (world.current + i) % world.count;
        if (world.threads[next].state == THREAD_RUNNABLE)
            moves[count++] = (struct move){.kind = MOVE_SWITCH, .thread = next, .keep = KEEP_NONE};
    }
    return count;
}

/* The same, with all possible states of the store buffer of the one that is left. */
static unsigned add_preemptions(struct move *moves, unsigned count)
{
    unsigned others = add_others(moves, count);
    unsigned all = others;

    if (!search_may_delay())
        return others;
    for (unsigned i = count; i < others; i++) {
        for (unsigned keep = 0; keep < self()->stored; keep++) {
            if (!search_counts_all() && !memory_is_shared(self()->stores[keep].to))
                continue;
            moves[all] = moves[i];
            moves[all++].keep = keep;
        }
    }
    return all;
}

void threads_step(void)
{
    struct move moves[MOVES_MAX];

    moves[0] = (struct move){.kind = MOVE_STAY};
    while (search_may_preempt()) {
        unsigned count = add_events(moves, add_preemptions(moves, 1));
        const struct move *move = search_choose(moves, count);
        if (make_event(move))
            continue;
        if (move->kind == MOVE_SWITCH) {
            unsigned visible = move->keep == KEEP_NONE ? self()->stored : move->keep;
            memory_commit(self(), visible);
            switch_to(move->thread);
        }
        return;
    }
}

/* Nobody can go on: time passes until somebody's deadline.  False: there is none. */
static bool let_time_pass(void)
{
    struct thread *first = NULL;

    for (unsigned i = 0; i < world.count; i++) {
        struct thread *thread = &world.threads[i];
        if (thread->state == THREAD_BLOCKED && thread->deadline != INT64_MAX &&
            (!first || thread->deadline < first->deadline))
            first = thread;
    }
    if (!first)
        return false;
    if (world.exploring && first->deadline < SETTLED)
        world.idled++;
    end_sleep(first);
    return true;
}

static bool all_done(void)
{
    for (unsigned i = 0; i < world.count; i++)
        if (world.threads[i].state != THREAD_DONE)
            return false;
    return true;
}

/* The current thread cannot go on: another one does, at no cost. */
static void go_on(void)
{
    struct move moves[MOVES_MAX];

    threads_count_moment();
    if (all_done()) {
        memcpy(self()->context, self()->top, sizeof self()->context);
        _longjmp(home, 1);
    }
    for (;;) {
        if (self()->state == THREAD_RUNNABLE) /* a time-out woke it while nobody else could */
            return;
        unsigned count = add_others(moves, 0);
        if (count == 0) {
            if (!let_time_pass())
                schedule_fail("all threads wait for ever");
            continue;
        }
        if (world.exploring)
            count = add_events(moves, count);
        const struct move *move = world.exploring ? search_choose(moves, count) : moves;
        if (make_event(move))
            continue;
        switch_to(move->thread);
        return;
    }
}

void threads_yield(void)
{
    struct move moves[MOVES_MAX];

    memory_drain();
    threads_count_moment();
    unsigned count = add_others(moves, 0);
    if (count == 0)
        return;
    if (!world.exploring || !search_may_preempt())
        count = 1;
    const struct move *move = world.exploring ? search_choose(moves, count) : moves;
    switch_to(move->thread);
}

/* ---- blocking ---- */

bool threads_block(const volatile void *address, const char *why, int64_t deadline)
{
    struct thread *me = self();

    memory_drain();
    me->state = THREAD_BLOCKED;
    me->waits_for = address;
    me->waits_in = why;
    me->deadline = deadline;
    me->timed_out = false;
    trace(why, address, 0, me->here);
    go_on();
    me->waits_for = NULL;
    return me->timed_out;
}

void threads_wake(const volatile void *address, int count)
{
    for (unsigned i = 0; i < world.count && count > 0; i++) {
        struct thread *thread = &world.threads[i];
        if (thread->state != THREAD_BLOCKED || thread->waits_for != address)
            continue;
        thread->state = THREAD_RUNNABLE;
        trace("wakes", address, i, self()->here);
        count--;
    }
}

static bool others_can(void)
{
    for (unsigned i = 0; i < world.count; i++)
        if (i != world.current && world.threads[i].state == THREAD_RUNNABLE)
            return true;
    return false;
}

void threads_sleep(int64_t deadline)
{
    /* Alone: nothing happens until then. */
    if (!others_can() && world.clock < deadline)
        world.clock = deadline;
    threads_yield();
}

unsigned schedule_idled(void)
{
    return world.idled;
}

void schedule_yield(void)
{
    threads_yield();
}

/* A loop that got on may stall a few times; one that waits for another thread gives way. */
void schedule_stall(void)
{
    struct thread *me = self();

    if (me->stalled)
        return;
    me->stalled = true;
    if (++me->stalls <= STALLS)
        return;
    me->stalls = 0;
    threads_yield();
}

void schedule_begin(void)
{
    memory_drain();
    world.exploring = true;
}

void schedule_end(void)
{
    memory_drain();
    world.exploring = false;
}

void schedule_settle(void)
{
    threads_block(&world, "settle", SETTLED);
}

void schedule_bar(const volatile void *word)
{
    world.barred = word;
}

void schedule_unbar(void)
{
    threads_wake(world.barred, INT32_MAX);
    world.barred = NULL;
}

/* ---- cleanups, reports ---- */

void schedule_cleanup_push(struct schedule_cleanup *cleanup)
{
    cleanup->before = self()->cleanups;
    self()->cleanups = cleanup;
}

void schedule_cleanup_pop(struct schedule_cleanup *cleanup, bool execute)
{
    self()->cleanups = cleanup->before;
    if (execute)
        cleanup->routine(cleanup->argument);
}

void threads_report(void)
{
    static const char *const names[] = {"unused", "runnable", "blocked", "done"};

    for (unsigned i = 0; i < world.count; i++) {
        const struct thread *thread = &world.threads[i];
        fprintf(stderr, "    thread %u: %s%s%s at %s, %u stores not visible%s\n", i,
                names[thread->state], thread->state == THREAD_BLOCKED ? " in " : "",
                thread->state == THREAD_BLOCKED ? thread->waits_in : "", thread->here,
                thread->stored, i == world.current ? ", running" : "");
    }
}
