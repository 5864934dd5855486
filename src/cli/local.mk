# SPDX-License-Identifier: BSD-2-Clause
# Floor 4: the command, on the public headers alone.  A module finds the functions that it calls in
# the shared libraries, so without these there is no command.

if SHARED
bin_PROGRAMS += src/cli/distributor
src_cli_distributor_SOURCES = \
	src/cli/cli.h \
	src/cli/crash.c \
	src/cli/graph.c \
	src/cli/main.c \
	src/cli/options.c \
	src/cli/progress.c \
	src/cli/run.c \
	src/cli/say.c \
	src/cli/tasks.c \
	src/cli/trace.c \
	src/cli/values.c
src_cli_distributor_CPPFLAGS = -D_GNU_SOURCE= -I$(top_srcdir)/include -I$(top_srcdir)/src \
	$(HARDENING_CPPFLAGS)
src_cli_distributor_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
src_cli_distributor_LDADD = src/libdistributor-flow.la src/libdistributor.la $(JANSSON_LIBS)

# Where bash looks for it.
install_more += install-completion
install-completion:
	$(MKDIR_P) '$(DESTDIR)$(datadir)/bash-completion/completions'
	$(INSTALL_DATA) $(top_srcdir)/src/cli/completion.bash \
		'$(DESTDIR)$(datadir)/bash-completion/completions/distributor'
uninstall_more += uninstall-completion
uninstall-completion:
	rm -f '$(DESTDIR)$(datadir)/bash-completion/completions/distributor'
phony_targets += install-completion uninstall-completion
endif

EXTRA_DIST += src/cli/completion.bash
