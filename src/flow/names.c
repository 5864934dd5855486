/* SPDX-License-Identifier: BSD-2-Clause */
/* Names; see names.h. */
#include "flow/names.h"

#include <distributor/graph.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "flow/name_hash.h"

#define FIRST_SIZE 64

static void *allocate(size_t size)
{
    return malloc(size);
}

/* Nobody looks a name up while the table grows, so that nothing has to be kept for a reader. */
static void release(void *memory, size_t size, bool may_defer)
{
    (void)size;
    (void)may_defer;
    free(memory);
}

static void hash_name(ck_ht_hash_t *hash, const void *name, size_t size, uint64_t seed)
{
    hash->value = distr_name_hash(seed, name, size);
}

static struct ck_malloc memory = {.malloc = allocate, .free = release};

int distr_names_put(struct distr_names *names, const char *name, const void *value)
{
    size_t length = strlen(name);
    ck_ht_entry_t entry;
    ck_ht_hash_t hash;

    if (length == 0 || length > DISTRIBUTOR_MAX_NAME)
        return length == 0 ? -EINVAL : -ENAMETOOLONG;
    if (!names->made && !ck_ht_init(&names->table, CK_HT_MODE_BYTESTRING, hash_name, &memory,
                                    FIRST_SIZE, distr_random()))
        return -ENOMEM;
    names->made = true;
    if (distr_names_get(names, name))
        return -EEXIST;
    ck_ht_hash(&hash, &names->table, name, (uint16_t)length);
    ck_ht_entry_set(&entry, hash, name, (uint16_t)length, value);
    return ck_ht_put_spmc(&names->table, hash, &entry) ? 0 : -ENOMEM;
}

void *distr_names_get(struct distr_names *names, const char *name)
{
    size_t length = strlen(name);
    ck_ht_entry_t entry;
    ck_ht_hash_t hash;

    if (!names->made || length == 0 || length > DISTRIBUTOR_MAX_NAME)
        return NULL;
    ck_ht_hash(&hash, &names->table, name, (uint16_t)length);
    ck_ht_entry_key_set(&entry, name, (uint16_t)length);
    return ck_ht_get_spmc(&names->table, hash, &entry) ? ck_ht_entry_value(&entry) : NULL;
}

void distr_names_free(struct distr_names *names)
{
    if (names->made)
        ck_ht_destroy(&names->table);
    names->made = false;
}
