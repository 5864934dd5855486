#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/squares prints the right sum, with any number of workers, and for no squares at all.
set -u

failures=0

# check COUNT SUM [ARGUMENT...]
check() {
    count=$1 sum=$2
    shift 2
    output=$(./examples/squares "$@") || { echo "squares $*: status $?"; failures=1; }
    expected=$(printf 'count %s\nsum   %s\nrate  N tasks a second' "$count" "$sum")
    if [ "$(printf '%s\n' "$output" | sed 's/^rate  [0-9]* /rate  N /')" != "$expected" ]; then
        printf 'squares %s printed\n%s\nnot\n%s\n' "$*" "$output" "$expected"
        failures=1
    fi
}

# refuse ARGUMENT...
refuse() {
    ./examples/squares "$@" 2>/dev/null
    status=$?
    [ "$status" = 2 ] || { echo "squares $*: status $status, not 2"; failures=1; }
}

check 1000000 333332833333500000
for workers in 1 2 16; do
    check 1000000 333332833333500000 1000000 "$workers"
    check 0 0 0 "$workers"
    check 1 0 1 "$workers"
    check 1000 332833500 1000 "$workers"
done
refuse -1
refuse x
refuse 1 65537
refuse 1 2 3
refuse ''
exit "$failures"
