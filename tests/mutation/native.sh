#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts faults into a copy of the library, one at a time, and runs its unit tests and a second of
# each stress program: what the explorer of schedules cannot see, orders that x86 keeps and rules
# that are not about conservation, must be found there.
#
#     native.sh NAME...
#
# Run in the build folder; the copy and its build stand in tests/mutation/native.
. "${srcdir:-.}/tests/house/report.sh"

list=$srcdir/tests/mutation/mutants.txt
copy=tests/mutation/native
parts="src include tests examples bench man m4 build-aux scripts"
stress="conservation ending quiescence wake slow_reader feeding hoarding thread_exit destroying"

limit=300 # seconds for one program; far above what any of them needs

# The copy, configured and built once.
prepare() {
    rm -rf "$copy"
    mkdir -p "$copy/build" || return
    for part in $parts; do
        cp -r "$srcdir/$part" "$copy/" || return
    done
    find "$srcdir" -maxdepth 1 -type f -exec cp {} "$copy/" \; || return
    (cd "$copy/build" && ../configure -q --disable-shared CFLAGS=-O1) || return
    tests=$(cd "$copy" && ls tests/unit/*.c | sed -n 's/\.c$/.t/p' | grep -v support)
    programs=$(for name in $stress; do echo "tests/stress/$name"; done)
    remake
}

# shellcheck disable=SC2086
remake() {
    "${MAKE:-make}" -s -C "$copy/build" $tests $programs >"$copy/make.log" 2>&1
}

# find_fault: which test fails first.
find_fault() {
    for test in $tests; do
        (cd "$copy/build" && srcdir=.. WATCHDOG_LIMIT=$limit sh ../tests/watchdog.sh --unit "$test") \
            >"$copy/output" 2>&1 || return 0
    done
    for test in $programs; do
        (cd "$copy/build" && timeout -k 5 "$limit" "$test" --seconds 1) >"$copy/output" 2>&1 ||
            return 0
    done
    return 1
}

prepare || { wrong "the copy cannot be built"; house_end "Read $copy/make.log."; }
# Else every mutant would seem to be killed.
! find_fault || { wrong "$test fails without a fault"; house_end "Read $copy/output."; }
for name; do
    changed=$("${AWK:-awk}" -v name="$name" -v tree="$copy" \
        -f "$srcdir/tests/mutation/apply.awk" "$list") || { wrong "$name: it cannot be applied"; continue; }
    if ! remake; then
        wrong "$name: it cannot be compiled"
    elif find_fault; then
        echo "$name: killed by $test"
    else
        wrong "$name: SURVIVED"
    fi
    for file in $changed; do
        cp "$srcdir/$file" "$copy/$file"
    done
done
house_end "A survivor is a bug of the tests: see tests/mutation/README.md."
