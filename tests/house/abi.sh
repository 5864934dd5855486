#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make check-abi`: the binary interface of this build beside that of BASE, a shared library of the
# last release, or what abidw wrote of one.  What was added is fine; what was changed or removed
# fails, and needs a new CURRENT in configure.ac.  Both have to be built with -g.
. "${srcdir:-.}/tests/house/report.sh"
library=src/.libs/libdistributor.so

command -v abidiff >/dev/null || skip "no abidiff (Debian: abigail-tools)"
[ -f "$library" ] || skip "no shared library was built"
if [ -z "$BASE" ]; then
    echo "Nothing to compare with: make check-abi BASE=LIBRARY-OF-THE-LAST-RELEASE"
    abidw --headers-dir "$srcdir/include" --out-file libdistributor.abi "$library" || exit 1
    echo "libdistributor.abi holds what this build has."
    exit 77
fi
abidiff --no-added-syms --headers-dir2 "$srcdir/include" "$BASE" "$library" ||
    wrong "the interface of $BASE was changed"

house_end "Who is linked with the last release must go on to work."
