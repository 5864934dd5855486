# SPDX-License-Identifier: BSD-2-Clause
# Examples are built by `make` as a user would build them: public headers and the shared library
# alone, no macro defined for them.
#
#     noinst_PROGRAMS += examples/NAME
#     examples_NAME_SOURCES = examples/NAME.c
#     examples_NAME_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
#     examples_NAME_LDADD = $(EXAMPLE_LIBS)
#
# The test that runs one has its name and is in tests/examples.

EXAMPLE_CPPFLAGS = -I$(top_srcdir)/include
EXAMPLE_LIBS = src/libdistributor.la

noinst_PROGRAMS += examples/squares examples/map

examples_squares_SOURCES = examples/squares.c
examples_squares_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_squares_LDADD = $(EXAMPLE_LIBS)

noinst_PROGRAMS += examples/list_tree
examples_list_tree_SOURCES = examples/list_tree.c
examples_list_tree_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_list_tree_LDADD = $(EXAMPLE_LIBS)

examples_map_SOURCES = examples/map.c
examples_map_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_map_LDADD = $(EXAMPLE_LIBS)

noinst_PROGRAMS += examples/event_loop
examples_event_loop_SOURCES = examples/event_loop.c
examples_event_loop_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_event_loop_LDADD = $(EXAMPLE_LIBS)

# A course about threads: each program sets plain threads beside the distributor.
noinst_PROGRAMS += \
	examples/tutorial/event \
	examples/tutorial/names \
	examples/tutorial/pipeline \
	examples/tutorial/pool \
	examples/tutorial/race \
	examples/tutorial/threads
examples_tutorial_event_SOURCES = examples/tutorial/event.c
examples_tutorial_event_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_event_LDADD = $(EXAMPLE_LIBS)
examples_tutorial_names_SOURCES = examples/tutorial/names.c
examples_tutorial_names_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_names_LDADD = $(EXAMPLE_LIBS)
examples_tutorial_pipeline_SOURCES = examples/tutorial/pipeline.c
examples_tutorial_pipeline_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_pipeline_LDADD = $(EXAMPLE_LIBS)
examples_tutorial_pool_SOURCES = examples/tutorial/pool.c
examples_tutorial_pool_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_pool_LDADD = $(EXAMPLE_LIBS)
examples_tutorial_race_SOURCES = examples/tutorial/race.c
examples_tutorial_race_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_race_LDADD = $(EXAMPLE_LIBS)
examples_tutorial_threads_SOURCES = examples/tutorial/threads.c
examples_tutorial_threads_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_tutorial_threads_LDADD = $(EXAMPLE_LIBS)

# Groups and graphs are in a library of their own.
noinst_PROGRAMS += examples/groups
examples_groups_SOURCES = examples/groups.c
examples_groups_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_groups_LDADD = src/libdistributor-flow.la $(EXAMPLE_LIBS)

# checksum_tree and nothing else needs xxhash.
if HAVE_XXHASH
noinst_PROGRAMS += examples/checksum_tree
examples_checksum_tree_SOURCES = \
	examples/checksum_tree.c \
	examples/checksum_tree.h \
	examples/checksum_tree_place.c \
	examples/checksum_tree_tasks.c
examples_checksum_tree_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_checksum_tree_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
examples_checksum_tree_LDADD = $(EXAMPLE_LIBS) $(XXHASH_LIBS)
endif

# in_flight needs libcurl.
if HAVE_LIBCURL
noinst_PROGRAMS += examples/in_flight
examples_in_flight_SOURCES = \
	examples/in_flight.c \
	examples/in_flight.h \
	examples/in_flight_loop.c
examples_in_flight_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_in_flight_CFLAGS = $(AM_CFLAGS) $(LIBCURL_CFLAGS)
examples_in_flight_LDADD = $(EXAMPLE_LIBS) $(LIBCURL_LIBS)
endif

# scrape needs libcurl and libxml2.
if HAVE_SCRAPE
noinst_PROGRAMS += examples/scrape
examples_scrape_SOURCES = \
	examples/scrape.c \
	examples/scrape.h \
	examples/scrape_page.c \
	examples/scrape_site.c
examples_scrape_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_scrape_CFLAGS = $(AM_CFLAGS) $(LIBCURL_CFLAGS) $(LIBXML2_CFLAGS)
examples_scrape_LDADD = $(EXAMPLE_LIBS) $(LIBCURL_LIBS) $(LIBXML2_LIBS)
endif

# Modules for the command: it compiles them itself.  tests/cli runs them.
EXTRA_DIST += \
	examples/modules/build.c \
	examples/modules/failing.c \
	examples/modules/shared_state.c \
	examples/modules/simple.c
