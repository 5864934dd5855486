# SPDX-License-Identifier: BSD-2-Clause
# What an event costs, in instructions: they repeat exactly, so that a change that makes one dearer
# is seen without a clock.
check_PROGRAMS += tests/cost/events
tests_cost_events_SOURCES = tests/cost/events.c tests/cost/meter.h tests/cost/pool.c \
	tests/cost/queue.c

# Sanitizers add instructions of their own.
if !SANITIZED
TESTS += tests/cost/instructions.sh
endif
EXTRA_DIST += tests/cost/bounds tests/cost/instructions.sh
