#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/tutorial, the capabilities D1 to D6: plain threads and the distributor come to the same.
set -u

failures=0

# check PROGRAM, with what it has to print on the standard input
check() {
    expected=$(cat)
    output=$("./examples/tutorial/$1") || {
        echo "$1: status $?"
        failures=1
    }
    # Times are the clock's, and which of two tasks was read first is nobody's promise.
    output=$(printf '%s\n' "$output" |
        sed 's/^[0-9][0-9]:[0-5][0-9]:[0-6][0-9] /HH:MM:SS /' | sort_lines)
    expected=$(printf '%s\n' "$expected" | sort_lines)
    [ "$output" = "$expected" ] && return
    printf '%s printed\n%s\nnot\n%s\n' "$1" "$output" "$expected"
    failures=1
}

# Those that begin with blanks, among themselves.
sort_lines() {
    awk '/^  / { held = held $0 "\n"; next }
        held != "" { printf "%s", held | "LC_ALL=C sort"; close("LC_ALL=C sort"); held = "" }
        { print; fflush() }'
}

# D1
check threads <<'END'
joined: the thread says 49
joined: the task says 49
detached: the thread left its note
detached: the distributor completed 1 of 1
many: 100 threads add up to 328350
many: 100 tasks add up to 328350
END

# D2
check pool <<'END'
threads: the sum is 13
submit: 0 failed: cannot divide by it
submit: the sum is 13
map: 6 3 2 1 1 1
map: with a 0 among them: Numerical argument out of domain
END

# D4
check event <<'END'
by hand: the thread worked, and saw the flag
event: the task worked, and saw the event
event: cleared, and waited for: the deadline passed
END

# D6
check names <<'END'
HH:MM:SS plain    a thread that named itself
HH:MM:SS main     the plain thread is done
HH:MM:SS alice    started
HH:MM:SS alice    says hello
HH:MM:SS alice    task fail failed: it did not work
HH:MM:SS alice    stopped
END

# D3 and D5, which could go well by luck: ten times.
run=0
while [ "$run" -lt 10 ]; do
    check race <<'END'
without a lock: 2 updates, the value is 1
with the lock: 2 updates, the value is 2
  one task saw the value 2
  one task saw the value 4
with the lock twice: 4 updates, the value is 4
END
    check pipeline <<'END'
slot: the sum is 55
channel: the sum is 55
queue: all that was sent was received, and never more than 10 waited
stream: the sum is 55
END
    run=$((run + 1))
done
exit "$failures"
