/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the command line. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"

int set_key(distributor_state_t *state, const struct pair *pair)
{
    char why[512] = "";
    int rc = distributor_state_set_text(state, pair->key, pair->value);

    if (rc == 0)
        return 0;
    distributor_state_message(state, why, sizeof why);
    return complain(rc == -ENOMEM ? EXIT_ENGINE : EXIT_USAGE, "--%s=%s: %s", pair->key,
                    pair->value, said(why));
}

char *format_value(const distributor_value_t *value)
{
    int length = distributor_value_format(value, NULL, 0);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);

    if (!text || distributor_value_format(value, text, (size_t)length + 1) >= 0)
        return text;
    free(text);
    return NULL;
}
