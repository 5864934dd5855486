# SPDX-License-Identifier: BSD-2-Clause
# Tests of the examples and of the README.

TESTS += \
	tests/examples/event_loop.sh \
	tests/examples/groups.sh \
	tests/examples/list_tree.sh \
	tests/examples/map.sh \
	tests/examples/readme.sh \
	tests/examples/squares.sh \
	tests/examples/tutorial.sh

if HAVE_XXHASH
TESTS += \
	tests/examples/checksum_tree.sh \
	tests/examples/checksum_tree_place
check_PROGRAMS += tests/examples/checksum_tree_place
tests_examples_checksum_tree_place_SOURCES = \
	examples/checksum_tree.h \
	examples/checksum_tree_place.c \
	tests/examples/checksum_tree_place.c
tests_examples_checksum_tree_place_CPPFLAGS = $(EXAMPLE_CPPFLAGS) -I$(top_srcdir)/examples
tests_examples_checksum_tree_place_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
tests_examples_checksum_tree_place_LDADD = $(EXAMPLE_LIBS) $(XXHASH_LIBS)
endif

if HAVE_LIBCURL
TESTS += tests/examples/in_flight.sh
check_PROGRAMS += tests/examples/holding_server
tests_examples_holding_server_SOURCES = tests/examples/holding_server.c
tests_examples_holding_server_LDADD =
endif

if HAVE_SCRAPE
TESTS += tests/examples/scrape.sh
endif

EXTRA_DIST += \
	tests/examples/in_flight.sh \
	tests/examples/nginx.sh \
	tests/examples/scrape.sh \
	tests/examples/event_loop.sh \
	tests/examples/groups.sh \
	tests/examples/checksum_tree.sh \
	tests/examples/list_tree.sh \
	tests/examples/map.sh \
	tests/examples/readme.sh \
	tests/examples/squares.sh \
	tests/examples/tutorial.sh
