#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/in_flight has 5,000 requests in flight on two workers, says the server, which answers none
# before all are there; and nothing is lost.
set -u

failures=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
mkfifo "$work/end" || exit 99

fail() {
    echo "FAILED: $1"
    cat "$work/port" "$work/output" "$work/errors"
    failures=1
}

# start COUNT: the server; what is open as 9 keeps it alive.
start() {
    : >"$work/port"
    ./tests/examples/holding_server "$1" <"$work/end" >"$work/port" &
    server=$!
    exec 9>"$work/end"
    until grep -q . "$work/port"; do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    if ! grep -q . "$work/port"; then
        wait "$server"
        status=$?
        exec 9>&-
        return "$status"
    fi
    address=http://127.0.0.1:$(head -1 "$work/port")
}

# stop EXPECTED: what it has to say
stop() {
    exec 9>&-
    wait "$server"
    [ "$(tail -1 "$work/port")" = "$1" ] || fail "the server: not $1"
}

# check COUNT SUM
check() {
    start "$1" || return
    ./examples/in_flight "$address" "$1" >"$work/output" 2>"$work/errors" 9>&- ||
        fail "$1 requests: status $?"
    expected="$1 answers, sum $2, $1 in flight at once on 2 workers"
    [ "$(cat "$work/output")" = "$expected" ] || fail "$1 requests"
    [ ! -s "$work/errors" ] || fail "$1 requests: errors"
    stop "$1 requests, $1 at once"
}

check 1 0
check 100 4950
check 5000 12497500
status=$?
[ "$status" = 77 ] && echo "skipped: too few descriptors for 5,000 requests" && exit 77

# Where nobody listens every request fails, with its address.
./examples/in_flight http://127.0.0.1:1 30 >"$work/output" 2>"$work/errors"
[ $? = 1 ] || fail "a closed port: status"
[ "$(cut -d' ' -f1-4 "$work/output")" = "0 answers, sum 0," ] || fail "a closed port: output"
[ "$(grep -c '^in_flight: http://127.0.0.1:1/[0-9]*: ' "$work/errors")" = 30 ] ||
    fail "a closed port: failures"

# A limit that it cannot raise, for which it must be somebody else than root.
unprivileged=
[ "$(id -u)" != 0 ] || unprivileged='setpriv --reuid 65534 --clear-groups --bounding-set -all'
# shellcheck disable=SC2086
if $unprivileged ./examples/in_flight 2>&1 | grep -q '^usage: '; then
    (ulimit -n 200 && exec $unprivileged ./examples/in_flight http://127.0.0.1:1 1000) \
        >"$work/output" 2>"$work/errors"
    [ $? = 2 ] || fail "too few descriptors: status"
    echo 'in_flight: 1000: more sockets than this process may open (ulimit -n)' >"$work/expected"
    cmp "$work/expected" "$work/errors" || fail "too few descriptors"
fi

for arguments in '' 'http://127.0.0.1:1' 'http://127.0.0.1:1 -1' 'http://127.0.0.1:1 x' \
    'http://127.0.0.1:1 20001' 'http://127.0.0.1:1 1 2'; do
    # shellcheck disable=SC2086
    ./examples/in_flight $arguments >"$work/output" 2>"$work/errors"
    [ $? = 2 ] || fail "in_flight $arguments: status"
    grep -q '^usage: ' "$work/errors" || fail "in_flight $arguments: usage"
done
exit "$failures"
