#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The README keeps its word: its example has 20 lines, compiles without a warning and runs, it
# names two commands, the functions it names exist, and its links lead somewhere.
set -u

readme=$srcdir/README.md
headers=$(ls "$srcdir"/include/distributor/*.h | grep -v /short.h) # that one is not for programs
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    echo "FAILED: $1"
    failures=1
}

# ---- the example ----
sed -n '/^```c$/,/^```$/p' "$readme" | sed '/^```/d' > "$work/example.c"
lines=$(grep -c . "$work/example.c")
[ "$lines" = 20 ] || fail "the example has $lines lines, not 20"

sanitize=
[ "${SANITIZER:-no}" = no ] || sanitize="-fsanitize=$SANITIZER"
warnings="-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror"
# As a user would, but with the library that has just been built.
if ./libtool --silent --tag=CC --mode=link ${CC:-cc} -std=c11 $warnings $sanitize \
    -I "$srcdir/include" "$work/example.c" -o "$work/example" src/libdistributor.la; then
    "$work/example" > "$work/output" || fail "the example ended with $?"
    sort -n "$work/output" > "$work/sorted"
    for number in 1 2 3 4 5 6 7 8 9 10; do
        echo $((number * number))
    done | cmp - "$work/sorted" || fail "the example printed something else than ten squares"
else
    fail "the example does not compile"
fi

# ---- what it names ----
[ "$(grep -c '^    scripts/' "$readme")" = 2 ] || fail "the commands are not two"

# `distributor_x`, and `_x` for short
grep -o '`distributor_[a-z_]*`\|`_[a-z_]*`' "$readme" | tr -d '`' | sed 's/^_/distributor_/' |
    sort -u > "$work/functions"
[ -s "$work/functions" ] || fail "no functions found"
while read -r function; do
    grep -q "[ *]$function(" $headers || fail "there is no function $function"
done < "$work/functions"

# The table of roles forgets none.
sed -n 's/^DISTRIBUTOR_API .*[ *]\(distributor_[a-z_]*\)(.*/\1/p' $headers |
    while read -r function; do
        grep -qx "$function" "$work/functions" || echo "$function"
    done > "$work/forgotten"
[ ! -s "$work/forgotten" ] || fail "not in the README: $(cat "$work/forgotten")"

grep -o '](\([^)#]*\)' "$readme" | sed 's/^](//' | grep -v '^https\?:' > "$work/links"
while read -r link; do
    [ -e "$srcdir/$link" ] || fail "a link leads nowhere: $link"
done < "$work/links"

exit "$failures"
