#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# distributor run: Ctrl-C, once and twice, and tasks that end the process.
. "${srcdir:-.}/tests/cli/support.sh"

case ${SANITIZER:-no} in
thread)
    echo "skipped: ThreadSanitizer holds handlers back while a thread waits in the kernel"
    exit 77 ;;
esac

# begins FILE: waits until a task has made it.
begins() {
    tries=0
    while [ ! -e "$1" ]; do
        [ $((tries += 1)) -le 600 ] || { wrong "a task does not begin"; finish; }
        sleep 0.1
    done
}

# The first task ends when it is told to, so that nothing here is a matter of time.
module waits << MODULE
#include <stdio.h>
#include <unistd.h>
DISTRIBUTOR_TASK(first)
{
    fclose(fopen("$work/begun", "w"));
    while (!distributor_call_should_stop(call))
        usleep(1000);
    return 0;
}
DISTRIBUTOR_TASK(second, .after = {"first"}) { return 0; }
DISTRIBUTOR_TASK(third, .after = {"second"}) { return 0; }
DISTRIBUTOR_TASK(deaf)
{
    fclose(fopen("$work/begun", "w"));
    for (;;)
        pause();
}
MODULE
run 0 run --dry-run "$work/waits.c"

src/cli/distributor run --verbose --result-deaf=0 "$work/waits.c" > "$work/out" 2> "$work/err" &
begins "$work/begun"
kill -INT $!
wait $!
status=$?
[ "$status" = 130 ] || wrong "after one Ctrl-C: status $status, not 130"
says "passed     first" "cancelled  second" "cancelled  third" \
    "1 passed, 0 failed, 0 skipped, 2 cancelled"

rm -f "$work/begun"
src/cli/distributor run "$work/waits.c::deaf" > "$work/out" 2> "$work/err" &
begins "$work/begun"
kill -INT $!
tries=0 # two at the same time may be one
while kill -INT $! 2> /dev/null && [ $((tries += 1)) -le 600 ]; do
    sleep 0.1
done
wait $!
status=$?
[ "$status" = 130 ] || wrong "after two: status $status, not 130"
says_not "passed"

if [ "${SANITIZER:-no}" != no ]; then
    echo "sanitizers have last words of their own: crashes were not tried"
    finish
fi

module crash << 'MODULE'
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static int deep(volatile char *above)
{
    volatile char frame[64];
    frame[0] = above ? above[0] : 0;
    return deep(frame) + frame[0];
}
DISTRIBUTOR_TASK(segment) { return raise(SIGSEGV); }
DISTRIBUTOR_TASK(overflow) { return deep(NULL); }
DISTRIBUTOR_TASK(aborts) { abort(); }
DISTRIBUTOR_TASK(leaves) { exit(0); }
static int part(distributor_call_t *call)
{
    (void)call;
    return raise(SIGBUS);
}
DISTRIBUTOR_TASK(spawns) { return distributor_call_spawn(call, part, NULL, 0); }
static int deep_part(distributor_call_t *call)
{
    (void)call;
    return deep(NULL);
}
DISTRIBUTOR_TASK(beside)
{
    for (int rc = distributor_call_spawn(call, deep_part, NULL, 0);; pause())
        if (rc != 0)
            return rc;
}
MODULE
# dies STATUS WORDS ARGUMENT...: this run ends so, and these are its last words.
dies() {
    wanted=$1 words=$2
    shift 2
    (ulimit -c 0; exec src/cli/distributor "$@") > "$work/out" 2> "$work/err"
    status=$?
    [ "$status" = "$wanted" ] || wrong "$*: status $status, not $wanted"
    grep -qxF "distributor: $words" "$work/err" || wrong "$*: its last words are not '$words'"
}
crashes() {
    dies "$2" "task '$1' $3" run "$work/crash.c::$1"
}
crashes segment 139 "crashed: Segmentation fault"
crashes overflow 139 "crashed: Segmentation fault"
crashes aborts 134 "crashed: Aborted"
crashes leaves 4 "called exit"
crashes spawns 135 "crashed: Bus error"
# The part is on a thread of its own, which has run no whole task.
dies 139 "task 'beside' crashed: Segmentation fault" run --workers=2 "$work/crash.c::beside"

# A module that is loaded, and one that sets the state up.
module loaded << 'MODULE'
#include <signal.h>
#include <stdlib.h>
__attribute__((constructor)) static void load(void)
{
    if (getenv("LOAD_EXITS"))
        exit(0);
    if (getenv("LOAD_CRASHES"))
        raise(SIGFPE);
}
int setup_state(distributor_state_t *state) { (void)state; abort(); }
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
run 0 graph "$work/loaded.c"
dies 134 "module '$work/loaded.c' crashed: Aborted" run "$work/loaded.c"
LOAD_EXITS=1 && export LOAD_EXITS
dies 3 "module '$work/loaded.c' called exit" graph "$work/loaded.c"
unset LOAD_EXITS
LOAD_CRASHES=1 && export LOAD_CRASHES
dies 136 "module '$work/loaded.c' crashed: Floating point exception" run "$work/loaded.c"
unset LOAD_CRASHES
finish
