# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What explore.sh and native.sh ask of the list of mutants.
list=$srcdir/tests/mutation/mutants.txt

# listed KIND: the names of those that are `nasty`, or whose fault is found by `explore` or `native`.
listed() {
    "${AWK:-awk}" -v kind="$1" '
        function say() {
            if (name != "" && (kind == "nasty" ? nasty : kind == finder))
                print name
        }
        $1 == "mutant" { say(); name = $2; nasty = $3 == "nasty"; finder = "explore" }
        $1 == "by" && $2 ~ /\// { finder = "native" }
        END { say() }' "$list"
}

# chosen KIND K/N: every Nth of these, from the Kth on.
# chosen KIND NAME...: the names.
chosen() {
    kind=$1
    shift
    case ${1-} in
    */*) listed "$kind" | "${AWK:-awk}" -v k="${1%/*}" -v n="${1#*/}" 'NR % n == k % n' ;;
    *) echo "$@" ;;
    esac
}

# said NAME WORD: what stands behind the word in the lines of a mutant.
said() {
    "${AWK:-awk}" -v name="$1" -v word="$2" '
        $1 == "mutant" { mine = $2 == name }
        mine && $1 == word { print $2, $3 }' "$list"
}

# mutate NAME FOLDER: puts the fault into a copy of the sources; prints the files that it changed.
mutate() {
    "${AWK:-awk}" -v name="$1" -v tree="$2" -f "$srcdir/tests/mutation/apply.awk" "$list"
}
