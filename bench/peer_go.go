// SPDX-License-Identifier: BSD-2-Clause

// Go: goroutines and channels.  `peer_go SUBJECT WORKERS` is the peer "go": a channel of tasks, a
// channel of results, one of each at a time.  `peer_go -batch SUBJECT WORKERS` is "go-batch": slices
// of 256 tasks and of 256 results made by hand.  GOMAXPROCS is left alone except for the tree.
//
// The subjects are those of peer.c, and so are what they count and when the clock runs.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	batch      = 256
	depth      = 20
	pending    = 1000000
	naps       = 20000
	napTime    = 5 * time.Millisecond
	trips      = 20000
	warmTrips  = 20000
	quietTrips = 300
	noSubject  = 3

	orderedTasks  = 200000
	orderedWindow = 1024
)

var peer = "go"
var workers int

// ---- what the harness does for the others ----

func say(subject, unit string, value float64) {
	fmt.Printf("{\"subject\":\"%s\",\"peer\":\"%s\",\"workers\":%d,\"unit\":\"%s\",\"value\":%.6g}\n",
		subject, peer, workers, unit, value)
}

// The first of two runs is the cold one.
func sayPerTask(subject string, run int, took time.Duration, tasks int) {
	if run == 0 {
		subject += "-cold"
	}
	say(subject, "ns/task", float64(took.Nanoseconds())/float64(tasks))
}

func check(what string, got, expected uint64) {
	if got != expected {
		fmt.Fprintf(os.Stderr, "%s: %s is %d, not %d\n", peer, what, got, expected)
		os.Exit(1)
	}
}

func squares(n int) (sum uint64) {
	for i := uint64(0); i < uint64(n); i++ {
		sum += i * i
	}
	return
}

// Bytes after a name in /proc/self/status, where it has kB.
func status(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			kb, _ := strconv.ParseFloat(words[1], 64)
			return kb * 1024
		}
	}
	return 0
}

func cpu() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// ---- bodies ----

var steps uint64
var sink uint64

func spin(steps uint64) {
	x := steps
	for i := uint64(0); i < steps; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	if x == 0 {
		sink++
	}
}

func work(number uint64) uint64 {
	spin(steps)
	return number * number
}

func square(number uint64) uint64 {
	return number * number
}

// Parks the goroutine and holds no thread: what a Go programmer would write.
func nap(number uint64) uint64 {
	time.Sleep(napTime)
	return number * number
}

func measureSteps() float64 {
	best := time.Duration(1 << 62)
	steps = 100000
	for trial := 0; trial < 100; trial++ {
		start := time.Now()
		work(0)
		if took := time.Since(start); took < best {
			best = took
		}
	}
	return 1e5 * 1e6 / float64(best.Nanoseconds())
}

var perMillisecond float64

func stepsOf(grainNs int) uint64 {
	if perMillisecond == 0 {
		var err error
		if perMillisecond, err = strconv.ParseFloat(os.Getenv("BENCH_STEPS"), 64); err != nil {
			perMillisecond = measureSteps()
		}
	}
	return uint64(perMillisecond * float64(grainNs) / 1e6)
}

func setSteps(grainNs int) {
	steps = stepsOf(grainNs)
}

// ---- one task at a time ----

type pool struct {
	in, out chan uint64
}

func open(room int, body func(uint64) uint64) *pool {
	p := &pool{make(chan uint64, room), make(chan uint64, 1024)}
	for i := 0; i < workers; i++ {
		go func() {
			for number := range p.in {
				p.out <- body(number)
			}
		}()
	}
	return p
}

func (p *pool) add(n int) {
	for i := 0; i < n; i++ {
		p.in <- uint64(i)
	}
}

func (p *pool) read(n int) (sum uint64) {
	for i := 0; i < n; i++ {
		sum += <-p.out
	}
	return
}

// Channels have a bound, so that one goroutine cannot add all and then read all: another one adds.
func (p *pool) stream(n int) time.Duration {
	start := time.Now()
	go p.add(n)
	sum := p.read(n)
	took := time.Since(start)
	check("sum of squares", sum, squares(n))
	return took
}

func tasks() int {
	if workers <= 2 {
		return 1000000
	} else if workers <= 16 {
		return 200000
	}
	return 50000
}

