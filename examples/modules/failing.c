/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results that are handed on, and a task that fails: what depends on it is skipped.
 *
 *     distributor run --verbose examples/modules/failing.c
 *     distributor run --run-deps examples/modules/failing.c
 *     distributor run --verbose --result-test_a=mocked examples/modules/failing.c::test_b
 */
#include <errno.h>
#include <stdio.h>

#include <distributor/module.h>

/* Returns "NAME.RESULT" with the result of the task before, or the name alone. */
static int hand_on(distributor_call_t *call, const char *before)
{
    distributor_value_t value;
    char result[128], text[256];

    if (!before)
        return distributor_return_string(call, distributor_call_name(call));
    if (distributor_call_result(call, before, &value) != 0)
        value = distributor_string("--no-result--");
    distributor_value_format(&value, result, sizeof result);
    snprintf(text, sizeof text, "%s.%s", distributor_call_name(call), result);
    return distributor_return_string(call, text);
}

DISTRIBUTOR_TASK(test_a, .tags = {"first"}) { return hand_on(call, NULL); }
DISTRIBUTOR_TASK(test_b, .after = {"test_a"}, .tags = {"quick"}) { return hand_on(call, "test_a"); }
DISTRIBUTOR_TASK(test_c, .after = {"test_a"}) { return hand_on(call, "test_a"); }

DISTRIBUTOR_TASK(test_d, .after = {"test_c"})
{
    return distributor_call_fail(call, -EIO, "intentional failure");
}

DISTRIBUTOR_TASK(test_e, .after = {"test_c"}, .tags = {"quick"}) { return hand_on(call, "test_c"); }
DISTRIBUTOR_TASK(test_f, .after = {"test_b", "test_d"}) { return hand_on(call, "test_b"); }
