#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/list_tree prints a tree level by level, the same with any number of workers.
set -u

failures=0
tree=list_tree.$$
trap 'rm -rf "$tree" "$tree".*' EXIT

for directory in b/d/f b/e a/c/g/h a/c/i; do
    mkdir -p "$tree/$directory"
    for file in 3 1 2; do
        : > "$tree/$directory/$file"
    done
done
: > "$tree/z"

# Level by level, and the directories of a level in the order of the level before it.
list() {
    level=$tree
    while [ -n "$level" ]; do
        next=
        for directory in $level; do
            for entry in $(LC_ALL=C ls "$directory"); do
                echo "$directory/$entry"
                if [ -d "$directory/$entry" ]; then
                    next="$next $directory/$entry"
                fi
            done
        done
        level=$next
    done
}
list > "$tree.expected"

for workers in '' 1 2 3 16; do
    LC_ALL=C ./examples/list_tree "$tree" $workers > "$tree.output" || {
        echo "list_tree with '$workers' workers: status $?"
        failures=1
    }
    cmp "$tree.expected" "$tree.output" || failures=1
done

./examples/list_tree "$tree/none" > "$tree.output" 2> "$tree.error"
[ $? = 1 ] || { echo "status of a missing directory"; failures=1; }
grep -q "list_tree: $tree/none: No such file" "$tree.error" || { cat "$tree.error"; failures=1; }

for arguments in '' 'a b c' 'a x' 'a 65537'; do
    ./examples/list_tree $arguments 2> "$tree.error"
    [ $? = 2 ] || { echo "list_tree $arguments: status $?, not 2"; failures=1; }
done
exit "$failures"
