#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The public headers declare, the symbol map lists and the shared library exports the same names;
# the static library shows no others but internal ones, and nothing but libc is needed.
. "${srcdir:-.}/tests/house/report.sh"

map=$srcdir/src/libdistributor.map
shared=src/.libs/libdistributor.so
static=src/.libs/libdistributor.a
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# same FILE WHAT FILE WHAT: both have the same lines.
same() {
    comm -23 "$1" "$3" > "$work/left"
    comm -13 "$1" "$3" > "$work/right"
    while read -r name; do wrong "$name: in $2, not in $4"; done < "$work/left"
    while read -r name; do wrong "$name: in $4, not in $2"; done < "$work/right"
}

"${AWK:-awk}" -f "$srcdir/tests/house/public_functions.awk" \
    "$srcdir"/include/*.h "$srcdir"/include/distributor/*.h | sort > "$work/headers"
tr -s '[:space:]{;' '\n' < "$map" |
    "${AWK:-awk}" '/:$/ { global = $0 == "global:"; next } /}/ { global = 0 } global' |
    sort > "$work/map"
same "$work/headers" "the public headers" "$work/map" "src/libdistributor.map"

if [ -f "$shared" ]; then
    $NM -D --defined-only "$shared" | "${AWK:-awk}" '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        sort > "$work/shared"
    same "$work/map" "src/libdistributor.map" "$work/shared" "the shared library"
    for library in $(objdump -p "$shared" | sed -n 's/^ *NEEDED *//p'); do
        case $library in
        libc.* | libck.* | ld-linux*) ;;
        *) wrong "$library: the shared library needs it" ;;
        esac
    done
fi

if [ -f "$static" ]; then
    for name in $($NM -g --defined-only "$static" | sed -n 's/^[0-9a-f]* [A-Z] //p'); do
        case $name in
        distributor_* | distr_*) ;;
        *) wrong "$name: a global of the static library without the prefix distr_" ;;
        esac
    done
fi

house_end "A public function is declared with DISTRIBUTOR_API and stands in src/libdistributor.map."
