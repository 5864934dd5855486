#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Of each library: its public headers declare, its symbol map lists and the shared library exports
# the same names; the static library shows no others but internal ones; and it needs what it may.
. "${srcdir:-.}/tests/house/report.sh"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
flow_headers="graph group module state value"

# same FILE WHAT FILE WHAT: both have the same lines.
same() {
    comm -23 "$1" "$3" > "$work/left"
    comm -13 "$1" "$3" > "$work/right"
    while read -r name; do wrong "$name: in $2, not in $4"; done < "$work/left"
    while read -r name; do wrong "$name: in $4, not in $2"; done < "$work/right"
}

is_flow() {
    name=$(basename "$1" .h)
    case " $flow_headers " in *" $name "*) return 0 ;; esac
    return 1
}

# headers_of LIBRARY: its public headers.
headers_of() {
    for header in "$srcdir"/include/*.h "$srcdir"/include/distributor/*.h; do
        if is_flow "$header"; then belongs=distributor-flow; else belongs=distributor; fi
        [ "$(basename "$header")" != short.h ] || continue
        [ "$belongs" = "$1" ] && echo "$header"
    done
}

# What code that was compiled into a program needs of the library.
behind_short_ways() {
    sed -n 's/.*DISTRIBUTOR_API .*[ *]\(distributor_[a-z_]*\)\((.*\)\{0,1\}$/\1/p' \
        "$srcdir/include/distributor/short.h"
}

# check LIBRARY NEEDED...: the shared libraries that it may need beside the C library.
check() {
    map=src/lib$1.map
    shared=src/.libs/lib$1.so
    static=src/.libs/lib$1.a
    headers=$(headers_of "$1")
    shift
    {
        "${AWK:-awk}" -f "$srcdir/tests/house/public_functions.awk" $headers
        [ "$map" != src/libdistributor.map ] || behind_short_ways
    } | sort > "$work/headers"
    tr -s '[:space:]{;' '\n' < "$srcdir/$map" |
        "${AWK:-awk}" '/:$/ { global = $0 == "global:"; next } /}/ { global = 0 } global' |
        sort > "$work/map"
    same "$work/headers" "the public headers" "$work/map" "$map"
    [ ! -f "$shared" ] || check_shared "$@"
    [ ! -f "$static" ] || check_static
}

check_shared() {
    $NM -D --defined-only "$shared" | "${AWK:-awk}" '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        sort > "$work/shared"
    same "$work/map" "$map" "$work/shared" "$shared"
    for library in $(objdump -p "$shared" | sed -n 's/^ *NEEDED *//p'); do
        case " libc ld-linux-x86-64 ld-linux-aarch64 $* " in
        *" ${library%%.so*} "*) ;;
        *) wrong "$library: $shared needs it" ;;
        esac
    done
}

check_static() {
    for name in $($NM -g --defined-only "$static" | sed -n 's/^[0-9a-f]* [A-Z] //p'); do
        case $name in
        distributor_* | distr_*) ;;
        *) wrong "$name: a global of $static without the prefix distr_" ;;
        esac
    done
}

check distributor libck
check distributor-flow libck libdistributor libjansson

house_end "A public function is declared with DISTRIBUTOR_API and stands in its library's map."
