# SPDX-License-Identifier: BSD-2-Clause
# Everything that `make check` runs.
#
# Unit test (Criterion, spoken to through TAP; the name of the program ends in .t).  Inside
# `if UNIT_TESTS`:
#
#     unit_tests += tests/unit/NAME.t
#     tests_unit_NAME_t_SOURCES = tests/unit/NAME.c
#     tests_unit_NAME_t_CFLAGS = $(UNIT_CFLAGS)
#     tests_unit_NAME_t_LDADD = $(UNIT_LIBS)
#
# Plain program (stress, fault, model: the exit code decides; 77 means skipped):
#
#     check_PROGRAMS += tests/stress/NAME
#     TESTS += tests/stress/NAME
#     tests_stress_NAME_SOURCES = tests/stress/NAME.c tests/stress/HEADER.h
#
# Plain programs link with src/libdistr.la, internal functions included, and run in every build,
# also under ThreadSanitizer.  What must not run there goes inside `if !SANITIZED_THREAD`.
#
# Script:
#
#     TESTS += tests/FOLDER/NAME.sh
#     EXTRA_DIST += tests/FOLDER/NAME.sh
#
# Tests run in the build folder; $srcdir is the source folder.

AM_TESTS_ENVIRONMENT = \
	CC='$(CC)'; export CC; \
	CXX='$(CXX)'; export CXX; \
	NM='$(NM)'; export NM; \
	AWK='$(AWK)'; export AWK; \
	MAKE='$(MAKE)'; export MAKE; \
	MANDOC='$(MANDOC)'; export MANDOC; \
	PKG_CONFIG='$(PKG_CONFIG)'; export PKG_CONFIG; \
	SANITIZER='$(SANITIZER)'; export SANITIZER; \
	HARDENING='$(HARDENING_CPPFLAGS) $(HARDENING_LDFLAGS)'; export HARDENING; \
	VERSION='$(PACKAGE_VERSION)'; export VERSION;

TEST_EXTENSIONS = .t .sh
T_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
T_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
AM_T_LOG_FLAGS = --unit
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
SH_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
AM_SH_LOG_FLAGS = $(SHELL)
EXTRA_DIST += tests/README.md tests/watchdog.sh

# ---------------------------------------------------------------------------------------------
# Unit tests
# ---------------------------------------------------------------------------------------------
unit_tests =
UNIT_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS)
UNIT_LIBS = $(LDADD) $(CRITERION_LIBS)
FLOW_LIBS = src/libdistrflow.la $(LDADD) $(FLOW_NEEDS)
FLOW_UNIT_LIBS = $(FLOW_LIBS) $(CRITERION_LIBS)
if UNIT_TESTS
unit_tests += tests/unit/base.t
tests_unit_base_t_SOURCES = tests/unit/base.c tests/unit/support.h
tests_unit_base_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_base_t_LDADD = $(UNIT_LIBS)

# The handlers of the command, which end the process.
unit_tests += tests/unit/cli_crash.t
tests_unit_cli_crash_t_SOURCES = $(cli_parts) \
	tests/unit/cli_crash.c tests/unit/flow_support.h tests/unit/support.h
tests_unit_cli_crash_t_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS) $(TINFO_CFLAGS)
tests_unit_cli_crash_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=_exit -Wl,--wrap=raise
tests_unit_cli_crash_t_LDADD = $(FLOW_UNIT_LIBS) $(TINFO_LIBS)

unit_tests += tests/unit/deque.t
tests_unit_deque_t_SOURCES = tests/unit/deque.c tests/unit/queue_support.h tests/unit/support.h
tests_unit_deque_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_deque_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/queue.t
tests_unit_queue_t_SOURCES = tests/unit/queue.c tests/unit/queue_support.h tests/unit/support.h
tests_unit_queue_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_queue_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/capabilities_channel.t
tests_unit_capabilities_channel_t_SOURCES = tests/unit/capabilities_channel.c tests/unit/support.h
tests_unit_capabilities_channel_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_capabilities_channel_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/flow_events.t
tests_unit_flow_events_t_SOURCES = tests/unit/flow_events.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_events_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_events_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_graph.t
tests_unit_flow_graph_t_SOURCES = tests/unit/flow_graph.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_graph_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_graph_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_group.t
tests_unit_flow_group_t_SOURCES = tests/unit/flow_group.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_group_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_group_t_LDADD = $(FLOW_UNIT_LIBS)

