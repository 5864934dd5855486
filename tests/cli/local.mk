# SPDX-License-Identifier: BSD-2-Clause
# Tests of the command.

TESTS += \
	tests/cli/build.sh \
	tests/cli/completion.sh \
	tests/cli/ends.sh \
	tests/cli/refuse.sh \
	tests/cli/run.sh
EXTRA_DIST += \
	tests/cli/build.sh \
	tests/cli/completion.sh \
	tests/cli/ends.sh \
	tests/cli/refuse.sh \
	tests/cli/run.sh \
	tests/cli/support.sh
