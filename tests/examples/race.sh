#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/race loses an update without the lock and none with it, every time.
set -u

expected='without a lock: 2 updates, the value is 1
with the lock: 2 updates, the value is 2
  one task saw the value 2
  one task saw the value 4
with the lock twice: 4 updates, the value is 4'
run=0
while [ "$run" -lt 10 ]; do
    output=$(./examples/race) || exit 1
    # Which of the two was read first is nobody's promise.
    if [ "$(printf '%s\n' "$output" | sed 3,4d; printf '%s\n' "$output" | sed -n 3,4p | sort)" != \
         "$(printf '%s\n' "$expected" | sed 3,4d; printf '%s\n' "$expected" | sed -n 3,4p)" ]; then
        printf 'race printed\n%s\nnot\n%s\n' "$output" "$expected"
        exit 1
    fi
    run=$((run + 1))
done
