/* SPDX-License-Identifier: BSD-2-Clause */
/* See history.h.  All of this is called while no worker runs. */
#include "flow/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/value.h"

/* A column of zeros with the rows that there were. */
static int fit(void *column, size_t size, size_t before, size_t count)
{
    void **rows = column;
    void *more = calloc(count + 1, size);

    if (!more)
        return -ENOMEM;
    if (*rows)
        memcpy(more, *rows, before * size);
    free(*rows);
    *rows = more;
    return 0;
}

static int fit_noted(struct distr_history *h, size_t before, size_t count)
{
    int rc = fit(&h->started, sizeof *h->started, before, count);

    if (rc == 0)
        rc = fit(&h->ended, sizeof *h->ended, before, count);
    return rc == 0 ? fit(&h->worker, sizeof *h->worker, before, count) : rc;
}

/* A column that has grown keeps its old rows, so that one that cannot grow does no harm. */
static int fit_all(struct distr_history *h, size_t count)
{
    int rc = fit(&h->state, sizeof *h->state, h->count, count);

    if (rc == 0)
        rc = fit(&h->cause, sizeof *h->cause, h->count, count);
    if (rc == 0)
        rc = fit(&h->error, sizeof *h->error, h->count, count);
    if (rc == 0)
        rc = fit(&h->text, sizeof *h->text, h->count, count);
    if (rc == 0)
        rc = fit(&h->value, sizeof *h->value, h->count, count);
    if (rc == 0)
        rc = fit(&h->has_value, sizeof *h->has_value, h->count, count);
    if (rc == 0 && h->worker)
        rc = fit_noted(h, h->count, count);
    return rc;
}

int distr_history_fit(struct distr_history *h, size_t count, bool noted)
{
    if (count > h->count || !h->state) {
        int rc = fit_all(h, count);
        if (rc != 0)
            return rc;
        for (size_t n = h->count; n < count; n++)
            h->state[n] = DISTR_NOT_CHOSEN;
        h->count = count;
    }
    return noted && !h->worker ? fit_noted(h, 0, h->count) : 0;
}

static void forget_failures(struct distr_history *h)
{
    for (size_t n = 0; n < h->count; n++) {
        free(h->text[n]);
        h->text[n] = NULL;
        h->error[n] = 0;
        h->cause[n] = 0;
    }
    h->any_failure = false;
}

void distr_history_begin(struct distr_history *h, const struct distr_plan *plan)
{
    if (h->any_failure)
        forget_failures(h);
    bool left = false;
    for (size_t n = 0; h->any_value && n < h->count; n++) {
        if (plan->needs[n] == DISTR_NOT_CHOSEN) {
            left = left || h->has_value[n];
            continue;
        }
        h->has_value[n] = false;
        distr_value_drop(&h->value[n]);
    }
    h->any_value = left;
    if (h->worker) {
        memset(h->started, 0, h->count * sizeof *h->started);
        memset(h->ended, 0, h->count * sizeof *h->ended);
        memset(h->worker, 0, h->count * sizeof *h->worker);
    }
    memcpy((void *)h->state, plan->needs, plan->count * sizeof *plan->needs);
    h->ran = true;
}

void distr_history_set(struct distr_history *h, size_t node, const distributor_value_t *value)
{
    distr_value_drop(&h->value[node]);
    h->value[node] = *value;
    h->has_value[node] = true;
    h->any_value = true;
}

void distr_history_free(struct distr_history *h)
{
    for (size_t n = 0; n < h->count && h->state; n++) {
        if (h->any_failure)
            free(h->text[n]);
        if (h->any_value)
            distr_value_drop(&h->value[n]);
    }
    free((void *)h->state);
    free((void *)h->cause);
    free((void *)h->error);
    free(h->text);
    free(h->value);
    free((void *)h->has_value);
    free(h->started);
    free(h->ended);
    free(h->worker);
    *h = (struct distr_history){0};
}
