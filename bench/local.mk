# SPDX-License-Identifier: BSD-2-Clause
# `make bench` builds the benchmarks and runs the driver, which prints the table and writes
# bench-results.json into the build folder.  They are no part of `make` or `make check`.  What each
# file is, and how the table is read, says README.md.
#
# The programs that measure the distributor are linked as a user's would be, with the shared library
# and public headers alone; -no-install spares them the wrapper script of libtool.  Peers with a
# package of their own are built by peers.sh, if the package is there: configure does not ask.

BENCH_LIBS = src/libdistributor.la
BENCH_OURS = bench/ours.h bench/harness.h bench/harness.c

bench_ours = \
	bench/batch \
	bench/blocking \
	bench/cost_calls \
	bench/cost_phases \
	bench/deferred \
	bench/fd \
	bench/grain \
	bench/graph \
	bench/hoarding \
	bench/idle \
	bench/latency \
	bench/limit_call \
	bench/map \
	bench/many_ends \
	bench/memory \
	bench/ordered \
	bench/pairs \
	bench/scaling \
	bench/source \
	bench/squares \
	bench/stream \
	bench/tree

bench_batch_SOURCES = bench/batch.c $(BENCH_OURS)
bench_batch_LDADD = $(BENCH_LIBS)
bench_batch_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_blocking_SOURCES = bench/blocking.c $(BENCH_OURS)
bench_blocking_LDADD = $(BENCH_LIBS)
bench_blocking_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_cost_calls_SOURCES = bench/cost_calls.c $(BENCH_OURS)
bench_cost_calls_LDADD = $(BENCH_LIBS)
bench_cost_calls_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_cost_phases_SOURCES = bench/cost_phases.c $(BENCH_OURS)
bench_cost_phases_LDADD = $(BENCH_LIBS)
bench_cost_phases_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_deferred_SOURCES = bench/deferred.c $(BENCH_OURS)
bench_deferred_LDADD = $(BENCH_LIBS)
bench_deferred_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_fd_SOURCES = bench/fd.c $(BENCH_OURS)
bench_fd_LDADD = $(BENCH_LIBS)
bench_fd_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_grain_SOURCES = bench/grain.c bench/bodies.h bench/bodies.c $(BENCH_OURS)
bench_grain_LDADD = $(BENCH_LIBS)
bench_grain_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_graph_SOURCES = bench/graph.c bench/layers.h $(BENCH_OURS)
bench_graph_LDADD = src/libdistributor-flow.la $(BENCH_LIBS)
bench_graph_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_hoarding_SOURCES = bench/hoarding.c $(BENCH_OURS)
bench_hoarding_LDADD = $(BENCH_LIBS)
bench_hoarding_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_idle_SOURCES = bench/idle.c $(BENCH_OURS)
bench_idle_LDADD = $(BENCH_LIBS)
bench_idle_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_latency_SOURCES = bench/latency.c $(BENCH_OURS)
bench_latency_LDADD = $(BENCH_LIBS)
bench_latency_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_limit_call_SOURCES = bench/limit_call.c $(BENCH_OURS)
bench_limit_call_LDADD = $(BENCH_LIBS)
bench_limit_call_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_map_SOURCES = bench/map.c bench/map.h bench/map_passes.c $(BENCH_OURS)
bench_map_LDADD = $(BENCH_LIBS)
bench_map_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_many_ends_SOURCES = bench/many_ends.c $(BENCH_OURS)
bench_many_ends_LDADD = $(BENCH_LIBS)
bench_many_ends_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_memory_SOURCES = bench/memory.c $(BENCH_OURS)
bench_memory_LDADD = $(BENCH_LIBS)
bench_memory_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_ordered_SOURCES = bench/ordered.c bench/bodies.h bench/bodies.c $(BENCH_OURS)
bench_ordered_LDADD = $(BENCH_LIBS)
bench_ordered_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_pairs_SOURCES = bench/pairs.c $(BENCH_OURS)
bench_pairs_LDADD = $(BENCH_LIBS)
bench_pairs_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_scaling_SOURCES = bench/scaling.c $(BENCH_OURS)
bench_scaling_LDADD = $(BENCH_LIBS)
bench_scaling_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_source_SOURCES = bench/source.c $(BENCH_OURS)
bench_source_LDADD = $(BENCH_LIBS)
bench_source_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_squares_SOURCES = bench/squares.c $(BENCH_OURS)
bench_squares_LDADD = $(BENCH_LIBS)
bench_squares_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_stream_SOURCES = bench/stream.c $(BENCH_OURS)
bench_stream_LDADD = $(BENCH_LIBS)
bench_stream_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_tree_SOURCES = bench/tree.c $(BENCH_OURS)
bench_tree_LDADD = $(BENCH_LIBS)
bench_tree_LDFLAGS = $(AM_LDFLAGS) -no-install

