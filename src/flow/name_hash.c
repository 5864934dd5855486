/* SPDX-License-Identifier: BSD-2-Clause */
/* See name_hash.h. */
#include "flow/name_hash.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static void take_word(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    s->v0 ^= word;
}

/* The first byte is the lowest on any machine. */
static uint64_t word_at(const unsigned char *byte)
{
    uint64_t word;

    memcpy(&word, byte, sizeof word);
    return le64toh(word);
}

/* The bytes behind the last whole word, at most 7; before them are as many as `size` says. */
static uint64_t rest_at(const unsigned char *end, size_t size)
{
    size_t rest = size % 8;
    uint64_t word = 0;

    if (size > 8 && rest > 0)
        return word_at(end - 8) >> (64 - 8 * rest);
    for (size_t i = 0; i < rest; i++)
        word |= (uint64_t)end[-(ptrdiff_t)(rest - i)] << 8 * i;
    return word;
}

uint64_t distr_name_hash(uint64_t key, const void *name, size_t size)
{
    const unsigned char *byte = name, *end = byte + size;
    struct state s = {key ^ 0x736f6d6570736575u, key ^ 0x646f72616e646f6du,
                      key ^ 0x6c7967656e657261u, key ^ 0x7465646279746573u};

    for (; end - byte >= 8; byte += 8)
        take_word(&s, word_at(byte));
    take_word(&s, (uint64_t)size << 56 | rest_at(end, size));
    s.v2 ^= 0xff;
    for (unsigned i = 0; i < 3; i++)
        mix(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
