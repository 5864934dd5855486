# SPDX-License-Identifier: BSD-2-Clause
# `make bench` builds the benchmarks and runs the driver, which prints the table and writes
# bench-results.json into the build folder.  They are no part of `make` or `make check`.
#
#     bench_programs += bench/NAME
#     bench_NAME_SOURCES = bench/NAME.c bench/HEADER.h
#
# They link with src/libdistr.la unless bench_NAME_LDADD says otherwise.  Scripts and other files:
#
#     EXTRA_DIST += bench/NAME

bench_programs =

EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs) bench-results.json

# Builds them all and runs nothing.
bench-programs: $(bench_programs)
.PHONY: bench-programs
