#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# peers.sh SOURCES PROGRAMS - builds the peers whose packages are installed.
#
# Writes the programs into the folder PROGRAMS and the names of those that are missing, a line each
# with the Debian package, into PROGRAMS/missing-peers.  Nothing else of the project needs these
# packages: that is why configure does not look for them.
set -eu

sources=$1
programs=$2
CC=${CC:-cc}
CXX=${CXX:-c++}
CFLAGS=${CFLAGS:--g -O2}
CXXFLAGS=${CXXFLAGS:-$CFLAGS}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
GO=${GO:-go}
missing=$programs/missing-peers

mkdir -p "$programs"
: >"$missing"

have() {
    command -v "$1" >/dev/null 2>&1
}

# Whether the compiler finds a header.
have_header() {
    have "$CXX" && echo "#include <$1>" | $CXX -std=c++17 -fsyntax-only -x c++ - 2>/dev/null
}

# need PROGRAM SOURCE...: whether it is older than any of these sources.
need() {
    [ -e "$programs/$1" ] || return 0
    program=$programs/$1
    shift
    for source; do
        [ "$sources/$source" -nt "$program" ] && return 0
    done
    return 1
}

lacks() {
    echo "$1 ($2)" >>"$missing"
    rm -f "$programs/peer_$1"
}

say() {
    echo "  CC       bench/$1"
}

# The objects have names of their own: the Makefile builds the same sources for other programs.
objects() {
    for name in peer harness; do
        need "peers-$name.o" "$name.c" harness.h peer.h || continue
        $CC -std=gnu11 $CFLAGS -pthread -c "$sources/$name.c" -o "$programs/peers-$name.o"
    done
}

# build_cxx PEER LIBRARY...: -Wno-stringop-overflow for what gcc 12 says of a header of moodycamel.
build_cxx() {
    name=peer_$1
    shift
    need "$name" "$name.cc" peer.c peer.h harness.c harness.h || return 0
    say "$name"
    $CXX -std=c++17 $CXXFLAGS -Wno-stringop-overflow -pthread "$sources/$name.cc" \
        "$programs/peers-peer.o" "$programs/peers-harness.o" -o "$programs/$name" "$@"
}

build_glib() {
    need peer_glib peer_glib.c peer.c peer.h harness.c harness.h || return 0
    say peer_glib
    $CC -std=gnu11 $CFLAGS -pthread "$sources/peer_glib.c" "$programs/peers-peer.o" \
        "$programs/peers-harness.o" -o "$programs/peer_glib" \
        $($PKG_CONFIG --cflags --libs glib-2.0)
}

build_gomp() {
    need peer_gomp peer_gomp.c harness.c harness.h || return 0
    say peer_gomp
    gcc -std=gnu11 $CFLAGS -fopenmp "$sources/peer_gomp.c" "$programs/peers-harness.o" \
        -o "$programs/peer_gomp"
}

build_go() {
    need peer_go peer_go.go || return 0
    say peer_go
    GO111MODULE=off GOFLAGS= $GO build -o "$programs/peer_go" "$sources/peer_go.go"
}

objects
if have "$PKG_CONFIG" && $PKG_CONFIG --exists glib-2.0; then
    build_glib
else
    lacks glib libglib2.0-dev
fi
if have_header concurrentqueue/blockingconcurrentqueue.h; then
    build_cxx moodycamel
else
    lacks moodycamel libconcurrentqueue-dev
fi
if have_header tbb/task_group.h; then
    build_cxx tbb -ltbb
else
    lacks tbb libtbb-dev
fi
if have gcc && gcc -fopenmp -fsyntax-only "$sources/peer_gomp.c" 2>/dev/null; then
    build_gomp
else
    lacks gomp libgomp1
fi
if have "$GO"; then
    build_go
else
    lacks go golang-go
fi
