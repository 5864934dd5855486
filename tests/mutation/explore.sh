#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts faults into copies of the sources, one at a time, and runs the explorer of schedules over
# them: each must be found.
#
#     explore.sh           the nastiest, each with the scenario that the list names
#     explore.sh K/N       of what the list leaves to it every Nth, from the Kth on
#     explore.sh NAME...   these
#
# With a part or names: the scenario or the model that the list names, and if that finds nothing,
# all others.  Run in the build folder after `make check` has built tests/schedule.  A mutant's
# sources and programs stand in tests/mutation/made.
. "${srcdir:-.}/tests/house/report.sh"
. "$srcdir/tests/mutation/list.sh"

library=tests/schedule/.libs/libscheduled.a
flow=tests/schedule/.libs/libscheduled-flow.a
work=${MUTATION_WORK:-tests/mutation/made}
seconds=250 # for one program; far above what any of them needs
for part in "$library" "$flow"; do
    [ -f "$part" ] || skip "no $part: make check builds it"
done

flags="-std=gnu11 -pthread -O1 -w -D_GNU_SOURCE= -fno-strict-aliasing -U_FORTIFY_SOURCE"
flags="$flags -DDISTRIBUTOR_NO_INLINE" # the short ways are explored in the library
shim="-include $srcdir/tests/schedule/shim.h"
wraps=$(sed -n '/^schedule_wrapped/,/[^\\]$/p' "$srcdir/tests/schedule/local.mk" |
    sed 's/^schedule_wrapped =//; s/\\$//' | tr -s ' \t' '\n\n' | sed -n 's/^..*/-Wl,--wrap=&/p')

# compile SOURCE OBJECT FLAG...
compile() {
    from=$1 to=$2
    shift 2
    # shellcheck disable=SC2086
    ${CC:-cc} $flags "$@" -I"$srcdir/include" -I"$srcdir/src" -I"$srcdir/tests" -c "$from" -o "$to"
}

# What does not change with a mutant of a .c file.
prepare() {
    rm -rf "$work"
    mkdir -p "$work/tests" "$work/tree" "$work/objects"
    for source in "$srcdir"/tests/schedule/*.c; do
        compile "$source" "$work/tests/$(basename "$source" .c).o" || return
    done
}

# build NAME: a copy of the sources with the fault, and the objects that differ.
build() {
    rm -rf "$work/tree/src" "$work/tree/include" "$work/objects"
    mkdir "$work/objects"
    cp -r "$srcdir/src" "$srcdir/include" "$work/tree/"
    changed=$(mutate "$1" "$work/tree") || return
    case $changed in
    src/flow/counts.h)
        changed=src/base/fence.c # something to link: all that the mutant changes is in the test
        compile "$srcdir/tests/schedule/counts.c" "$work/objects/counts.o" -I"$work/tree/src" || return
        ;;
    *.h)
        changed=$(cd "$work/tree" && find src/base src/queue src/pool -name '*.c')
        compile "$srcdir/tests/schedule/queues.c" "$work/objects/queues.o" \
            -I"$work/tree/include" -I"$work/tree/src" || return
        ;;
    esac
    for source in $changed; do
        # shellcheck disable=SC2086
        compile "$work/tree/$source" "$work/objects/$(echo "$source" | tr / -).o" \
            -I"$work/tree/include" -I"$work/tree/src" $shim || return
    done
}

# run PROGRAM ARGUMENT...: 0 if the mutant lives.
run() {
    program=$1
    shift
    own=$work/objects/$program.o
    [ -f "$own" ] || own=$work/tests/$program.o
    book=$work/tests/book.o
    case $program in
    queues | counts) book= ;;
    esac
    # shellcheck disable=SC2086
    ${CC:-cc} -pthread -o "$work/$program" $own $book "$work"/tests/memory.o \
        "$work"/tests/search.o "$work"/tests/system.o "$work"/tests/threads.o \
        "$work"/objects/src-*.o "$flow" "$library" -lck $wraps || return 2
    # In braces, so that the shell's word on a crash is not shown.
    { timeout -k 5 "$seconds" "$work/$program" "$@" >"$work/output" 2>&1; } 2>/dev/null
}

# try NAME PROGRAM [ARGUMENT...]: says how it ended.  0: it was killed.
try() {
    name=$1
    shift
    run "$@"
    case $? in
    0) return 1 ;;
    2) echo "$name: $1 cannot be linked" && return 1 ;;
    124 | 137) echo "$name: $1 took more than $seconds s" && return 1 ;;
    *) how=$(sed -n 's/^FAILED //p' "$work/output" | head -n 1) ;;
    esac
    echo "$name: killed by $1: ${how:-a crash}"
}

# at_home NAME: with the scenario of the list.
at_home() {
    # shellcheck disable=SC2046
    set -- "$1" $(said "$1" by)
    try "$1" "$2" --scenario "$3"
}

# also NAME: with what the list names beside that; each of them has to find it.
also() {
    while read -r program scenario; do
        [ -z "$scenario" ] || try "$1" "$program" --scenario "$scenario" < /dev/null ||
            wrong "$1: $scenario does not find it"
    done <<LIST
$(said "$1" also)
LIST
}

# everywhere NAME: with every scenario, its own one first.
everywhere() {
    if [ -n "$(said "$1" by)" ]; then
        at_home "$1" && { also "$1"; return 0; }
        echo "$1: what the list names does not find it"
    fi
    programs="works ends room"
    case $changed in
    src/queue/channel.c) programs=channels ;;
    src/queue/event.c) programs=events ;;
    src/pool/defer.c) programs=late ;;
    *src/queue/* | include/*) programs="queues works room" ;;
    src/base/fence.c) programs=counts ;;
    src/flow/events.c | src/flow/run.c) programs=graphs ;;
    src/flow/plan.c | src/flow/node.c) programs= ;; # for native.sh
    *src/flow/*) programs="maps counts" ;;
    *src/pool/order* | *src/pool/ask*) programs=order ;;
    esac
    for program in $programs; do # most die soon
        try "$1" $program --preemptions 1 --random 200 && return
    done
    for program in $programs; do
        try "$1" $program --random 2000 && return
    done
    return 1
}

# in_model NAME MODEL DEFINITION: the same fault, in the model of the protocol.
in_model() {
    ${SHELL:-sh} "$srcdir/tests/model/models.sh" "$2" "$3" >"$work/output" 2>&1
    case $? in
    0) echo "$1: killed by the model $2 with $3" ;;
    77) echo "$1: not tried, there is no spin" && untried=$((untried + 1)) ;;
    *) return 1 ;;
    esac
}

# everywhere_or_model NAME: what the list says of it.
everywhere_or_model() {
    model=$(said "$1" model)
    # shellcheck disable=SC2086
    if [ -n "$model" ]; then in_model "$1" $model; else everywhere "$1"; fi
}

strategy=everywhere_or_model
untried=0
[ $# -ne 0 ] || strategy=at_home
# shellcheck disable=SC2046
if [ $# -eq 0 ]; then set -- $(listed nasty); else set -- $(chosen explore "$@"); fi

prepare || { wrong "the explorer cannot be compiled"; house_end "Look above."; }
for name; do
    if ! build "$name"; then
        wrong "$name: it cannot be applied or compiled; tests/mutation/mutants.txt names old lines"
    elif ! $strategy "$name"; then
        wrong "$name: SURVIVED"
    fi
done
echo "$(($# - untried - house_wrong)) of $# mutants killed"
[ "$house_wrong" -ne 0 ] || rm -rf "$work"
house_end "A survivor is a bug of the tests: see tests/mutation/README.md."
