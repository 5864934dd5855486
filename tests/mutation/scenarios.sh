#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each scenario of the explorer is seen to fail: a mutant of the list names it.  And the list names
# no other.
. "${srcdir:-.}/tests/house/report.sh"

list=$srcdir/tests/mutation/mutants.txt
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

"${AWK:-awk}" '($1 == "by" || $1 == "also") && $2 !~ /\// { print $2, $3 }' "$list" |
    sort -u > "$work/named"
for program in $(sed -n '/^schedule_programs/,/[^\\]$/p' "$srcdir/tests/schedule/local.mk" |
    sed -n 's,.*\(tests/schedule/[a-z]*\).*,\1,p'); do
    "./$program" --list | sed "s/^/$(basename "$program") /" || wrong "$program does not run"
done | sort -u > "$work/there"
[ -s "$work/there" ] || wrong "there is no scenario"

comm -23 "$work/there" "$work/named" > "$work/left"
comm -13 "$work/there" "$work/named" > "$work/gone"
while read -r scenario; do wrong "$scenario: no mutant is known to fail it"; done < "$work/left"
while read -r scenario; do wrong "$scenario: named, and there is none"; done < "$work/gone"
echo "$(grep -c . "$work/there") scenarios"
house_end "Add 'by' or 'also' to a mutant of tests/mutation/mutants.txt that it finds."
