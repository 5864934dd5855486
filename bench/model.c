/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.c - what a machine with 8 to 256 cores would make of the distributor: a formula, and a
 * simulation that checks it, with the costs that were measured on this machine.
 *
 *     model <LINES
 *
 * LINES are those of cost_phases, of limit_cores (cache-line, futex-wake) and of pairs.  The one
 * constant that cannot be measured alone, how much of a line's way shows where lines are fetched in
 * order, is chosen so that the simulation of an adder and a worker gives the time measured; the
 * other pairs then say how well the simulation does where nothing was chosen.  Prints Markdown.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate.h"

#define VALUES 100
#define TASKS 100000ul
#define NEAR_NS 30.0
#define FAR_NS 200.0
#define ENOUGH 0.8 /* of the ideal */

typedef struct figure {
    char name[32], variant[32]; /* of a pair the grain */
    double values[VALUES];
    size_t count;
} figure_t;

static figure_t figures[64];
static size_t figure_count;

/* ---- what was measured ---- */

static void keep(const char *name, const char *variant, double value)
{
    size_t i = 0;

    while (i < figure_count &&
           (strcmp(figures[i].name, name) != 0 || strcmp(figures[i].variant, variant) != 0))
        i++;
    if (i == sizeof figures / sizeof *figures || figures[i].count == VALUES)
        return;
    if (i == figure_count) {
        figure_count++;
        snprintf(figures[i].name, sizeof figures[i].name, "%s", name);
        snprintf(figures[i].variant, sizeof figures[i].variant, "%s", variant);
    }
    figures[i].values[figures[i].count++] = value;
}

static void read_figures(void)
{
    char line[512], name[32], variant[32];
    double value;

    while (fgets(line, sizeof line, stdin) != NULL)
        if (sscanf(line,
                   "{\"subject\":\"%31[^\"]\",\"peer\":\"%31[^\"]\",\"workers\":%*u,"
                   "\"unit\":\"%*[^\"]\",\"value\":%lf}",
                   name, variant, &value) == 3 ||
            sscanf(line, "pair-%24s %24s %lf", name, variant, &value) == 3)
            keep(name, variant, value);
}

static double percentile(const char *name, const char *variant, double percent)
{
    for (size_t i = 0; i < figure_count; i++)
        if (strcmp(figures[i].name, name) == 0 && strcmp(figures[i].variant, variant) == 0) {
            bench_sort(figures[i].values, figures[i].count);
            return bench_percentile(figures[i].values, figures[i].count, percent);
        }
    fprintf(stderr, "model: there is no figure %s %s\n", name, variant);
    exit(BENCH_FAILED);
}

static double median(const char *name, const char *variant)
{
    return percentile(name, variant, 50);
}

/* Of a figure that other processes can only make larger. */
static double least(const char *name, const char *variant)
{
    return percentile(name, variant, 0);
}

static machine_t measured(void)
{
    machine_t machine = {.add = median("cost-add", "one-core"),
                         .run = median("cost-call", "one-core"),
                         .read = median("cost-read", "one-core"),
                         .line = least("cache-line", "limit") / 2,
                         .wake = median("futex-wake", "limit"),
                         .poll = 250,
                         .patience = 20000,
                         .claim = 32,
                         .searchers = SIMULATE_CORES,
                         .look = 1,
                         .publish = 1};

    machine.emit = median("cost-run", "one-core") - machine.run;
    machine.emit = machine.emit > 1 ? machine.emit : 1;
    machine.waking = machine.wake / 4;
    return machine;
}

/* ---- the fit ---- */

static const load_t adding = {.adders = 1, .workers = 1, .tasks = TASKS};
static const load_t reading = {.workers = 1, .readers = 1, .tasks = TASKS};

static void fit(machine_t *machine)
{
    double low = 0, high = 1, wanted = median("add", "0");

    for (int i = 0; i < 20; i++) {
        machine->stream = (low + high) / 2;
        if (simulate(machine, &adding).ns < wanted)
            low = machine->stream;
        else
            high = machine->stream;
    }
}

