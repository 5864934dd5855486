# SPDX-License-Identifier: BSD-2-Clause
"""Python: concurrent.futures.ThreadPoolExecutor, results in a queue.SimpleQueue.

peer_python.py SUBJECT WORKERS.  The subjects are those of peer.c, with fewer tasks: one takes ten
microseconds and more here.  Bodies of known length are left out but for those of the ordered
stream, for the interpreter runs one thread at a time.
"""
import collections
import functools
import os
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

MOST = 20000
DEPTH = 11  # of the tree: no more tasks than MOST
NAPS = 20000
NAP = 0.005
TRIPS = 2000
QUIET_TRIPS = 300
WINDOW = 1024  # of the ordered stream
NO_SUBJECT = 3


def sum_of_squares(count):
    return sum(i * i for i in range(count))


def spin(steps):
    for _ in range(steps):
        pass


def steps_of(grain_ns):
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter_ns()
        spin(10000)
        best = min(best, time.perf_counter_ns() - start)
    return int(10000 * grain_ns / best)


def fold(before, square):
    return (before * 1000003 + square) % 2**64


class Peer:
    def __init__(self, workers):
        self.workers = workers
        self.pool = ThreadPoolExecutor(workers)
        self.results = queue.SimpleQueue()

    # ---- what the harness does for the others ----

    def say(self, subject, unit, value):
        print(f'{{"subject":"{subject}","peer":"python","workers":{self.workers},'
              f'"unit":"{unit}","value":{value:.6g}}}', flush=True)

    def say_twice(self, subject, run, tasks, expected):
        for suffix in ("-cold", ""):
            start = time.perf_counter_ns()
            got = run()
            took = time.perf_counter_ns() - start
            self.check(subject, got, expected)
            self.say(subject + suffix, "ns/task", took / tasks)

    @staticmethod
    def check(what, got, expected):
        if got != expected:
            print(f"python: {what} is {got}, not {expected}", file=sys.stderr, flush=True)
            os._exit(1)

    def read(self, count):
        return sum(self.results.get() for _ in range(count))

    # ---- the tasks ----

    def square(self, number):
        self.results.put(number * number)

    def nap(self, number):
        time.sleep(NAP)
        self.results.put(number * number)

    def root(self):
        for i in range(MOST):
            self.pool.submit(self.square, i)

    # ---- the subjects ----

    def add_and_read(self, task, count):
        for i in range(count):
            self.pool.submit(task, i)
        return self.read(count)

    def squares(self):
        def run():
            self.pool.submit(self.root)
            return self.read(MOST)
        self.say_twice("squares", run, MOST, sum_of_squares(MOST))

    def stream(self):
        self.say_twice("stream", lambda: self.add_and_read(self.square, MOST), MOST,
                       sum_of_squares(MOST))

    def tree(self):
        lock = threading.Lock()
        left = [0]

        def node(depth):
            if depth > 0:
                self.pool.submit(node, depth - 1)
                self.pool.submit(node, depth - 1)
                return
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    self.results.put(0)

        def run():
            left[0] = 1 << DEPTH
            self.pool.submit(node, DEPTH)
            self.results.get()
            return left[0]
        self.say_twice("tree", run, (2 << DEPTH) - 1, 0)

    def ordered(self):
        """A window of futures, of which the oldest is waited for; the numbers are those of bodies.h."""
        short, long = steps_of(500), steps_of(50000)
        expected = functools.reduce(fold, (i * i for i in range(MOST)), 0)

        def body(number):
            spin(long if number % 100 == 0 else short)
            return number * number

        def run():
            window = collections.deque()
            result = 0
            for i in range(MOST):
                if len(window) == WINDOW:
                    result = fold(result, window.popleft().result())
                window.append(self.pool.submit(body, i))
            for future in window:
                result = fold(result, future.result())
            return result
        self.say_twice("ordered", run, MOST, expected)

    def trips(self, subject, count, quiet):
        for i in range(0 if quiet else count):
            self.pool.submit(self.square, i)
            self.results.get()
        times = []
        for i in range(count):
            if quiet:
                time.sleep(0.001)
            start = time.perf_counter_ns()
            self.pool.submit(self.square, i)
            result = self.results.get()
            times.append(time.perf_counter_ns() - start)
            self.check("square", result, i * i)
        times.sort()
        self.say(subject, "ns", times[count // 2])
        self.say(subject + "-p99", "ns", times[count * 99 // 100])

    def latency(self):
        self.trips("latency", TRIPS, False)

    def latency_quiet(self):
        self.trips("latency-quiet", QUIET_TRIPS, True)

    def blocking(self):
        start = time.perf_counter_ns()
        got = self.add_and_read(self.nap, NAPS)
        took = time.perf_counter_ns() - start
        self.check("sum of squares", got, sum_of_squares(NAPS))
        self.say("blocking", "ms", took / 1e6)

    def resident(self):
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def memory(self):
        gate = threading.Event()
        for _ in range(self.workers):
            self.pool.submit(gate.wait)
        before = self.resident()
        for i in range(MOST):
            self.pool.submit(self.square, i)
        full = self.resident() - before
        gate.set()
        self.check("sum of squares", self.read(MOST), sum_of_squares(MOST))
        self.say("memory", "bytes/task", full / MOST)

    def idle(self):
        time.sleep(1)
        before = time.process_time_ns()
        time.sleep(5)
        self.say("idle", "us", (time.process_time_ns() - before) / 1e3)


def main():
    subjects = {
        "squares": Peer.squares, "stream": Peer.stream, "tree": Peer.tree,
        "latency": Peer.latency, "latency-quiet": Peer.latency_quiet,
        "ordered": Peer.ordered, "blocking": Peer.blocking, "memory": Peer.memory, "idle": Peer.idle,
    }
    if len(sys.argv) != 3 or not sys.argv[2].isdigit() or int(sys.argv[2]) == 0:
        print("usage: peer_python.py SUBJECT WORKERS", file=sys.stderr)
        os._exit(2)
    if sys.argv[1] not in subjects:
        os._exit(NO_SUBJECT)
    peer = Peer(int(sys.argv[2]))
    peer.add_and_read(peer.nap, peer.workers)  # each worker has run before the clock starts
    subjects[sys.argv[1]](peer)
    os._exit(0)


main()
