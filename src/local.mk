# SPDX-License-Identifier: BSD-2-Clause
# src/libdistributor.la is what gets installed.  src/libdistr.la is the same code before its
# symbols are hidden: tests and benchmarks link with it, because they look inside.

noinst_LTLIBRARIES += src/libdistr.la
src_libdistr_la_SOURCES =
src_libdistr_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
src_libdistr_la_LIBADD = $(CK_LIBS)

include src/base/local.mk
include src/queue/local.mk
include src/pool/local.mk
include src/flow/local.mk

lib_LTLIBRARIES += src/libdistributor.la
src_libdistributor_la_SOURCES =
src_libdistributor_la_LIBADD = src/libdistr.la
src_libdistributor_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBDISTRIBUTOR_ABI) -no-undefined -Wl,-z,nodelete
src_libdistributor_la_DEPENDENCIES = src/libdistr.la src/libdistributor.map
if SYMBOL_MAP
src_libdistributor_la_LDFLAGS += -Wl,--version-script=$(top_srcdir)/src/libdistributor.map
endif

# It needs the other one, so that this one is installed first.
FLOW_NEEDS = $(CK_HT_LIBS) $(JANSSON_LIBS)
lib_LTLIBRARIES += src/libdistributor-flow.la
src_libdistributor_flow_la_SOURCES =
src_libdistributor_flow_la_LIBADD = src/libdistrflow.la src/libdistributor.la $(FLOW_NEEDS)
src_libdistributor_flow_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBDISTRIBUTOR_FLOW_ABI) -no-undefined -Wl,-z,nodelete
src_libdistributor_flow_la_DEPENDENCIES = src/libdistrflow.la src/libdistributor.la src/libdistributor-flow.map
if SYMBOL_MAP
src_libdistributor_flow_la_LDFLAGS += -Wl,--version-script=$(top_srcdir)/src/libdistributor-flow.map
endif

include src/cli/local.mk

EXTRA_DIST += src/libdistributor.map src/libdistributor-flow.map src/flow/README.md src/queue/README.md

include_HEADERS = include/distributor.h
distributorincludedir = $(includedir)/distributor
distributorinclude_HEADERS = \
	include/distributor/channel.h \
	include/distributor/graph.h \
	include/distributor/group.h \
	include/distributor/map.h \
	include/distributor/module.h \
	include/distributor/pool.h \
	include/distributor/short.h \
	include/distributor/state.h \
	include/distributor/value.h \
	include/distributor/version.h
