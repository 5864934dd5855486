/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - makes the table, bench-results.json and the points of the plot of the lines that the
 * programs printed.
 *
 *     report BARS RESULTS POINTS <LINES
 *
 * Figures of one subject, peer and number of workers make one row: median, least and most.  A
 * subject with the suffix "-cold" has no line of its own in the table, it is the column "first run"
 * of the subject without.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 2048
#define RUNS 100
#define NAME 32
#define TIE 1.2 /* a figure that misses its bar by less than this factor is no worse */

typedef struct row {
    char subject[NAME], peer[NAME], unit[NAME];
    unsigned workers;
    double values[RUNS]; /* sorted when all lines are read */
    size_t runs;
    bool printed;
} row_t;

/* A bar: the median or the most of a row of the distributor, at most `limit`, or `limit` times what
 * `reference` names: the median of a peer in the same subject, the least median of all `peers`, or
 * that of any row, as SUBJECT/PEER/WORKERS. */
typedef struct bar {
    char subject[NAME], figure[NAME], reference[3 * NAME];
    unsigned workers;
    double limit;
} bar_t;

static row_t rows[ROWS];
static size_t row_count;
static bar_t bars[ROWS];
static size_t bar_count;
static unsigned met, tied, missed;

/* ---- reading ---- */

static row_t *find(const char *subject, const char *peer, unsigned workers)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].subject, subject) == 0 && strcmp(rows[i].peer, peer) == 0 &&
            rows[i].workers == workers)
            return &rows[i];
    return NULL;
}

static void read_line(const char *line)
{
    row_t new = {.runs = 0}, *row;
    double value;

    if (sscanf(line,
               "{\"subject\":\"%31[^\"]\",\"peer\":\"%31[^\"]\",\"workers\":%u,"
               "\"unit\":\"%31[^\"]\",\"value\":%lf}",
               new.subject, new.peer, &new.workers, new.unit, &value) != 5) {
        fprintf(stderr, "report: this is no figure: %s", line);
        return;
    }
    row = find(new.subject, new.peer, new.workers);
    if (row == NULL && row_count < ROWS) {
        row = &rows[row_count++];
        *row = new;
    }
    if (row != NULL && row->runs < RUNS)
        row->values[row->runs++] = value;
}

static void read_figures(void)
{
    char line[512];

    while (fgets(line, sizeof line, stdin) != NULL)
        read_line(line);
    for (size_t i = 0; i < row_count; i++)
        bench_sort(rows[i].values, rows[i].runs);
}

static bool read_bars(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[256];

    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL && bar_count < ROWS) {
        bar_t bar = {.limit = 0};

        if (line[0] != '#' && sscanf(line, "%31s %u %31s %lf %95s", bar.subject, &bar.workers,
                                     bar.figure, &bar.limit, bar.reference) >= 4)
            bars[bar_count++] = bar;
    }
    fclose(file);
    return true;
}

/* ---- figures of a row ---- */

static double median(const row_t *row)
{
    return bench_percentile(row->values, row->runs, 50);
}

static double most(const row_t *row)
{
    return row->values[row->runs - 1];
}

static bool is_ours(const row_t *row)
{
    return strcmp(row->peer, "distributor") == 0;
}

static bool is_cold(const row_t *row)
{
    const char *dash = strrchr(row->subject, '-');

    return dash != NULL && strcmp(dash, "-cold") == 0;
}

/* ---- the table ---- */

/* Three digits, more only before the point. */
static const char *number(double value, char *text, size_t size)
{
    int digits = value >= 100 ? 0 : value >= 10 ? 1 : value > 0 ? 2 : 0;

    snprintf(text, size, "%.*f", digits, value);
    return text;
}

static const char *first_run(const row_t *row, char *text, size_t size)
{
    char subject[NAME + 8];
    row_t *cold;

    snprintf(subject, sizeof subject, "%s-cold", row->subject);
    cold = find(subject, row->peer, row->workers);
    return cold != NULL ? number(median(cold), text, size) : "";
}

static const char *to_ours(const row_t *row, char *text, size_t size)
{
    const row_t *ours = find(row->subject, "distributor", row->workers);

    if (ours == NULL || is_ours(row) || median(ours) <= 0)
        return "";
    snprintf(text, size, "%.2f", median(row) / median(ours));
    return text;
}

/* The least median of those that are neither ours nor a limit; 0: there is none. */
static double best_peer(const row_t *row)
{
    double best = 0;

    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].subject, row->subject) == 0 && rows[i].workers == row->workers &&
            !is_ours(&rows[i]) && strcmp(rows[i].peer, "limit") != 0 &&
            (best <= 0 || median(&rows[i]) < best))
            best = median(&rows[i]);
    return best;
}

/* What a bar compares with; 0: this run has no such figure. */
static double reference_of(const bar_t *bar, const row_t *row)
{
    char subject[NAME], peer[NAME];
    unsigned workers;
    const row_t *other;

    if (strcmp(bar->reference, "peers") == 0)
        return best_peer(row);
    if (sscanf(bar->reference, "%31[^/]/%31[^/]/%u", subject, peer, &workers) == 3)
        other = find(subject, peer, workers);
    else
        other = find(row->subject, bar->reference, row->workers);
    return other != NULL ? median(other) : 0;
}

