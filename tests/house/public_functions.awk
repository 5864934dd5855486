# SPDX-License-Identifier: BSD-2-Clause
# Prints the name of each function that the given public headers declare, one a line.  A
# declaration without DISTRIBUTOR_API would be hidden in the shared library: it is printed as
# "hidden NAME".

function finish(declaration, name) {
    if (declaration ~ /^[ \t]*(typedef|static|struct|enum|extern "C")/)
        return
    if (!match(declaration, /distributor_[a-z0-9_]+ *\(/))
        return
    name = substr(declaration, RSTART, RLENGTH)
    sub(/ *\($/, "", name)
    print (declaration ~ /DISTRIBUTOR_API/ ? "" : "hidden ") name
}

FNR == 1 { declaration = ""; comment = 0; macro = 0 }

macro || /^[ \t]*#/ { macro = /\\$/; next }

{
    line = $0
    while (comment || index(line, "/*")) {
        if (!comment) {
            declaration = declaration " " substr(line, 1, index(line, "/*") - 1)
            line = substr(line, index(line, "/*") + 2)
            comment = 1
        }
        if (!index(line, "*/"))
            next
        line = substr(line, index(line, "*/") + 2)
        comment = 0
    }
    declaration = declaration " " line
    while ((end = match(declaration, /[;{}]/)) > 0) {
        finish(substr(declaration, 1, end))
        declaration = substr(declaration, end + 1)
    }
}
