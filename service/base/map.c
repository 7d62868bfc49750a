/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash map: open addressing with linear probing, at most three quarters full, and removal that moves the
 * followers back, so that there are no tombstones to clean up. Owns the table and, unless it borrows, the
 * keys; never the values.
 */
#include "base/map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "siphash.h"

enum { FIRST_CAPACITY = 8 };

/* Free where value is NULL. */
struct fs_map_slot {
    uint64_t hash;
    void *key; /* never written through where the map borrows */
    size_t length;
    void *value;
};

void fs_map_init(struct fs_map *map)
{
    memset(map, 0, sizeof *map);
}

void fs_map_init_borrowing(struct fs_map *map)
{
    fs_map_init(map);
    map->borrows_keys = true;
}

void fs_map_finish(struct fs_map *map, void (*destroy)(void *value))
{
    if (!map)
        return;
    for (size_t i = 0; i < map->capacity; i++) {
        struct fs_map_slot *slot = &map->slots[i];
        if (!slot->value)
            continue;
        if (!map->borrows_keys)
            fs_free(slot->key);
        if (destroy)
            destroy(slot->value);
    }
    fs_free(map->slots);
    map->slots = NULL;
    map->count = map->capacity = 0;
}

static bool holds(const struct fs_map_slot *slot, uint64_t hash, const void *key, size_t length)
{
    return slot->hash == hash && slot->length == length &&
           (length == 0 || memcmp(slot->key, key, length) == 0);
}

/* The slot that holds the key, or the free one where it would go. The table is never full. */
static struct fs_map_slot *slot_for(const struct fs_map *map, uint64_t hash, const void *key, size_t length)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at].value && !holds(&map->slots[at], hash, key, length))
        at = (at + 1) & mask;
    return &map->slots[at];
}

static void grow(struct fs_map *map)
{
    struct fs_map_slot *old = map->slots;
    size_t old_capacity = map->capacity;
    if (!old) /* at the first entry: an empty map costs no randomness, and a zeroed one works */
        fs_random(map->seed, sizeof map->seed);
    map->capacity = old ? old_capacity * 2 : FIRST_CAPACITY;
    map->slots = fs_calloc(map->capacity, sizeof *map->slots);
    size_t mask = map->capacity - 1;
    for (size_t i = 0; i < old_capacity; i++) {
        if (!old[i].value)
            continue;
        size_t at = (size_t)old[i].hash & mask;
        while (map->slots[at].value)
            at = (at + 1) & mask;
        map->slots[at] = old[i];
    }
    fs_free(old);
}

void *fs_map_get(const struct fs_map *map, const void *key, size_t length)
{
    if (map->count == 0)
        return NULL;
    return slot_for(map, fs_base_siphash13(map->seed, key, length), key, length)->value;
}

void *fs_map_gets(const struct fs_map *map, const char *key)
{
    return fs_map_get(map, key, strlen(key));
}

/* The key as the slot keeps it. */
static void *kept_key(const struct fs_map *map, const void *key, size_t length)
{
    if (map->borrows_keys)
        return (void *)(uintptr_t)key;
    return fs_strndup(key, length);
}

void *fs_map_set(struct fs_map *map, const void *key, size_t length, void *value)
{
    if (map->capacity == 0 || map->count + 1 > map->capacity / 4 * 3)
        grow(map);
    uint64_t hash = fs_base_siphash13(map->seed, key, length);
    struct fs_map_slot *slot = slot_for(map, hash, key, length);
    void *former = slot->value;
    if (!former) {
        slot->key = kept_key(map, key, length);
        slot->length = length;
        slot->hash = hash;
        map->count++;
    } else if (map->borrows_keys) {
        slot->key = kept_key(map, key, length); /* the old one may lie in the value that now leaves */
    }
    slot->value = value;
    return former;
}

void *fs_map_sets(struct fs_map *map, const char *key, void *value)
{
    return fs_map_set(map, key, strlen(key), value);
}

/* Frees slot `hole` by moving back each follower that may stand there: one whose home is not between the hole
 * and its present place. */
static void close_gap(struct fs_map *map, size_t hole)
{
    size_t mask = map->capacity - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    memset(&map->slots[hole], 0, sizeof map->slots[hole]);
}

void *fs_map_remove(struct fs_map *map, const void *key, size_t length)
{
    if (map->count == 0)
        return NULL;
    struct fs_map_slot *slot = slot_for(map, fs_base_siphash13(map->seed, key, length), key, length);
    void *value = slot->value;
    if (!value)
        return NULL;
    if (!map->borrows_keys)
        fs_free(slot->key);
    map->count--;
    close_gap(map, (size_t)(slot - map->slots));
    return value;
}

void *fs_map_removes(struct fs_map *map, const char *key)
{
    return fs_map_remove(map, key, strlen(key));
}

bool fs_map_next(const struct fs_map *map, struct fs_map_iter *iter)
{
    for (; iter->next < map->capacity; iter->next++) {
        const struct fs_map_slot *slot = &map->slots[iter->next];
        if (!slot->value)
            continue;
        iter->next++;
        iter->key = slot->key;
        iter->length = slot->length;
        iter->value = slot->value;
        return true;
    }
    return false;
}
