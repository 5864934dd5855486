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
CARGO=${CARGO:-cargo}
PYTHON=${PYTHON:-python3}
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
common="harness bodies map_passes peer peer_grain peer_waits"
headers="harness.h bodies.h layers.h map.h peer.h peer_subjects.h peer_pack.h"

objects() {
    for name in $common; do
        need "peers-$name.o" "$name.c" $headers || continue
        $CC -std=gnu11 $CFLAGS -pthread -c "$sources/$name.c" -o "$programs/peers-$name.o"
    done
}

linked() {
    for name in ${1:-$common}; do
        echo "$programs/peers-$name.o"
    done
}

# build_c PEER FLAG...
build_c() {
    name=peer_$1
    shift
    need "$name" "$name.c" $headers $(printf '%s.c ' $common) || return 0
    say "$name"
    $CC -std=gnu11 $CFLAGS -pthread "$sources/$name.c" $(linked) -o "$programs/$name" "$@"
}

# build_cxx PEER LIBRARY...: -Wno-stringop-overflow for what gcc 12 says of a header of moodycamel.
build_cxx() {
    name=peer_$1
    shift
    need "$name" "$name.cc" $headers $(printf '%s.c ' $common) || return 0
    say "$name"
    $CXX -std=c++17 $CXXFLAGS -Wno-stringop-overflow -pthread "$sources/$name.cc" $(linked) \
        -o "$programs/$name" "$@"
}

# build_openmp PEER COMPILER
build_openmp() {
    need "peer_$1" peer_openmp.c bodies.c map_passes.c harness.c $headers || return 0
    say "peer_$1"
    "$2" -std=gnu11 $CFLAGS -fopenmp "$sources/peer_openmp.c" $(linked "harness bodies map_passes") \
        -o "$programs/peer_$1"
}

# Whether that compiler can compile and link for OpenMP.
have_openmp() {
    have "$1" && echo 'int main(void) { return 0; }' |
        "$1" -fopenmp -x c - -o "$programs/peers-openmp" 2>/dev/null &&
        "$programs/peers-openmp" 2>/dev/null
}

build_go() {
    need peer_go peer_go.go || return 0
    say peer_go
    GO111MODULE=off GOFLAGS= $GO build -o "$programs/peer_go" "$sources/peer_go.go"
}

# Debian's packages hold the sources of the crates; cargo takes them from there and asks no network.
crates=/usr/share/cargo/registry

build_rayon() {
    need peer_rayon peer_rayon.rs || return 0
    say peer_rayon
    folder=$programs/peers-rayon
    mkdir -p "$folder/src"
    cp "$sources/peer_rayon.rs" "$folder/src/main.rs"
    cat >"$folder/Cargo.toml" <<MANIFEST
[package]
name = "peer_rayon"
version = "0.0.0"
edition = "2021"

[dependencies]
rayon = "1"
crossbeam-channel = "0.5"

[profile.release]
opt-level = 3

[workspace]
MANIFEST
    CARGO_HOME=$folder/home $CARGO build --quiet --release --offline \
        --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target" \
        --config 'source.crates-io.replace-with="debian"' \
        --config "source.debian.directory=\"$crates\"" &&
        cp "$folder/target/release/peer_rayon" "$programs/peer_rayon"
}

# A program of one line, so that all peers are started alike.
build_python() {
    need peer_python peer_python.py || return 0
    say peer_python
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$PYTHON" \
        "$(cd "$sources" && pwd)/peer_python.py" >"$programs/peer_python"
    chmod +x "$programs/peer_python"
}

objects
if have "$PKG_CONFIG" && $PKG_CONFIG --exists glib-2.0; then
    build_c glib $($PKG_CONFIG --cflags --libs glib-2.0)
else
    lacks glib libglib2.0-dev
fi
if have "$PKG_CONFIG" && $PKG_CONFIG --exists apr-util-1; then
    build_c apr $($PKG_CONFIG --cflags --libs apr-util-1 apr-1)
else
    lacks apr libaprutil1-dev
fi
if have "$PKG_CONFIG" && $PKG_CONFIG --exists libuv; then
    build_c libuv $($PKG_CONFIG --cflags --libs libuv)
else
    lacks libuv libuv1-dev
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
if have_openmp gcc; then
    build_openmp libgomp gcc
else
    lacks libgomp gcc
fi
if have_openmp clang; then
    build_openmp libomp clang
else
    lacks libomp "clang, libomp-dev"
fi
if have "$GO"; then
    build_go
else
    lacks go golang-go
fi
if have "$CARGO" && [ -d "$crates" ] && ls "$crates" | grep -q '^rayon-1' &&
    ls "$crates" | grep -q '^crossbeam-channel-'; then
    build_rayon || lacks rayon "cargo failed, see above"
else
    lacks rayon "cargo, librust-rayon-dev, librust-crossbeam-channel-dev"
fi
if have "$PYTHON"; then
    build_python
else
    lacks python python3
fi
rm -f "$programs/peers-openmp"
