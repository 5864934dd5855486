/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line for each worker that says what it runs and for how long, drawn again in place.  Where the
 * terminal cannot go up, or there is none, each beginning and end is a plain line.
 */
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "cli/cli.h"

#define REDRAW_NS 50000000 /* at most so often */

/* What a worker does; node is only valid while it runs. */
struct lane {
    bool is_seen, is_running;
    size_t node;
    int64_t begun_ns;
};

struct viewer {
    const struct tasks *tasks;
    struct lane *lanes; /* by the number of the worker */
    size_t count, drawn; /* of lanes; of lines on the terminal */
    size_t done;
    int64_t drawn_ns;
    bool is_plain; /* no codes: whole lines only */
};

/* Whether the terminal can go up and clear a line. */
static bool can_redraw(void)
{
    int error;

    return isatty(STDERR_FILENO) && setupterm(NULL, STDERR_FILENO, &error) == OK && cursor_up &&
        clr_eol && carriage_return;
}

int begin_viewer(struct viewer **out, const struct tasks *tasks, bool is_plain)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return complain(EXIT_ENGINE, "no memory");
    (*out)->tasks = tasks;
    (*out)->is_plain = is_plain || !can_redraw();
    return 0;
}

static int put(int letter)
{
    return putc(letter, stderr);
}

static void draw_lane(const struct viewer *viewer, size_t number, int64_t now)
{
    const struct lane *lane = &viewer->lanes[number];

    if (lane->is_running)
        fprintf(stderr, "worker %zu  %7.1f s  %s", number, (double)(now - lane->begun_ns) / 1e9,
                distributor_graph_name(viewer->tasks->graph, lane->node));
    else
        fprintf(stderr, "worker %zu           -", number);
}

static void draw(struct viewer *viewer)
{
    int64_t now = distributor_now();

    for (size_t i = 0; i < viewer->drawn; i++)
        tputs(cursor_up, 1, put);
    viewer->drawn = 0;
    for (size_t i = 0; i <= viewer->count; i++) {
        if (i < viewer->count && !viewer->lanes[i].is_seen)
            continue;
        tputs(carriage_return, 1, put);
        if (i < viewer->count)
            draw_lane(viewer, i, now);
        else
            fprintf(stderr, "%zu of %zu tasks", viewer->done, viewer->tasks->chosen_count);
        tputs(clr_eol, 1, put);
        putc('\n', stderr);
        viewer->drawn++;
    }
    fflush(stderr);
    viewer->drawn_ns = now;
}

void tick_viewer(struct viewer *viewer)
{
    if (viewer && !viewer->is_plain && distributor_now() - viewer->drawn_ns >= REDRAW_NS)
        draw(viewer);
}

/* Makes room for a worker's lane; without memory it is not shown. */
static bool reach(struct viewer *viewer, unsigned worker)
{
    if (worker < viewer->count)
        return true;
    struct lane *lanes = realloc(viewer->lanes, (worker + 1) * sizeof *lanes);
    if (!lanes)
        return false;
    memset(lanes + viewer->count, 0, (worker + 1 - viewer->count) * sizeof *lanes);
    viewer->lanes = lanes;
    viewer->count = worker + 1;
    return true;
}

void view_run(struct viewer *viewer, size_t node, unsigned worker)
{
    if (!viewer)
        return;
    if (viewer->is_plain)
        fprintf(stderr, "worker %u runs %s\n", worker,
                distributor_graph_name(viewer->tasks->graph, node));
    if (reach(viewer, worker))
        viewer->lanes[worker] = (struct lane){true, true, node, distributor_now()};
    tick_viewer(viewer);
}

void view_done(struct viewer *viewer, size_t node, distributor_outcome_t outcome)
{
    if (!viewer)
        return;
    viewer->done++;
    for (size_t i = 0; i < viewer->count; i++)
        if (viewer->lanes[i].node == node)
            viewer->lanes[i].is_running = false;
    if (viewer->is_plain) {
        print_outcome(stderr, outcome);
        fprintf(stderr, "  %s\n", distributor_graph_name(viewer->tasks->graph, node));
    }
    tick_viewer(viewer);
}

void end_viewer(struct viewer *viewer)
{
    if (!viewer)
        return;
    if (!viewer->is_plain)
        draw(viewer);
    free(viewer->lanes);
    free(viewer);
}
