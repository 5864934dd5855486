#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# distributor run: what each option does.
. "${srcdir:-.}/tests/cli/support.sh"
examples=$source/examples/modules

run 0 --help
says "Usage: distributor run" "Exit status"
run 0 --version
says "distributor (libdistributor) $VERSION"

run 0 run "$examples/simple.c"
says "6 passed, 0 failed, 0 skipped, 0 cancelled"
run 0 run --verbose --workers 2 --nap=0 --log "$examples/simple.c"
says "passed     a" "passed     f"
grep -q 'info: f: completed' "$work/err" || wrong "does not log"
run 0 run --dry-run "$examples/simple.c"
[ "$(tr '\n' ' ' < "$work/out")" = "a b c d e f " ] || wrong "another plan"

run 1 run "$examples/failing.c"
says "failed     test_d" "intentional failure" "skipped    test_f" "4 passed, 1 failed, 1 skipped"
run 1 run --run-deps --verbose "$examples/failing.c"
says "5 passed, 1 failed, 0 skipped" "test_f.test_b.test_a"
run 1 run --run-deps --skip-deps "$examples/failing.c"
says "1 skipped"
run 0 run --tags quick,nothing --verbose "$examples/failing.c"
says "2 passed" "test_e.--no-result--"
run 0 run --verbose --result-test_a=mocked "$examples/failing.c::test_b"
says "test_b.mocked" "1 passed, 0 failed"
module alone << 'MODULE'
DISTRIBUTOR_TASK(load) { return distributor_return_int(call, 1); }
DISTRIBUTOR_TASK(use, .after = {"load"})
{
    distributor_value_t value;
    return distributor_call_result(call, "load", &value);
}
DISTRIBUTOR_TASK(counts) { return 3; }
MODULE
run 1 run "$work/alone.c::use"
says "there is no such result, or no value, yet"
run 1 run "$work/alone.c::counts"
says "it returned 3, not 0 or a negative errno"
run 1 run --verbose --result-test_a=7 "$examples/failing.c"
says "test_b.7" "3 passed, 1 failed, 1 skipped"
run 0 run --result-test_d=x "$examples/failing.c"
says "5 passed, 0 failed"

# One worker, so that what comes after the failure has not begun.
module fast << 'MODULE'
DISTRIBUTOR_TASK(first) { return -5; }
DISTRIBUTOR_TASK(then, .after = {"first"}) { return 0; }
DISTRIBUTOR_TASK(end, .after = {"first"}) { return 0; }
MODULE
run 1 run --fail-fast --run-deps --workers=1 "$work/fast.c"
says "0 passed, 1 failed, 0 skipped, 2 cancelled"

# The state: from the command line, to setup_state, to the tasks, to the file and back.
run 0 run --state-file "$work/state.json" --verbose "$examples/shared_state.c"
says "compute" "15" "loaded"
grep -q '"counter": *3' "$work/state.json" || wrong "no counter in the file"
run 0 run --state-file "$work/state.json" --verbose "$examples/shared_state.c"
grep -q '"counter": *6' "$work/state.json" || wrong "the file was not read"
module keys << 'MODULE'
#include <stdio.h>
static int show(void *n, const char *key, distributor_value_type_t type, unsigned flags,
                const distributor_value_t *value)
{
    char text[64];
    (void)n, (void)flags;
    distributor_value_format(value, text, sizeof text);
    printf("%s is %s %s\n", key, distributor_value_type_name(type), text);
    return 0;
}
int setup_state(distributor_state_t *state)
{
    int rc = 0;
#ifdef DECLARES
    rc = distributor_state_declare(state, "zip", DISTRIBUTOR_STRING, 0);
    if (rc == 0)
        rc = distributor_state_declare(state, "ratio", DISTRIBUTOR_FLOAT, DISTRIBUTOR_REPLACE);
    if (rc == 0)
        rc = distributor_state_declare(state, "count", DISTRIBUTOR_INT, 0);
#endif
    return rc == 0 ? distributor_state_each(state, show, NULL) : rc;
}
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
run 0 run --env=dev --i=42 --f=2.5 --b=true --empty= --odd=4x -D workers=x -Dtags=3 -- "$work/keys.c"
says "env is string dev" "i is int 42" "f is float 2.5" "b is bool true" "empty is string" \
    "odd is string 4x" "workers is string x" "tags is int 3"
