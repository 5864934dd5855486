# SPDX-License-Identifier: BSD-2-Clause
# Stress programs over the public API; every one takes the options of tests/stress/support.h, so
# that a long run is `tests/stress/NAME --seconds 600`.

stress_programs = \
	tests/stress/bounds \
	tests/stress/channel \
	tests/stress/churn \
	tests/stress/conservation \
	tests/stress/deferred \
	tests/stress/descriptor \
	tests/stress/destroying \
	tests/stress/determinism \
	tests/stress/ending \
	tests/stress/feeding \
	tests/stress/graph \
	tests/stress/hoarding \
	tests/stress/lazy_map \
	tests/stress/lifecycle \
	tests/stress/map \
	tests/stress/pipes \
	tests/stress/quiescence \
	tests/stress/slow_reader \
	tests/stress/state \
	tests/stress/sources \
	tests/stress/thread_exit \
	tests/stress/volume \
	tests/stress/wake
check_PROGRAMS += $(stress_programs)
TESTS += $(stress_programs)

# ThreadSanitizer delivers signals late and counts what the handler reads as a race.
if !SANITIZED_THREAD
check_PROGRAMS += tests/stress/frozen tests/stress/frozen_adder
TESTS += tests/stress/frozen tests/stress/frozen_adder
endif

# The process ends while it runs.
check_PROGRAMS += tests/stress/at_exit
TESTS += tests/stress/at_exit
tests_stress_at_exit_SOURCES = tests/stress/at_exit.c

stress_support = tests/stress/support.c tests/stress/support.h
stress_workload = $(stress_support) \
	tests/stress/ledger.c tests/stress/ledger.h \
	tests/stress/workload.c tests/stress/workload.h

# With the whole workload: identity for each task and result.
tests_stress_churn_SOURCES = tests/stress/churn.c $(stress_workload)
tests_stress_conservation_SOURCES = tests/stress/conservation.c $(stress_workload)
tests_stress_destroying_SOURCES = tests/stress/destroying.c $(stress_workload)
tests_stress_ending_SOURCES = tests/stress/ending.c $(stress_workload)
tests_stress_frozen_SOURCES = tests/stress/frozen.c $(stress_workload)
tests_stress_lifecycle_SOURCES = tests/stress/lifecycle.c $(stress_workload)
tests_stress_thread_exit_SOURCES = tests/stress/thread_exit.c $(stress_workload)

# With small tasks of their own, or none.
tests_stress_channel_SOURCES = tests/stress/channel.c $(stress_support)
tests_stress_bounds_SOURCES = tests/stress/bounds.c $(stress_support)
tests_stress_deferred_SOURCES = tests/stress/deferred.c $(stress_support)
tests_stress_descriptor_SOURCES = tests/stress/descriptor.c $(stress_support)
tests_stress_determinism_SOURCES = tests/stress/determinism.c $(stress_support)
tests_stress_feeding_SOURCES = tests/stress/feeding.c $(stress_support)
tests_stress_frozen_adder_SOURCES = tests/stress/frozen_adder.c $(stress_support)
tests_stress_graph_SOURCES = tests/stress/graph.c $(stress_support)
tests_stress_graph_LDADD = $(FLOW_LIBS)
tests_stress_hoarding_SOURCES = tests/stress/hoarding.c $(stress_support)
tests_stress_lazy_map_SOURCES = tests/stress/lazy_map.c $(stress_support)
tests_stress_map_SOURCES = tests/stress/map.c $(stress_support)
tests_stress_pipes_SOURCES = tests/stress/pipes.c $(stress_support)
tests_stress_quiescence_SOURCES = tests/stress/quiescence.c $(stress_support)
tests_stress_slow_reader_SOURCES = tests/stress/slow_reader.c $(stress_support)
tests_stress_sources_SOURCES = tests/stress/sources.c $(stress_support)
tests_stress_state_SOURCES = tests/stress/state.c $(stress_support)
tests_stress_state_LDADD = $(FLOW_LIBS)
tests_stress_volume_SOURCES = tests/stress/volume.c $(stress_support)
tests_stress_wake_SOURCES = tests/stress/wake.c $(stress_support)

# Many more threads than cores: 64 workers and 64 adders.
EXTRA_DIST += tests/stress/crowd.sh
if !SANITIZED
TESTS += tests/stress/crowd.sh
endif

# No time and no call while nothing happens.  A sanitizer has threads of its own.
EXTRA_DIST += tests/stress/idle_calls.sh
tests_stress_idle_SOURCES = tests/stress/idle.c
if !SANITIZED
check_PROGRAMS += tests/stress/idle
TESTS += tests/stress/idle_calls.sh
endif

