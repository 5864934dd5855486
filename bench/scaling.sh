#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# scaling.sh PROGRAMS - `make bench-scaling`: how the cost of a task grows with one thing at a time,
# in Markdown, as SCALING.md has it; then what the model says of larger machines.  Each process may
# have 4 GiB.  Medians of BENCH_RUNS repetitions (5), interleaved.
set -u

programs=$1
runs=${BENCH_RUNS:-5}
lines=$(mktemp) || exit 1
costs=$(mktemp) || exit 1
failures=$(mktemp) || exit 1
sources=$(mktemp) || exit 1
trap 'rm -f "$lines" "$costs" "$failures" "$sources"' EXIT
trap 'exit 130' INT TERM

# cell TASKS WORKERS BYTES ADDERS READERS GRAIN
cell() {
    [ -t 2 ] && printf '\r\033[Krepetition %s of %s: %s' "$round" "$runs" "$*" >&2
    timeout --foreground -k 5 120 "$programs/scaling" "$@" >>"$lines" ||
        echo "scaling $* (status $?)" >>"$failures"
}

# inputs COUNT: so many of a source.  Once: the largest takes a minute.
inputs() {
    [ "$round" = 1 ] || return
    [ -t 2 ] && printf '\r\033[Krepetition %s of %s: source %s' "$round" "$runs" "$1" >&2
    timeout --foreground -k 5 400 "$programs/source" "$1" 2 | awk -v count="$1" '
        match($0, /"value":/) { value[++n] = $0; sub(/.*"value":/, "", value[n]) }
        END { if (n == 3) printf "| %s | %.1f | %.1f |\n", count, value[2], value[3]; exit n != 3 }' \
        >>"$sources" || echo "source $1" >>"$failures"
}

# cost PROGRAM ARGUMENT...: what the model is made of.
cost() {
    [ -t 2 ] && printf '\r\033[Krepetition %s of %s: %s' "$round" "$runs" "$*" >&2
    timeout --foreground -k 5 60 "$programs/$@" >>"$costs" || echo "$* (status $?)" >>"$failures"
}

[ -n "${BENCH_STEPS:-}" ] || BENCH_STEPS=$("$programs/machine" steps)
export BENCH_STEPS
round=1
while [ "$round" -le "$runs" ]; do
    for tasks in 10000 100000 1000000 10000000 100000000; do
        cell $tasks 2 8 1 1 0
    done
    for workers in 1 2 4 8 16 32 64 128 256; do
        [ $workers = 2 ] || cell 1000000 $workers 8 1 1 0
        cell 100000 $workers 8 1 1 1000
    done
    for bytes in 16 64 256; do
        cell 1000000 2 $bytes 1 1 0
    done
    for bytes in 1024 4096; do
        cell 200000 2 $bytes 1 1 0
    done
    for adders in 2 4 8 16; do
        cell 1000000 2 8 $adders 1 0
    done
    for readers in 2 3 4; do
        cell 1000000 2 8 1 $readers 0
    done
    cell 1000000 16 64 16 4 0
    cell 200000 256 4096 16 4 0
    for count in 10000 1000000 100000000 1000000000; do
        inputs $count
    done
    cost cost_phases one-core 1
    cost limit_cores cache-line 2
    cost limit_cores futex-wake 2
    for grain in 0 100 1000; do
        cost pairs pair-add $grain
        cost pairs pair-read $grain
    done
    round=$((round + 1))
done
[ -t 2 ] && printf '\r\033[K' >&2

echo "$("$programs/machine"), $runs repetitions"
echo
echo "| tasks | workers | bytes | adders | readers | body (ns) | ns/task | min | max | CPU ns/task | peak MiB |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
sort -n -k 6,6 -k 3,3 -k 4,4 -k 5,5 -k 1,1 -k 2,2 -k 7,7 "$lines" | awk '
    function flush(middle) {
        if (n == 0)
            return
        middle = int((n + 1) / 2)
        gsub(" ", " | ", key)
        printf "| %s | %.1f | %.1f | %.1f | %.1f | %.0f |\n", key, wall[middle], wall[1], wall[n],
            cpu[middle], peak[middle]
        n = 0
    }
    {
        now = $1 " " $2 " " $3 " " $4 " " $5 " " $6
        if (now != key_seen)
            flush()
        key = key_seen = now
        wall[++n] = $7
        cpu[n] = $8
        peak[n] = $9
    }
    END { flush() }'
echo
echo "| inputs of a source, 2 workers | ns/input | peak MiB |"
echo "|---|---|---|"
cat "$sources"
echo
"$programs/model" <"$costs" || echo "model (status $?)" >>"$failures"
if [ -s "$failures" ]; then
    echo
    echo "FAILED:"
    sort "$failures" | uniq -c
    exit 1
fi
