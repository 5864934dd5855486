# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing: `make fuzz` builds the targets with libFuzzer and both sanitizers, with clang, and lets
# them run for FUZZ_SECONDS over the corpus; what is new stays in the build folder.  `make check`
# replays the corpus, in every build.

fuzz_api = tests/fuzz/api.c tests/fuzz/model.c
check_PROGRAMS += tests/fuzz/api_replay
TESTS += tests/fuzz/api_replay
tests_fuzz_api_replay_SOURCES = $(fuzz_api) tests/fuzz/model.h tests/fuzz/replay.c
EXTRA_DIST += tests/fuzz/corpus

FUZZ_CC = clang
FUZZ_SECONDS = 60
# Concurrency Kit's stack counts its generations in a pointer.
FUZZ_CFLAGS = -std=gnu11 -g -O1 -pthread -fsanitize=fuzzer,address,undefined \
	-fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined

tests/fuzz/api_fuzzer: $(fuzz_api) tests/fuzz/model.h $(src_libdistr_la_SOURCES)
	$(AM_V_CCLD)$(MKDIR_P) tests/fuzz && \
	$(FUZZ_CC) $(FUZZ_CFLAGS) -D_GNU_SOURCE= -I$(top_srcdir)/include -I$(top_srcdir)/src \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(src_libdistr_la_SOURCES) $(fuzz_api))) \
		-o $@ $(CK_LIBS)
CLEANFILES += tests/fuzz/api_fuzzer

fuzz: tests/fuzz/api_fuzzer
	$(MKDIR_P) fuzz/api
	tests/fuzz/api_fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=600 -timeout=120 \
		-artifact_prefix=fuzz/ fuzz/api $(top_srcdir)/tests/fuzz/corpus/api
phony_targets += fuzz
