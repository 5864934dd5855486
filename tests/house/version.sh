#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The release number is the same wherever it stands.
. "${srcdir:-.}/tests/house/report.sh"

header=$srcdir/include/distributor/version.h
macro() {
    sed -n "s/^#define DISTRIBUTOR_$1 //p" "$header"
}

[ "$(sed -n 's/^AC_INIT(\[libdistributor\], \[\(.*\)\])$/\1/p' "$srcdir/configure.ac")" = \
    "$VERSION" ] || wrong "configure.ac: AC_INIT does not say $VERSION: run make again"
[ "$(macro VERSION)" = "\"$VERSION\"" ] || wrong "$header: DISTRIBUTOR_VERSION is not $VERSION"
[ "$(macro VERSION_MAJOR).$(macro VERSION_MINOR).$(macro VERSION_PATCH)" = "$VERSION" ] ||
    wrong "$header: the three numbers are not $VERSION"
for pc in distributor.pc distributor-flow.pc; do
    [ "$(sed -n 's/^Version: //p' $pc)" = "$VERSION" ] || wrong "$pc: Version is not $VERSION"
done
grep -qF "$VERSION" "$srcdir/CHANGELOG.md" || wrong "CHANGELOG.md: has nothing about $VERSION"

house_end "configure.ac is where a release number is changed first, version.h follows."
