#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make coverage`: builds without optimisation in the folder coverage, runs the tests that it is
# given, and prints what of src they reached.  It fails below the bars of the project: 97 % of the
# lines, 90 % of the branches, and every error return but those that tests/README.md gives a reason
# for.
#
#     tests=... programs=... coverage.sh [bars]      bars: the lines and branches alone
: "${srcdir:?}" "${MAKE:=make}" "${AWK:=awk}" "${tests:?}" "${programs:?}"
command -v gcovr >/dev/null || { echo "no gcovr (Debian: gcovr)"; exit 1; }

mkdir -p coverage && cd coverage || exit 99
# The command needs the shared libraries; each source is compiled once.  A fork that gcc knows as
# such would forget in the child what the handlers of fork did there.
[ -f Makefile ] || "$srcdir/configure" -q --disable-static --disable-hardening \
    CFLAGS='-O0 -g --coverage -fprofile-update=atomic -fno-builtin-fork' \
    LDFLAGS='-Wl,-u,__gcov_dump' || exit 1
find . \( -name '*.gcda' -o -name 'a-conftest.gcno' \) -delete
# For the bars a tenth of each long loop is enough.
[ "$1" != bars ] || export DISTRIBUTOR_TEST_PERCENT=10
# What is ended by its time has counted nothing; one that fails takes nothing from what it reached.
# They sleep half of their time.  The examples reach nothing that counts.
WATCHDOG_LIMIT=3600 "$MAKE" -s -j4 check TESTS="$tests" check_PROGRAMS="$programs" \
    check_LTLIBRARIES= noinst_PROGRAMS= > check.log 2>&1 || grep '^FAIL: ' check.log
source=$(cd "$srcdir" && pwd -P)
# A child of fork counts on where a thread of its parent stood, so that the difference of two counts
# can be negative: gcovr leaves out that number.
report() {
    gcovr --root "$source" --filter "$source/src/" --exclude-throw-branches \
        --gcov-ignore-parse-errors "$@" .
}

# What the explorer's copy of the sources reaches is reached; but it has functions in the place of
# atomics, and so branches that the library does not have.  Its objects go as well, so that the next
# call makes anew what it needs to know of them.
[ "$1" = bars ] || report --xml-pretty --output lines.xml || exit 1
find . -name '*libscheduled*' \( -name '*.gc??' -o -name '*.o' -o -name '*.lo' \) -delete
report --print-summary --fail-under-line 97 --fail-under-branch 90
status=$?
[ "$1" = bars ] || "$AWK" -v root="$source" -f "$source/tests/house/unreached.awk" \
    "$source/tests/README.md" lines.xml || status=1
exit "$status"