# A module finds the functions that it calls in the program.
unit_tests += tests/unit/flow_interrupt.t
tests_unit_flow_interrupt_t_SOURCES = tests/unit/flow_interrupt.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_interrupt_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_interrupt_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_limits.t
tests_unit_flow_limits_t_SOURCES = tests/unit/flow_limits.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_limits_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_limits_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_module.t
tests_unit_flow_module_t_SOURCES = tests/unit/flow_module.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_module_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_module_t_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_flow_module_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_names.t
tests_unit_flow_names_t_SOURCES = tests/unit/flow_names.c tests/unit/support.h
tests_unit_flow_names_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_names_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_parts.t
tests_unit_flow_parts_t_SOURCES = tests/unit/flow_parts.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_parts_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_parts_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_plan.t
tests_unit_flow_plan_t_SOURCES = tests/unit/flow_plan.c tests/unit/support.h
tests_unit_flow_plan_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_plan_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_run.t
tests_unit_flow_run_t_SOURCES = tests/unit/flow_run.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_run_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_run_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/flow_state.t
tests_unit_flow_state_t_SOURCES = tests/unit/flow_state.c tests/unit/flow_support.h \
	tests/unit/support.h
tests_unit_flow_state_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_flow_state_t_LDADD = $(FLOW_UNIT_LIBS)

unit_tests += tests/unit/capabilities_run.t
tests_unit_capabilities_run_t_SOURCES = tests/unit/capabilities_run.c tests/unit/support.h
tests_unit_capabilities_run_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_capabilities_run_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/capabilities_use.t
tests_unit_capabilities_use_t_SOURCES = tests/unit/capabilities_use.c tests/unit/support.h
tests_unit_capabilities_use_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_capabilities_use_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/channel.t
tests_unit_channel_t_SOURCES = tests/unit/channel.c tests/unit/support.h
tests_unit_channel_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_channel_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/event.t
tests_unit_event_t_SOURCES = tests/unit/event.c tests/unit/support.h
tests_unit_event_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_event_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/map.t
tests_unit_map_t_SOURCES = tests/unit/map.c tests/unit/support.h
tests_unit_map_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_map_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/map_async.t
tests_unit_map_async_t_SOURCES = tests/unit/map_async.c tests/unit/support.h
tests_unit_map_async_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_map_async_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/map_failures.t
tests_unit_map_failures_t_SOURCES = tests/unit/map_failures.c tests/unit/support.h
tests_unit_map_failures_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_map_failures_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/map_lazy.t
tests_unit_map_lazy_t_SOURCES = tests/unit/map_lazy.c tests/unit/support.h
tests_unit_map_lazy_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_map_lazy_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pipe.t
tests_unit_pipe_t_SOURCES = tests/unit/pipe.c tests/unit/support.h
tests_unit_pipe_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pipe_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_accounting.t
tests_unit_pool_accounting_t_SOURCES = tests/unit/pool_accounting.c tests/unit/support.h
tests_unit_pool_accounting_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_accounting_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_arguments.t
tests_unit_pool_arguments_t_SOURCES = tests/unit/pool_arguments.c tests/unit/support.h
tests_unit_pool_arguments_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_arguments_t_LDADD = $(UNIT_LIBS)

