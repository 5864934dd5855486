#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Counts the instructions of each event under callgrind and compares them with `bounds`.
#
#     instructions.sh            what `make check` runs: fails if an event costs more than its bound
#     instructions.sh --table    prints the counts and the bounds, judges nothing
#     instructions.sh --bounds   prints bounds for what was built, to be put into the file
#
# Without valgrind, or for another compiler than the bounds are for, it is skipped.
set -u

events=tests/cost/events
bounds=${srcdir:-.}/tests/cost/bounds
slack=1.03 # a bound is the count and 3 %, for what another release of the compiler may change
mode=${1:-check}

skip() {
    echo "skipped: $*"
    exit 77
}

command -v valgrind >/dev/null || skip "no valgrind"
[ -x "$events" ] || { echo "$events is not built: make check builds it"; exit 99; }
set -- $("$events")
build=$1 count=$2
[ "$build" != no-valgrind-headers ] || skip "built without the headers of valgrind"
[ "$mode" != check ] || grep -q "^$build " "$bounds" || skip "no bounds for $build"

folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$folder/out" "$events" \
    >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

# One file for each dump; the event's name stands in one line, the sum in another.
number=1
while [ -f "$folder/out.$number" ]; do
    awk -v count="$count" '
        /^desc: Trigger: Client Request: / { event = $NF }
        /^summary: / { total = $2 }
        END { if (event != "") printf "%s %.2f\n", event, total / count }' "$folder/out.$number"
    number=$((number + 1))
done >"$folder/counts"

case $mode in
--bounds)
    awk -v build="$build" -v slack="$slack" '{ printf "%s %-16s %.1f\n", build, $1, $2 * slack }' \
        "$folder/counts"
    exit
    ;;
esac
awk -v build="$build" -v mode="$mode" '
    FILENAME == ARGV[1] { if ($1 == build) bound[$2] = $3; next }
    {
        seen[$1] = 1
        word = !($1 in bound) ? "no bound" : $2 > bound[$1] ? "MORE" : "ok"
        wrong += word == "MORE" || (word == "no bound" && mode == "check")
        printf "%-16s %8.2f instructions, at most %6s  %s\n", $1, $2, bound[$1], word
    }
    END {
        for (event in bound)
            if (!(event in seen)) {
                print event ": was not counted"
                wrong++
            }
        exit mode == "check" && wrong > 0
    }' "$bounds" "$folder/counts" && exit
echo
echo "An event costs more instructions than its bound in tests/cost/bounds.  If the change is worth"
echo "it, the bound is raised in the same commit, which says why; for all: instructions.sh --bounds"
exit 1
