/* SPDX-License-Identifier: Apache-2.0 */
/* The ordered map of map.h. */
#include "map.h"

#include <string.h>

#include "memory_impl.h"

enum { SMALL = 8, NOT_FOUND = -1 };

/* FNV-1a: short keys, and no stranger chooses enough of them to matter. */
static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash;
}

void ofi_map_finish(struct ofi_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        of_free(map->entries[i].key);
        of_value_unref(map->entries[i].value);
    }
    of_free(map->entries);
    of_free(map->index);
    memset(map, 0, sizeof *map);
}

static bool same(const struct ofi_entry *entry, uint32_t hash, const char *key)
{
    return entry->hash == hash && strcmp(entry->key, key) == 0;
}

static ptrdiff_t find(const struct ofi_map *map, uint32_t hash, const char *key)
{
    if (map->index == NULL) {
        for (size_t i = 0; i < map->count; i++)
            if (same(&map->entries[i], hash, key))
                return (ptrdiff_t)i;
        return NOT_FOUND;
    }
    size_t mask = map->index_size - 1;
    for (size_t slot = hash & mask; map->index[slot] != 0; slot = (slot + 1) & mask) {
        size_t i = map->index[slot] - 1;
        if (same(&map->entries[i], hash, key))
            return (ptrdiff_t)i;
    }
    return NOT_FOUND;
}

static void index_one(struct ofi_map *map, size_t entry)
{
    size_t mask = map->index_size - 1;
    size_t slot = map->entries[entry].hash & mask;
    while (map->index[slot] != 0)
        slot = (slot + 1) & mask;
    map->index[slot] = (uint32_t)(entry + 1);
}

static void index_all(struct ofi_map *map)
{
    memset(map->index, 0, map->index_size * sizeof *map->index);
    for (size_t i = 0; i < map->count; i++)
        index_one(map, i);
}

/* Makes room for one more entry, in the array and in the index. */
static of_error grow(struct ofi_map *map)
{
    if (map->count == map->capacity) {
        size_t capacity = map->capacity == 0 ? 4 : map->capacity * 2;
        struct ofi_entry *entries = ofi_realloc(map->entries, capacity, sizeof *entries);
        if (entries == NULL)
            return OF_ERROR_NO_MEMORY;
        map->entries = entries;
        map->capacity = capacity;
    }
    if (map->count < SMALL || (map->count + 1) * 2 <= map->index_size)
        return OF_OK;
    if (map->count >= UINT32_MAX / 4)
        return OF_ERROR_NO_MEMORY;
    size_t size = map->index_size == 0 ? (size_t)SMALL * 4 : map->index_size * 2;
    uint32_t *index = ofi_zalloc(size, sizeof *index);
    if (index == NULL)
        return OF_ERROR_NO_MEMORY;
    of_free(map->index);
    map->index = index;
    map->index_size = size;
    index_all(map);
    return OF_OK;
}

of_value *ofi_map_get(const struct ofi_map *map, const char *key)
{
    if (map->count == 0)
        return NULL;
    ptrdiff_t i = find(map, hash_of(key), key);
    return i == NOT_FOUND ? NULL : map->entries[i].value;
}

of_error ofi_map_set(struct ofi_map *map, const char *key, of_value *value)
{
    of_error error = OF_ERROR_NO_MEMORY;
    if (value == NULL)
        return error;
    uint32_t hash = hash_of(key);
    ptrdiff_t i = find(map, hash, key);
    if (i != NOT_FOUND) {
        of_value_unref(map->entries[i].value);
        map->entries[i].value = value;
        return OF_OK;
    }
    char *copy = ofi_strdup(key);
    if (copy == NULL || (error = grow(map)) != OF_OK) {
        of_free(copy);
        of_value_unref(value);
        return error;
    }
    map->entries[map->count] = (struct ofi_entry){copy, value, hash};
    map->count++;
    if (map->index != NULL)
        index_one(map, map->count - 1);
    return OF_OK;
}

void ofi_map_remove(struct ofi_map *map, const char *key)
{
    ptrdiff_t found = map->count == 0 ? NOT_FOUND : find(map, hash_of(key), key);
    if (found == NOT_FOUND)
        return;
    size_t i = (size_t)found;
    of_free(map->entries[i].key);
    of_value_unref(map->entries[i].value);
    map->count--;
    memmove(&map->entries[i], &map->entries[i + 1], (map->count - i) * sizeof *map->entries);
    if (map->index != NULL)
        index_all(map);
}

of_error ofi_map_add(struct ofi_map *map, const struct ofi_map *from)
{
    for (size_t i = 0; i < from->count; i++) {
        of_error error = ofi_map_set(map, from->entries[i].key, of_value_ref(from->entries[i].value));
        if (error != OF_OK)
            return error;
    }
    return OF_OK;
}
