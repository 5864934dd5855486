#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make check-long`: the tests in volume.  A step is a command, how often it runs and about how many
# seconds that takes each time; soak.state says how often it has, so that the next call goes on
# there; soak.log keeps what each printed.  Ends at the first failure, when all is done, or when what
# comes next would go beyond SOAK_SECONDS (two hours).  soak.state is to be removed for a fresh start.
: "${srcdir:=.}" "${SOAK_SECONDS:=7200}" "${MAKE:=make}"
begin=$(date +%s)
begun=no
watched="$srcdir/tests/watchdog.sh"
programs=tests/stress
hogs=
figures='tasks,|KiB|^Done [0-9]+ runs|freezes|random scripts|skipped|^[0-9]+ schedules'
figures="$figures|mutants killed|error returns"

# A build with a sanitizer does a hundredth.
if [ -z "$SANITIZER" ] || [ "$SANITIZER" = no ]; then slower=1; else slower=100; fi
many() {
    echo $((($1 + slower - 1) / slower))
}

done_of() {
    sed -n "s/^$1 //p" soak.state 2>/dev/null | tail -n 1
}

# is_over SECONDS: whether there is no time left for a command that takes so long.  The first one of
# a call is run in any case, so that each call gets on.
is_over() {
    [ "$begun" = yes ] && [ $(($(date +%s) - begin + $1)) -gt "$SOAK_SECONDS" ]
}

# step NAME TIMES SECONDS COMMAND...: what is left of it.
step() {
    name=$1 times=$2 seconds=$3
    shift 3
    have=$(done_of "$name")
    have=${have:-0}
    while [ "$have" -lt "$times" ]; do
        if is_over "$seconds"; then
            echo "The time is over at $name, $have of $times; call again to go on."
            end_hogs
            exit 0
        fi
        begun=yes
        since=$(date +%s)
        "$@" > soak.last 2>&1
        status=$?
        { echo "== $name $((have + 1)) of $times: $*"; cat soak.last; } >> soak.log
        if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
            tail -n 20 soak.last
            echo "FAIL $name, exit code $status; soak.log has all of it."
            end_hogs
            exit 1
        fi
        have=$((have + 1))
        echo "$name $have" >> soak.state
        echo "$name $have of $times, $(($(date +%s) - since)) s:" \
            "$(grep -aE "$figures" soak.last | tr '\n' ';')"
    done
}

begin_hogs() {
    for i in 1 2 3 4; do
        (while :; do :; done) &
        hogs="$hogs $!"
    done
}

end_hogs() {
    # shellcheck disable=SC2086
    [ -z "$hogs" ] || kill -KILL $hogs # what has just begun may miss another signal
    hogs=
}
trap 'end_hogs; exit 130' INT TERM

# Under a tenth of a CPU, where the cgroups of this machine let us say so.
with_quota() {
    group=/sys/fs/cgroup/cpu/distributor-soak
    if ! mkdir -p "$group" 2>/dev/null ||
        ! echo 10000 2>/dev/null > "$group/cpu.cfs_quota_us"; then
        echo "skipped: no CPU quota here"
        return 77
    fi
    # shellcheck disable=SC2016
    sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$group" "$@"
    status=$?
    rmdir "$group"
    return "$status"
}

# The programs under ThreadSanitizer need what watchdog.sh does for them, but not its limit.
plain() {
    WATCHDOG_LIMIT=3600 $SHELL "$watched" "$@"
}
SHELL=${SHELL:-/bin/sh}

# What the explorer goes through in order is the same each time, so a part of it is enough here.
again() {
    for test in $unit_tests; do
        $SHELL "$watched" --unit "$test" > soak.unit 2>&1 ||
            { echo "$test"; cat soak.unit; rm -f soak.unit; return 1; }
    done
    rm -f soak.unit
    for test in conservation ending lifecycle quiescence wake; do
        plain "$programs/$test" --rounds 10 || return 1
    done
    for test in $schedule_programs; do
        plain "$test" --preemptions 1 --limit 200 --random 2000 --seed "$(date +%s)" || return 1
    done
}

