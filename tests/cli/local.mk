# SPDX-License-Identifier: BSD-2-Clause
# Tests of the command.

TESTS += \
	tests/cli/build.sh \
	tests/cli/completion.sh \
	tests/cli/ends.sh \
	tests/cli/manual.sh \
	tests/cli/refuse.sh \
	tests/cli/run.sh \
	tests/cli/trace.sh
EXTRA_DIST += \
	tests/cli/build.sh \
	tests/cli/completion.sh \
	tests/cli/ends.sh \
	tests/cli/manual.sh \
	tests/cli/refuse.sh \
	tests/cli/run.sh \
	tests/cli/support.sh \
	tests/cli/trace.sh

# Whether a trace holds to its format.
check_PROGRAMS += tests/cli/trace_check
tests_cli_trace_check_SOURCES = tests/cli/trace_check.c
tests_cli_trace_check_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_cli_trace_check_LDADD = $(JANSSON_LIBS)
