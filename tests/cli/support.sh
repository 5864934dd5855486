# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the tests of the command share: run it, and look at how it ends and what it says.
: "${srcdir:=.}"
source=$(cd "$srcdir" && pwd)
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
CPPFLAGS="-I$source/include"
XDG_CACHE_HOME=$work/cache
export CPPFLAGS XDG_CACHE_HOME
unset CFLAGS LDFLAGS
failures=0

[ -x src/cli/distributor ] || { echo "there is no command in this build"; exit 77; }

wrong() {
    echo "$*"
    echo "--- its output:"
    cat "$work/out" "$work/err"
    failures=$((failures + 1))
}

# run STATUS ARGUMENT...: the command ends with this status.
run() {
    wanted=$1
    shift
    timeout 500 src/cli/distributor "$@" > "$work/out" 2> "$work/err"
    status=$?
    [ "$status" = "$wanted" ] || wrong "distributor $*: status $status, not $wanted"
}

# says TEXT...: each is in the standard output.
says() {
    for text; do
        grep -qF -- "$text" "$work/out" || wrong "does not print '$text'"
    done
}

# says_not TEXT: is nowhere.
says_not() {
    ! grep -qF -- "$1" "$work/out" "$work/err" || wrong "prints '$1'"
}

# refuse STATUS TEXT ARGUMENT...: it ends with this status and one line, which has the text.
refuse() {
    wanted=$1 text=$2
    shift 2
    run "$wanted" "$@"
    grep -F -- "$text" "$work/err" | grep -q '^distributor: ' || wrong "does not say '$text'"
    [ "$(grep -c '^distributor: ' "$work/err")" = 1 ] || wrong "says more than one line"
}

# ended STATUS WANTED LINE: how the bad input `name` ended, and all that the command said.
count=0
ended() {
    count=$((count + 1))
    [ "$1" = "$2" ] || wrong "$name: status $1, not $2"
    said=$(grep '^distributor: ' "$work/err")
    # shellcheck disable=SC2254 # the line is a pattern
    case $said in
    "distributor: "$3) ;;
    *) wrong "$name: does not say '$3'" ;;
    esac
}

# bad NAME STATUS LINE ARGUMENT...: a bad input.
bad() {
    name=$1 wanted=$2 line=$3
    shift 3
    timeout 500 src/cli/distributor "$@" > "$work/out" 2> "$work/err"
    ended "$?" "$wanted" "$line"
}

# module NAME: makes $work/NAME.c, a module of what is read.
module() {
    { echo '#include <distributor/module.h>'; cat; } > "$work/$1.c"
}

finish() {
    [ "$failures" = 0 ]
    exit
}
