# SPDX-License-Identifier: BSD-2-Clause
# The account of `make bench-cost`, of the lines that its programs printed: the median of each figure,
# then the steps of a task, the calls to the kernel, and for a run on two cores what its time is made
# of, down to what is left over.
{
    split($0, part, "\"")
    # {"subject":"S","peer":"P","workers":N,"unit":"U","value":V}
    name = part[4] " " part[8]
    value = $0
    sub(/.*"value":/, "", value)
    sub(/}.*/, "", value)
    values[name, ++count[name]] = value + 0
}

function median(name, i, k, n, swap, sorted) {
    n = count[name]
    if (n == 0)
        return 0
    for (i = 1; i <= n; i++)
        sorted[i] = values[name, i]
    for (i = 1; i < n; i++)
        for (k = i + 1; k <= n; k++)
            if (sorted[k] < sorted[i]) {
                swap = sorted[i]
                sorted[i] = sorted[k]
                sorted[k] = swap
            }
    return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function step(title, name) {
    printf "| %s | %.1f | %.1f |\n", title, median(name " one-core"), median(name " two-cores")
}

function calls(title, name) {
    printf "| %s | %.0f | %.0f | %.0f | %.0f | %.0f |\n", title,
        median(name " stream"), median(name "-cold stream"),
        median(name " squares"), median(name "-cold squares"), median(name " tree")
}

function row(title, ns) {
    printf "| %s | %.1f | %.0f %% |\n", title, ns, 100 * ns / both
}

# Nanoseconds a task that the kernel took for calls of that kind.
function kernel(name, price, subject) {
    return median(name " " subject) / 1e6 * median(price " limit")
}

# What two cores have done in the time of a task: `adding` and `running` are the steps that differ.
function account(subject, adding, running, a, r, d, crossing, cpu, wall, known, part, rest) {
    wall = median("cost-wall " subject)
    cpu = median("cost-cpu " subject)
    both = 2 * wall
    a = median(adding " one-core")
    r = median(running " one-core")
    d = median("cost-read one-core")
    crossing = median(adding " two-cores") + median(running " two-cores") + \
        median("cost-read two-cores") - a - r - d
    printf "\n### %s, 2 workers: %.1f ns a task, so %.1f ns of two cores\n\n", subject, wall, both
    print "| part | ns | share |"
    print "|---|---|---|"
    row(adding == "cost-add" ? "add" : "spawn", a)
    row("claim, run, emit", r)
    row("read", d)
    row("lines that cross between cores, as far as they do when one step follows the other", crossing)
    known = a + r + d + crossing
    part = kernel("cost-faults", "price-fault", subject)
    row("page faults", part)
    known += part
    part = kernel("cost-switches", "price-switch", subject) + \
        kernel("cost-preemptions", "price-switch", subject)
    row("switches between threads", part)
    known += part
    part = kernel("cost-futex-wakes", "price-wake", subject) + \
        kernel("cost-membarriers", "price-membarrier", subject)
    row("futex wakes and membarriers", part)
    known += part
    part = 3 * median("price-thread limit") / 1e6
    row("making three threads, as 1,000,000 tasks share it", part)
    known += part
    rest = cpu - known
    row("the rest: searching, spinning, contended lines, the caches of three threads on two cores", rest)
    row("cores that idle, or serve other processes", both - cpu)
    printf "\nThe bare loop takes %.1f ns, a call into the library that does nothing %.1f ns, two hops " \
        "of a 32-byte slot %.1f ns, of a slot and a result %.1f ns, two hops in batches %.1f ns.\n",
        median("serial limit"), median("call limit"), 2 * median("hop limit"),
        median("hop limit") + median("hop-result limit"), 2 * median("hop-batch limit")
}

END {
    print "### Steps, each alone (ns)"
    print ""
    print "| step | all on one core | main thread and worker on two |"
    print "|---|---|---|"
    step("add", "cost-add")
    step("claim, run, emit", "cost-run")
    step("claim, run, of a task that emits nothing", "cost-call")
    step("read", "cost-read")
    step("spawn", "cost-spawn")
    step("pop, run, emit", "cost-pop")
    print ""
    print "### Calls to the kernel, for a million tasks"
    print ""
    print "| | stream | its first run | squares | its first run | tree |"
    print "|---|---|---|---|---|---|"
    calls("page faults", "cost-faults")
    calls("threads that gave way", "cost-switches")
    calls("threads that were preempted", "cost-preemptions")
    calls("futex waits", "cost-futex-waits")
    calls("futex wakes", "cost-futex-wakes")
    calls("membarriers", "cost-membarriers")
    calls("other calls of the library", "cost-other-calls")
    print ""
    printf "A fault takes %.0f ns, a switch on one core %.0f, a wake of nobody %.0f, a membarrier %.0f, " \
        "a thread %.0f, a line there and back %.0f, a wake across cores %.0f.\n",
        median("price-fault limit"), median("price-switch limit"), median("price-wake limit"),
        median("price-membarrier limit"), median("price-thread limit"), median("cache-line limit"),
        median("futex-wake limit")
    account("stream", "cost-add", "cost-run")
    account("squares", "cost-spawn", "cost-pop")
}
