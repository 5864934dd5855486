#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs one test for `make check` and ends it if it hangs.  The limit is far above what any test
# needs, also under a sanitizer: it decides nothing, it only lets the rest go on.
#
#     watchdog.sh [--unit] PROGRAM [ARGUMENT...]
#
# --unit: the program is made with Criterion.  Criterion runs each test in a child and takes no
# notice of what a sanitizer says at the end of that child, so reports go to files, and a file is
# a failure.
limit=${WATCHDOG_LIMIT:-600}

# ThreadSanitizer of gcc 12 and clang 14 cannot place its memory if the kernel spreads addresses
# too widely; without randomisation it always can.
fixed_addresses=
if [ "$SANITIZER" = thread ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed_addresses="setarch $(uname -m) -R"
fi

# At the end of a process ThreadSanitizer looks on for a second while its other threads run.  They do
# much in a hundredth of that, and one test ends 140 processes.
UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
TSAN_OPTIONS="second_deadlock_stack=1:atexit_sleep_ms=10${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export UBSAN_OPTIONS TSAN_OPTIONS

if [ "$1" != --unit ]; then
    exec $fixed_addresses timeout --kill-after=10 "$limit" "$@"
fi

shift
reports=$(mktemp -d) || exit 99
ASAN_OPTIONS="log_path=$reports/asan${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
UBSAN_OPTIONS="log_path=$reports/ubsan:$UBSAN_OPTIONS"
export ASAN_OPTIONS UBSAN_OPTIONS
timeout --kill-after=10 "$limit" "$@" --tap=-
status=$?
for report in "$reports"/*; do
    [ -f "$report" ] || continue
    sed 's/^/# /' "$report"
    status=1
done
rm -rf "$reports"
exit "$status"
