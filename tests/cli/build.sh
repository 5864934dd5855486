#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/modules/build.c makes the library from its own sources, and later only what has changed.
. "${srcdir:-.}/tests/cli/support.sh"
module=$source/examples/modules/build.c
mkdir "$work/out.d" "$work/tree"
cp -R "$source/include" "$source/src" "$work/tree"
chmod -R u+w "$work/tree" # a release is unpacked read-only

# builds NUMBER: so many objects are made; without arguments: all of them.
builds() {
    run 0 run --verbose "--source=$work/tree" "--out=$work/out.d" "$module"
    all=$(sed -n 's/^passed *objects .* //p' "$work/out")
    made=$(sed -n 's/^passed *archive .* //p' "$work/out")
    [ "$made" = "${1:-$all}" ] || wrong "$made objects were made, not ${1:-$all}"
}

builds
[ "$all" -gt 20 ] || wrong "only $all objects"
nm -D "$work/out.d/libdistributor.so" | grep -q ' T distributor_run$' || wrong "no library"
builds 0
sleep 0.02 # beyond the clock that stamps files
touch "$work/tree/src/pool/add.c"
builds 1
touch "$work/tree/src/base/clock.h"
users=$(cd "$work/out.d" && grep -l 'src/base/clock\.h' *.d | wc -l)
builds "$users"
echo '#error this' > "$work/tree/src/pool/add.c"
run 1 run "--source=$work/tree" "--out=$work/out.d" "$module"
says "failed     objects" "skipped    archive" "skipped    library"
refuse 3 "setup_state" run --source=x "$module"
finish
