/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h: a seeded hash of short byte strings, eight bytes at a time (multiply and fold). The seed is drawn
 * for each provider, since targeting keys may be chosen by strangers.
 */
#ifndef LIVE_HASH_H
#define LIVE_HASH_H

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

static inline uint64_t live_hash(uint64_t seed, const char *bytes, size_t length)
{
    uint64_t hash = seed ^ (length * UINT64_C(0x9e3779b97f4a7c15)), part;
    for (; length >= sizeof part; bytes += sizeof part, length -= sizeof part) {
        memcpy(&part, bytes, sizeof part);
        hash = live_fold(hash ^ part, UINT64_C(0xd6e8feb86659fd93));
    }
    part = 0;
    for (size_t i = 0; i < length; i++) {
        part = part << 8 | (unsigned char)bytes[i];
    }
    return live_fold(hash ^ part ^ UINT64_C(0xa0761d6478bd642f), UINT64_C(0xe7037ed1a0b428db));
}

#endif