# The same programs over a library that gives the core away in the middle of everything; see
# preempt.c.  A sanitizer disturbs enough by itself.
EXTRA_DIST += tests/stress/preempt.c
if !SANITIZED
preempted_programs = \
	tests/stress/bounds_preempted \
	tests/stress/channel_preempted \
	tests/stress/churn_preempted \
	tests/stress/conservation_preempted \
	tests/stress/deferred_preempted \
	tests/stress/descriptor_preempted \
	tests/stress/destroying_preempted \
	tests/stress/ending_preempted \
	tests/stress/hoarding_preempted \
	tests/stress/lazy_map_preempted \
	tests/stress/map_preempted \
	tests/stress/pipes_preempted \
	tests/stress/quiescence_preempted \
	tests/stress/slow_reader_preempted \
	tests/stress/sources_preempted \
	tests/stress/thread_exit_preempted \
	tests/stress/wake_preempted
check_PROGRAMS += $(preempted_programs)
TESTS += $(preempted_programs)

check_LTLIBRARIES = tests/stress/libpreempted.la
tests_stress_libpreempted_la_LIBTOOLFLAGS = $(compiled_for_programs)
tests_stress_libpreempted_la_SOURCES = $(src_libdistr_la_SOURCES)
tests_stress_libpreempted_la_CFLAGS = $(AM_CFLAGS) -finstrument-functions -DDISTRIBUTOR_NO_INLINE
tests_stress_libpreempted_la_LIBADD = $(CK_LIBS)

preempted = tests/stress/libpreempted.la
# Short ways are preempted too, so they have to be in the library.
preempted_cppflags = $(AM_CPPFLAGS) -DDISTRIBUTOR_NO_INLINE

tests_stress_channel_preempted_SOURCES = $(tests_stress_channel_SOURCES) tests/stress/preempt.c
tests_stress_channel_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_channel_preempted_LDADD = $(preempted)
tests_stress_bounds_preempted_SOURCES = $(tests_stress_bounds_SOURCES) tests/stress/preempt.c
tests_stress_bounds_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_bounds_preempted_LDADD = $(preempted)
tests_stress_churn_preempted_SOURCES = $(tests_stress_churn_SOURCES) tests/stress/preempt.c
tests_stress_churn_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_churn_preempted_LDADD = $(preempted)
tests_stress_conservation_preempted_SOURCES = \
	$(tests_stress_conservation_SOURCES) tests/stress/preempt.c
tests_stress_conservation_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_conservation_preempted_LDADD = $(preempted)
tests_stress_deferred_preempted_SOURCES = $(tests_stress_deferred_SOURCES) tests/stress/preempt.c
tests_stress_deferred_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_deferred_preempted_LDADD = $(preempted)
tests_stress_descriptor_preempted_SOURCES = \
	$(tests_stress_descriptor_SOURCES) tests/stress/preempt.c
tests_stress_descriptor_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_descriptor_preempted_LDADD = $(preempted)
tests_stress_destroying_preempted_SOURCES = \
	$(tests_stress_destroying_SOURCES) tests/stress/preempt.c
tests_stress_destroying_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_destroying_preempted_LDADD = $(preempted)
tests_stress_ending_preempted_SOURCES = $(tests_stress_ending_SOURCES) tests/stress/preempt.c
tests_stress_ending_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_ending_preempted_LDADD = $(preempted)
tests_stress_hoarding_preempted_SOURCES = $(tests_stress_hoarding_SOURCES) tests/stress/preempt.c
tests_stress_hoarding_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_hoarding_preempted_LDADD = $(preempted)
tests_stress_lazy_map_preempted_SOURCES = $(tests_stress_lazy_map_SOURCES) tests/stress/preempt.c
tests_stress_lazy_map_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_lazy_map_preempted_LDADD = $(preempted)
tests_stress_map_preempted_SOURCES = $(tests_stress_map_SOURCES) tests/stress/preempt.c
tests_stress_map_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_map_preempted_LDADD = $(preempted)
tests_stress_pipes_preempted_SOURCES = $(tests_stress_pipes_SOURCES) tests/stress/preempt.c
tests_stress_pipes_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_pipes_preempted_LDADD = $(preempted)
tests_stress_quiescence_preempted_SOURCES = \
	$(tests_stress_quiescence_SOURCES) tests/stress/preempt.c
tests_stress_quiescence_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_quiescence_preempted_LDADD = $(preempted)
tests_stress_slow_reader_preempted_SOURCES = \
	$(tests_stress_slow_reader_SOURCES) tests/stress/preempt.c
tests_stress_slow_reader_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_slow_reader_preempted_LDADD = $(preempted)
tests_stress_sources_preempted_SOURCES = $(tests_stress_sources_SOURCES) tests/stress/preempt.c
tests_stress_sources_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_sources_preempted_LDADD = $(preempted)
tests_stress_thread_exit_preempted_SOURCES = \
	$(tests_stress_thread_exit_SOURCES) tests/stress/preempt.c
tests_stress_thread_exit_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_thread_exit_preempted_LDADD = $(preempted)
tests_stress_wake_preempted_SOURCES = $(tests_stress_wake_SOURCES) tests/stress/preempt.c
tests_stress_wake_preempted_CPPFLAGS = $(preempted_cppflags)
tests_stress_wake_preempted_LDADD = $(preempted)
endif
