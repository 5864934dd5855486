#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# C++: an exception may fly inside a callback, and a jump too.  One that leaves a callback finds no
# handler above a worker, so that the runtime ends the process at once, in the frame that threw; it
# neither hangs nor goes on.
. "${srcdir:-.}/tests/house/report.sh"

[ -n "$CXX" ] || skip "no C++ compiler"
work=$(mktemp -d ./exceptions.XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT

cat > "$work/program.cc" <<'PROGRAM'
#include <distributor.h>
#include <csetjmp>
#include <cstdio>
#include <stdexcept>

static int inside(distributor_task_t *self, const void *, size_t)
{
    volatile unsigned caught = 0;
    std::jmp_buf place;
    try {
        throw std::runtime_error("inside");
    } catch (const std::exception &) {
        caught = caught + 1;
    }
    if (setjmp(place) == 0)
        std::longjmp(place, 1);
    unsigned result = caught;
    return distributor_emit(self, &result, sizeof result);
}

static int leaves(distributor_task_t *, const void *, size_t)
{
    throw std::runtime_error("it left its task");
}

int main(int count, char **)
{
    distributor_options_t options = {};
    distributor_task_type_t type = {};
    distributor_result_t r;
    distributor_t *d;
    unsigned results = 0;
    options.size = sizeof options;
    options.workers = 2;
    type.run = count == 1 ? inside : leaves;
    if (distributor_create(&d, &options) != 0)
        return 1;
    // One that leaves is enough: the runtime says less where two do at the same time.
    for (int i = 0; i < (count == 1 ? 100 : 1); i++)
        if (distributor_add_task(d, &type, nullptr, 0) != 0)
            return 2;
    if (distributor_run(d, nullptr) != 0)
        return 3;
    while (distributor_next_result(d, &r) == 1)
        results += *static_cast<const unsigned *>(r.data);
    return distributor_destroy(d) == 0 && results == 100 ? 0 : 4;
}
PROGRAM

if ./libtool --quiet --tag=CC --mode=link $CXX -std=c++11 -Wall -Wextra -Werror -pthread \
    -I"$srcdir/include" "$work/program.cc" -o "$work/program" src/libdistributor.la; then
    timeout 60 "$work/program" || wrong "inside: exit code $?"
    # The shell says which signal ended it: 128 + SIGABRT.
    (ulimit -c 0; timeout 60 "$work/program" leaves) > "$work/output" 2>&1
    status=$?
    [ "$status" -eq 134 ] || wrong "an exception left its task: exit code $status, not 134"
    grep -q 'it left its task' "$work/output" || wrong "it says: $(cat "$work/output")"
else
    wrong "the program does not build"
fi

house_end "An exception must not leave a callback: see distributor/pool.h."
