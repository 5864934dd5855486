# SPDX-License-Identifier: BSD-2-Clause
# Floor 4: the command, on the public headers alone.  A module finds the functions that it calls in
# the shared libraries, so without these there is no command.
# All but main; a test of faults calls them in a process of its own.
cli_parts = \
	src/cli/cli.h \
	src/cli/crash.c \
	src/cli/files.c \
	src/cli/graph.c \
	src/cli/options.c \
	src/cli/progress.c \
	src/cli/run.c \
	src/cli/say.c \
	src/cli/tasks.c \
	src/cli/trace.c \
	src/cli/values.c \
	src/cli/viewer.c
if SHARED
bin_PROGRAMS += src/cli/distributor
src_cli_distributor_SOURCES = \
	src/cli/main.c \
	$(cli_parts)
src_cli_distributor_CPPFLAGS = -D_GNU_SOURCE= -I$(top_srcdir)/include -I$(top_srcdir)/src \
	$(HARDENING_CPPFLAGS)
src_cli_distributor_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(TINFO_CFLAGS)
src_cli_distributor_LDADD = src/libdistributor-flow.la src/libdistributor.la $(JANSSON_LIBS) \
	$(TINFO_LIBS)

# Where bash looks for it; the file is named after the command.
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = src/cli/completion/distributor
else
EXTRA_DIST += src/cli/completion/distributor
endif
