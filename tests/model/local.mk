# SPDX-License-Identifier: BSD-2-Clause
# The protocols as models for spin, which goes through all their states.  They are of no build, so
# one of them runs them.
EXTRA_DIST += \
	tests/model/README.md \
	tests/model/claim.pml \
	tests/model/deque.pml \
	tests/model/keep.pml \
	tests/model/keep_pool.pml \
	tests/model/models.sh \
	tests/model/models.txt \
	tests/model/park.pml \
	tests/model/quiescence.pml \
	tests/model/room.pml
if !SANITIZED
TESTS += tests/model/models.sh

# Larger sizes, and every fault; the longest first, for `make -j2`.
model_checks = \
	check-model-deque \
	check-model-park \
	check-model-keep \
	check-model-claim \
	check-model-quiescence \
	check-model-room
check-models: $(model_checks)
$(model_checks):
	srcdir='$(srcdir)' CC='$(CC)' AWK='$(AWK)' \
		$(SHELL) $(srcdir)/tests/model/models.sh `echo $@ | sed 's/check-model-//'`
long_checks += $(model_checks)
endif
phony_targets += check-models $(model_checks)
