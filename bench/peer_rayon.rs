// SPDX-License-Identifier: BSD-2-Clause

// Rust: a rayon ThreadPool for the tasks, an unbounded crossbeam channel for the results.
// `peer_rayon SUBJECT WORKERS`; the subjects are those of peer.c, and so are what they count and
// when the clock runs.
use crossbeam_channel::{unbounded, Receiver, Sender};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const DEPTH: u32 = 20;
const NAPS: u64 = 20_000;
const NAP: Duration = Duration::from_millis(5);
const PENDING: u64 = 1_000_000;
const TRIPS: usize = 20_000;
const WARM_TRIPS: u64 = 20_000;
const QUIET_TRIPS: usize = 300;
const MAP_ITEMS: u64 = 10_000_000;
const MAP_PASSES: usize = 15;
const ORDERED_TASKS: u64 = 200_000;
const ORDERED_WINDOW: u64 = 1024;
const NO_SUBJECT: i32 = 3;

static STEPS: AtomicU64 = AtomicU64::new(0);
static COUNTED: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Copy)]
struct Peer {
    workers: usize,
    pool: &'static rayon::ThreadPool,
    sender: &'static Sender<u64>,
    receiver: &'static Receiver<u64>,
}

// ---- what the harness does for the others ----

fn per_task(time: Duration, tasks: u64) -> f64 {
    time.as_nanos() as f64 / tasks as f64
}

fn check(what: &str, got: u64, expected: u64) {
    if got != expected {
        eprintln!("rayon: {} is {}, not {}", what, got, expected);
        std::process::exit(1);
    }
}

fn sum_of_squares(count: u64) -> u64 {
    (0..count).fold(0, |sum, i| sum.wrapping_add(i.wrapping_mul(i)))
}

// Bytes after a name in /proc/self/status, where it has kB.
fn status(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() == Some(name) {
            return words.next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0;
        }
    }
    0.0
}

// ---- bodies ----

// bench_work() in harness.c; the empty statement keeps the compiler from joining steps.
fn work(steps: u64) {
    let mut x = steps;
    for _ in 0..steps {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        unsafe { std::arch::asm!("/* {0} */", inout(reg) x) };
    }
}

