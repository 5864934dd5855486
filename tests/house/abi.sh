#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make check-abi`: the binary interfaces of this build beside those of BASE, the folder with the
# shared libraries of the last release.  What was added is fine; what was changed or removed fails,
# and needs a new CURRENT in configure.ac.  Both have to be built with -g.  Without BASE it writes
# what this build has, with which the next release can be compared: BASE may hold such files too.
. "${srcdir:-.}/tests/house/report.sh"

command -v abidiff > /dev/null || { echo "no abidiff (Debian: abigail-tools)"; exit 1; }

# compare NAME: this library beside that of BASE, or written down.
compare() {
    library=src/.libs/$1.so
    [ -f "$library" ] || { wrong "$library was not built"; return; }
    if [ -z "$BASE" ]; then
        abidw --headers-dir "$srcdir/include" --out-file "$1.abi" "$library" &&
            echo "$1.abi holds what this build has" || wrong "$library cannot be read"
        return
    fi
    for base in "$BASE/$1.so" "$BASE/$1.abi"; do
        [ -f "$base" ] || continue
        abidiff --no-added-syms --headers-dir2 "$srcdir/include" "$base" "$library" ||
            wrong "the interface of $base was changed"
        return
    done
    wrong "$BASE has neither $1.so nor $1.abi"
}

compare libdistributor
compare libdistributor-flow
[ -n "$BASE" ] || echo "To compare: make check-abi BASE=FOLDER-OF-THE-LAST-RELEASE"
house_end "Who is linked with the last release must go on to work."
