# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The common part of the house checks, read by each of them: a check says all that it finds, then
# ends with house_end.
: "${srcdir:=.}"
house_wrong=0

# wrong WORD...: one thing that is not as it should be.
wrong() {
    echo "$*"
    house_wrong=$((house_wrong + 1))
}

# house_end WORD...: the verdict; the words are the advice if something is wrong.
house_end() {
    [ "$house_wrong" -eq 0 ] && exit 0
    echo "$house_wrong wrong.  $*"
    exit 1
}

# skip WORD...: the check cannot be made here.
skip() {
    echo "skipped: $*"
    exit 77
}
