#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/checksum_tree prints, sorted, what find and xxhsum print, byte for byte, for trees with
# all that a file system allows; it reports what it cannot read and is not led astray by links.
set -u
LC_ALL=C
export LC_ALL

if ! command -v xxhsum >/dev/null; then
    echo "xxhsum is not here (package xxhash)"
    exit 77
fi
checksum_tree=$PWD/examples/checksum_tree
work=$(mktemp -d) || exit 99
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
out=$work/out
mkdir "$out" && cd "$work" || exit 99
failures=0

# same WHAT EXPECTED FOUND: the two files are equal
same() {
    cmp "$2" "$3" && return
    echo "FAILED: $1"
    diff -a "$2" "$3" | head -n 20
    failures=1
}

# equal WHAT EXPECTED FOUND: the two strings are equal
equal() {
    [ "$2" = "$3" ] && return
    printf 'FAILED: %s: expected\n%s\nfound\n%s\n' "$1" "$2" "$3"
    failures=1
}

# ---------------------------------------------------------------------------------------------
# A tree
# ---------------------------------------------------------------------------------------------
newline='
'
tab=$(printf '\t')
latin1=$(printf 'latin1 \351')

make_odd_names() {
    mkdir -p "odd/-d" "odd/dir with spaces" "odd/dir${newline}newline" "odd/empty directory"
    for name in plain 'two words' "new${newline}line" "${newline}" "ends in newline${newline}" \
        'back\slash' '\n' '\' -dash --help -0 - '*' '?' '$HOME' '`id`' '%s%n' "'" '"' "tab$tab" \
        .hidden ... 'naïve ünïcode 数' "$latin1" "#" ' ' '  two  spaces' 'trailing ' '~'; do
        printf 'content of %s' "$name" > "odd/$name"
        printf 'other content of %s' "$name" > "odd/dir${newline}newline/$name"
    done
    echo 1 > "odd/-d/x"
    echo 2 > "odd/dir with spaces/y z"
    echo 3 > "odd/$(printf '%0255d' 0)"
}

# Sizes around the stripes of the hash and the buffer of the program.
make_sizes() {
    mkdir sizes
    for size in 0 1 3 4 7 8 31 32 33 4095 4096 131071 131072 131073 262144 3145728; do
        seq 1 500000 | head -c "$size" > "sizes/$size"
    done
}

make_links() {
    mkdir links links/inner
    echo target > links/target
    ln -s . links/loop
    ln -s ../.. links/inner/up
    ln -s target links/to_file
    ln -s ../odd links/to_directory
    ln -s nowhere links/dangling
    ln -s self links/self
    ln links/target links/hard
    mkfifo links/fifo
    mknod links/device c 1 3 2>/dev/null || mkfifo links/device
}

# One path is the beginning of another, not always at a slash; as many files as it takes for a
# worker to go to and fro between directories.
make_alike() {
    for directory in a a/b ab; do
        mkdir -p "alike/$directory"
        for file in $(seq 200); do
            echo "$directory/$file" > "alike/$directory/$file"
        done
    done
}

make_deep() {
    mkdir deep
    (
        cd deep || exit 1
        for level in $(seq 200); do
            echo "$level" > file
            mkdir d && cd -P d || exit 1
        done
        echo bottom > bottom
    )
}

make_wide() {
    mkdir wide
    (cd wide && seq 5000 | split -l 1 -a 5 -d - w)
}

mkdir tree && cd tree || exit 99
make_odd_names
make_sizes
make_links
make_alike
make_deep
make_wide
cd ..

# ---------------------------------------------------------------------------------------------
# Equal to find and xxhsum
# ---------------------------------------------------------------------------------------------

# lines ARGUMENT: what find and xxhsum print
lines() {
    find "$1" -type f -print0 | xargs -0 -r xxhsum -H1 2>/dev/null | sort
}

# compare WHAT ARGUMENT [OPTION...]: status 0, and the lines are equal
compare() {
    what=$1 argument=$2
    shift 2
    lines "$argument" > "$out/expected"
    "$checksum_tree" "$@" -- "$argument" > "$out/raw" 2> "$out/stderr"
    equal "$what: status" 0 $?
    sort "$out/raw" > "$out/found"
    same "$what" "$out/expected" "$out/found"
}

for workers in 1 2 16; do
    compare "$workers workers" tree -j "$workers"
done
compare 'as many workers as the library chooses' tree

for argument in tree/ tree// ./tree tree/. tree/odd/plain ./tree/odd/-dash tree/links/loop \
    tree/links/loop/ tree/links/to_file tree/links/fifo tree/links/device "$PWD/tree/odd" \
    tree/alike "$work/tree/odd/${newline}" 'tree/odd/empty directory'; do
    compare "argument '$argument'" "$argument"
done
# What is open is bounded by the workers, not by the tree.
(
    ulimit -n 64
    compare 'few descriptors' tree -j 4
    exit "$failures"
) || failures=1

cd tree/odd || exit 99
for argument in . ./ .. plain ' '; do
    compare "argument '$argument'" "$argument"
done
for argument in -dash -d --help; do
    compare "argument '$argument'" "./$argument"
    "$checksum_tree" -- "$argument" 2>/dev/null | sed "s,  -,  ./-," | sort > "$out/found"
    same "argument '$argument' after --" "$out/expected" "$out/found"
done
cd ../..

