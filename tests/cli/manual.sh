#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The examples of distributor(1) do what the page says.
. "${srcdir:-.}/tests/cli/support.sh"
page=$source/man/distributor.1

sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$page" | sed '1,/^\.Bd/d; /^\.Ed/d' > "$work/first.c"
cd "$work" || exit 99
command=$OLDPWD/src/cli/distributor

# line NUMBER: a command of the page, as it stands there.
line() {
    words=$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl distributor //p' "$page" | sed -n "$1p" |
        sed 's/\\-/-/g')
    # shellcheck disable=SC2086 # they are words
    "$command" $words > "$work/out" 2> "$work/err" || wrong "$words: status $?"
}

line 1
says "longest chain: load -> compute"
line 2
says "passed     load" "passed     compute" "  15" "2 passed, 0 failed"
"${command%src/*}tests/cli/trace_check" trace.json > out || wrong "the trace is wrong"
line 3
says "  6" "1 passed, 0 failed"
finish
