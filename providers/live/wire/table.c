/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: all flags of a watch at one revision, sorted by key. A change makes a new table and shares the
 * flags that stay, so a reader holds a consistent whole for as long as it likes.
 */
#include "flag.h"

#include <stdlib.h>
#include <string.h>

static struct fsw_table *table_new(size_t room)
{
    if (room > (SIZE_MAX - sizeof(struct fsw_table)) / sizeof(struct fsw_flag *)) {
        return NULL;
    }
    struct fsw_table *table = calloc(1, sizeof *table + room * sizeof *table->flags);
    if (table != NULL) {
        atomic_init(&table->refs, 1);
    }
    return table;
}

static struct fsw_table *writable(const struct fsw_table *table)
{
    union {
        const struct fsw_table *seen;
        struct fsw_table *table;
    } cast = {.seen = table};
    return cast.table;
}

const struct fsw_table *fsw_table_ref(const struct fsw_table *table)
{
    if (table != NULL) {
        atomic_fetch_add_explicit(&writable(table)->refs, 1, memory_order_relaxed);
    }
    return table;
}

void fsw_table_unref(const struct fsw_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&writable(table)->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < table->count; i++) {
            fsw_flag_unref(table->flags[i]);
        }
        free(writable(table));
    }
}

size_t fsw_table_count(const struct fsw_table *table)
{
    return table == NULL ? 0 : table->count;
}

const struct fsw_flag *fsw_table_at(const struct fsw_table *table, size_t index)
{
    return index < fsw_table_count(table) ? table->flags[index] : NULL;
}

/* Where key stands or would stand. */
static size_t place(const struct fsw_table *table, const char *key, bool *found)
{
    size_t low = 0, high = fsw_table_count(table);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, table->flags[middle]->key);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *found = false;
    return low;
}

const struct fsw_flag *fsw_table_find(const struct fsw_table *table, const char *key)
{
    bool found;
    size_t at = place(table, key, &found);
    return found ? table->flags[at] : NULL;
}

static int by_key(const void *left, const void *right)
{
    const struct fsw_flag *const *a = left, *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

/* Reads a frame's flags into a table of their own, sorted. One key twice breaks the protocol. */
static enum fsw_outcome parse_flags(const json_t *flags, struct fsw_table **out)
{
    struct fsw_table *table = table_new(json_array_size(flags));
    if (table == NULL) {
        return FSW_NO_MEMORY;
    }
    for (size_t i = 0; i < json_array_size(flags); i++) {
        enum fsw_outcome outcome = fsw_flag_parse(json_array_get(flags, i), &table->flags[table->count]);
        if (outcome != FSW_OK) {
            fsw_table_unref(table);
            return outcome;
        }
        table->count++;
    }
    if (table->count > 1) {
        qsort(table->flags, table->count, sizeof *table->flags, by_key);
    }
    for (size_t i = 1; i < table->count; i++) {
        if (strcmp(table->flags[i - 1]->key, table->flags[i]->key) == 0) {
            fsw_table_unref(table);
            return FSW_BAD;
        }
    }
    *out = table;
    return FSW_OK;
}

static bool names(const json_t *keys, const char *key)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *name = json_string_value(json_array_get(keys, i));
        if (name != NULL && strcmp(name, key) == 0) {
            return true;
        }
    }
    return false;
}

/* base and more in one, more wins. */
static enum fsw_outcome merge(const struct fsw_table *base, const json_t *removed,
                              const struct fsw_table *more, const struct fsw_table **out)
{
    struct fsw_table *table = table_new(fsw_table_count(base) + fsw_table_count(more));
    if (table == NULL) {
        return FSW_NO_MEMORY;
    }
    size_t b = 0, m = 0;
    while (b < fsw_table_count(base) || m < fsw_table_count(more)) {
        const struct fsw_flag *old = fsw_table_at(base, b), *new = fsw_table_at(more, m);
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old->key, new->key);
        b += order <= 0;
        m += order >= 0;
        const struct fsw_flag *chosen = order >= 0 ? new : names(removed, old->key) ? NULL : old;
        if (chosen != NULL) {
            table->flags[table->count++] = fsw_flag_ref(chosen);
        }
    }
    *out = table;
    return FSW_OK;
}

enum fsw_outcome fsw_table_edit(const struct fsw_table *base, const json_t *removed, const json_t *flags,
                                const struct fsw_table **out)
{
    struct fsw_table *more;
    enum fsw_outcome outcome = parse_flags(flags, &more);
    if (outcome == FSW_OK) {
        outcome = merge(base, removed, more, out);
        fsw_table_unref(more);
    }
    return outcome;
}

enum fsw_outcome fsw_table_merge_access(const struct fsw_table *base, const struct fsw_table *more,
                                        const struct fsw_table **out)
{
    struct fsw_table *access = table_new(fsw_table_count(more));
    if (access == NULL) {
        return FSW_NO_MEMORY;
    }
    for (size_t i = 0; i < fsw_table_count(more); i++) {
        if (more->flags[i]->access) {
            access->flags[access->count++] = fsw_flag_ref(more->flags[i]);
        }
    }
    enum fsw_outcome outcome = merge(base, NULL, access, out);
    fsw_table_unref(access);
    return outcome;
}

void fsw_flips_free(struct fsw_flip *flips, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fsw_flag_unref(flips[i].before);
        fsw_flag_unref(flips[i].after);
    }
    free(flips);
}

enum fsw_outcome fsw_table_diff(const struct fsw_table *before, const struct fsw_table *after,
                                struct fsw_flip **flips, size_t *count)
{
    *flips = NULL;
    *count = 0;
    size_t room = fsw_table_count(before) + fsw_table_count(after);
    if (room == 0) {
        return FSW_OK;
    }
    struct fsw_flip *list = calloc(room, sizeof *list);
    if (list == NULL) {
        return FSW_NO_MEMORY;
    }
    size_t b = 0, a = 0, n = 0;
    while (b < fsw_table_count(before) || a < fsw_table_count(after)) {
        const struct fsw_flag *old = fsw_table_at(before, b), *new = fsw_table_at(after, a);
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old->key, new->key);
        b += order <= 0;
        a += order >= 0;
        old = order > 0 ? NULL : old;
        new = order < 0 ? NULL : new;
        if (old == new || (old != NULL && new != NULL && !fsw_flag_differs(old, new))) {
            continue;
        }
        list[n++] = (struct fsw_flip){.key = old != NULL ? old->key : new->key,
                                      .before = fsw_flag_ref(old),
                                      .after = fsw_flag_ref(new)};
    }
    if (n == 0) {
        free(list);
        list = NULL;
    }
    *flips = list;
    *count = n;
    return FSW_OK;
}
