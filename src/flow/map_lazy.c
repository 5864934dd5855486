/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lazy map: the thread that reads the outputs asks the source for inputs, a window ahead, and
 * runs what nobody else has begun before it waits.  Helpers are tasks of a distributor, as those of
 * the map over an array are, but come and go: it could do without any of them.
 *
 * It uses the public interface of the pool alone.  Events L1 to L6: README.md of this folder.
 */
#include "flow/window.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "flow/ranges.h"

#define WINDOW 1024 /* where the caller leaves it to us */
#define PARTS 8     /* the window has at least so many parts */

/* What a part should take, to be filled in and to be run: long against what its claim and its
 * wake-up cost, short against what anybody waits for. */
#define SHORT_NS 25000
#define LONG_NS 100000

/* After so long a helper makes room for other tasks: long against what a task costs. */
#define HELP_NS 1000000

struct distributor_lazy_map {
    struct distr_window *window;
    distributor_t *d;
    bool made; /* by us */
    pid_t process;

    distributor_map_source_fn *source;
    void *source_context;
    int end; /* 0: the source goes on; 1: it has ended; a negative errno: so it failed, and the
                reader has not been told */

    uint64_t read;    /* the next item to be handed out */
    uint64_t reached; /* items of its part before this one have been run */
    uint64_t ready;   /* the end of its part */
    uint64_t filled;  /* the end of the items that the source gave */
    size_t grain;     /* how many items the next part has */
    int64_t filled_ns; /* how long it took to fill the last one */
    bool inside;       /* a callback runs on the thread of the reader */

    /* Here and not in a local variable, which the end of a thread may undo. */
    size_t given; /* inputs of the part that is being filled */
    bool back;    /* from the last call of the source */
};

/* ---- helpers ---- */

static int help(distributor_task_t *self, const void *input, size_t size);
static void discard(void *input, size_t size);

static const distributor_task_type_t helper = {
    .name = "map",
    .run = help,
    .discard_input = discard,
};

/* Returns what it was.  acq_rel: of who adds a helper and the helper, the later one sees what the
 * other did before. */
static bool set_expected(struct distr_window *w, bool expected)
{
    return atomic_exchange_explicit(&w->expected, expected, memory_order_acq_rel);
}

/* L1: a helper is counted before it can begin, and one at a time waits to.  self is NULL on the
 * thread of the reader.  If it cannot be added the reader does the work. */
static void recruit(struct distr_window *w, distributor_t *d, distributor_task_t *self)
{
    if (set_expected(w, true))
        return;
    atomic_fetch_add_explicit(&w->users, 1, memory_order_relaxed); /* the add publishes it */
    int rc = self ? distributor_spawn(self, &helper, &w, sizeof w)
                  : distributor_try_add_task(d, &helper, &w, sizeof w);
    if (rc == 0)
        return;
    set_expected(w, false);
    distr_window_leave(w);
}

static void leave(void *argument)
{
    distr_window_leave(argument);
}

/* Each helper brings the next one, until one waits because all workers help.  It does not stay for
 * as long as the map may last: other tasks of the distributor come to their turn, and so do results
 * of one that keeps the order. */
static void help_for_a_while(struct distr_window *w, distributor_task_t *self)
{
    struct distr_part part;
    int64_t until = distr_after(HELP_NS);

    while (distr_now() < until && !distributor_should_stop(self) && distr_window_claim(w, &part)) {
        if (distr_window_has_more(w))
            recruit(w, NULL, self);
        distr_window_work(w, &part);
    }
    if (distr_window_has_more(w) && !distributor_should_stop(self))
        recruit(w, NULL, self);
}

static int help(distributor_task_t *self, const void *input, size_t size)
{
    struct distr_window *w = *(struct distr_window *const *)input;

    (void)size;
    pthread_cleanup_push(leave, w);
    set_expected(w, false);
    help_for_a_while(w, self);
    pthread_cleanup_pop(1);
    return 0;
}

