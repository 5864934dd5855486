#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make coverage`: builds without optimisation in the folder coverage, runs the unit tests, the
# injected faults and the short stress, and prints what of src they reached.  The bars of the
# project: 97 % of the lines, 90 % of the branches.
#
#     coverage.sh [TEST...]       these tests alone
: "${srcdir:?}" "${MAKE:=make}"
command -v gcovr >/dev/null || { echo "no gcovr (Debian: gcovr)"; exit 1; }

mkdir -p coverage && cd coverage || exit 99
# The command needs the shared libraries; each source is compiled once.
[ -f Makefile ] || "$srcdir/configure" -q --disable-static --disable-hardening \
    CFLAGS='-O0 -g --coverage -fprofile-update=atomic' LDFLAGS='-Wl,-u,__gcov_dump' || exit 1
find . -name '*.gcda' -delete
# A test that fails here for its time alone takes nothing from what was reached.
"$MAKE" -s -j2 check ${1:+TESTS="$*"} > check.log 2>&1 || tail -n 30 check.log | grep FAIL
# The explorer's copy of the sources has functions in the place of atomics, and so branches that the
# library does not have.
find . -name '*libscheduled*.gc??' -delete
source=$(cd "$srcdir" && pwd -P)
# A child of fork counts on where a thread of its parent stood, so that the difference of two counts
# can be negative: gcovr leaves out that number.
gcovr --root "$source" --filter "$source/src/" --exclude-throw-branches \
    --gcov-ignore-parse-errors --print-summary .
