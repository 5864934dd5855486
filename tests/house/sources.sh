#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What holds for each file: its license line, its place in a local.mk, its layout.
. "${srcdir:-.}/tests/house/report.sh"

longest=70 # lines of a function
widest=100 # columns

check_license() {
    sed 2q "$1" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
        wrong "$1: its first lines have no SPDX-License-Identifier: BSD-2-Clause"
}

# A function begins with a brace that is alone in its line and ends with another one.
check_layout() {
    "${AWK:-awk}" -v longest="$longest" -v widest="$widest" '
        length($0) > widest { print FILENAME ":" FNR ": " length($0) " columns, at most " widest }
        /\t/ { print FILENAME ":" FNR ": a tab" }
        /^[a-z].*\) \{$/ { print FILENAME ":" FNR ": the brace of a function has its own line" }
        /^\{$/ { begin = FNR }
        /^\}/ && begin {
            if (FNR - begin + 1 > longest)
                print FILENAME ":" begin ": a function of " FNR - begin + 1 " lines, at most " longest
            begin = 0
        }' "$1"
}

check_listed() {
    folder=${1%/*}
    while [ ! -f "$folder/local.mk" ] && [ "$folder" != "${folder%/*}" ]; do
        folder=${folder%/*}
    done
    cat "$folder/local.mk" Makefile.am 2>/dev/null | tr -s '[:space:]' '\n' | grep -qxF "$1" ||
        wrong "$1: no local.mk lists it, so that no release has it"
}

cd "$srcdir" || exit 99
srcdir=.
code=$(find include src tests bench examples man scripts -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.go' -o -name '*.rs' -o -name '*.py' \
       -o -name '*.sh' -o -name '*.gp' -o -name '*.awk' -o -name '*.mk' -o -name '*.map' -o -name '*.supp' -o -name '*.[1-9]' \))
for file in $code scripts/* m4/distributor_*.m4 \
    autogen.sh configure.ac Makefile.am distributor.pc.in distributor-flow.pc.in; do
    check_license "$file"
done
for file in $code; do
    case $file in
    *.mk | include/*) continue ;;
    esac
    check_listed "$file"
    case $file in
    *.[ch] | *.cc)
        found=$(check_layout "$file")
        [ -z "$found" ] || wrong "$found" ;;
    esac
done

house_end "CONTRIBUTING.md says how files are laid out."
