/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h: a seeded hash of short byte strings, sixteen bytes at a time (multiply and fold, as wyhash does).
 * The seed is drawn for each provider, since targeting keys may be chosen by strangers.
 */
#ifndef LIVE_HASH_H
#define LIVE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t live_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t product = (a ^ (a >> 32)) * b;
    return product ^ (product >> 29);
#endif
}

static inline uint64_t live_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t live_half(const char *bytes)
{
    uint32_t half;
    memcpy(&half, bytes, sizeof half);
    return half;
}

/* Two words a step; the last two may overlap with those before them, so that nothing is read byte by byte but
 * what is shorter than half a word. */
static inline uint64_t live_hash(uint64_t seed, const char *bytes, size_t length)
{
    enum { WORD = sizeof(uint64_t), HALF = WORD / 2 };
    const uint64_t one = UINT64_C(0xd6e8feb86659fd93), two = UINT64_C(0xa0761d6478bd642f);
    uint64_t hash = seed ^ (length * UINT64_C(0x9e3779b97f4a7c15)), a = 0, b = 0;
    const char *end = bytes + length;
    for (; end - bytes > 2 * WORD; bytes += 2 * WORD) {
        hash = live_fold(live_word(bytes) ^ one, live_word(bytes + WORD) ^ hash);
    }
    if (length >= 2 * WORD) {
        a = live_word(end - 2 * WORD);
        b = live_word(end - WORD);
    } else if (length >= WORD) {
        a = live_word(bytes);
        b = live_word(end - WORD);
    } else if (length >= HALF) {
        a = live_half(bytes);
        b = live_half(end - HALF);
    } else {
        for (; bytes < end; bytes++) {
            a = a << 8 | (unsigned char)*bytes;
        }
    }
    return live_fold(live_fold(a ^ two, b ^ hash) ^ two, UINT64_C(0xe7037ed1a0b428db) ^ seed);
}

/* Whether two strings of one length are the same: what memcmp() says, without a call, for short keys. */
static inline bool live_same(const char *a, const char *b, size_t length)
{
    enum { WORD = sizeof(uint64_t), HALF = WORD / 2 };
    if (length >= WORD) {
        for (size_t at = 0; at + WORD < length; at += WORD) {
            if (live_word(a + at) != live_word(b + at)) {
                return false;
            }
        }
        return live_word(a + length - WORD) == live_word(b + length - WORD);
    }
    if (length >= HALF) {
        return live_half(a) == live_half(b) && live_half(a + length - HALF) == live_half(b + length - HALF);
    }
    for (size_t at = 0; at < length; at++) {
        if (a[at] != b[at]) {
            return false;
        }
    }
    return true;
}

#endif
