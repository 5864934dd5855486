#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The manual and the headers say the same: every public function has a page, and every declaration,
# member, constant, error and program in the pages is what it says it is.
. "${srcdir:-.}/tests/house/report.sh"
house="$srcdir/tests/house"
pages=$(echo "$srcdir"/man/*.3)
# All but short.h, which is not for programs.
headers="$srcdir/include/distributor.h $(ls "$srcdir"/include/distributor/*.h | grep -v /short.h)"
work=$(mktemp -d ./manual.XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT

compile="$CC -std=gnu11 -Wall -Wextra -Werror -pthread -I$srcdir/include"
link="./libtool --quiet --tag=CC --mode=link $compile"
libraries="src/libdistributor-flow.la src/libdistributor.la"

# Each page is mdoc without a warning, and no heading begins with a word that mdoc takes for a macro.
check_form() {
    grep -nE '^\.(Ss|It) (An|As|At|Be|In|Is|No|So|To|Up) ' $pages &&
        wrong "mdoc drops the first word of a heading: it needs \\& before it"
    if [ -z "$MANDOC" ]; then
        echo "no mandoc: the form of the pages was not looked at"
        return
    fi
    $MANDOC -T lint -W warning $pages || wrong "mandoc has warnings"
}

# The names of the pages are the public functions and "distributor"; each page is named after its
# first name; what a page refers to exists.
check_names() {
    $AWK -f "$house/public_functions.awk" $headers | sort > "$work/functions"
    for page in $pages; do
        [ "$($AWK -f "$srcdir/man/names.awk" "$page" | sed 1q)" = "$(basename "$page" .3)" ] ||
            wrong "$page: the first name is not that of the file"
        grep -q "man/$(basename "$page")" "$srcdir/man/local.mk" || wrong "$page: is not installed"
    done
    $AWK -f "$srcdir/man/names.awk" $pages | grep -vx distributor | sort > "$work/named"
    diff "$work/functions" "$work/named" || wrong "< has no page, > is no public function"

    sed -n 's/^\.Xr \(distributor_[a-z_]*\) 3.*/\1/p' $pages | sort -u > "$work/referred"
    comm -23 "$work/referred" "$work/named" > "$work/unknown"
    [ ! -s "$work/unknown" ] || wrong "no page has the name" $(cat "$work/unknown")
}

# Each SYNOPSIS declares what the headers declare, all of it.
check_declarations() {
    $AWK -f "$house/manual_synopsis.awk" $pages > "$work/synopsis.c"
    $compile -fsyntax-only "$work/synopsis.c" || wrong "a SYNOPSIS differs from the headers"
    while read -r name; do
        grep -q "[ *]$name(" "$work/synopsis.c" || wrong "$name: is in no SYNOPSIS"
    done < "$work/functions"
    for name in $($AWK -f "$house/public_members.awk" $headers | sort -u); do
        grep -Eq "(Va|Fn|Dv) .*\<$name\>" $pages || wrong "$name: is in no page"
    done
}

# Each error that a page names exists, and the library has words for it.
check_errors() {
    {
        printf '%s\n' '#include <distributor.h>' '#include <errno.h>' '#include <string.h>'
        printf '%s\n' '#define CHECK(e) if (!strcmp(distributor_strerror(-e), unknown)) return e'
        printf '%s\n' 'int main(void) { const char *unknown = distributor_strerror(99999);'
        sed -n 's/^.*Er -*\(E[A-Z0-9]*\).*/CHECK(\1);/p' $pages | sort -u
        printf '%s\n' 'return 0; }'
    } > "$work/errors.c"
    $link "$work/errors.c" $libraries -o "$work/errors" && "$work/errors" ||
        wrong "a page names an error that the library has no words for"
}

# Each example is a program that compiles without a warning, ends well, and prints what the page
# says.
check_examples() {
    for page in $pages; do
        $AWK -v folder="$work" -f "$house/manual_examples.awk" "$page"
        [ -f "$work/$(basename "$page" .3)_1.c" ] || wrong "$page: has no example"
    done
    for source in "$work"/*_[0-9].c; do
        program=${source%.c}
        $link "$source" $libraries -o "$program" &&
            timeout 60 "$program" > "$program.output" ||
            wrong "$(basename "$program"): the example does not compile or run"
        [ ! -f "$program.expected" ] || diff "$program.expected" "$program.output" ||
            wrong "$(basename "$program"): the example prints something else"
    done
}

check_form
check_names
check_declarations
check_errors
check_examples
house_end "The manual follows the headers."
