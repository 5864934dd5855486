#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The completion for bash, the help and the manual know the same options.
. "${srcdir:-.}/tests/cli/support.sh"
command -v bash > /dev/null || { echo "no bash"; exit 77; }

# completes COMMAND WORD: what bash would offer.
completes() {
    bash -c '. "$0"; COMP_WORDS=(distributor $1 "$2"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _distributor; printf "%s\n" "${COMPREPLY[@]}"' "$source/src/cli/completion/distributor" "$1" "$2"
}

run 0 --help
for word in $(completes run --) $(completes graph --); do
    says "$word"
    name=$(echo "$word" | sed 's/^--/\\\\-/')
    grep -q "Fl $name" "$source/man/distributor.1" || wrong "the manual has no $word"
done
for word in $(sed -n 's/^  *\(--[a-z-]*\)[= ].*/\1/p' "$work/out"); do
    case $word in --result-*) continue ;; esac
    { completes run --; completes graph --; completes '' --; } | grep -qx -- "$word" ||
        wrong "bash does not know $word"
done
[ "$(completes run --wo)" = --workers ] || wrong "--wo is not completed"
[ "$(completes '' g)" = graph ] || wrong "g is not completed"
finish
