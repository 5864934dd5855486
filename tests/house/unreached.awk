# SPDX-License-Identifier: BSD-2-Clause
# The error returns of src that no test reached, from a report of gcovr in Cobertura's format:
#
#     awk -v root=SOURCE -f unreached.awk SOURCE/tests/README.md lines.xml
#
# An error return is a line that begins with return or goto, or that names a negative errno.  Those
# that are listed in tests/README.md, by file, function and text, are left out; a row for which there
# is no such line is said too.  The exit status is 1 if there is anything to say.

# The text of a line without its indentation and a comment behind it.
function bare(text) {
    sub(/^[ \t]+/, "", text)
    sub(/[ \t]*\/\*.*$/, "", text)
    return text
}

function is_error_return(text) {
    return text ~ /^(return|goto)[ ;]/ || text ~ /-E[A-Z0-9]+[^A-Z0-9_]/ || text ~ /-errno/
}

# All lines of a file, each with its function.
function look_through(file,    path, text, line, name, key) {
    path = root "/" file
    name = ""
    for (line = 1; (getline text < path) > 0; line++) {
        if (text ~ /^[a-z].*\(/) {
            name = text
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
        }
        text = bare(text)
        key = file " " name " " text
        exists[key] = 1
        if ((file, line) in missed && is_error_return(text)) {
            count++
            if (!(key in reason)) {
                print file ":" line ": " name ": " text
                wrong++
            }
        }
    }
    close(path)
}

# | `src/FILE` | `FUNCTION` | `TEXT` | why |
FILENAME ~ /\.md$/ {
    if (match($0, /^\| `src\//)) {
        split($0, part, / *\| */)
        gsub(/`/, "", $0)
        split($0, part, / *\| */)
        reason[part[2] " " part[3] " " part[4]] = part[5]
        files[part[2]] = 1
    }
    next
}

/<class / {
    match($0, /filename="[^"]*"/)
    file = substr($0, RSTART + 10, RLENGTH - 11)
    files[file] = 1
}
/<line / && /hits="0"/ {
    match($0, /number="[0-9]+"/)
    missed[file, substr($0, RSTART + 8, RLENGTH - 9) + 0] = 1
}

END {
    for (file in files)
        look_through(file)
    for (key in reason)
        if (!(key in exists)) {
            print "tests/README.md lists what is no line of src: " key
            wrong++
        }
    print count + 0 " error returns were not reached, " wrong + 0 " of them not listed"
    exit wrong > 0
}