echo '{"i": 1, "f": 1.5, "s": "x"}' > "$work/typed.json"
run 0 run --state-file "$work/typed.json" --f=2 --s=3 "$work/keys.c"
says "i is int 1" "f is float 2" "s is string 3"

# What setup_state declares decides how a text of the command line is read; else what it looks like.
CFLAGS=-DDECLARES && export CFLAGS
run 0 run --zip=042 --ratio=2 --count=007 --state-file "$work/declared.json" "$work/keys.c"
says "zip is string 042" "ratio is float 2" "count is int 7"
run 0 run --ratio=3 --state-file "$work/declared.json" "$work/keys.c"
says "zip is string 042" "ratio is float 3" "count is int 7"
unset CFLAGS
run 0 run --a=007 --b=0x10 --c=1e400 --d=9223372036854775808 --e=1_000 --f=nan --g=-.5 --h=1e3 \
    --i=+5 --j=-9223372036854775808 --k=00.5 --l=0 "$work/keys.c"
says "a is string 007" "b is string 0x10" "c is string 1e400" "d is string 9223372036854775808" \
    "e is string 1_000" "f is string nan" "g is float -0.5" "h is float 1000" "i is int 5" \
    "j is int -9223372036854775808" "k is string 00.5" "l is int 0"

# Times, arrows and lanes.
run 1 run --trace "$work/trace.json" "$examples/failing.c"
grep -c '"ph":"X"' "$work/trace.json" | grep -qx 5 || wrong "a trace without five slices"
grep -c '"ph":"f"' "$work/trace.json" | grep -qx 4 || wrong "a trace without four arrows"

# No bar where there is no terminal; script(1) is one.
run 0 run --progress "$examples/simple.c"
[ ! -s "$work/err" ] || wrong "a bar in a file"
if command -v script > /dev/null; then
    # Long enough for the bar to be drawn between the first end and the last.
    script -qec "src/cli/distributor run --progress --nap=100 $examples/simple.c" /dev/null \
        > "$work/out" 2>&1
    says "[##############################] 6/6" " s left"
    script -qec "src/cli/distributor run $examples/failing.c" /dev/null > "$work/out" 2>&1
    grep -q "$(printf '\033\[31m')failed" "$work/out" || wrong "no colour on a terminal"
    NO_COLOR=1 script -qec "src/cli/distributor run $examples/failing.c" /dev/null > "$work/out" 2>&1
    says "failed     test_d"
    says_not "$(printf '\033')"
fi

# The viewer: plain lines in a file and on a dumb terminal, codes on another.
run 1 run --viewer "$examples/failing.c"
grep -q '^worker [0-9]* runs test_d$' "$work/err" || wrong "the viewer does not say what runs"
grep -q '^failed *test_d$' "$work/err" || wrong "the viewer does not say what failed"
if command -v script > /dev/null; then
    viewer="src/cli/distributor run --viewer $examples/simple.c"
    TERM=dumb script -qec "$viewer" /dev/null > "$work/out" 2>&1
    says " runs a"
    TERM=xterm script -qec "$viewer" /dev/null > "$work/out" 2>&1
    says "6 of 6 tasks"
    says_not " runs a"
    grep -q "$(printf '\033\[A')" "$work/out" || wrong "the viewer does not go up"
    # The clock goes on while nothing begins or ends: the task ends when it has seen that.
    module watched << MODULE
#include <stdlib.h>
#include <unistd.h>
DISTRIBUTOR_TASK(watched)
{
    for (int i = 0; i < 1000; i++, usleep(10000))
        if (system("grep -q '[^0 ] s  watched' '$work/out'") == 0)
            return 0;
    return -1;
}
MODULE
    TERM=xterm script -qefc "src/cli/distributor run --viewer $work/watched.c" /dev/null \
        > "$work/out" 2>&1 || wrong "the clock of the viewer stands still"
fi

run 0 graph "$examples/failing.c"
says "level 0: test_a" "level 2: test_d test_e" "roots: test_a" "leaves: test_e test_f" \
    "longest chain: test_a -> test_c -> test_d -> test_f" "6 tasks, 4 levels"
run 0 graph --dot "$examples/failing.c"
says '"test_c" -> "test_d";'
run 0 graph --json "$examples/failing.c"
says '"levels": 4' '"quick"'
finish