/* The distributor was cancelled, or is being destroyed, before this helper began. */
static void discard(void *input, size_t size)
{
    struct distr_window *w = *(struct distr_window **)input;

    (void)size;
    set_expected(w, false);
    distr_window_leave(w);
}

/* ---- the source ---- */

/* What the source gave is a part, also where it ended the thread. */
static void take_part(void *argument)
{
    struct distributor_lazy_map *map = argument;

    map->inside = false;
    if (!map->back)
        map->end = -EOWNERDEAD;
    if (map->given == 0)
        return;
    distr_window_publish(map->window, map->given);
    map->filled += map->given;
    recruit(map->window, map->d, NULL);
}

/* The next input.  False: there is none. */
static bool ask(struct distributor_lazy_map *map)
{
    map->back = false;
    int rc = map->source(map->source_context,
                         distr_window_input(map->window, map->filled + map->given));
    map->back = true;
    if (rc == 1)
        map->given++;
    else
        map->end = rc == 0 ? 1 : rc > 1 ? -EINVAL : rc;
    return rc == 1;
}

/* How many items the next part can have: they follow one another in the window. */
static size_t next_part(const struct distributor_lazy_map *map)
{
    const struct distr_window *w = map->window;
    size_t room = w->size - (size_t)(map->filled - map->read);
    size_t to_end = w->mask + 1 - (size_t)(map->filled & w->mask);

    if (map->end != 0 || room < map->grain)
        return 0;
    return map->grain < to_end ? map->grain : to_end;
}

/* Asks the source for one part.  False: there is no room, or it has ended. */
static bool feed(struct distributor_lazy_map *map)
{
    size_t most = next_part(map);

    if (most == 0)
        return false;
    int64_t before = distr_now();
    map->given = 0;
    map->inside = true;
    pthread_cleanup_push(take_part, map);
    while (map->given < most && ask(map))
        continue;
    pthread_cleanup_pop(1);
    map->filled_ns = distr_now() - before;
    return true;
}

/* ---- the reader ---- */

/* A callback has come back, or ended the thread. */
static void come_out(void *argument)
{
    struct distributor_lazy_map *map = argument;

    map->inside = false;
}

/* Whether the calling thread ran a part itself. */
static bool work(struct distributor_lazy_map *map)
{
    struct distr_part part;

    if (!distr_window_claim(map->window, &part))
        return false;
    map->inside = true;
    pthread_cleanup_push(come_out, map);
    distr_window_work(map->window, &part);
    pthread_cleanup_pop(1);
    return true;
}

/* Nothing is left: 0, or once the failure of the source. */
static int end_of(struct distributor_lazy_map *map)
{
    int error = map->end < 0 ? map->end : 0;

    map->end = 1;
    return error;
}

/* How long the next parts are, after what filling and running one took. */
static void adapt(struct distributor_lazy_map *map, const struct distr_slot *part)
{
    int64_t ns = part->took_ns > map->filled_ns ? part->took_ns : map->filled_ns;
    size_t most = map->window->size / PARTS;

    if (ns < SHORT_NS && 2 * map->grain <= most)
        map->grain *= 2;
    else if (ns > LONG_NS && map->grain > 1)
        map->grain /= 2;
}

/* The oldest part is the one to be handed out. */
static void take(struct distributor_lazy_map *map)
{
    const struct distr_slot *part = distr_window_slot(map->window, map->read);

    map->reached = map->read + part->reached;
    map->ready = map->read + atomic_load_explicit(&part->count, memory_order_relaxed); /* ours */
    adapt(map, part);
}

static bool is_empty(const struct distributor_lazy_map *map)
{
    return map->read == map->filled;
}

/*
 * Waits for the oldest part, and does all else first: asks for inputs while there is room, runs
 * what nobody has begun.  It asks once in any case, so that whoever helps has something to do.
 * Returns 1; 0, or the failure of the source: nothing is left.
 */