static void compare(const machine_t *machine, const char *name, const char *grain, load_t load)
{
    double got, wanted = median(name, grain);

    load.grain = atof(grain);
    got = simulate(machine, &load).ns;
    printf("| pair-%s, body of %s ns | %.1f | %.1f | %+.0f %% |\n", name, grain, wanted, got,
           100 * (got / wanted - 1));
}

static void print_fit(const machine_t *machine)
{
    static const char *const grains[] = {"0", "100", "1000"};

    printf("### The model's costs\n\n");
    printf(
        "add %.1f, run %.1f, emit %.1f, read %.1f ns; a line from another core %.0f ns, of which "
        "%.0f %% show where lines are fetched in order.\n\n",
        machine->add, machine->run, machine->emit, machine->read, machine->line,
        100 * machine->stream);
    printf("| two cores | measured (ns) | simulated | |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < 3; i++)
        compare(machine, "add", grains[i], adding);
    for (unsigned i = 0; i < 3; i++)
        compare(machine, "read", grains[i], reading);
}

/* ---- larger machines ---- */

/* The formula: the slowest of three kinds of threads, each of which shares its work evenly; claims
 * are full, lines in order show as fitted, nobody waits for another one's line. */
static double formula(const machine_t *machine, const load_t *load, const char **slowest)
{
    double slots = machine->line * machine->stream / 4;
    double adders = (machine->add + slots) / load->adders;
    double workers = (machine->run + machine->emit + load->grain + 2 * slots +
                      3 * machine->line / machine->claim) /
                     load->workers;
    double readers = (machine->read + slots) / load->readers;

    *slowest = adders > workers && adders > readers ? "adders"
               : readers > workers                  ? "readers"
                                                    : "workers";
    return adders > workers && adders > readers ? adders : readers > workers ? readers : workers;
}

/* What holds the simulated machine up: the kind of thread that idles least. */
static const char *held_up_by(const outcome_t *outcome)
{
    const use_t *least = &outcome->adders;
    const char *name = "adders";

    if (outcome->workers.idle < least->idle) {
        least = &outcome->workers;
        name = "workers";
    }
    if (outcome->readers.idle < least->idle) {
        least = &outcome->readers;
        name = "readers";
    }
    return name;
}

static load_t load_of(unsigned cores, unsigned ends, double grain)
{
    return (load_t){.adders = ends,
                    .workers = cores - 2 * ends,
                    .readers = ends,
                    .grain = grain,
                    .tasks = TASKS / ends * ends};
}

static void print_part(const use_t *use)
{
    printf(" %.0f/%.0f/%.0f |", 100 * use->work, 100 * use->lines, 100 * use->idle);
}

static void print_machine(const machine_t *machine, unsigned cores, unsigned ends, double grain)
{
    load_t load = load_of(cores, ends, grain);
    outcome_t outcome = simulate(machine, &load);
    const char *slowest;
    double expected = formula(machine, &load, &slowest);
    double ideal = grain / load.workers;

    printf("| %u | %u + %u | %.0f | %.2f | %s | %.2f | %s |", cores, ends, ends, grain, expected,
           slowest, outcome.ns, held_up_by(&outcome));
    print_part(&outcome.adders);
    print_part(&outcome.workers);
    print_part(&outcome.readers);
    printf(" %.0f %% |\n", grain > 0 ? 100 * ideal / outcome.ns : 0.0);
}

static void print_machines(const machine_t *machine)
{
    static const double grains[] = {0, 100, 1000, 10000};

    printf(
        "\n### Larger machines\n\nParts of a thread's time: work / waiting for lines / nothing to "
        "do, in percent.\n\n");
    printf(
        "| cores | adders + readers | body (ns) | formula (ns/task) | slowest | simulated | held "
        "up by | adders | workers | readers | of the ideal |\n|---|---|---|---|---|---|---|---|---"
        "|---|---|\n");
    for (unsigned i = 0; i < 4; i++)
        for (unsigned cores = 8; cores <= 256; cores *= 2)
            print_machine(machine, cores, 1, grains[i]);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned cores = 16; cores <= 256; cores *= 4)
            print_machine(machine, cores, cores / 8, grains[i]);
}

