# SPDX-License-Identifier: BSD-2-Clause
# Turns the SYNOPSIS of manual pages into C declarations: compiled behind the headers that it
# includes, one that differs from theirs is an error.

function arguments(line,    list) {
    while (match(line, /"[^"]*"/)) {
        list = list (list == "" ? "" : ", ") substr(line, RSTART + 1, RLENGTH - 2)
        line = substr(line, RSTART + RLENGTH)
    }
    return list
}

$1 == ".In" { print "#include <" $2 ">" }
/^\.Sh / { synopsis = $2 == "SYNOPSIS" }
!synopsis { next }
$1 == ".Ft" { type = $0; sub(/^\.Ft +/, "", type) }
$1 == ".Fn" && NF == 3 && $3 == "void" { print type " " $2 "(void);"; next }
$1 == ".Fn" { print type " " $2 "(" arguments($0) ");" }
$1 == ".Fo" { open = type " " $2 "("; list = "" }
$1 == ".Fa" { list = list (list == "" ? "" : ", ") arguments($0) }
$1 == ".Fc" { print open list ");" }