# The injected faults; an argument is what runs each program.
faults() {
    for test in $fault_programs; do
        echo "$test"
        plain "$@" "$test" || return 1
    done
}

# In the place of AddressSanitizer where the build is a plain one.
faults_in_valgrind() {
    command -v valgrind > /dev/null || { echo "skipped: no valgrind"; return 77; }
    faults valgrind -q --error-exitcode=9 --fair-sched=yes
}

# SIGINT, at a random moment a thousand times, and twice in each state.
interrupts() {
    DISTRIBUTOR_TEST_PERCENT=2000 WATCHDOG_LIMIT=3600 $SHELL "$watched" --unit \
        tests/unit/nasty_system.t --filter "nasty_system/$1"
}

# The seeds of a step must differ each time: the programs take them from the clock.
seed() {
    plain tests/fuzz/api_replay --random "$1" "$(date +%s)"
}

# A million texts for a parser, with sanitizers of its own.  What they found is where the next call
# begins, so there is no need to weigh them.
parser() {
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' > soak.target.c
    "${fuzz_cc:=clang}" -fsanitize=fuzzer,address,undefined -o soak.target soak.target.c
    status=$?
    rm -f soak.target soak.target.c
    [ "$status" -eq 0 ] || { echo "skipped: no libFuzzer"; return 77; }
    "$MAKE" "tests/fuzz/$1_fuzzer" &&
        $SHELL "$srcdir/tests/fuzz/run.sh" "$1" -runs=1000000 -entropic=0 -seed="$(date +%s)"
}

freeze() {
    [ "$SANITIZER" = thread ] || plain "$programs/frozen" --rounds 17 --tasks 60
}

# Each error return of src, but those with a reason.
returns() {
    command -v gcovr > /dev/null || { echo "skipped: no gcovr"; return 77; }
    "$MAKE" coverage
}

idle() {
    [ "$slower" -gt 1 ] || WATCHDOG_LIMIT=3600 $SHELL "$watched" $SHELL \
        "$srcdir/tests/stress/idle_calls.sh" 600
}

step R9-crowd 1 60 plain $SHELL "$srcdir/tests/stress/crowd.sh" "$(many 1000000)"
begin_hogs
step R9-crowd-and-hogs 1 60 plain $SHELL "$srcdir/tests/stress/crowd.sh" "$(many 1000000)"
end_hogs
step R9-quota 1 120 with_quota $SHELL "$srcdir/tests/stress/crowd.sh" "$(many 200000)"
[ "$SANITIZER" = thread ] || step R3-faults 1 120 faults
[ "$slower" -gt 1 ] || step R3-valgrind 1 1500 faults_in_valgrind
[ -z "$unit_tests" ] || [ "$slower" -gt 1 ] || {
    step R5-interrupts 1 60 interrupts a_handler_that_only_posts_stops_it
    step R5-twice 1 60 interrupts sigint_in_every_state
}
step R12-api 10 450 seed "$(many 10000)"
[ "$slower" -gt 1 ] || {
    step R12-options 20 120 parser options
    step R12-rule 50 120 parser rule
    step R12-state 24 120 parser state
    step R12-values 4 120 parser values
    step R12-list 2 120 parser list
}
step R4-lives 10 60 plain "$programs/lifecycle" --rounds "$(many 10000)"
step R10-freezes 10 60 freeze
[ -z "$unit_tests" ] || [ "$slower" -gt 1 ] ||
    step workers-30000 1 60 env DISTRIBUTOR_TEST_LONG=1 $SHELL "$watched" --unit \
        tests/unit/nasty_threads.t
step R1-volume 10 180 plain "$programs/volume" --rounds 100 --tasks "$(many 10000000)"
step R11-idle 1 1300 idle
for program in $schedule_programs; do
    step "R6-$(basename "$program")" 1 900 plain "$program" --preemptions 3 --limit 400000 \
        --random 100000
    step "R6-$(basename "$program")-fallback" 1 600 plain "$program" --fallback 1 --limit 400000
done
[ "$slower" -gt 1 ] || step R8-returns 1 900 returns
for target in $long_checks; do
    step "$target" 1 900 "$MAKE" "$target"
done
step R15-again 100 90 again
echo "All done."
