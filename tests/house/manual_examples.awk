# SPDX-License-Identifier: BSD-2-Clause
# Writes each program of the EXAMPLES section of a manual page to FOLDER/PAGE_NUMBER.c, and what
# the page says that it prints ("It prints ... .") to FOLDER/PAGE_NUMBER.expected.
#
#     awk -v folder=FOLDER -f manual_examples.awk PAGE

function name(suffix) {
    page = FILENAME
    gsub(/.*\/|\.3$/, "", page)
    return folder "/" page "_" number suffix
}

/^\.Sh / { examples = $2 == "EXAMPLES" }
/^\.Ed/ { program = 0 }

program {
    gsub(/\\&/, "")
    gsub(/\\e/, "\\")
    print > name(".c")
}

examples && /^\.Bd -literal/ { program = 1; number++ }

examples && /^It prints .*\.$/ {
    sub(/^It prints /, "")
    sub(/\.$/, "")
    print > name(".expected")
}
