#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts faults into a copy of the library, one at a time, and runs its unit tests and stress
# programs: what the explorer of schedules cannot see, orders that x86 keeps and rules that are not
# about conservation, must be found there.  The test that the list names comes first, then, if it
# finds nothing, all unit tests and a second of each stress program.
#
#     native.sh K/N       of what the list leaves to it every Nth, from the Kth on
#     native.sh NAME...   these
#
# Run in the build folder; the copy and its build stand in tests/mutation/native.
. "${srcdir:-.}/tests/house/report.sh"
. "$srcdir/tests/mutation/list.sh"

copy=${MUTATION_WORK:-tests/mutation/native}
parts="src include tests examples bench man m4 build-aux scripts"
stress="conservation ending quiescence wake slow_reader feeding hoarding thread_exit destroying"
patience=300 # seconds for one program; far above what any of them needs
hang=30       # after so many the test of the list, which needs a few, has found that it hangs

# The copy, configured.  Times are kept, else it would make its configure anew.
prepare() {
    rm -rf "$copy"
    mkdir -p "$copy/build" || return
    for part in $parts; do
        cp -rp "$srcdir/$part" "$copy/" || return
    done
    find "$srcdir" -maxdepth 1 -type f -exec cp -p {} "$copy/" \; || return
    (cd "$copy/build" && ../configure -q --disable-shared CFLAGS=-O1) >"$copy/make.log" 2>&1
}

# remake PROGRAM: with what has changed.
remake() {
    "${MAKE:-make}" -s -C "$copy/build" "$1" >"$copy/make.log" 2>&1
}

# fails TEST [PATTERN]: whether this unit test, or stress program, finds something.
fails() {
    case $1 in
    unit/*)
        remake "tests/$1.t" || return 2
        set -- --unit "tests/$1.t" ${2+--filter "*/$2"}
        ;;
    *)
        remake "tests/$1" || return 2
        set -- "tests/$1" --seconds 1
        ;;
    esac
    ! (cd "$copy/build" && srcdir=.. WATCHDOG_LIMIT=$limit ${SHELL:-sh} ../tests/watchdog.sh "$@") \
        >"$copy/output" 2>&1
}

# Without a fault, for else every mutant would seem to be killed.
check_tests() {
    limit=$patience
    for name; do
        said "$name" by
    done | sort -u >"$copy/wanted"
    while read -r test pattern; do
        # shellcheck disable=SC2086
        fails "$test" $pattern </dev/null
        [ $? -eq 1 ] || { wrong "$test $pattern fails without a fault"; return 1; }
    done <"$copy/wanted"
}

# at_home NAME: with the test of the list.
at_home() {
    limit=$hang test=$(said "$1" by)
    # shellcheck disable=SC2086
    [ -n "$test" ] && fails $test
}

# everywhere NAME: with all tests.
everywhere() {
    limit=$patience
    [ -z "$test" ] || echo "$1: what the list names does not find it"
    for test in $(cd "$copy" && ls tests/unit/*.c | sed -n '/support/d; s/^tests\/\(.*\)\.c$/\1/p'); do
        fails "$test" && return
    done
    for test in $stress; do
        test=stress/$test
        fails "$test" && return
    done
    return 1
}

# shellcheck disable=SC2046
set -- $(chosen native "$@")
prepare || { wrong "the copy cannot be configured"; house_end "Read $copy/make.log."; }
check_tests "$@" || house_end "Read $copy/output."
for name; do
    changed=$(mutate "$name" "$copy") || { wrong "$name: it cannot be applied"; continue; }
    if ! remake src/libdistr.la || ! remake src/libdistrflow.la; then
        wrong "$name: it cannot be compiled"
    elif at_home "$name" || everywhere "$name"; then
        how=$(sed -n 's/^not ok - *//p' "$copy/output" | head -n 1)
        echo "$name: killed by $test: ${how:-a crash, or more than $limit s}"
    else
        wrong "$name: SURVIVED"
    fi
    for file in $changed; do
        cp "$srcdir/$file" "$copy/$file"
    done
done
echo "$(($# - house_wrong)) of $# mutants killed"
[ "$house_wrong" -ne 0 ] || rm -rf "$copy"
house_end "A survivor is a bug of the tests: see tests/mutation/README.md."