# The same with calls where compilers put short ways.
unit_tests += tests/unit/pool_arguments_called.t
tests_unit_pool_arguments_called_t_SOURCES = $(tests_unit_pool_arguments_t_SOURCES)
tests_unit_pool_arguments_called_t_CFLAGS = $(UNIT_CFLAGS) -DDISTRIBUTOR_NO_INLINE
tests_unit_pool_arguments_called_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_await.t
tests_unit_pool_await_t_SOURCES = tests/unit/pool_await.c tests/unit/support.h
tests_unit_pool_await_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_await_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
tests_unit_pool_await_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_crowd.t
tests_unit_pool_crowd_t_SOURCES = tests/unit/pool_crowd.c tests/unit/support.h
tests_unit_pool_crowd_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_crowd_t_LDADD = $(UNIT_LIBS)
tests_unit_pool_crowd_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
	-Wl,--wrap=sched_getcpu -Wl,--wrap=sched_yield

unit_tests += tests/unit/pool_bytes.t
tests_unit_pool_bytes_t_SOURCES = tests/unit/pool_bytes.c tests/unit/support.h
tests_unit_pool_bytes_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_bytes_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_cancel.t
tests_unit_pool_cancel_t_SOURCES = tests/unit/pool_cancel.c tests/unit/support.h
tests_unit_pool_cancel_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_cancel_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_deadlock.t
tests_unit_pool_deadlock_t_SOURCES = tests/unit/pool_deadlock.c tests/unit/support.h
tests_unit_pool_deadlock_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_deadlock_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_defer.t
tests_unit_pool_defer_t_SOURCES = tests/unit/pool_defer.c tests/unit/support.h
tests_unit_pool_defer_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_defer_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_destroy.t
tests_unit_pool_destroy_t_SOURCES = tests/unit/pool_destroy.c tests/unit/support.h
tests_unit_pool_destroy_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_destroy_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_destroy_callers.t
tests_unit_pool_destroy_callers_t_SOURCES = tests/unit/pool_destroy_callers.c tests/unit/support.h
tests_unit_pool_destroy_callers_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_destroy_callers_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_failures.t
tests_unit_pool_failures_t_SOURCES = tests/unit/pool_failures.c tests/unit/support.h
tests_unit_pool_failures_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_failures_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_fd.t
tests_unit_pool_fd_t_SOURCES = tests/unit/pool_fd.c tests/unit/support.h
tests_unit_pool_fd_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_fd_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_fork.t
tests_unit_pool_fork_t_SOURCES = tests/unit/pool_fork.c tests/unit/support.h
tests_unit_pool_fork_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_fork_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_hoarding.t
tests_unit_pool_hoarding_t_SOURCES = tests/unit/pool_hoarding.c tests/unit/support.h
tests_unit_pool_hoarding_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_hoarding_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_life.t
tests_unit_pool_life_t_SOURCES = tests/unit/pool_life.c tests/unit/support.h
tests_unit_pool_life_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_life_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_limits.t
tests_unit_pool_limits_t_SOURCES = tests/unit/pool_limits.c tests/unit/support.h
tests_unit_pool_limits_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_limits_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_messages.t
tests_unit_pool_messages_t_SOURCES = tests/unit/pool_messages.c tests/unit/support.h
tests_unit_pool_messages_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_messages_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_order.t
tests_unit_pool_order_t_SOURCES = tests/unit/pool_order.c tests/unit/support.h
tests_unit_pool_order_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_order_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_order_held.t
tests_unit_pool_order_held_t_SOURCES = tests/unit/pool_order_held.c tests/unit/support.h
tests_unit_pool_order_held_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_order_held_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_order_sources.t
tests_unit_pool_order_sources_t_SOURCES = tests/unit/pool_order_sources.c tests/unit/support.h
tests_unit_pool_order_sources_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_order_sources_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_output.t
tests_unit_pool_output_t_SOURCES = tests/unit/pool_output.c tests/unit/support.h
tests_unit_pool_output_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_output_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_readers.t
tests_unit_pool_readers_t_SOURCES = tests/unit/pool_readers.c tests/unit/support.h
tests_unit_pool_readers_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_readers_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_sources.t
tests_unit_pool_sources_t_SOURCES = tests/unit/pool_sources.c tests/unit/support.h
tests_unit_pool_sources_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_sources_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_stop.t
tests_unit_pool_stop_t_SOURCES = tests/unit/pool_stop.c tests/unit/support.h
tests_unit_pool_stop_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_stop_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_turns.t
tests_unit_pool_turns_t_SOURCES = tests/unit/pool_turns.c tests/unit/support.h
tests_unit_pool_turns_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_turns_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_worker_threads.t
tests_unit_pool_worker_threads_t_SOURCES = tests/unit/pool_worker_threads.c tests/unit/support.h
tests_unit_pool_worker_threads_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_worker_threads_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/pool_workers.t
tests_unit_pool_workers_t_SOURCES = tests/unit/pool_workers.c tests/unit/support.h
tests_unit_pool_workers_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pool_workers_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/nasty_system.t
tests_unit_nasty_system_t_SOURCES = tests/unit/nasty_system.c tests/unit/support.h
tests_unit_nasty_system_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_nasty_system_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/nasty_threads.t
tests_unit_nasty_threads_t_SOURCES = tests/unit/nasty_threads.c tests/unit/support.h
tests_unit_nasty_threads_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_nasty_threads_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/quota.t
tests_unit_quota_t_SOURCES = tests/unit/quota.c tests/unit/support.h
tests_unit_quota_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_quota_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fopen
tests_unit_quota_t_LDADD = $(UNIT_LIBS)

