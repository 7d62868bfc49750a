/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing array of any type: struct { FS_VEC(struct fs_flag *) flags; }, then fs_vec_push(&x.flags, flag).
 * A zeroed vector is an empty one. Belongs to one thread at a time.
 */
#ifndef FS_BASE_VEC_H
#define FS_BASE_VEC_H

#include <stddef.h>
#include <string.h>
#include "base/alloc.h"

#define FS_VEC(type)                                                                                         \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t count;                                                                                        \
        size_t capacity;                                                                                     \
    }

/* Room for at least `wanted` items; doubles. */
static inline void *fs_vec_grown(void *items, size_t *capacity, size_t wanted, size_t item_size)
{
    size_t capacity_new = *capacity ? *capacity : 8;
    while (capacity_new < wanted)
        capacity_new = capacity_new > (size_t)-1 / 2 ? wanted : capacity_new * 2;
    *capacity = capacity_new;
    return fs_realloc(items, capacity_new, item_size);
}

#define fs_vec_reserve(vec, wanted)                                                                          \
    do {                                                                                                     \
        if ((wanted) > (vec)->capacity)                                                                      \
            (vec)->items = fs_vec_grown((vec)->items, &(vec)->capacity, (wanted), sizeof *(vec)->items);     \
    } while (0)

#define fs_vec_push(vec, item)                                                                               \
    do {                                                                                                     \
        fs_vec_reserve((vec), (vec)->count + 1);                                                             \
        (vec)->items[(vec)->count++] = (item);                                                               \
    } while (0)

/* Removes item `index` by moving the last one into its place. */
#define fs_vec_remove_unordered(vec, index) ((vec)->items[(index)] = (vec)->items[--(vec)->count])

#define fs_vec_clear(vec) ((vec)->count = 0)

#define fs_vec_finish(vec)                                                                                   \
    do {                                                                                                     \
        fs_free((vec)->items);                                                                               \
        memset((vec), 0, sizeof *(vec));                                                                     \
    } while (0)

#endif
