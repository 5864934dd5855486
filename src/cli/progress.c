/* SPDX-License-Identifier: BSD-2-Clause */
/* A bar with counts and the time that is left: one line on a terminal, drawn again in place. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

#define WIDTH 30u              /* of the bar */
#define REDRAW_NS 50000000     /* at most so often */

struct progress {
    size_t total, done, failed;
    int64_t begun_ns, drawn_ns;
};

int begin_progress(struct progress **out, size_t total)
{
    *out = NULL;
    if (!isatty(STDERR_FILENO))
        return 0;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return complain(EXIT_ENGINE, "no memory");
    (*out)->total = total;
    (*out)->begun_ns = distributor_now();
    return 0;
}

static void draw(struct progress *progress)
{
    static const char full[] = "##############################",
                      empty[] = "..............................";
    unsigned filled = (unsigned)(WIDTH * progress->done / progress->total);
    int64_t now = distributor_now(), spent_ns = now - progress->begun_ns;

    fprintf(stderr, "\r[%.*s%.*s] %zu/%zu", (int)filled, full, (int)(WIDTH - filled), empty,
            progress->done, progress->total);
    if (progress->failed > 0)
        fprintf(stderr, ", %zu failed", progress->failed);
    if (progress->done > 0 && progress->done < progress->total)
        fprintf(stderr, ", %.0f s left  ",
                (double)spent_ns / 1e9 * (double)(progress->total - progress->done) /
                    (double)progress->done);
    else
        fprintf(stderr, ", %.0f s      ", (double)spent_ns / 1e9);
    fflush(stderr);
    progress->drawn_ns = now;
}

void tick_progress(struct progress *progress)
{
    if (progress && distributor_now() - progress->drawn_ns >= REDRAW_NS)
        draw(progress);
}

void count_progress(struct progress *progress, distributor_outcome_t outcome)
{
    if (!progress)
        return;
    progress->done++;
    progress->failed += outcome == DISTRIBUTOR_FAILED;
    tick_progress(progress);
}

void end_progress(struct progress *progress)
{
    if (!progress)
        return;
    draw(progress);
    putc('\n', stderr);
    free(progress);
}
