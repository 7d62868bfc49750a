/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered map from text to values: the members of objects and the fields of contexts. Small ones are
 * searched by hash along the array, larger ones through an index. Owns keys and values; zeroed is empty.
 */
#ifndef OFI_MAP_H
#define OFI_MAP_H

#include <openfeature/value.h>

struct ofi_entry {
    char *key;
    of_value *value;
    uint32_t hash;
};

struct ofi_map {
    struct ofi_entry *entries;
    size_t count;
    size_t capacity;
    uint32_t *index; /* open addressing over entry number + 1; NULL while small */
    size_t index_size;
};

void ofi_map_finish(struct ofi_map *map);
/* The value, borrowed, or NULL. */
of_value *ofi_map_get(const struct ofi_map *map, const char *key);
/* Takes the value, also when it fails; replaces an earlier one. */
of_error ofi_map_set(struct ofi_map *map, const char *key, of_value *value);
void ofi_map_remove(struct ofi_map *map, const char *key);
/* Adds all entries of `from`, sharing the values. */
of_error ofi_map_add(struct ofi_map *map, const struct ofi_map *from);

#endif
