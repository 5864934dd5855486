#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# C++: objects with static and thread storage use a distributor in their destructors.
. "${srcdir:-.}/tests/house/report.sh"

[ -n "$CXX" ] || skip "no C++ compiler"
work=$(mktemp -d ./destructors.XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT

cat > "$work/program.cc" <<'PROGRAM'
#include <distributor.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

static void check(bool fine, const char *what)
{
    if (!fine) {
        std::fprintf(stderr, "wrong: %s\n", what);
        std::abort();
    }
}

static int echo(distributor_task_t *self, const void *input, size_t size)
{
    return distributor_emit(self, input, size);
}

static const distributor_task_type_t type = []() {
    distributor_task_type_t t = {};
    t.name = "echo";
    t.run = echo;
    return t;
}();

struct Pool {
    distributor_t *d = nullptr;
    Pool() { check(distributor_create(&d, nullptr) == 0 && distributor_start(d) == 0, "start"); }
    /* The last of all: it runs still, with tasks and results inside. */
    ~Pool()
    {
        check(distributor_destroy(d) == 0, "destroy");
        std::puts("destroyed");
    }
    void add() { check(distributor_add_task(d, &type, "x", 2) == 0, "add"); }
};

static Pool pool; /* constructed first, destroyed last */

struct Late {
    ~Late()
    {
        distributor_result_t r;
        pool.add();
        check(distributor_next_result(pool.d, &r) == 1, "a result");
        pool.add();
        std::puts("late");
    }
};

static Late late;                                    /* adds and reads in exit */
static thread_local struct Local {
    bool used = false;
    ~Local() { pool.add(); }
} local;                                             /* adds at the end of its thread */

int main()
{
    for (int i = 0; i < 50; i++)
        std::thread([] { local.used = true; pool.add(); }).join();
    local.used = true;
    distributor_result_t r;
    for (int i = 0; i < 100; i++)
        check(distributor_next_result(pool.d, &r) == 1, "a result");
    check(distributor_try_next_result(pool.d, &r) == -EAGAIN, "no more results");
}
PROGRAM

if ./libtool --quiet --tag=CC --mode=link $CXX -std=c++11 -Wall -Wextra -Werror -pthread \
    -I"$srcdir/include" "$work/program.cc" -o "$work/program" src/libdistributor.la; then
    i=0
    while [ $((i += 1)) -le 20 ]; do
        timeout 60 "$work/program" > "$work/output" || wrong "exit code $?"
        [ "$(tr '\n' ' ' < "$work/output")" = "late destroyed " ] ||
            wrong "its destructors printed: $(cat "$work/output")"
    done
else
    wrong "the program does not build"
fi

house_end "Destructors that run in exit, or at the end of a thread, may use a distributor."