fn steps_per_millisecond() -> f64 {
    if let Some(steps) = std::env::var("BENCH_STEPS").ok().and_then(|text| text.parse().ok()) {
        return steps;
    }
    let mut best = f64::MAX;
    for _ in 0..100 {
        let start = Instant::now();
        work(100_000);
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    1e5 * 1e6 / best
}

impl Peer {
    fn say(&self, subject: &str, unit: &str, value: f64) {
        println!(
            "{{\"subject\":\"{}\",\"peer\":\"rayon\",\"workers\":{},\"unit\":\"{}\",\"value\":{:.6}}}",
            subject, self.workers, unit, value
        );
    }

    // Calls `run` twice, which gives what must be `expected`; the first one is the cold run.
    fn say_twice(&self, subject: &str, tasks: u64, expected: u64, run: impl Fn() -> u64) {
        for suffix in ["-cold", ""] {
            let start = Instant::now();
            let got = run();
            let took = start.elapsed();
            check(subject, got, expected);
            self.say(&format!("{}{}", subject, suffix), "ns/task", per_task(took, tasks));
        }
    }

    fn tasks(&self) -> u64 {
        match self.workers {
            0..=2 => 1_000_000,
            3..=16 => 200_000,
            _ => 50_000,
        }
    }

    fn emit(&self, result: u64) {
        self.sender.send(result).unwrap();
    }

    fn read(&self, count: u64) -> u64 {
        let mut sum = 0u64;
        for _ in 0..count {
            sum = sum.wrapping_add(self.receiver.recv().unwrap());
        }
        sum
    }

    fn add_and_read(self, count: u64, body: fn()) -> u64 {
        for i in 0..count {
            self.pool.spawn(move || {
                body();
                self.emit(i.wrapping_mul(i));
            });
        }
        self.read(count)
    }

    // ---- the subjects ----

    fn squares(self) {
        let tasks = self.tasks();
        self.say_twice("squares", tasks, sum_of_squares(tasks), || {
            self.pool.spawn(move || {
                for i in 0..tasks {
                    rayon::spawn(move || self.emit(i.wrapping_mul(i)));
                }
            });
            self.read(tasks)
        });
    }

    fn stream(self) {
        let tasks = self.tasks();
        self.say_twice("stream", tasks, sum_of_squares(tasks), || self.add_and_read(tasks, || ()));
    }

    fn tree(self) {
        fn node<'s>(scope: &rayon::Scope<'s>, depth: u32) {
            if depth == 0 {
                COUNTED.fetch_add(1, Relaxed);
                return;
            }
            scope.spawn(move |scope| node(scope, depth - 1));
            scope.spawn(move |scope| node(scope, depth - 1));
        }
        self.say_twice("tree", (2 << DEPTH) - 1, 1 << DEPTH, || {
            COUNTED.store(0, Relaxed);
            self.pool.scope(|scope| scope.spawn(|scope| node(scope, DEPTH)));
            COUNTED.load(Relaxed)
        });
        self.say("tree-rss", "MiB", status("VmHWM:") / (1 << 20) as f64);
    }

    fn map_once(self, numbers: &[u64], squares: &mut [u64]) -> f64 {
        squares.fill(0);
        let start = Instant::now();
        self.pool.install(|| {
            squares.par_iter_mut().zip(numbers.par_iter()).for_each(|(s, n)| *s = n.wrapping_mul(*n))
        });
        let time = start.elapsed();
        let sum = squares.iter().fold(0u64, |sum, s| sum.wrapping_add(*s));
        check("sum of squares", sum, sum_of_squares(MAP_ITEMS));
        per_task(time, MAP_ITEMS)
    }

    fn map(self) {
        let numbers: Vec<u64> = (0..MAP_ITEMS).collect();
        let mut squares: Vec<u64> = vec![1; MAP_ITEMS as usize];
        self.say("map-cold", "ns/item", self.map_once(&numbers, &mut squares));
        let mut times: Vec<f64> =
            (0..MAP_PASSES).map(|_| self.map_once(&numbers, &mut squares)).collect();
        times.sort_by(|a, b| a.total_cmp(b));
        self.say("map", "ns/item", times[MAP_PASSES / 2]);
    }

    fn steps_of(grain_ns: u64) -> u64 {
        (steps_per_millisecond() * grain_ns as f64 / 1e6) as u64
    }

    fn set_grain(grain_ns: u64) {
        STEPS.store(Peer::steps_of(grain_ns), Relaxed);
    }

    fn bodies(self, subject: &str, grain_ns: u64, tasks: u64) {
        Peer::set_grain(grain_ns);
        self.say_twice(subject, tasks, sum_of_squares(tasks), || {
            self.add_and_read(tasks, || work(STEPS.load(Relaxed)))
        });
    }

    fn efficiency(self, cores: usize, grain_ns: u64) -> f64 {
        let tasks = (30_000_000 / grain_ns).clamp(256, 250_000);
        let mut best = 0f64;
        Peer::set_grain(grain_ns);
        for _ in 0..2 {
            let start = Instant::now();
            let sum = self.add_and_read(tasks, || work(STEPS.load(Relaxed)));
            let took = start.elapsed();
            check("sum of squares", sum, sum_of_squares(tasks));
            best = best.max(grain_ns as f64 / cores as f64 / per_task(took, tasks));
            if best >= 0.5 {
                break;
            }
        }
        best
    }

    // bench_metg() in bodies.c.
    fn grain(self) {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get()).min(self.workers);
        let mut grain = 16384;
        self.efficiency(cores, grain);
        let mut now = self.efficiency(cores, grain);
        let mut before = now;
        let up = now < 0.5;
        while if up { now < 0.5 && grain < 1 << 20 } else { now >= 0.5 && grain > 4 } {
            before = now;
            grain = if up { 2 * grain } else { grain / 2 };
            now = self.efficiency(cores, grain);
        }
        let other = if up { grain / 2 } else { 2 * grain } as f64;
        let crossed = (now < 0.5) != (before < 0.5);
        let part = if crossed { (0.5 - now) / (before - now) } else { 0.0 };
        self.say("grain", "ns", grain as f64 + part * (other - grain as f64));
    }

    // There is no ordered stream: windows, each collected in order before the next one begins.  The
    // numbers are those of bodies.h.
    fn ordered(self) {
        let (short, long) = (Peer::steps_of(500), Peer::steps_of(50_000));
        let fold = |before: u64, square: u64| before.wrapping_mul(1000003).wrapping_add(square);
        let body = move |i: u64| {
            work(if i % 100 == 0 { long } else { short });
            i.wrapping_mul(i)
        };
        let expected = (0..ORDERED_TASKS).map(|i| i * i).fold(0, fold);
        self.say_twice("ordered", ORDERED_TASKS, expected, || {
            (0..ORDERED_TASKS).step_by(ORDERED_WINDOW as usize).fold(0, |before, first| {
                let last = ORDERED_TASKS.min(first + ORDERED_WINDOW);
                let squares: Vec<u64> =
                    self.pool.install(|| (first..last).into_par_iter().map(body).collect());
                squares.into_iter().fold(before, fold)
            })
        });
    }

    fn trips(self, subject: &str, count: usize, quiet: bool) {
        let mut times = Vec::with_capacity(count);
        for i in 0..count as u64 {
            if quiet {
                std::thread::sleep(Duration::from_millis(1));
            }
            let start = Instant::now();
            self.pool.spawn(move || self.emit(i * i));
            let result = self.receiver.recv().unwrap();
            times.push(start.elapsed().as_nanos() as u64);
            check("square", result, i * i);
        }
        times.sort_unstable();
        self.say(subject, "ns", times[count / 2] as f64);
        self.say(&format!("{}-p99", subject), "ns", times[count * 99 / 100] as f64);
    }

    fn latency(self) {
        for _ in 0..WARM_TRIPS {
            self.add_and_read(1, || ());
        }
        self.trips("latency", TRIPS, false);
    }

    fn blocking(self) {
        let start = Instant::now();
        let sum = self.add_and_read(NAPS, || std::thread::sleep(NAP));
        let took = start.elapsed();
        check("sum of squares", sum, sum_of_squares(NAPS));
        self.say("blocking", "ms", took.as_nanos() as f64 / 1e6);
    }

    fn memory(self) {
        let gate: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
        let closed = gate.lock().unwrap();
        for _ in 0..self.workers {
            self.pool.spawn(move || {
                self.emit(0);
                drop(gate.lock());
            });
        }
        for _ in 0..self.workers {
            self.receiver.recv().unwrap();
        }
        COUNTED.store(0, Relaxed);
        let before = status("VmRSS:");
        for _ in 0..PENDING {
            self.pool.spawn(move || {
                if COUNTED.fetch_add(1, Relaxed) + 1 == PENDING {
                    self.emit(PENDING);
                }
            });
        }
        let full = status("VmRSS:") - before;
        drop(closed);
        check("number of tasks", self.receiver.recv().unwrap(), PENDING);
        self.say("memory", "bytes/task", full / PENDING as f64);
    }

    // Of the whole process, whose main thread sleeps.
    fn idle(self) {
        fn cpu_ns() -> f64 {
            let mut sum = 0.0;
            for entry in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
                let text = std::fs::read_to_string(entry.path().join("schedstat"));
                let first = text.unwrap_or_default().split(' ').next().map(str::to_string);
                sum += first.and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
            }
            sum
        }
        std::thread::sleep(Duration::from_secs(1));
        let before = cpu_ns();
        std::thread::sleep(Duration::from_secs(5));
        self.say("idle", "us", (cpu_ns() - before) / 1e3);
    }

    fn run(self, subject: &str) -> bool {
        match subject {
            "squares" => self.squares(),
            "stream" => self.stream(),
            "tree" => self.tree(),
            "map" => self.map(),
            "grain" => self.grain(),
            "grain-1us" => self.bodies(subject, 1000, 100_000),
            "grain-5us" => self.bodies(subject, 5000, 50_000),
            "ordered" => self.ordered(),
            "oversubscribed" => self.bodies(subject, 5000, 20_000),
            "latency" => self.latency(),
            "latency-quiet" => self.trips(subject, QUIET_TRIPS, true),
            "blocking" => self.blocking(),
            "memory" => self.memory(),
            "idle" => self.idle(),
            _ => return false,
        }
        true
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let workers = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    if arguments.len() != 3 || workers == 0 {
        eprintln!("usage: peer_rayon SUBJECT WORKERS");
        std::process::exit(2);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
    let (sender, receiver) = unbounded();
    let peer = Peer {
        workers,
        pool: Box::leak(Box::new(pool)),
        sender: Box::leak(Box::new(sender)),
        receiver: Box::leak(Box::new(receiver)),
    };
    peer.add_and_read(workers as u64, || std::thread::sleep(Duration::from_millis(1)));
    let known = peer.run(&arguments[1]);
    std::process::exit(if known { 0 } else { NO_SUBJECT });
}
