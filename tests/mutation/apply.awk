# SPDX-License-Identifier: BSD-2-Clause
# Applies one mutant of the list to the files below `tree`.  Prints the files that changed; fails
# with a sentence if a line is not found any more.
#
#     awk -v name=NAME -v tree=FOLDER -f apply.awk mutants.txt

function text_after_word() {
    sub(/^[a-z]+ ?/, "")
    return $0
}

function read_file(path,    line) {
    count = 0
    while ((getline line < path) > 0)
        lines[++count] = line
    close(path)
    at = 1
}

function write_file(path,    i) {
    for (i = 1; i <= count; i++)
        print lines[i] > path
    close(path)
}

function not_found(what) {
    print name ": " file " has no line with: " what | "cat >&2"
    failed = 1
    exit 1
}

function find(what) {
    while (at <= count && index(lines[at], what) == 0)
        at++
    if (at > count)
        not_found(what)
}

/^mutant / { mine = $2 == name; found = found || mine; next }
!mine { next }

/^file / {
    if (file)
        write_file(tree "/" file)
    file = $2
    print file
    read_file(tree "/" file)
}
/^after / { at = 1; find(text_after_word()); at++ }
/^old / { old = text_after_word(); find(old) }
/^new/ {
    new = text_after_word()
    place = index(lines[at], old)
    lines[at] = substr(lines[at], 1, place - 1) new substr(lines[at], place + length(old))
    changed = 1
    at++
}

END {
    if (failed)
        exit 1
    if (!found || !changed) {
        print "there is no mutant " name | "cat >&2"
        exit 1
    }
    write_file(tree "/" file)
}
