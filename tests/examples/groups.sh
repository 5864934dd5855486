#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/groups: both phases, and one function with five inputs.
expected='[(function=find_host; result=example.org), (function=find_port; result=8080)]
first: executed, second: waiting
[(function=make_address; result=example.org:8080)]
[(function=square; result=1), (function=square; result=4), (function=square; result=9), (function=square; result=16), (function=square; result=25)]'

output=$(examples/groups) || {
    echo "examples/groups: exit code $?"
    exit 1
}
[ "$output" = "$expected" ] && exit 0
echo "examples/groups printed:"
echo "$output"
exit 1
