# SPDX-License-Identifier: BSD-2-Clause
# The explorer of schedules: the sources of the library, their atomics replaced by shim.h, and the
# calls in this list by system.c.

schedule_wrapped = \
	aligned_alloc calloc clock_gettime distr_cpu_count distr_event_clear \
	distr_event_close distr_event_make distr_event_set distr_fence_init distr_futex_wait \
	distr_futex_wake distr_heavy_fence distr_pages_map distr_pages_unmap \
	distr_sleep_until free malloc nanosleep pthread_atfork pthread_cond_broadcast \
	pthread_cond_destroy pthread_cond_init pthread_cond_wait pthread_create \
	pthread_detach pthread_exit pthread_join pthread_key_create pthread_mutex_destroy \
	pthread_mutex_init pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock \
	pthread_self pthread_setname_np pthread_setspecific pthread_sigmask realloc sched_getcpu \
	sched_yield strdup

schedule_programs = \
	tests/schedule/channels \
	tests/schedule/counts \
	tests/schedule/ends \
	tests/schedule/events \
	tests/schedule/graphs \
	tests/schedule/keeps \
	tests/schedule/late \
	tests/schedule/maps \
	tests/schedule/order \
	tests/schedule/queues \
	tests/schedule/room \
	tests/schedule/works

schedule_book = tests/schedule/book.c tests/schedule/book.h

# Coroutines jump between stacks, which fortified jumps and sanitizers take for a mistake.
schedule_cflags = $(AM_CFLAGS) -I$(top_srcdir)/tests -Wno-shadow -fno-strict-aliasing \
	-U_FORTIFY_SOURCE -DDISTRIBUTOR_NO_INLINE
schedule_ldflags = $(AM_LDFLAGS) $(schedule_wrapped:%=-Wl,--wrap=%)
schedule_shim = -include $(top_srcdir)/tests/schedule/shim.h

explored_programs =
if !SANITIZED
check_PROGRAMS += $(schedule_programs)
TESTS += $(schedule_programs)
explored_programs += $(schedule_programs)

# The explorer itself; it stands before what it explores, which needs system.c.
check_LTLIBRARIES += tests/schedule/libexplorer.la
tests_schedule_libexplorer_la_LIBTOOLFLAGS = $(compiled_for_programs)
tests_schedule_libexplorer_la_SOURCES = \
	tests/schedule/internal.h \
	tests/schedule/memory.c \
	tests/schedule/schedule.h \
	tests/schedule/search.c \
	tests/schedule/shim.h \
	tests/schedule/system.c \
	tests/schedule/threads.c
tests_schedule_libexplorer_la_CFLAGS = $(schedule_cflags)

check_LTLIBRARIES += tests/schedule/libscheduled.la
tests_schedule_libscheduled_la_LIBTOOLFLAGS = $(compiled_for_programs)
tests_schedule_libscheduled_la_SOURCES = $(src_libdistr_la_SOURCES)
tests_schedule_libscheduled_la_CFLAGS = $(schedule_cflags) $(schedule_shim)
tests_schedule_libscheduled_la_LIBADD = $(CK_LIBS)

# What a run of a graph needs.
check_LTLIBRARIES += tests/schedule/libscheduled-flow.la
tests_schedule_libscheduled_flow_la_LIBTOOLFLAGS = $(compiled_for_programs)
tests_schedule_libscheduled_flow_la_SOURCES = \
	src/flow/bind.c \
	src/flow/call.c \
	src/flow/check.c \
	src/flow/events.c \
	src/flow/graph.c \
	src/flow/history.c \
	src/flow/lists.c \
	src/flow/log.c \
	src/flow/name_hash.c \
	src/flow/names.c \
	src/flow/node.c \
	src/flow/plan.c \
	src/flow/report.c \
	src/flow/run.c \
	src/flow/select.c \
	src/flow/state.c \
	src/flow/text.c \
	src/flow/value.c
tests_schedule_libscheduled_flow_la_CFLAGS = $(schedule_cflags) $(schedule_shim)
tests_schedule_libscheduled_flow_la_LIBADD = $(CK_HT_LIBS)