# Programs without the distributor.
bench_others = \
	bench/cost_prices \
	bench/limit_cores \
	bench/limit_threads \
	bench/machine \
	bench/model \
	bench/peer_mutex \
	bench/report \
	bench/start

bench_cost_prices_SOURCES = bench/cost_prices.c bench/harness.h bench/harness.c
bench_cost_prices_LDADD =
bench_limit_cores_SOURCES = bench/limit_cores.c bench/harness.h bench/harness.c
bench_limit_cores_LDADD =
bench_limit_threads_SOURCES = bench/limit_threads.c bench/bodies.h bench/bodies.c \
	bench/harness.h bench/harness.c
bench_limit_threads_LDADD =
bench_machine_SOURCES = bench/machine.c bench/harness.h bench/harness.c
bench_machine_LDADD =
bench_model_SOURCES = bench/model.c bench/simulate.h bench/simulate.c bench/harness.h \
	bench/harness.c
bench_model_LDADD =
bench_peer_mutex_SOURCES = bench/peer_mutex.c bench/layers.h bench/peer.h bench/peer.c bench/peer_subjects.h \
	bench/peer_grain.c bench/peer_waits.c bench/bodies.h bench/bodies.c bench/map.h \
	bench/map_passes.c bench/harness.h bench/harness.c
bench_peer_mutex_LDADD =
bench_report_SOURCES = bench/report.c bench/harness.h bench/harness.c
bench_report_LDADD =
bench_start_SOURCES = bench/start.c bench/harness.h bench/harness.c
bench_start_LDADD =

# What `start` runs, made as a user would.
bench/start_tasks.so: bench/start_tasks.c include/distributor/module.h
	$(AM_V_CC)$(MKDIR_P) bench && $(CC) $(CFLAGS) -I$(top_srcdir)/include -shared -fPIC \
		$(srcdir)/bench/start_tasks.c -o $@

bench_programs = $(bench_ours) $(bench_others)
bench_peers = \
	bench/peer_apr \
	bench/peer_glib \
	bench/peer_go \
	bench/peer_libgomp \
	bench/peer_libomp \
	bench/peer_libuv \
	bench/peer_moodycamel \
	bench/peer_python \
	bench/peer_rayon \
	bench/peer_tbb
bench_peer_objects = \
	bench/peers-bodies.o \
	bench/peers-harness.o \
	bench/peers-map_passes.o \
	bench/peers-peer.o \
	bench/peers-peer_grain.o \
	bench/peers-peer_waits.o

EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs) bench/start_tasks.so $(bench_peers) $(bench_peer_objects) bench/missing-peers \
	bench-results.dat bench-results.json bench-results.svg
bench-clean-local:
	rm -rf bench/peers-rayon
clean-local: bench-clean-local
EXTRA_DIST += \
	bench/README.md \
	bench/RESULTS.md \
	bench/SCALING.md \
	bench/COST.md \
	bench/bars \
	bench/cost.awk \
	bench/cost.sh \
	bench/peer_apr.c \
	bench/peer_glib.c \
	bench/peer_go.go \
	bench/peer_libuv.c \
	bench/peer_moodycamel.cc \
	bench/peer_openmp.c \
	bench/peer_pack.h \
	bench/peer_python.py \
	bench/peer_rayon.rs \
	bench/peer_tbb.cc \
	bench/peers.sh \
	bench/plot.gp \
	bench/run.sh \
	bench/scaling.sh \
	bench/start_tasks.c

# Builds them all and runs nothing.
bench-programs: $(bench_programs) bench/start_tasks.so

# BENCH_RUNS=3 for fewer repetitions, BENCH_ONLY=squares,stream for these subjects alone.
bench: bench-programs $(bin_PROGRAMS)
	$(AM_V_at)CC='$(CC)' CXX='$(CXX)' CFLAGS='$(CFLAGS)' PKG_CONFIG='$(PKG_CONFIG)' \
		sh $(srcdir)/bench/peers.sh $(srcdir)/bench bench
	$(AM_V_at)sh $(srcdir)/bench/run.sh $(srcdir)/bench bench bench-results

# Where the time of a task goes.
bench-cost: bench-programs tests/cost/events
	$(AM_V_at)sh $(srcdir)/bench/cost.sh $(srcdir)/bench bench

# How it grows, and what larger machines would do.
bench-scaling: bench-programs
	$(AM_V_at)sh $(srcdir)/bench/scaling.sh bench

phony_targets += bench bench-clean-local bench-cost bench-scaling bench-programs
