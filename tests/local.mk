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
	VERSION='$(PACKAGE_VERSION)'; export VERSION;

TEST_EXTENSIONS = .t .sh
T_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
T_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
AM_T_LOG_FLAGS = --unit
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
SH_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/watchdog.sh
AM_SH_LOG_FLAGS = $(SHELL)
EXTRA_DIST += tests/watchdog.sh

# ---------------------------------------------------------------------------------------------
# Unit tests
# ---------------------------------------------------------------------------------------------
unit_tests =
UNIT_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS)
UNIT_LIBS = $(LDADD) $(CRITERION_LIBS)
if UNIT_TESTS
endif
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

# ---------------------------------------------------------------------------------------------
# Stress
# ---------------------------------------------------------------------------------------------

# ---------------------------------------------------------------------------------------------
# House checks
# ---------------------------------------------------------------------------------------------
house_checks = \
	tests/house/exports.sh \
	tests/house/floors.sh \
	tests/house/installed.sh \
	tests/house/manual.sh \
	tests/house/sources.sh \
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
