#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh SOURCES PROGRAMS RESULTS - runs the bench, prints the table, writes RESULTS.json and, with
# gnuplot, RESULTS.svg.
#
#     BENCH_RUNS=3                  repetitions instead of 7
#     BENCH_ONLY=squares,stream     these subjects alone, instead of all
#
# One repetition runs each subject once for each number of workers, ours and then each peer, so that
# what the machine does in these minutes meets all of them alike.  Ends with status 1 if a program
# failed: a wrong checksum is a failure, a missed bar is not.
set -u

sources=$1
programs=$2
results=$3
runs=${BENCH_RUNS:-7}
only=${BENCH_ONLY:-all}
longest=100   # seconds that one program may take
few=3         # repetitions of a subject that takes long and varies little
subjects="squares stream batch map tree graph hoarding \
    serial call hop hop-result hop-batch cache-line futex-wake \
    grain grain-1us grain-5us ordered ordered-empty oversubscribed \
    blocking latency latency-quiet many-ends source fd deferred start memory idle"
all_peers="mutex glib apr libuv moodycamel tbb libgomp libomp go rayon python"

for name in $(echo "$only" | tr , ' '); do
    case " all $subjects " in
    *" $name "*) ;;
    *)
        echo "run.sh: there is no subject $name, but:" $subjects >&2
        exit 2
        ;;
    esac
done

lines=$(mktemp) || exit 1
failures=$(mktemp) || exit 1
own_times=$(mktemp) || exit 1
trap 'rm -f "$lines" "$failures" "$own_times"' EXIT
trap 'exit 130' INT TERM

selected() {
    case ",$only," in
    ,all, | *,"$1",*) true ;;
    *) false ;;
    esac
}

# measure PROGRAM ARGUMENT...: keeps what it prints, notes it if it fails.
measure() {
    [ -x "$programs/$1" ] || return 0
    [ -t 2 ] && printf '\r\033[Krepetition %s of %s: %s' "$round" "$runs" "$*" >&2
    timeout --foreground -k 5 "$longest" "$programs/$@" >>"$lines"
    status=$?
    [ $status = 0 ] || [ $status = 3 ] || echo "$* (status $status)" >>"$failures"
}

# peers SUBJECT WORKERS: all that have this subject.
peers() {
    for peer in $all_peers; do
        measure "peer_$peer" "$1" "$2"
    done
}

# subject SUBJECT PROGRAM WORKERS: ours, then the peers.
subject() {
    selected "$1" || return 0
    measure $2 "$3"
    peers "$1" "$3"
}

# The calls for many at once, of peers that have them, also where the others make a call a task.
queues() {
    for workers in 2 16 200; do
        for name in squares stream batch; do
            subject $name $name $workers
            selected $name || continue
            measure peer_go -batch $name $workers
            [ $name = batch ] || measure peer_moodycamel -bulk $name $workers
        done
    done
}

# The limits have no peers; those of a subject with peers stand in the same rows.
limits() {
    selected serial && measure limit_threads serial 1
    selected call && measure limit_call call 1
    for name in hop hop-result hop-batch cache-line futex-wake; do
        selected $name && measure limit_cores $name 2
    done
}

bodies() {
    subject grain "grain grain" 2
    for name in grain-1us grain-5us; do
        selected $name && measure limit_threads $name 2
        subject $name "grain $name" 2
    done
    selected ordered && measure limit_threads ordered 2
    subject ordered "ordered ordered" 2
    selected ordered-empty && measure ordered ordered-empty 2
    selected oversubscribed && measure limit_threads oversubscribed 200
    subject oversubscribed "grain oversubscribed" 200
}

waits() {
    selected blocking && measure limit_threads blocking 200
    subject blocking blocking 200
    subject latency "latency latency" 2
    subject latency-quiet "latency latency-quiet" 2
}

# The command itself, not the script that libtool puts in its place until it is installed.
start() (
    selected start || return 0
    top=$(cd "$programs/.." && pwd)
    export LD_LIBRARY_PATH="$top/src/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    measure start "$top/src/cli/.libs/distributor" "$programs/start_tasks.so" 2
)

# These do nothing for six seconds: all at once.
idle() {
    selected idle || return 0
    for workers in 2 200; do
        measure idle $workers &
        for peer in $all_peers; do
            measure "peer_$peer" idle $workers &
        done
    done
    wait
    measure idle trace 2 &
    measure idle trace 200 &
    wait
}

# How long each subject takes says `BENCH_TIMES=1`, in seconds.
timed() {
    began_part=$(date +%s)
    "$@"
    [ -n "${BENCH_TIMES:-}" ] && echo "$*: $(($(date +%s) - began_part)) s" >&2
}

repetition() {
    timed queues
    timed subject map map 2
    timed subject tree tree 2
    timed subject graph graph 2
    selected hoarding && measure hoarding 2
    timed limits
    timed bodies
    timed waits
    selected many-ends && measure many_ends 2
    for name in source fd deferred; do
        selected $name && measure $name 2
    done
    timed start
    [ "$round" -gt $few ] && return
    timed subject memory memory 2
    timed idle
}

# CPU seconds that the whole machine has used, and those of our children; `times` would say nothing
# in a pipe, whose shell has no children yet.
machine_cpu() {
    awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print ($2 + $3 + $4 + $6 + $7 + $8) / hz }' /proc/stat
}

own_cpu() {
    awk '{ for (i = 1; i <= 2; i++) { split($i, t, "[ms]"); s += 60 * t[1] + t[2] } }
         END { print s }' "$own_times"
}

plot() {
    if ! command -v gnuplot >/dev/null; then
        echo "missing  gnuplot (gnuplot-nox): no $results.svg"
    elif gnuplot -e "data='$results.dat'; picture='$results.svg'" "$sources/plot.gp"; then
        echo "figures  $results.json $results.svg"
    else
        echo "run.sh: gnuplot failed" >>"$failures"
    fi
}

[ -n "${BENCH_STEPS:-}" ] || BENCH_STEPS=$("$programs/machine" steps)
export BENCH_STEPS
began=$(date +%s)
machine_before=$(machine_cpu)
round=1
while [ "$round" -le "$runs" ]; do
    repetition
    round=$((round + 1))
done
[ -t 2 ] && printf '\r\033[K' >&2
seconds=$(($(date +%s) - began))
times >"$own_times"
others=$(echo "$machine_before $(machine_cpu) $(own_cpu) $seconds" |
    awk '{ o = ($2 - $1 - $3) / ($4 > 0 ? $4 : 1); printf "%.2f", (o > 0 ? o : 0) }')

commit=$(git -C "$sources" describe --always --dirty --abbrev=12 2>/dev/null) || commit=unknown
echo
echo "machine  $("$programs/machine")"
echo "commit   $commit, $runs repetitions in $seconds s; other processes used $others cores"
[ -s "$programs/missing-peers" ] &&
    echo "missing  $(paste -sd, "$programs/missing-peers" | sed 's/,/, /g')"
command -v strace >/dev/null || echo "missing  strace: idle-syscalls not counted"
echo
"$programs/report" "$sources/bars" "$results.json" "$results.dat" <"$lines" || exit 1
plot
if [ -s "$failures" ]; then
    echo
    echo "FAILED:"
    sort "$failures" | uniq -c
    exit 1
fi