# ---------------------------------------------------------------------------------------------
# -0 and -s
# ---------------------------------------------------------------------------------------------
find tree/odd tree/sizes -type f -print0 | xargs -0 -n 1 sh -c '
    hash=$(xxhsum -H1 < "$1")
    printf "%s  %s\0" "${hash%% *}" "$1"' sh | sort -z > "$out/expected"
{
    "$checksum_tree" -0 tree/odd
    "$checksum_tree" -0 tree/sizes
} 2>/dev/null | sort -z > "$out/found"
same 'records that end in NUL' "$out/expected" "$out/found"

find tree -type f -printf '%s  %p\0' | sort -z > "$out/expected"
"$checksum_tree" -0s tree 2>/dev/null | cut -z -c 19- | sort -z > "$out/found"
same 'sizes' "$out/expected" "$out/found"

# ---------------------------------------------------------------------------------------------
# The summary
# ---------------------------------------------------------------------------------------------
count() {
    find tree "$@" -printf x | wc -c
}
bytes=$(find tree -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
expected="$(count -type f) files, $bytes bytes, $(count -type d) directories, "
expected="$expected$(count ! -type f ! -type d) skipped, 0 errors, T s, R MB/s"
"$checksum_tree" tree 2>&1 >/dev/null |
    sed 's/[0-9]*\.[0-9][0-9][0-9] s, [0-9]*\.[0-9] MB/T s, R MB/' > "$out/found"
equal summary "$expected" "$(cat "$out/found")"

# ---------------------------------------------------------------------------------------------
# A path longer than PATH_MAX: no program can open it by its name
# ---------------------------------------------------------------------------------------------
(
    mkdir long && cd long || exit 1
    name=$(printf '%0200d' 0)
    for level in $(seq 30); do
        mkdir "$name" && cd -P "$name" || exit 1
    done
    echo far > far
    echo further > further
)
find long -type f | sort > "$out/expected"
"$checksum_tree" -j 2 long 2>/dev/null | cut -c 19- | sort > "$out/found"
same 'long paths' "$out/expected" "$out/found"
equal 'hash at the end of a long path' "$(echo far | xxhsum -H1 | cut -c 1-16)" \
    "$("$checksum_tree" long 2>/dev/null | grep 'far$' | cut -c 1-16)"

# ---------------------------------------------------------------------------------------------
# What cannot be read
# ---------------------------------------------------------------------------------------------

# Root reads everything unless it gives that right up.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --bounding-set=-dac_override,-dac_read_search \
            --inh-caps=-dac_override,-dac_read_search -- "$@"
    else
        "$@"
    fi
}

mkdir closed 'closed/no way' closed/listed closed/open
for file in 'closed/no way/x' closed/listed/x closed/open/x closed/secret; do
    echo x > "$file"
done
chmod 000 closed/secret 'closed/no way'
chmod 400 closed/listed
if unprivileged cat closed/secret >/dev/null 2>&1; then
    echo 'not tested: unreadable files, nothing is unreadable here'
else
    unprivileged "$checksum_tree" closed > "$out/found" 2> "$out/stderr"
    equal 'unreadable: status' 1 $?
    same 'unreadable: the readable rest' - "$out/found" <<REST
$(xxhsum -H1 closed/open/x)
REST
    denied='Permission denied'
    equal 'unreadable: reasons' "\
checksum_tree: closed/listed/x: cannot open: $denied
checksum_tree: closed/no way: cannot open the directory: $denied
checksum_tree: closed/secret: cannot open: $denied" "$(grep '^checksum_tree' "$out/stderr" | sort)"
    equal 'unreadable: summary' '1 files, 2 bytes, 3 directories, 0 skipped, 3 errors' \
        "$(tail -n 1 "$out/stderr" | sed 's/, [^,]*, [^,]*$//')"
    unprivileged "$checksum_tree" 'closed/no way' > "$out/found" 2> "$out/stderr"
    equal 'unreadable argument: status' 1 $?
    equal 'unreadable argument: reason' \
        "checksum_tree: closed/no way: cannot open the directory: $denied" \
        "$(head -n 1 "$out/stderr")"
    unprivileged "$checksum_tree" closed/secret > "$out/found" 2> "$out/stderr"
    equal 'unreadable file argument: status' 1 $?
    equal 'unreadable file argument: reason' \
        "checksum_tree: closed/secret: cannot open: $denied" "$(head -n 1 "$out/stderr")"
fi

# ---------------------------------------------------------------------------------------------
# What cannot run at all
# ---------------------------------------------------------------------------------------------

# refused MESSAGE ARGUMENT...: status 2, the message, no output
refused() {
    message=$1
    shift
    "$checksum_tree" "$@" > "$out/found" 2> "$out/stderr"
    equal "refused $*: status" 2 $?
    equal "refused $*: message" "$message" "$(cat "$out/stderr")"
    equal "refused $*: output" '' "$(cat "$out/found")"
}

usage='usage: checksum_tree [-0s] [-j WORKERS] [DIR]'
refused 'checksum_tree: missing: No such file or directory' missing
refused 'checksum_tree: : No such file or directory' ''
refused 'checksum_tree: tree/odd/plain/: Not a directory' tree/odd/plain/
refused "$usage" -j 0 tree
refused "$usage" -j 65537 tree
refused "$usage" -j 2x tree
refused "$usage" tree tree

for argument in tree tree/odd/plain; do # more than a buffer of lines, and one
    "$checksum_tree" "$argument" > /dev/full 2> "$out/stderr"
    equal "full disk, $argument: status" 2 $?
    equal "full disk, $argument: message" \
        'checksum_tree: cannot go on: No space left on device' "$(cat "$out/stderr")"
done

exit "$failures"
