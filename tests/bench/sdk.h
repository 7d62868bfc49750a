/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benches of libopenfeature share: the same 5,000 flags in the in-memory provider, in the live
 * provider (filled by the real daemon on loopback) and in a bare hash table.
 */
#ifndef TESTS_BENCH_SDK_H
#define TESTS_BENCH_SDK_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#include <openfeature/isolated.h>
#include <openfeature/openfeature.h>

#include "daemon.h"

/* Every fifth flag is a string, the others are boolean; those with an odd number are "on". In the daemon
 * every other boolean is an access flag: half of what is read depends on the lease. */
enum { SDK_FLAGS = 5000, SDK_STRINGS = SDK_FLAGS / 5, SDK_BOOLS = SDK_FLAGS - SDK_STRINGS, SDK_KEY = 32 };
#define SDK_SUBJECT "user-1"
#define SDK_ON      "a text that is on"
#define SDK_OFF     "off"

/* The bare table: what no look-up by a string can do without. */
struct bare_slot {
    const char *key; /* NULL: free */
    uint32_t tag, on;
};
enum { BARE_SLOTS = 16384 };

struct sdk_world {
    /* what is asked for, in an order that no cache can foresee; in memory of its own, as in a program */
    char bools[SDK_BOOLS][SDK_KEY], strings[SDK_STRINGS][SDK_KEY];
    char kept[SDK_FLAGS][SDK_KEY];
    struct bare_slot bare[BARE_SLOTS];
    struct {
        const char *text;
        size_t length;
    } texts[2];
    struct daemon daemon;
    of_api *memory, *live;
    of_static_api *fixed; /* live, static paradigm */
    of_provider *memory_provider, *live_provider;
    of_client *memory_client, *live_client;
    of_static_client *fixed_client;
    of_context *context;
    double memory_heap, live_heap; /* bytes that each API has taken; with one arena for all threads */
};

void sdk_key(char *key, int flag);
/* Both providers, registered and ready; the live one has the values of the context, leased. */
struct sdk_world *sdk_world_create(void);
void sdk_world_destroy(struct sdk_world *world);
/* One flag of the in-memory provider anew, on or off; the daemon's is changed by the fact `n`. */
void sdk_memory_put(struct sdk_world *world, int flag, bool on);

/* The best of what is simple: eight bytes at a time, multiplied and folded. */
static inline uint64_t bare_hash(const char *key, size_t length)
{
    uint64_t hash = length, part = 0;
    for (; length >= sizeof part; key += sizeof part, length -= sizeof part) {
        memcpy(&part, key, sizeof part);
        hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    for (part = 0; length > 0; key++, length--)
        part = part << 8 | (unsigned char)*key;
    hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* The look-up and the clock. NULL: no such key. */
static inline const struct bare_slot *bare_find(const struct bare_slot *slots, const char *key)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    __asm__ volatile("" : : "r"(now.tv_nsec));
    size_t length = strlen(key);
    uint64_t hash = bare_hash(key, length);
    for (size_t at = hash % BARE_SLOTS; slots[at].key != NULL; at = (at + 1) % BARE_SLOTS)
        if (slots[at].tag == (uint32_t)(hash >> 32) && memcmp(slots[at].key, key, length + 1) == 0)
            return &slots[at];
    return NULL;
}

#endif
