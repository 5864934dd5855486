# SPDX-License-Identifier: BSD-2-Clause
# Faults put into the library, which the tests must find.  Not with a sanitizer: the explorer that
# finds most of them is not built there.
EXTRA_DIST += \
	tests/mutation/README.md \
	tests/mutation/apply.awk \
	tests/mutation/explore.sh \
	tests/mutation/list.sh \
	tests/mutation/mutants.txt \
	tests/mutation/native.sh \
	tests/mutation/scenarios.sh
if !SANITIZED
TESTS += tests/mutation/explore.sh tests/mutation/scenarios.sh
endif

# All of them, in parts that `make check-long` can go on with, and `make -j2` runs side by side.
# Each has folders of its own.
explored_mutants = \
	check-mutants-explored-1 \
	check-mutants-explored-2 \
	check-mutants-explored-3 \
	check-mutants-explored-4
native_mutants =
if !SANITIZED
mutation = srcdir='$(srcdir)' CC='$(CC)' AWK='$(AWK)' MAKE='$(MAKE)' \
	MUTATION_WORK=tests/mutation/$@ $(SHELL) $(srcdir)/tests/mutation
$(explored_mutants): $(schedule_programs)
	$(mutation)/explore.sh $(@:check-mutants-explored-%=%)/4
if UNIT_TESTS
native_mutants += check-mutants-native
check-mutants-native:
	$(mutation)/native.sh 1/1
endif
check-mutants: $(native_mutants) $(explored_mutants)
long_checks += $(native_mutants) $(explored_mutants)
endif
phony_targets += check-mutants $(explored_mutants) $(native_mutants)
