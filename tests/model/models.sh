#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Has spin go through all states of the models, and through those of the models with faults, each of
# which it must find.
#
#     models.sh          small sizes and the nastiest faults: what `make check` runs
#     models.sh all      all sizes and all faults of models.txt
#     models.sh MODEL    all of one
#     models.sh MODEL DEFINITION
#                        one fault of it
#
# Without spin it is skipped.  What it makes stands in tests/model/work.
. "${srcdir:-.}/tests/house/report.sh"

folder=$(cd "$srcdir/tests/model" && pwd)
what=${1-small}
fault=${2-}
work=tests/model/work
here=$work/$what$fault
seconds=3000 # for one size; far above what any of them needs
command -v spin >/dev/null || skip "no spin"

chosen() {
    "${AWK:-awk}" -v what="$what" -v fault="$fault" '
        /^#/ || NF == 0 || fault != "" && $3 != fault { next }
        what == "all" || what == $1 || what == "small" && ($2 == "small" || $2 == "nasty")' \
        "$folder/models.txt"
}

# explore KIND MODEL DEFINITION...: leaves what spin says in `output`.
explore() {
    rm -rf "$here"
    mkdir -p "$here" && cp "$folder/$2"*.pml "$here/" || return
    case $1 in
    large) optimize=-O2 ;;
    *) optimize=-O0 ;; # the rest is gone through sooner than compiled
    esac
    model=$2
    shift 2
    flags=
    for definition; do
        flags="$flags -D$definition"
    done
    # shellcheck disable=SC2086
    (cd "$here" && spin -a $flags "$model.pml" >output 2>&1 &&
        ${CC:-cc} $optimize -w -DSAFETY -DCOLLAPSE -DMEMLIM=8000 -o pan pan.c >output 2>&1 &&
        timeout -k 5 "$seconds" ./pan -m100000 >output 2>&1)
}

# figures: how many states, and how long it took.
figures() {
    sed -n 's/^ *\([0-9]*\) states, stored.*/\1 states/p
        s/^pan: elapsed time \(.*\) seconds/\1 s/p' "$here/output" | tr '\n' ' '
}

# keep NAME: what led to a wrong outcome.
keep() {
    kept=$work/$(echo "$1" | tr ' ' -)
    rm -rf "$kept"
    cp -r "$here" "$kept"
}

# judge KIND NAME: whether the outcome is what it must be.
judge() {
    errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$here/output")
    grep -q 'max search depth too small' "$here/output" && errors="not all, $errors"
    case $1.$errors in
    small.0 | large.0) echo "$2: $(figures)" ;;
    nasty.1 | fault.1) echo "$2: found after $(figures)" ;;
    nasty.0 | fault.0) wrong "$2: NOT FOUND after $(figures)" ;;
    *)
        keep "$2"
        wrong "$2: errors: ${errors:-it did not come to an end}"
        tail -n 5 "$here/output"
        ;;
    esac
}

list=$(chosen)
[ -n "$list" ] || { wrong "there is no model $what"; house_end "See tests/model/models.txt."; }
sizes=0
faults=0
while read -r model kind definitions; do
    # shellcheck disable=SC2086
    explore "$kind" "$model" $definitions
    judge "$kind" "$model${definitions:+ $definitions}"
    case $kind in
    small | large) sizes=$((sizes + 1)) ;;
    *) faults=$((faults + 1)) ;;
    esac
done <<EOT
$list
EOT
echo "$what: $sizes sizes, $faults faults"
rm -rf "$here"
house_end "tests/model/README.md says how to see the steps that lead there."