unit_tests += tests/unit/wrap.t
tests_unit_wrap_t_SOURCES = tests/unit/wrap.c tests/unit/queue_support.h tests/unit/support.h
tests_unit_wrap_t_CFLAGS = $(UNIT_CFLAGS)
tests_unit_wrap_t_LDADD = $(UNIT_LIBS)
endif
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

# Of a library that goes into programs alone: its sources are not compiled for a shared one too.
compiled_for_programs = --tag=disable-shared

# ---------------------------------------------------------------------------------------------
# Stress
# ---------------------------------------------------------------------------------------------
include tests/stress/local.mk

# ---------------------------------------------------------------------------------------------
# Faults
# ---------------------------------------------------------------------------------------------
include tests/fault/local.mk

# ---------------------------------------------------------------------------------------------
# Fuzzing
# ---------------------------------------------------------------------------------------------
include tests/fuzz/local.mk

# ---------------------------------------------------------------------------------------------
# Cost
# ---------------------------------------------------------------------------------------------
include tests/cost/local.mk

# ---------------------------------------------------------------------------------------------
# Schedules, and faults that they find
# ---------------------------------------------------------------------------------------------
include tests/schedule/local.mk
include tests/model/local.mk
include tests/mutation/local.mk

# ---------------------------------------------------------------------------------------------
# House checks
# ---------------------------------------------------------------------------------------------
house_checks = \
	tests/house/exceptions.sh \
	tests/house/exports.sh \
	tests/house/floors.sh \
	tests/house/hardening.sh \
	tests/house/installed.sh \
	tests/house/manual.sh \
	tests/house/sources.sh \
	tests/house/static_destructors.sh \
	tests/house/version.sh
EXTRA_DIST += $(house_checks) \
	tests/house/manual_examples.awk \
	tests/house/manual_synopsis.awk \
	tests/house/public_functions.awk \
	tests/house/public_members.awk \
	tests/house/report.sh

# They look at what gets installed, and a sanitizer adds to that.
if !SANITIZED
TESTS += $(house_checks)
endif

# `make install` links libdistributor-flow anew, and libtool takes the built one away meanwhile:
# what uses it waits for the test that installs, if that is to run.
uses_shared_flow = $(filter tests/cli/%.log tests/examples/%.log tests/house/exports.log \
	tests/house/hardening.log tests/house/manual.log,$(TEST_LOGS))
$(uses_shared_flow): $(filter tests/house/installed.log,$(TEST_LOGS))

