/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.h: one flag in the form in which evaluations hand it on, and the table of all flags of a context at
 * one revision. Both are made once and never change; flags are counted, since details outlive tables. Knows
 * the wire's flags and OpenFeature's values; nothing of contexts, leases or connections.
 */
#ifndef LIVE_FLAG_H
#define LIVE_FLAG_H

#include <stdatomic.h>
#include <string.h>
#include <openfeature/provider.h>
#include <wire/wire.h>

#include "hash.h"
#include "words.h"

enum { LIVE_LINE = 64 }; /* bytes of a cache line */

/* What details of objects and texts are made of, and what an access flag falls to: in the cache line before
 * the value's. Counted here and not beside the value, so that counting takes no line from those who read
 * values. */
struct live_rest {
    atomic_uint refs;
    uint8_t before;       /* bytes of the allocation before the flag */
    bool deep, safe_deep; /* the value, or the safe one, is nested more deeply than values here may be */
    of_value *metadata;   /* NULL: none */
    const struct fsw_flag *wire; /* a reference: the texts are its own, or words */
    of_value *object;            /* what `value` leads into, or NULL */
    of_value *fallen;            /* metadata of an access flag whose lease is over */
    of_value *safe_object;       /* the value of an access flag whose lease is over, if that is an object */
};

/* Value and key stand in one cache line, unless the key is long: a flag is placed so that its value begins
 * one.
 */
struct live_flag {
    struct live_rest rest;
    of_flag_value value;
    uint32_t length; /* of the key */
    uint8_t type;    /* enum of_type */
    bool has_value, access;
    bool lasting; /* a boolean or number whose details borrow these two words alone: not counted */
    uint16_t variant, reason; /* numbers of words; 0: it is in `wire` */
    char key[];
};

/* What all flags of a provider are made with. */
struct live_flag_style {
    uint64_t seed;
    bool causes;
    of_value *over; /* metadata that says that the lease is over; shared by flags without metadata */
};

/* A reference to a new flag, NULL without memory. Any thread. A flag whose value is nested too deeply has
 * none: an access flag is as without lease, any other an error; it must not cost all the others their values.
 */
struct live_flag *live_flag_new(const struct live_flag_style *style, const struct fsw_flag *flag);
static inline struct live_flag *live_flag_ref(struct live_flag *flag)
{
    atomic_fetch_add_explicit(&flag->rest.refs, 1, memory_order_relaxed);
    return flag;
}
/* Of the type that of_resolution.release has. */
void live_flag_unref(void *flag);

/* Where flags stand by the hash of their keys. A byte of the hash for each slot, all of which fit into the
 * nearest cache, so that only the slot and the flag are fetched from afar. */
struct live_index {
    atomic_uint refs;
    size_t mask;
    uint32_t *places; /* the slot of each flag in their order; they stand behind the tags */
    uint8_t tags[];   /* of each slot; 0: free */
};

/* Of the hash's upper end; the slots go by its lower one. */
static inline uint8_t live_tag(uint64_t hash)
{
    return (uint8_t)(hash >> 56 | 1);
}

/* The flags in slots by hash, for those who look one up, and sorted by key, for the one who makes the next
 * table. */
struct live_table {
    of_retired retired; /* first, since that is all the retiring knows of it */
    size_t count;
    struct live_index *index; /* says which slots are taken */
    struct live_flag **slots;
    struct live_flag *flags[]; /* references, sorted by key; behind them the slots */
};

/*
 * The table of what the wire holds. Flags that `before` (may be NULL) has too are shared with it, and so is
 * the index where the keys are the same. NULL without memory.
 */
struct live_table *live_table_new(const struct live_flag_style *style, const struct live_table *before,
                                  const struct fsw_table *table);
void live_table_free(struct live_table *table);
/* The flag of this key, borrowed, or NULL. */
__attribute__((always_inline)) static inline struct live_flag *live_table_find(const struct live_table *table,
                                                                               uint64_t seed, const char *key)
{
    const struct live_index *index = table->index;
    size_t length = strlen(key);
    uint64_t hash = live_hash(seed, key, length);
    const uint8_t tag = live_tag(hash);
    for (size_t at = (size_t)hash & index->mask; index->tags[at] != 0; at = (at + 1) & index->mask) {
        if (index->tags[at] == tag) {
            struct live_flag *flag = table->slots[at];
            if (flag->length == length && live_same(flag->key, key, length)) {
                return flag;
            }
        }
    }
    return NULL;
}

/* Puts the flag's value, or its safe one, as the type that is asked for; numbers convert where nothing is
 * lost. */
bool live_flag_put(const struct live_flag *flag, bool safe, of_type type, of_flag_value *value);

#endif