// The root is a task of the pool too; the channel has room for all, for it must not wait for a
// pool that it is the only worker of.
func runSquares() {
	const root = ^uint64(0)
	n := tasks()
	p := &pool{make(chan uint64, n+1), make(chan uint64, 1024)}
	for i := 0; i < workers; i++ {
		go func() {
			for number := range p.in {
				if number == root {
					p.add(n)
				} else {
					p.out <- square(number)
				}
			}
		}()
	}
	for run := 0; run < 2; run++ {
		start := time.Now()
		p.in <- root
		sum := p.read(n)
		took := time.Since(start)
		check("sum of squares", sum, squares(n))
		sayPerTask("squares", run, took, n)
	}
}

func runStream(subject string, n int, body func(uint64) uint64) {
	p := open(1024, body)
	for run := 0; run < 2; run++ {
		sayPerTask(subject, run, p.stream(n), n)
	}
}

func runBodies(subject string, grainNs, n int) {
	setSteps(grainNs)
	runStream(subject, n, work)
}

func (p *pool) efficiency(cores, grainNs int) float64 {
	n := 30000000 / grainNs
	if n < 256 {
		n = 256
	} else if n > 250000 {
		n = 250000
	}
	setSteps(grainNs)
	best := 0.0
	for look := 0; look < 2 && best < 0.5; look++ {
		took := float64(p.stream(n).Nanoseconds())
		if now := float64(grainNs) / float64(cores) * float64(n) / took; now > best {
			best = now
		}
	}
	return best
}

// bench_metg() in bodies.c.
func runGrain() {
	cores := runtime.NumCPU()
	if workers < cores {
		cores = workers
	}
	p := open(1024, work)
	grain := 16384
	p.efficiency(cores, grain)
	now := p.efficiency(cores, grain)
	before, up := now, now < 0.5
	for (up && now < 0.5 && grain < 1<<20) || (!up && now >= 0.5 && grain > 4) {
		before = now
		if up {
			grain *= 2
		} else {
			grain /= 2
		}
		now = p.efficiency(cores, grain)
	}
	other, part := 2*grain, 0.0
	if up {
		other = grain / 2
	}
	if (now < 0.5) != (before < 0.5) {
		part = (0.5 - now) / (before - now)
	}
	say("grain", "ns", float64(grain)+part*float64(other-grain))
}

// A channel of channels: each task has one of its own for its result, and the main goroutine reads
// these in the order in which the tasks were added.  The numbers are those of bodies.h.
func orderedOnce(short, long uint64) uint64 {
	type task struct {
		number uint64
		result chan uint64
	}
	in := make(chan task, orderedWindow)
	order := make(chan chan uint64, orderedWindow)
	for i := 0; i < workers; i++ {
		go func() {
			for t := range in {
				if t.number%100 == 0 {
					spin(long)
				} else {
					spin(short)
				}
				t.result <- t.number * t.number
			}
		}()
	}
	go func() {
		for i := uint64(0); i < orderedTasks; i++ {
			t := task{i, make(chan uint64, 1)}
			order <- t.result
			in <- t
		}
		close(order)
		close(in)
	}()
	result := uint64(0)
	for square := range order {
		result = result*1000003 + <-square
	}
	return result
}

func runOrdered() {
	short, long := stepsOf(500), stepsOf(50000)
	expected := uint64(0)
	for i := uint64(0); i < orderedTasks; i++ {
		expected = expected*1000003 + i*i
	}
	for run := 0; run < 2; run++ {
		start := time.Now()
		result := orderedOnce(short, long)
		took := time.Since(start)
		check("the squares in order", result, expected)
		sayPerTask("ordered", run, took, orderedTasks)
	}
}

func runBlocking() {
	p := open(1024, nap)
	go p.add(workers)
	p.read(workers)
	say("blocking", "ms", float64(p.stream(naps).Nanoseconds())/1e6)
}

func (p *pool) trip(number uint64) float64 {
	start := time.Now()
	p.in <- number
	result := <-p.out
	took := time.Since(start)
	check("square", result, number*number)
	return float64(took.Nanoseconds())
}

func sayTrips(subject string, times []float64) {
	sort.Float64s(times)
	say(subject, "ns", times[len(times)/2])
	say(subject+"-p99", "ns", times[len(times)*99/100])
}

func runLatency() {
	p := open(0, square)
	times := make([]float64, trips)
	for i := 0; i < warmTrips; i++ {
		p.trip(uint64(i))
	}
	for i := range times {
		times[i] = p.trip(uint64(i))
	}
	sayTrips("latency", times)
}

func runLatencyQuiet() {
	p := open(0, square)
	times := make([]float64, quietTrips)
	for i := range times {
		time.Sleep(time.Millisecond)
		times[i] = p.trip(uint64(i))
	}
	sayTrips("latency-quiet", times)
}

