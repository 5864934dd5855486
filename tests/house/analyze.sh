#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make analyze`: cppcheck, clang-tidy and gcc -fanalyzer over src.  It takes minutes, so `make
# check` does without it.  A tool that is missing is said and left out.
. "${srcdir:-.}/tests/house/report.sh"

flags="-std=gnu11 -D_GNU_SOURCE= -Iinclude -Isrc $(pkg-config --cflags jansson 2>/dev/null)"
found=$(mktemp) || exit 99
output=$(mktemp) || exit 99
trap 'rm -f "$found" "$output"' EXIT
cd "$srcdir" || exit 99
srcdir=.
sources=$(find src -name '*.c' | sort)

# What is known to be wrong about the code, not wrong in it: tool's check, file, and why.  Leaks are
# looked for by AddressSanitizer and by tests/fault, which follow what is kept as a word.
known() {
    cat <<'KNOWN'
uninitvar src/flow/run.c                     the address is taken, for what memset fills
uninitvar src/pool/order.c                   the claim fills it, if it returns more than 0
analyzer-malloc-leak src/                    it is kept in a slot, a list or a table as a word
clang-analyzer-unix.Malloc src/              the same
clang-analyzer-valist.Uninitialized src/     clang 14 overlooks va_start
analyzer-possible-null-argument src/flow/plan.c     its caller looks at both arrays together
analyzer-possible-null-dereference src/flow/plan.c  the same
clang-analyzer-core.NonNullParamChecker src/flow/plan.c  the same
clang-analyzer-core.NullDereference src/flow/plan.c      the same
clang-analyzer-core.uninitialized.Assign src/flow/plan.c  from is set along a cycle
analyzer-null-dereference src/flow/bind.c    the count is 0 without an array
clang-analyzer-core.NullDereference src/flow/bind.c      the same
clang-analyzer-core.NonNullParamChecker src/flow/file.c  with a file create_beside gives its name
clang-analyzer-core.NonNullParamChecker src/flow/module_cache.c  what says an error returns it
analyzer-null-argument src/flow/module_cache.c           the same
analyzer-possible-null-argument src/flow/module_cache.c  the same
clang-analyzer-core.NonNullParamChecker src/cli/options.c  complain returns the status it is given
clang-analyzer-core.NullDereference src/cli/options.c      the same
clang-analyzer-core.UndefinedBinaryOperatorResult src/flow/module_files.c  read and fstat fill it
analyzer-double-free src/pool/pipe.c         one brings the number of users to 0
concurrency-mt-unsafe src/                   getenv, while nobody sets; glibc's strerror
bugprone-implicit-widening-of-multiplication-result src/queue/queue.c  slots are few
autoVariables src/queue/deque.c              nobody looks at the share afterwards
bugprone-sizeof-expression src/              arrays of pointers are meant
KNOWN
}

# report: what a tool printed, without what is known and what stands in other people's headers.
report() {
    sed "s,^$PWD/,,;s,^\./,," "$output" |
        grep -E '^src/.*(warning|error|portability|performance):' | sort -u > "$found"
    while read -r check file _; do
        grep -vE "^$file.*\[(-W)?$check(,|\]|=)" "$found" > "$found.rest"
        mv "$found.rest" "$found"
    done <<LIST
$(known)
LIST
    while read -r line; do
        wrong "$line"
    done < "$found"
}

if command -v cppcheck >/dev/null; then
    cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
        --template='{file}:{line}: {severity}: {message} [{id}]' -D_GNU_SOURCE= \
        -I include -I src src > "$output" 2>&1
    report
else
    echo "no cppcheck"
fi

# Left out: memcpy_s and its kind, which no libc here has; snprintf that cuts, which is meant.
checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,'
checks="$checks"'bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,'
checks="$checks"'concurrency-*,misc-redundant*,misc-misplaced*'
if command -v clang-tidy >/dev/null; then
    # shellcheck disable=SC2086
    clang-tidy --quiet -checks="$checks" $sources -- $flags > "$output" 2>/dev/null
    report
else
    echo "no clang-tidy"
fi

if gcc -fanalyzer -E - < /dev/null > /dev/null 2>&1; then
    for source in $sources; do
        # shellcheck disable=SC2086
        gcc $flags -O2 -fanalyzer -c "$source" -o /dev/null 2>&1
    done > "$output"
    report
else
    echo "no gcc with -fanalyzer"
fi

house_end "If it is right about the code, mend that; else add a line to known, with the reason."
