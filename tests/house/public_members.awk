# SPDX-License-Identifier: BSD-2-Clause
# Prints what else the given public headers offer: each member of each struct, each constant of
# each enum and each macro with a value, one a line.

function clean(line) {
    gsub(/\/\*[^*]*\*\//, "", line)
    if (comment && !sub(/^.*\*\//, "", line))
        return ""
    comment = sub(/\/\*.*/, "", line)
    return line
}

FNR == 1 { comment = 0; body = "" }

{ line = clean($0) }

line ~ /^#define DISTRIBUTOR_[A-Z_]+ / {
    split(line, word)
    if (word[2] != "DISTRIBUTOR_API")
        print word[2]
    next
}
line ~ /^typedef (struct|enum) .*\{/ { body = line ~ /enum/ ? "enum" : "struct"; next }
line ~ /^\}/ { body = "" }

body == "enum" && match(line, /DISTRIBUTOR_[A-Z_]+/) { print substr(line, RSTART, RLENGTH) }

body == "struct" && line ~ /;/ {
    sub(/\)\(.*/, "", line)      # a pointer to a function: what stands before its parameters
    gsub(/\[[^]]*\]|;/, "", line)
    count = split(line, member, /,/)
    for (i = 1; i <= count; i++) {
        sub(/ +$/, "", member[i])
        if (match(member[i], /[a-z_]+$/))
            print substr(member[i], RSTART)
    }
}
