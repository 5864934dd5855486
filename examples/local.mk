# SPDX-License-Identifier: BSD-2-Clause
# Examples are built by `make` as a user would build them: public headers and the shared library
# alone, no macro defined for them.
#
#     noinst_PROGRAMS += examples/NAME
#     examples_NAME_SOURCES = examples/NAME.c
#     examples_NAME_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
#     examples_NAME_LDADD = $(EXAMPLE_LIBS)
#
# The test that runs one is a script, see tests/local.mk.

EXAMPLE_CPPFLAGS = -I$(top_srcdir)/include
EXAMPLE_LIBS = src/libdistributor.la

# checksum_tree and nothing else needs xxhash: its entry goes in here, with $(XXHASH_CFLAGS) added
# to its CFLAGS and $(XXHASH_LIBS) to its LDADD.
if HAVE_XXHASH
endif
