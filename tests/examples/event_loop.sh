#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/event_loop prints the sum of each line, in any order, and what is no number.
set -u

failures=0

# check EXPECTED, with the input on the standard input
check() {
    output=$(./examples/event_loop | sort) || { echo "event_loop: status $?"; failures=1; }
    if [ "$output" != "$1" ]; then
        printf 'event_loop printed\n%s\nnot\n%s\n' "$output" "$1"
        failures=1
    fi
}

printf '1 2 3\n10 -4\n7\n' | check "6
6
7"
{ printf '1 '; sleep 1; printf '2\nx 1\n\n'; } | check "0
3
x 1: no numbers"
: | check ""
seq 1 20000 | check "$(seq 1 20000 | sort)"

# A file cannot be waited for, and a line can be too long: one sentence, not a hang.
for input in 'regular file' 'long line'; do
    case $input in
    regular*) ./examples/event_loop < "$0" 2> event_loop.err ;;
    *) printf '%05000d\n' 0 | ./examples/event_loop 2> event_loop.err ;;
    esac
    [ $? = 1 ] && [ "$(wc -l < event_loop.err)" = 1 ] || { echo "$input: taken"; failures=1; }
done
rm -f event_loop.err
exit "$failures"
