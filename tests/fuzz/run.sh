#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh NAME OPTION...: runs a fuzzer over its corpus.  What is new stays in fuzz/NAME of the build
# folder, where the next run finds it; what fails is put beside that.
name=$1
shift
corpus="${srcdir:=.}/tests/fuzz/corpus/$name"
words="$srcdir/tests/fuzz/$name.dict"
mkdir -p "fuzz/$name" || exit

# Freed memory that is soon used again, and short stacks, make it three times as fast: most of the
# time goes into malloc.  Who looks for the cause of a report sets ASAN_OPTIONS.
short="malloc_context_size=2:max_malloc_fill_size=64"
short="$short:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"

# A small text for a parser needs little.  There is no limit for all of the memory, for the thread
# that would look at it has some of its own while it begins, which can pass for a leak.
if [ "$name" = api ]; then
    set -- -max_len=600 "$@"
else
    export ASAN_OPTIONS="${ASAN_OPTIONS:-$short}"
    set -- -max_len=256 -dict="$words" -malloc_limit_mb=16 -rss_limit_mb=0 "$@"
fi
# Its own exit code for a failure, 77, means skipped here.  A machine that stops for minutes is no
# failure.
exec "tests/fuzz/${name}_fuzzer" -error_exitcode=1 -timeout=1200 \
    -artifact_prefix="fuzz/$name-" "$@" "fuzz/$name" "$corpus"
