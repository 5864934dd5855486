#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/threads: the distributor comes to the same as plain threads.
set -u

expected='joined: the thread says 49
joined: the task says 49
detached: the thread left its note
detached: the distributor completed 1 of 1
many: 100 threads add up to 328350
many: 100 tasks add up to 328350'
output=$(./examples/threads) || exit 1
[ "$output" = "$expected" ] && exit 0
printf 'threads printed\n%s\nnot\n%s\n' "$output" "$expected"
exit 1
