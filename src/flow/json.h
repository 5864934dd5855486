/* SPDX-License-Identifier: BSD-2-Clause */
/* Between a state's JSON and its file.  The only headers that show jansson are this one's users. */
#ifndef DISTR_FLOW_JSON_H
#define DISTR_FLOW_JSON_H

#include <jansson.h>

#include "flow/state.h"

/* Sets what a parsed text says, or tells why it could not be parsed (json is NULL).  Takes json. */
int distr_state_take_json(distributor_state_t *state, json_t *json, const json_error_t *error);

#endif