/* ---- what gives way first ---- */

/* The first machine that falls short of the ideal, and what it waits for. */
static void print_first(const machine_t *machine, double grain)
{
    for (unsigned cores = 8; cores <= 256; cores *= 2) {
        load_t load = load_of(cores, 1, grain);
        outcome_t outcome = simulate(machine, &load);
        const char *slowest;
        double expected = formula(machine, &load, &slowest);

        if (grain / load.workers > ENOUGH * outcome.ns)
            continue;
        printf("- Bodies of %.0f ns: less than %.0f %% of the ideal from %u cores on. The formula "
               "has the %s as the slowest there, with %.1f ns; the simulation is held up by the "
               "%s, at %.1f ns.\n",
               grain, 100 * ENOUGH, cores, slowest, expected, held_up_by(&outcome), outcome.ns);
        return;
    }
    printf("- Bodies of %.0f ns: 256 cores are kept busy.\n", grain);
}

static void print_firsts(const machine_t *machine)
{
    printf("\n### The first bottleneck\n\nOne adder and one reader; the ideal is workers that do "
           "nothing but the bodies. A simulation\nthat is slower than the formula waits for lines "
           "that several want.\n\n");
    print_first(machine, 100);
    print_first(machine, 1000);
    print_first(machine, 10000);
}

/* ---- what would move it ---- */

static void print_change(const char *title, machine_t machine, unsigned ends)
{
    printf("| %s |", title);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned cores = 16; cores <= 256; cores *= 4) {
            load_t load = load_of(cores, ends, i == 0 ? 0 : 1000);
            outcome_t outcome = simulate(&machine, &load);

            printf(" %.1f (%s) |", outcome.ns, held_up_by(&outcome));
        }
    printf("\n");
}

/* Where a line takes `line` nanoseconds: next door, or from another part of the chip. */
static void print_changes(const machine_t *measured, double line)
{
    machine_t machine = *measured, other;

    machine.line = line;
    printf("\n### What a change would move, where a line takes %.0f ns\n\n", line);
    printf("Simulated ns/task, and what then holds up; one adder and one reader unless it says "
           "otherwise.\n\n");
    printf("| change | empty, 16 cores | 64 | 256 | 1 us, 16 cores | 64 | 256 |\n"
           "|---|---|---|---|---|---|---|\n");
    print_change("none", machine, 1);
    other = machine;
    other.publish = 16;
    print_change("16 tasks and results made known by one store", other, 1);
    other = machine;
    other.claim = 128;
    print_change("claims of up to 128", other, 1);
    other = machine;
    other.poll = 2000;
    print_change("who finds nothing looks again after 2 us instead of 250 ns", other, 1);
    other = machine;
    other.searchers = 2;
    print_change("who finds nothing while two search sleeps at once", other, 1);
    other.look = 16;
    print_change("the same, and adders look at who sleeps once in 16 adds", other, 1);
    other.publish = 16;
    print_change("the same, and 16 are made known by one store", other, 1);
    other = machine;
    other.add /= 2;
    other.read /= 2;
    print_change("add and read at half their instructions", other, 1);
    print_change("two adders and two readers", machine, 2);
    print_change("four adders and four readers", machine, 4);
    other = machine;
    other.part = 1;
    print_change("four of each, and a reader that meets another one goes on to the next worker",
                 other, 4);
    other.searchers = 2;
    print_change("the same, and who finds nothing while two search sleeps at once", other, 4);
}

int main(void)
{
    machine_t machine;

    read_figures();
    machine = measured();
    fit(&machine);
    print_fit(&machine);
    print_machines(&machine);
    print_firsts(&machine);
    print_changes(&machine, NEAR_NS);
    print_changes(&machine, FAR_NS);
    return 0;
}
