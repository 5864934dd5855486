# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing: `make fuzz` builds the targets with libFuzzer and both sanitizers, with clang, and lets
# each run for FUZZ_SECONDS over its corpus; what is new stays in the build folder.  `make check`
# replays the corpora, in every build.

fuzz_api = tests/fuzz/api.c tests/fuzz/model.c
fuzz_list = tests/fuzz/list.c
fuzz_options = tests/fuzz/options.c src/cli/options.c
fuzz_quota = tests/fuzz/quota.c src/base/os.c
fuzz_rule = tests/fuzz/rule.c
fuzz_state = tests/fuzz/state.c
fuzz_values = tests/fuzz/values.c src/cli/values.c

fuzz_quota_wrapped = -Wl,--wrap=fopen,--wrap=sched_getaffinity

fuzz_replays = \
	tests/fuzz/api_replay \
	tests/fuzz/list_replay \
	tests/fuzz/options_replay \
	tests/fuzz/quota_replay \
	tests/fuzz/rule_replay \
	tests/fuzz/state_replay \
	tests/fuzz/values_replay
check_PROGRAMS += $(fuzz_replays)
TESTS += $(fuzz_replays)
tests_fuzz_api_replay_SOURCES = $(fuzz_api) tests/fuzz/model.h tests/fuzz/replay.c
tests_fuzz_api_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"api"'
tests_fuzz_list_replay_SOURCES = $(fuzz_list) tests/fuzz/replay.c
tests_fuzz_list_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"list"'
tests_fuzz_list_replay_LDADD = $(FLOW_LIBS)
tests_fuzz_options_replay_SOURCES = $(fuzz_options) tests/fuzz/replay.c
tests_fuzz_options_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"options"'
tests_fuzz_options_replay_LDADD = $(FLOW_LIBS)
tests_fuzz_quota_replay_SOURCES = tests/fuzz/quota.c tests/fuzz/replay.c
tests_fuzz_quota_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"quota"'
tests_fuzz_quota_replay_LDFLAGS = $(AM_LDFLAGS) $(fuzz_quota_wrapped)
tests_fuzz_rule_replay_SOURCES = $(fuzz_rule) tests/fuzz/replay.c
tests_fuzz_rule_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"rule"'
tests_fuzz_rule_replay_LDADD = $(FLOW_LIBS)
tests_fuzz_state_replay_SOURCES = $(fuzz_state) tests/fuzz/replay.c
tests_fuzz_state_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"state"'
tests_fuzz_state_replay_LDADD = $(FLOW_LIBS)
tests_fuzz_values_replay_SOURCES = $(fuzz_values) tests/fuzz/replay.c
tests_fuzz_values_replay_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME='"values"'
tests_fuzz_values_replay_LDADD = $(FLOW_LIBS)
EXTRA_DIST += tests/fuzz/corpus \
	tests/fuzz/list.dict \
	tests/fuzz/options.dict \
	tests/fuzz/quota.dict \
	tests/fuzz/rule.dict \
	tests/fuzz/run.sh \
	tests/fuzz/state.dict \
	tests/fuzz/values.dict

FUZZ_CC = clang
FUZZ_SECONDS = 60
# Concurrency Kit's stack counts its generations in a pointer.
FUZZ_CFLAGS = -std=gnu11 -g -O2 -pthread -fsanitize=fuzzer,address,undefined \
	-fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined

fuzz_compile = $(MKDIR_P) tests/fuzz && $(FUZZ_CC) $(FUZZ_CFLAGS) -D_GNU_SOURCE= \
	-I$(top_srcdir)/include -I$(top_srcdir)/src $(JANSSON_CFLAGS)
fuzz_pool = $(src_libdistr_la_SOURCES)
# Some of base is in both libraries.
fuzz_flow = $(sort $(src_libdistr_la_SOURCES) $(src_libdistrflow_la_SOURCES))
fuzz_flow_libs = $(CK_LIBS) $(FLOW_NEEDS)

fuzzers = \
	tests/fuzz/api_fuzzer \
	tests/fuzz/list_fuzzer \
	tests/fuzz/options_fuzzer \
	tests/fuzz/quota_fuzzer \
	tests/fuzz/rule_fuzzer \
	tests/fuzz/state_fuzzer \
	tests/fuzz/values_fuzzer

tests/fuzz/api_fuzzer: $(fuzz_api) tests/fuzz/model.h $(fuzz_pool)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_pool) $(fuzz_api))) $(CK_LIBS)
tests/fuzz/list_fuzzer: $(fuzz_list) $(fuzz_flow)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_flow) $(fuzz_list))) $(fuzz_flow_libs)
tests/fuzz/options_fuzzer: $(fuzz_options) src/cli/cli.h $(fuzz_flow)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_flow) $(fuzz_options))) $(fuzz_flow_libs)
tests/fuzz/quota_fuzzer: $(fuzz_quota) src/base/os.h
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_quota))) $(fuzz_quota_wrapped)
tests/fuzz/rule_fuzzer: $(fuzz_rule) $(fuzz_flow)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_flow) $(fuzz_rule))) $(fuzz_flow_libs)
tests/fuzz/state_fuzzer: $(fuzz_state) $(fuzz_flow)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_flow) $(fuzz_state))) $(fuzz_flow_libs)
tests/fuzz/values_fuzzer: $(fuzz_values) src/cli/cli.h $(fuzz_flow)
	$(AM_V_CCLD)$(fuzz_compile) -o $@ \
		$(addprefix $(top_srcdir)/,$(filter %.c,$(fuzz_flow) $(fuzz_values))) $(fuzz_flow_libs)
CLEANFILES += $(fuzzers)

fuzz: $(fuzzers)
	for name in api list options quota rule state values; do \
		srcdir='$(top_srcdir)' $(SHELL) $(top_srcdir)/tests/fuzz/run.sh $$name \
			-max_total_time=$(FUZZ_SECONDS) || exit; \
	done
phony_targets += fuzz