# ---------------------------------------------------------------------------------------------
# Less than all, for scripts/test, which has run all of them with another compiler
# ---------------------------------------------------------------------------------------------
# What another compiler makes no difference to: it looks at texts, at the order of steps as the
# sources have it, or at models, which are no sources.
compiled_once = \
	tests/fault/wrapped.sh \
	tests/house/floors.sh \
	tests/house/manual.sh \
	tests/house/sources.sh \
	tests/house/version.sh \
	tests/model/models.sh \
	tests/mutation/explore.sh \
	tests/mutation/scenarios.sh \
	tests/schedule/wrapped.sh \
	tests/stress/determinism \
	$(schedule_programs)
check-again:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(filter-out $(compiled_once),$(TESTS))'

# What can go wrong in a release alone: a file that is missing, what is installed, the programs that
# users see first.  `make distcheck` runs the rest there too.
released_tests = \
	tests/house/exports.sh \
	tests/house/installed.sh \
	tests/house/static_destructors.sh \
	tests/house/version.sh \
	$(filter tests/cli/%.sh tests/examples/%.sh,$(TESTS))
check-release:
	$(MAKE) $(AM_MAKEFLAGS) distcheck TESTS='$(released_tests)' \
		check_PROGRAMS='$(filter tests/cli/% tests/examples/%,$(check_PROGRAMS))' \
		check_LTLIBRARIES=
phony_targets += check-again check-release

# ---------------------------------------------------------------------------------------------
# Long
# ---------------------------------------------------------------------------------------------
# The same, in volume: ends within two hours, and goes on the next time where it stopped.  In a
# build with a sanitizer it does a hundredth.
EXTRA_DIST += tests/SOAK.md tests/soak.sh
check-long: $(check_PROGRAMS) $(check_LTLIBRARIES)
	$(AM_TESTS_ENVIRONMENT) srcdir='$(srcdir)' unit_tests='$(unit_tests)' \
		fault_programs='$(fault_programs)' schedule_programs='$(explored_programs)' \
		long_checks='$(long_checks)' fuzz_cc='$(FUZZ_CC)' $(SHELL) $(srcdir)/tests/soak.sh
CLEANFILES += soak.state soak.log soak.last
phony_targets += check-long

# ---------------------------------------------------------------------------------------------
# Looking at the code itself; none of it is part of `make check`
# ---------------------------------------------------------------------------------------------
EXTRA_DIST += tests/house/abi.sh tests/house/analyze.sh tests/house/coverage.sh \
	tests/house/unreached.awk

# cppcheck, clang-tidy, gcc -fanalyzer.
analyze:
	srcdir='$(srcdir)' $(SHELL) $(srcdir)/tests/house/analyze.sh

# The lines and branches of src that the tests reach; it builds in the folder coverage.  What stress
# reaches differs from run to run, and with it what would be missing.  `make check-coverage` does
# without the explorer, and asks for the lines and branches alone: scripts/test runs it.
reaching = tests/cli/% tests/fault/% tests/fuzz/% tests/unit/%
reach = srcdir='$(abs_srcdir)' MAKE='$(MAKE)' AWK='$(AWK)' \
	tests='$(filter-out tests/%/wrapped.sh,$(filter $(1),$(TESTS)))' \
	programs='$(filter $(1),$(check_PROGRAMS))' $(SHELL) $(srcdir)/tests/house/coverage.sh
coverage:
	$(call reach,$(reaching) tests/schedule/%)
check-coverage:
	$(call reach,$(reaching)) bars

# The binary interfaces beside those of another build: BASE=FOLDER, as a rule the last release's.
check-abi: src/libdistributor.la src/libdistributor-flow.la
	srcdir='$(srcdir)' BASE='$(BASE)' $(SHELL) $(srcdir)/tests/house/abi.sh
CLEANFILES += libdistributor.abi libdistributor-flow.abi
phony_targets += analyze check-abi check-coverage coverage
