/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash with one round for each word and three at the end: the reduced form that hash tables use, keyed so
 * that whoever chooses the keys cannot choose the collisions. Pure.
 */
#include "siphash.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotated(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

static void mix(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotated(s->v1, 13) ^ s->v0;
    s->v0 = rotated(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotated(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotated(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotated(s->v1, 17) ^ s->v2;
    s->v2 = rotated(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    s->v0 ^= word;
}

uint64_t fs_base_siphash13(const uint64_t key[2], const void *bytes, size_t length)
{
    /* The four constants are the ASCII of "somepseudorandomlygeneratedbytes" (section 2.1 of the paper). */
    struct state s = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                      key[1] ^ 0x7465646279746573};
    const unsigned char *at = bytes;
    size_t rest = length;
    for (; rest >= 8; rest -= 8, at += 8) {
        uint64_t word = 0;
        memcpy(&word, at, 8);
        absorb(&s, le64toh(word));
    }
    uint64_t tail = (uint64_t)length << 56;
    for (size_t i = 0; i < rest; i++)
        tail |= (uint64_t)at[i] << (8 * i);
    absorb(&s, tail);
    s.v2 ^= 0xFF;
    mix(&s);
    mix(&s);
    mix(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