explored = tests/schedule/libexplorer.la tests/schedule/libscheduled.la

tests_schedule_channels_SOURCES = tests/schedule/channels.c
tests_schedule_channels_CFLAGS = $(schedule_cflags)
tests_schedule_channels_LDFLAGS = $(schedule_ldflags)
tests_schedule_channels_LDADD = $(explored)
tests_schedule_counts_SOURCES = tests/schedule/counts.c
tests_schedule_counts_CFLAGS = $(schedule_cflags)
tests_schedule_counts_LDFLAGS = $(schedule_ldflags)
tests_schedule_counts_LDADD = $(explored)
tests_schedule_ends_SOURCES = tests/schedule/ends.c $(schedule_book)
tests_schedule_ends_CFLAGS = $(schedule_cflags)
tests_schedule_ends_LDFLAGS = $(schedule_ldflags)
tests_schedule_ends_LDADD = $(explored)
tests_schedule_events_SOURCES = tests/schedule/events.c
tests_schedule_events_CFLAGS = $(schedule_cflags)
tests_schedule_events_LDFLAGS = $(schedule_ldflags)
tests_schedule_events_LDADD = $(explored)
tests_schedule_graphs_SOURCES = tests/schedule/graphs.c
tests_schedule_graphs_CFLAGS = $(schedule_cflags)
tests_schedule_graphs_LDFLAGS = $(schedule_ldflags)
tests_schedule_graphs_LDADD = \
	tests/schedule/libexplorer.la \
	tests/schedule/libscheduled-flow.la \
	tests/schedule/libscheduled.la
tests_schedule_keeps_SOURCES = tests/schedule/keeps.c $(schedule_book)
tests_schedule_keeps_CFLAGS = $(schedule_cflags)
tests_schedule_keeps_LDFLAGS = $(schedule_ldflags)
tests_schedule_keeps_LDADD = $(explored)
tests_schedule_late_SOURCES = tests/schedule/late.c
tests_schedule_late_CFLAGS = $(schedule_cflags)
tests_schedule_late_LDFLAGS = $(schedule_ldflags)
tests_schedule_late_LDADD = $(explored)
tests_schedule_maps_SOURCES = tests/schedule/maps.c
tests_schedule_maps_CFLAGS = $(schedule_cflags)
tests_schedule_maps_LDFLAGS = $(schedule_ldflags)
tests_schedule_maps_LDADD = $(explored)
tests_schedule_order_SOURCES = tests/schedule/order.c $(schedule_book)
tests_schedule_order_CFLAGS = $(schedule_cflags)
tests_schedule_order_LDFLAGS = $(schedule_ldflags)
tests_schedule_order_LDADD = $(explored)
tests_schedule_queues_SOURCES = tests/schedule/queues.c
tests_schedule_queues_CFLAGS = $(schedule_cflags)
tests_schedule_queues_LDFLAGS = $(schedule_ldflags)
tests_schedule_queues_LDADD = $(explored)
tests_schedule_room_SOURCES = tests/schedule/room.c $(schedule_book)
tests_schedule_room_CFLAGS = $(schedule_cflags)
tests_schedule_room_LDFLAGS = $(schedule_ldflags)
tests_schedule_room_LDADD = $(explored)
tests_schedule_works_SOURCES = tests/schedule/works.c $(schedule_book)
tests_schedule_works_CFLAGS = $(schedule_cflags)
tests_schedule_works_LDFLAGS = $(schedule_ldflags)
tests_schedule_works_LDADD = $(explored)
endif
EXTRA_DIST += tests/schedule/README.md

# For an hour: three preemptions, each scenario up to a limit, and many more at random.
if !SANITIZED
check-schedules: $(schedule_programs)
	for program in $(schedule_programs); do \
		./$$program --preemptions 3 --limit 400000 --random 100000 && \
			./$$program --fallback 1 --limit 400000 || exit 1; \
	done
endif
phony_targets += check-schedules

# Nothing that could block is missing from the list.
EXTRA_DIST += tests/schedule/wrapped.sh
if !SANITIZED
TESTS += tests/schedule/wrapped.sh
endif
