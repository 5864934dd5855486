/* SPDX-License-Identifier: BSD-2-Clause */
/* src/flow/names.c, name_hash.c: names that strangers chose. */
#include "support.h"

#include "flow/name_hash.h"
#include "flow/names.h"

TestSuite(flow_names, .timeout = 240);

/* With a key of zeros, as another implementation has it. */
Test(flow_names, the_hash_is_siphash_1_3)
{
    char name[64];

    memset(name, 'x', sizeof name);
    expect(distr_name_hash(0, name, 1) == 0xd141bba7fdc215a3, 1);
    expect(distr_name_hash(0, name, 7) == 0x3d61b5825bc3d47e, 1);
    expect(distr_name_hash(0, name, 8) == 0xbe6e37f7534339a0, 1);
    expect(distr_name_hash(0, name, 15) == 0xd9623e714b290b4b, 1);
    expect(distr_name_hash(0, name, 64) == 0x4befba7c9610aea3, 1);
    finish();
}

/* MurmurHash64A, which ck_ht takes by itself, has one hash for these, whatever its seed is. */
Test(flow_names, names_that_collide_elsewhere)
{
    const char *words[] = {"$J!w\xd7\x86 &", "$J\xde\x90rl\xc8\xb4"};
    char names[8][49];
    uint64_t seen[8];

    for (unsigned i = 0; i < 8; i++) {
        names[i][0] = '\0';
        for (unsigned bit = 0; bit < 3; bit++)
            for (unsigned twice = 0; twice < 2; twice++)
                strcat(names[i], words[i >> bit & 1]);
        seen[i] = distr_name_hash(1, names[i], strlen(names[i]));
        for (unsigned k = 0; k < i; k++)
            expect(seen[i] != seen[k], 1);
    }
    finish();
}

/* Who knows the key can do it all the same. */
Test(flow_names, every_table_has_its_own_key)
{
    struct distr_names one = {0}, other = {0};

    expect(distr_names_put(&one, "a", "a"), 0);
    expect(distr_names_put(&other, "a", "a"), 0);
    expect(one.table.seed != other.table.seed, 1);
    distr_names_free(&one);
    distr_names_free(&other);
    finish();
}
