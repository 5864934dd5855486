#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/map prints the same longest sequence in all three ways.
set -u

failures=0

# check NUMBER STEPS [COUNT]
check() {
    expected=$(for way in map async lazy; do printf '%-5s  %s has %s steps\n' $way "$1" "$2"; done)
    shift 2
    output=$(./examples/map "$@") || { echo "map $*: status $?"; failures=1; }
    if [ "$output" != "$expected" ]; then
        printf 'map %s printed\n%s\nnot\n%s\n' "$*" "$output" "$expected"
        failures=1
    fi
}

# refuse ARGUMENT...
refuse() {
    ./examples/map "$@" 2>/dev/null
    status=$?
    [ "$status" = 2 ] || { echo "map $*: status $status, not 2"; failures=1; }
}

check 230631 442
check 27 111 28
check 0 0 0
check 0 0 1
check 77031 350 100000
refuse -1
refuse x
refuse ''
refuse 1 2
refuse 100000001
exit "$failures"
