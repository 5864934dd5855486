#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# An idle distributor makes no system call: idle, with 2 and with 200 workers, under strace.  Only
# the sleep of the thread that measures stands between its two lines.  77: no strace, or it may not
# trace; then what it measures itself is all there is.
#
#     idle_calls.sh [SECONDS]
program=tests/stress/idle
seconds=${1:-2}

if ! strace -f -o /dev/null true 2>/dev/null; then
    "$program" 2 "$seconds" && "$program" 200 "$seconds" || exit 1
    echo "skipped: no strace, or it may not trace"
    exit 77
fi

trace=$(mktemp) || exit 99
trap 'rm -f "$trace"' EXIT

status=0
for workers in 2 200; do
    if ! strace -f -o "$trace" "$program" "$workers" "$seconds"; then
        echo "$program $workers failed"
        status=1
    fi
    calls=$(sed -n '/write(1, "idle begins/,/write(1, "idle ends/p' "$trace" |
        grep -v -e 'write(1, "idle ' -e 'clock_nanosleep')
    if ! grep -q 'write(1, "idle ends' "$trace"; then
        echo "$workers workers: the trace does not show the end of the idle time"
        status=1
    elif [ -n "$calls" ]; then
        echo "$workers idle workers made system calls:"
        echo "$calls" | head -n 20
        status=1
    fi
done
exit $status
