#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cost.sh SOURCES PROGRAMS - `make bench-cost`: where the time of a task goes, in Markdown, as
# COST.md has it.  Medians of BENCH_RUNS repetitions (7), interleaved; under a minute on a quiet
# machine.  The instructions are counted by tests/cost/instructions.sh, if valgrind is there.
set -u

sources=$1
programs=$2
runs=${BENCH_RUNS:-7}
lines=$(mktemp) || exit 1
trap 'rm -f "$lines"' EXIT
trap 'exit 130' INT TERM

measure() {
    [ -t 2 ] && printf '\r\033[Krepetition %s of %s: %s' "$round" "$runs" "$*" >&2
    timeout --foreground -k 5 60 "$programs/$@" >>"$lines" || {
        echo "cost.sh: $* failed" >&2
        exit 1
    }
}

round=1
while [ "$round" -le "$runs" ]; do
    for subject in stream squares; do
        measure "$subject" 2
    done
    measure cost_phases one-core 1
    measure cost_phases two-cores 1
    for subject in stream squares tree; do
        measure cost_calls "$subject" 2
    done
    measure cost_prices 2
    measure limit_threads serial 1
    measure limit_call call 1
    for subject in hop hop-result hop-batch cache-line futex-wake; do
        measure limit_cores "$subject" 2
    done
    round=$((round + 1))
done
[ -t 2 ] && printf '\r\033[K' >&2

echo "$("$programs/machine"), $runs repetitions, commit" \
    "$(git -C "$sources" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)"
echo
echo "### Instructions"
echo
echo '```'
srcdir=$sources/.. sh "$sources/../tests/cost/instructions.sh" --table
echo '```'
echo
awk -f "$sources/cost.awk" "$lines"