static int wait_for_part(struct distributor_lazy_map *map)
{
    bool fed = feed(map);

    while (is_empty(map) || !distr_window_is_done(map->window, map->read)) {
        if (is_empty(map) && !fed)
            return end_of(map);
        fed = feed(map);
        if (fed || is_empty(map) || work(map))
            continue;
        if (getpid() != map->process)
            return -ECHILD; /* who has claimed it is not here */
        distr_window_await(map->window, map->read);
    }
    take(map);
    return 1;
}

/* The item before it ended its thread. */
static void run_late(struct distributor_lazy_map *map, uint64_t item)
{
    map->inside = true;
    pthread_cleanup_push(come_out, map);
    distr_window_run(map->window, item);
    pthread_cleanup_pop(1);
}

static int hand_out(struct distributor_lazy_map *map, void *output)
{
    struct distr_window *w = map->window;
    uint64_t item = map->read;

    if (item >= map->reached) {
        map->reached = item + 1;
        run_late(map, item);
    }
    map->read++;
    int error = distr_window_slot(w, item)->error;
    if (error != 0)
        return error;
    if (output && w->output_size > 0) /* both, or neither */
        memcpy(output, distr_window_output(w, item), w->output_size);
    return 1;
}

int distributor_map_next(distributor_lazy_map_t *map, void *output)
{
    if (!map || (output != NULL) != (map->window->output_size != 0))
        return -EINVAL;
    if (map->inside)
        return -EDEADLK;
    int rc = map->read == map->ready ? wait_for_part(map) : 1;
    return rc == 1 ? hand_out(map, output) : rc;
}

/* ---- the life of a map ---- */

static int make_distributor(struct distributor_lazy_map *map)
{
    int rc = distr_map_distributor(&map->d);

    if (rc != 0)
        return rc;
    rc = distributor_start(map->d);
    map->made = rc == 0;
    if (rc != 0)
        distributor_destroy(map->d);
    return rc;
}

static int make(struct distributor_lazy_map *map, size_t input_size, size_t output_size,
                size_t window)
{
    map->process = getpid();
    map->grain = 1;
    map->window = distr_window_make(input_size, output_size, window);
    if (!map->window)
        return -ENOMEM;
    int rc = map->d ? 0 : make_distributor(map);
    if (rc != 0)
        distr_window_leave(map->window);
    return rc;
}

int distributor_map_lazy(distributor_lazy_map_t **out, distributor_t *d, distributor_map_fn *fn,
                         void *context, distributor_map_source_fn *source, void *source_context,
                         size_t input_size, size_t output_size, size_t window)
{
    if (!out)
        return -EINVAL;
    *out = NULL;
    if (!fn || !source || window > DISTRIBUTOR_MAX_WINDOW)
        return -EINVAL;
    int rc = d ? distributor_is_idle(d) : 0; /* whether it takes tasks at all */
    if (rc < 0)
        return rc;
    struct distributor_lazy_map *map = calloc(1, sizeof *map);
    if (!map)
        return -ENOMEM;
    map->d = d;
    map->source = source;
    map->source_context = source_context;
    rc = make(map, input_size, output_size, window > 0 ? window : WINDOW);
    if (rc != 0) {
        free(map);
        return rc;
    }
    map->window->fn = fn;
    map->window->context = context;
    *out = map;
    return 0;
}

/* Waits for the parts that somebody runs; the others never begin. */
static void end(struct distributor_lazy_map *map)
{
    struct distr_window *w = map->window;
    uint64_t claimed = distr_window_end(w);

    for (uint64_t item = map->ready; item < claimed && getpid() == map->process;) {
        distr_window_await(w, item);
        item += atomic_load_explicit(&distr_window_slot(w, item)->count, memory_order_relaxed);
    }
}

int distributor_map_destroy(distributor_lazy_map_t *map)
{
    if (!map)
        return 0;
    if (map->inside)
        return -EDEADLK;
    end(map);
    if (map->made)
        distributor_destroy(map->d);
    distr_window_leave(map->window);
    free(map);
    return 0;
}