func runIdle() {
	p := open(1024, nap)
	go p.add(4 * workers)
	p.read(4 * workers)
	time.Sleep(time.Second)
	before := cpu()
	time.Sleep(5 * time.Second)
	say("idle", "us", float64((cpu() - before).Microseconds()))
}

// A channel with room for all, whose readers wait at a gate.
func runMemory() {
	var counted uint64
	gate, done := make(chan bool), make(chan bool)
	before := status("VmRSS:")
	in := make(chan uint64, pending)
	for i := 0; i < workers; i++ {
		go func() {
			<-gate
			for range in {
				if atomic.AddUint64(&counted, 1) == pending {
					done <- true
				}
			}
		}()
	}
	for i := 0; i < pending; i++ {
		in <- uint64(i)
	}
	full := status("VmRSS:") - before
	close(gate)
	<-done
	say("memory", "bytes/task", full/pending)
}

// A goroutine for each node.
func runTree() {
	var leaves uint64
	var group sync.WaitGroup
	var node func(depth int)
	node = func(depth int) {
		if depth == 0 {
			atomic.AddUint64(&leaves, 1)
		} else {
			group.Add(2)
			go node(depth - 1)
			go node(depth - 1)
		}
		group.Done()
	}
	runtime.GOMAXPROCS(workers)
	for run := 0; run < 2; run++ {
		leaves = 0
		start := time.Now()
		group.Add(1)
		go node(depth)
		group.Wait()
		took := time.Since(start)
		check("number of leaves", leaves, 1<<depth)
		sayPerTask("tree", run, took, 2<<depth-1)
	}
	say("tree-rss", "MiB", status("VmHWM:")/(1<<20))
}

// ---- slices of tasks ----

type batchPool struct {
	in, out chan []uint64
}

func runBatch(numbers []uint64) []uint64 {
	results := make([]uint64, len(numbers))
	for i, number := range numbers {
		results[i] = square(number)
	}
	return results
}

func (p *batchPool) read(n int) (sum uint64) {
	for got := 0; got < n; {
		results := <-p.out
		for _, result := range results {
			sum += result
		}
		got += len(results)
	}
	return
}

func (p *batchPool) add(n int) {
	numbers := make([]uint64, 0, batch)
	for i := 0; i < n; i++ {
		numbers = append(numbers, uint64(i))
		if len(numbers) == batch || i == n-1 {
			p.in <- numbers
			numbers = make([]uint64, 0, batch)
		}
	}
}

// Of squares the root is an empty slice, and its channel has room for all.
func runBatches(subject string) {
	n := tasks()
	p := &batchPool{in: make(chan []uint64, 16), out: make(chan []uint64, 16)}
	if subject == "squares" {
		p.in = make(chan []uint64, n/batch+2)
	}
	for i := 0; i < workers; i++ {
		go func() {
			for numbers := range p.in {
				if len(numbers) == 0 {
					p.add(n)
				} else {
					p.out <- runBatch(numbers)
				}
			}
		}()
	}
	for run := 0; run < 2; run++ {
		start := time.Now()
		if subject == "squares" {
			p.in <- nil
		} else {
			go p.add(n)
		}
		sum := p.read(n)
		took := time.Since(start)
		check("sum of squares", sum, squares(n))
		sayPerTask(subject, run, took, n)
	}
}

// ---- the command line ----

func subjects() map[string]func() {
	if peer == "go-batch" {
		return map[string]func(){
			"squares": func() { runBatches("squares") },
			"stream":  func() { runBatches("stream") },
			"batch":   func() { runBatches("batch") },
		}
	}
	return map[string]func(){
		"squares":        runSquares,
		"stream":         func() { runStream("stream", tasks(), square) },
		"grain":          runGrain,
		"grain-1us":      func() { runBodies("grain-1us", 1000, 100000) },
		"grain-5us":      func() { runBodies("grain-5us", 5000, 50000) },
		"oversubscribed": func() { runBodies("oversubscribed", 5000, 20000) },
		"ordered":        runOrdered,
		"tree":           runTree,
		"memory":         runMemory,
		"idle":           runIdle,
		"blocking":       runBlocking,
		"latency":        runLatency,
		"latency-quiet":  runLatencyQuiet,
	}
}

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "-batch" {
		peer = "go-batch"
		args = args[1:]
	}
	if len(args) == 2 {
		workers, _ = strconv.Atoi(args[1])
	}
	if workers <= 0 {
		fmt.Fprintln(os.Stderr, "usage: peer_go [-batch] SUBJECT WORKERS")
		os.Exit(2)
	}
	run, found := subjects()[args[0]]
	if !found {
		os.Exit(noSubject)
	}
	run()
}
