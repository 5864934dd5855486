# SPDX-License-Identifier: BSD-2-Clause
# Faults put into the library, which the tests must find.  Not with a sanitizer: the explorer that
# finds most of them is not built there.
EXTRA_DIST += \
	tests/mutation/README.md \
	tests/mutation/apply.awk \
	tests/mutation/explore.sh \
	tests/mutation/mutants.txt \
	tests/mutation/native.sh
if !SANITIZED
TESTS += tests/mutation/explore.sh
endif

if !SANITIZED
# All of them: first the explorer, then the other tests for those that it leaves.
check-mutants: $(schedule_programs)
	srcdir='$(srcdir)' CC='$(CC)' AWK='$(AWK)' MAKE='$(MAKE)' $(SHELL) \
		$(srcdir)/tests/mutation/explore.sh all || \
	srcdir='$(srcdir)' CC='$(CC)' AWK='$(AWK)' MAKE='$(MAKE)' $(SHELL) \
		$(srcdir)/tests/mutation/native.sh `cat tests/mutation/made/survivors`
long_checks += check-mutants
endif
phony_targets += check-mutants
