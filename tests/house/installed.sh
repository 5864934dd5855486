#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `make install` puts down can be used by somebody who has nothing else: through pkg-config,
# with the program of README.md, shared and static, and each header alone, in C and in C++.
. "${srcdir:-.}/tests/house/report.sh"

[ -n "$PKG_CONFIG" ] || skip "no pkg-config"
root=$(mktemp -d) || exit 99
trap 'rm -rf "$root"' EXIT

# This make starts afresh: it is no part of the one that runs the tests.
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS "$MAKE" install DESTDIR="$root" > "$root/log" 2>&1 ||
    { cat "$root/log"; wrong "make install failed"; house_end "See the lines above."; }

pc=$(find "$root" -name distributor.pc)
libdir=$(dirname "$(find "$root" -name 'libdistributor.so' -o -name 'libdistributor.a' | sed 1q)")
export PKG_CONFIG_LIBDIR="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$root"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
cflags=$($PKG_CONFIG --cflags distributor) || wrong "pkg-config does not find distributor"
libs=$($PKG_CONFIG --libs distributor)
static_libs=$($PKG_CONFIG --static --libs distributor | sed 's/-ldistributor/-l:libdistributor.a/')
[ "$($PKG_CONFIG --modversion distributor)" = "$VERSION" ] ||
    wrong "pkg-config does not say version $VERSION"

# The first program of README.md, between ```c and ```.
"${AWK:-awk}" '/^```/ { if (code && text ~ /int main/) { printf "%s", text; exit }
    code = $0 == "```c"; text = ""; next } code { text = text $0 "\n" }' \
    "$srcdir/README.md" > "$root/program.c"
[ -s "$root/program.c" ] || wrong "README.md: has no program between \`\`\`c and \`\`\`"

# A program for libdistributor-flow.
cat > "$root/flow.c" <<'EOF'
#include <distributor/graph.h>
#include <stdio.h>
static int nothing(distributor_call_t *call) { (void)call; return 0; }
int main(void)
{
    const distributor_node_t node = {.size = sizeof node, .name = "a", .run = nothing};
    distributor_graph_summary_t summary;
    distributor_graph_t *graph;
    if (distributor_graph_create(&graph) || distributor_graph_add(graph, &node) != 0 ||
        distributor_graph_run(graph, NULL, &summary))
        return 1;
    printf("%zu\n", summary.passed);
    return distributor_graph_destroy(graph);
}
EOF

# try_flow HOW FLAGS: likewise, through the other library's pkg-config file.
try_flow() {
    if $CC -std=c11 -Wall -Wextra -Werror $($PKG_CONFIG --cflags distributor-flow) "$root/flow.c" \
        -o "$root/flow" $2; then
        [ "$(LD_LIBRARY_PATH="$libdir" timeout 60 "$root/flow")" = 1 ] ||
            wrong "a program of libdistributor-flow, $1: does not run"
    else
        wrong "a program of libdistributor-flow, $1: does not build"
    fi
}

# try HOW LIBRARIES: builds the program and runs it.
try() {
    [ -s "$root/program.c" ] || return
    if $CC -std=c11 -Wall -Wextra -Werror $cflags "$root/program.c" -o "$root/program" $2; then
        LD_LIBRARY_PATH="$libdir" timeout 60 "$root/program" > "$root/output" ||
            wrong "the program of README.md, $1: exit code $?"
        [ -s "$root/output" ] || wrong "the program of README.md, $1: printed nothing"
    else
        wrong "the program of README.md, $1: does not build"
    fi
}
[ -z "$(find "$root" -name libdistributor.so)" ] || try shared "$libs"
[ -z "$(find "$root" -name libdistributor.a)" ] || try static "$static_libs"
flow_libs=$($PKG_CONFIG --libs distributor-flow) || wrong "pkg-config finds no distributor-flow"
flow_static_libs=$($PKG_CONFIG --static --libs distributor-flow |
    sed 's/-l\(distributor[-a-z]*\)/-l:lib\1.a/g')
[ -z "$(find "$root" -name libdistributor-flow.so)" ] || try_flow shared "$flow_libs"
[ -z "$(find "$root" -name libdistributor-flow.a)" ] || try_flow static "$flow_static_libs"

strict="-pedantic -Wall -Wextra -Wconversion -Wundef -Werror -fsyntax-only"
for header in $(cd "$srcdir/include" && find . -name '*.h' | sed 's,^\./,,'); do
    # A translation unit has to hold something, and a header may hold macros alone.
    printf '#include <%s>\nextern int something;\n' "$header" > "$root/header.c"
    $CC -std=c11 $strict -Wstrict-prototypes $cflags "$root/header.c" ||
        wrong "$header: not by itself, as C"
    [ -n "$CXX" ] || continue
    cp "$root/header.c" "$root/header.cc"
    $CXX -std=c++11 $strict $cflags "$root/header.cc" || wrong "$header: not by itself, as C++"
done
[ -n "$CXX" ] || echo "no C++ compiler: the headers were tried in C alone"

# What is compiled into a program is no reason for a warning there.
cat > "$root/word.c" <<'EOF'
#include <distributor/pool.h>
#include <string.h>
extern int read_word(distributor_t *d, unsigned long *word);
int read_word(distributor_t *d, unsigned long *word)
{
    distributor_result_t result;
    int rc = distributor_next_result(d, &result);
    if (rc == 1)
        memcpy(word, result.data, sizeof *word);
    return rc;
}
EOF
bounds="-Wno-unknown-warning-option -Warray-bounds=2" # clang does not know the number
for level in -O1 -Og -O2 -O3; do
    $CC -std=c11 -Wall -Wextra -Werror $bounds $level $cflags -c "$root/word.c" \
        -o "$root/word.o" || wrong "a program that reads words, $level: not without a warning"
done
$CC -std=c89 -O2 $cflags -c "$root/word.c" -o "$root/word.o" ||
    wrong "a program that reads words: not in the C of 1989"

house_end "An installed copy has to work without the source tree."