/* Judges one bar, in words. */
static void judge(const bar_t *bar, const row_t *row, char *text, size_t size)
{
    double figure = strcmp(bar->figure, "max") == 0 ? most(row) : median(row), reference;
    const char *word;

    if (bar->reference[0] == '\0') {
        met += figure <= bar->limit;
        missed += figure > bar->limit;
        snprintf(text, size, "%s: %.4g, at most %g", figure <= bar->limit ? "met" : "MISSED",
                 figure, bar->limit);
        return;
    }
    reference = reference_of(bar, row);
    if (reference <= 0) {
        snprintf(text, size, "not judged, no %s", bar->reference);
        return;
    }
    figure /= reference;
    word = figure <= bar->limit ? "met" : figure < TIE * bar->limit ? "tie" : "MISSED";
    *(word[0] == 'm' ? &met : word[0] == 't' ? &tied : &missed) += 1;
    snprintf(text, size, "%s: %.3g x %s, at most %g", word, figure, bar->reference, bar->limit);
}

/* All bars of the row, one after the other. */
static const char *verdict(const row_t *row, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < bar_count && is_ours(row); i++) {
        char one[192];

        if (strcmp(bars[i].subject, row->subject) != 0 || bars[i].workers != row->workers)
            continue;
        judge(&bars[i], row, one, sizeof one);
        if (used + strlen(one) + 3 < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", one);
    }
    return text;
}

static void print_row(row_t *row)
{
    char texts[6][512];

    printf("%-16s %7u  %-12s %-10s %9s %9s %9s %4zu %9s %8s  %s\n", row->subject, row->workers,
           row->peer, row->unit, number(median(row), texts[0], sizeof *texts),
           number(row->values[0], texts[1], sizeof *texts),
           number(most(row), texts[2], sizeof *texts), row->runs,
           first_run(row, texts[3], sizeof *texts), to_ours(row, texts[4], sizeof *texts),
           verdict(row, texts[5], sizeof *texts));
    row->printed = true;
}

/* Ours first, then the limit, then the peers. */
static unsigned rank(const row_t *row)
{
    return is_ours(row) ? 0 : strcmp(row->peer, "limit") == 0 ? 1 : 2;
}

static void print_group(const char *subject, unsigned workers)
{
    for (unsigned wanted = 0; wanted <= 2; wanted++)
        for (size_t i = 0; i < row_count; i++)
            if (strcmp(rows[i].subject, subject) == 0 && rows[i].workers == workers &&
                rank(&rows[i]) == wanted)
                print_row(&rows[i]);
}

/* Subject by subject, in the order in which they came, and then by the number of workers. */
static void print_table(void)
{
    printf("%-16s %7s  %-12s %-10s %9s %9s %9s %4s %9s %8s  %s\n", "subject", "workers", "peer",
           "unit", "median", "min", "max", "runs", "first run", "to ours", "verdict");
    for (size_t i = 0; i < row_count; i++)
        for (size_t k = i; k < row_count && !is_cold(&rows[i]); k++)
            if (!rows[k].printed && strcmp(rows[k].subject, rows[i].subject) == 0)
                print_group(rows[k].subject, rows[k].workers);
    printf("\nbars: %u met, %u tied (missed by a factor below %g), %u missed\n", met, tied, TIE,
           missed);
}

/* ---- bench-results.json ---- */

static bool write_results(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return false;
    fprintf(file, "[");
    for (size_t i = 0; i < row_count; i++)
        fprintf(file,
                "%s\n  {\"subject\": \"%s\", \"peer\": \"%s\", \"workers\": %u, \"unit\": \"%s\", "
                "\"median\": %.6g, \"min\": %.6g, \"max\": %.6g, \"runs\": %zu}",
                i > 0 ? "," : "", rows[i].subject, rows[i].peer, rows[i].workers, rows[i].unit,
                median(&rows[i]), rows[i].values[0], most(&rows[i]), rows[i].runs);
    fprintf(file, "\n]\n");
    return fclose(file) == 0;
}

/* ---- the points of the plot ---- */

/* A block for each subject and number of workers that others have too: its title, then a line for
 * each peer, the best one first. */
static void write_block(FILE *file, const row_t *first)
{
    const row_t *group[ROWS];
    size_t count = 0;

    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].subject, first->subject) == 0 && rows[i].workers == first->workers &&
            rows[i].values[0] > 0)
            group[count++] = &rows[i];
    for (size_t i = 0; i + 1 < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (median(group[k]) < median(group[i])) {
                const row_t *other = group[i];

                group[i] = group[k];
                group[k] = other;
            }
    if (count < 3)
        return;
    fprintf(file, "# %s, %u workers, %s\n", first->subject, first->workers, first->unit);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s %.6g %.6g %.6g %u\n", group[i]->peer, median(group[i]),
                group[i]->values[0], most(group[i]), 2 - rank(group[i]));
    fprintf(file, "\n\n");
}

static bool write_points(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return false;
    for (size_t i = 0; i < row_count; i++)
        if (is_ours(&rows[i]) && !is_cold(&rows[i]) && median(&rows[i]) > 0)
            write_block(file, &rows[i]);
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s BARS RESULTS POINTS <LINES\n", argv[0]);
        return BENCH_USAGE;
    }
    if (!read_bars(argv[1])) {
        perror(argv[1]);
        return BENCH_FAILED;
    }
    read_figures();
    print_table();
    if (!write_results(argv[2])) {
        perror(argv[2]);
        return BENCH_FAILED;
    }
    if (!write_points(argv[3])) {
        perror(argv[3]);
        return BENCH_FAILED;
    }
    return 0;
}
