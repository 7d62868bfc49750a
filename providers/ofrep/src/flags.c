/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags.c: all flags of one context, from a bulk answer: read by key, compared with those before.
 */
#include <stdlib.h>
#include <string.h>
#include <openfeature/memory.h>

#include "ofrep.h"

static int by_key(const void *left, const void *right)
{
    const struct item *const *a = left, *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

struct flags *flags_new(const of_value *body, const of_context *context, bool *malformed)
{
    const of_value *list = of_value_get(body, "flags");
    size_t count = of_value_length(list);
    *malformed = of_value_type(list) != OF_TYPE_LIST;
    struct flags *flags = *malformed ? NULL : of_alloc(sizeof *flags + count * sizeof(struct item *));
    if (flags == NULL) {
        return NULL;
    }
    memset(flags, 0, sizeof *flags);
    flags->context = of_context_ref(context);
    bool fine = flags->context != NULL;
    for (size_t i = 0; fine && i < count; i++) {
        const of_value *flag = of_value_at(list, i);
        if (of_value_as_string(of_value_get(flag, "key"), NULL) == NULL) {
            continue;
        }
        flags->items[flags->count] = item_new(flag);
        fine = flags->items[flags->count] != NULL;
        flags->count += fine;
    }
    if (!fine) {
        flags_free(flags);
        return NULL;
    }
    if (flags->count > 1) {
        qsort(flags->items, flags->count, sizeof(struct item *), by_key);
    }
    return flags;
}

void flags_free(struct flags *flags)
{
    if (flags != NULL) {
        for (size_t i = 0; i < flags->count; i++) {
            item_unref(flags->items[i]);
        }
        of_context_unref(flags->context);
        of_free(flags);
    }
}

struct item *flags_find(const struct flags *flags, const char *key)
{
    size_t low = 0, high = flags->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, flags->items[middle]->key);
        if (order == 0) {
            return flags->items[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const char **flags_differ(const struct flags *before, const struct flags *after, size_t *count)
{
    const char **keys = of_alloc((before->count + after->count + 1) * sizeof *keys);
    size_t b = 0, a = 0;
    *count = 0;
    while (keys != NULL && (b < before->count || a < after->count)) {
        const struct item *old = b < before->count ? before->items[b] : NULL;
        const struct item *new = a < after->count ? after->items[a] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old->key, new->key);
        b += order <= 0;
        a += order >= 0;
        if (order != 0 || !item_equal(old, new)) {
            keys[(*count)++] = order <= 0 ? old->key : new->key;
        }
    }
    return keys;
}
