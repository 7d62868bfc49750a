/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from byte strings to pointers: open addressing, linear probing, SipHash-1-3 keyed per map with
 * random bytes (strangers choose keys), grows by doubling. Keys are copied unless the map is made with
 * fs_map_init_borrowing. Order of iteration is not defined but stable while nothing is added or removed.
 * Belongs to one thread at a time.
 */
#ifndef FS_BASE_MAP_H
#define FS_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_map_slot;

struct fs_map {
    struct fs_map_slot *slots;
    size_t count;
    size_t capacity;
    uint64_t seed[2];
    bool borrows_keys;
};

/* A zeroed map is one already. */
void fs_map_init(struct fs_map *map);
/* Keys stay the caller's and must outlive their entry (usually they live inside the value). Where a value is
 * replaced, its entry takes the new key. */
void fs_map_init_borrowing(struct fs_map *map);
/* Frees the table. `destroy`, unless NULL, is called for each value. Accepts a zeroed map. */
void fs_map_finish(struct fs_map *map, void (*destroy)(void *value));
/* NULL where there is none. */
void *fs_map_get(const struct fs_map *map, const void *key, size_t length);
void *fs_map_gets(const struct fs_map *map, const char *key);
/* Sets and returns the former value, or NULL. The value may not be NULL. */
void *fs_map_set(struct fs_map *map, const void *key, size_t length, void *value);
void *fs_map_sets(struct fs_map *map, const char *key, void *value);
/* Removes and returns the value, or NULL. */
void *fs_map_remove(struct fs_map *map, const void *key, size_t length);
void *fs_map_removes(struct fs_map *map, const char *key);

/* for (struct fs_map_iter it = {0}; fs_map_next(&map, &it);) use(it.key, it.length, it.value);
 * Nothing may be added or removed meanwhile: collect, then change. */
struct fs_map_iter {
    size_t next;
    const void *key;
    size_t length;
    void *value;
};
bool fs_map_next(const struct fs_map *map, struct fs_map_iter *iter);

#endif
