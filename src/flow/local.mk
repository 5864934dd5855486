# SPDX-License-Identifier: BSD-2-Clause
# Floor 3.  Every .c and .h of this folder is listed, in alphabetical order.

src_libdistr_la_SOURCES += \
	src/flow/map.c \
	src/flow/map_async.c \
	src/flow/map_lazy.c \
	src/flow/ranges.c \
	src/flow/ranges.h \
	src/flow/window.c \
	src/flow/window.h

# libdistributor-flow: graphs, on the public interface of the pool.  src/libdistrflow.la is the
# same code before its symbols are hidden, as src/libdistr.la is for libdistributor.

noinst_LTLIBRARIES += src/libdistrflow.la
src_libdistrflow_la_SOURCES = \
	src/base/cacheline.h \
	src/base/fence.c \
	src/base/fence.h \
	src/base/os.c \
	src/base/os.h \
	src/flow/bind.c \
	src/flow/bind.h \
	src/flow/call.c \
	src/flow/check.c \
	src/flow/counts.h \
	src/flow/events.c \
	src/flow/events.h \
	src/flow/file.c \
	src/flow/graph.c \
	src/flow/graph.h \
	src/flow/group.c \
	src/flow/history.c \
	src/flow/history.h \
	src/flow/interrupt.c \
	src/flow/json.c \
	src/flow/json.h \
	src/flow/lists.c \
	src/flow/lists.h \
	src/flow/log.c \
	src/flow/module.c \
	src/flow/module.h \
	src/flow/module_cache.c \
	src/flow/module_compile.c \
	src/flow/module_files.c \
	src/flow/module_load.c \
	src/flow/name_hash.c \
	src/flow/name_hash.h \
	src/flow/names.c \
	src/flow/names.h \
	src/flow/node.c \
	src/flow/part.c \
	src/flow/plan.c \
	src/flow/plan.h \
	src/flow/report.c \
	src/flow/report.h \
	src/flow/run.c \
	src/flow/run.h \
	src/flow/select.c \
	src/flow/select.h \
	src/flow/state.c \
	src/flow/state.h \
	src/flow/text.c \
	src/flow/value.c \
	src/flow/value.h
src_libdistrflow_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) -fvisibility=hidden
