/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.h: one flag in the form in which evaluations hand it on, and the table of all flags of a context at
 * one revision. Both are made once and never change; flags are counted, since details outlive tables. Knows
 * the wire's flags and OpenFeature's values; nothing of contexts, leases or connections.
 */
#ifndef LIVE_FLAG_H
#define LIVE_FLAG_H

#include <stdatomic.h>
#include <openfeature/provider.h>
#include <wire/wire.h>

struct live_flag {
    atomic_uint refs;
    of_type type;
    bool has_value, access;
    of_flag_value value, safe;
    of_value *object, *safe_object;
    of_value *metadata;          /* NULL: none */
    of_value *fallen;            /* metadata of an access flag whose lease is over */
    const struct fsw_flag *flag; /* a reference: variant, reason and texts are its own */
    uint64_t hash;
    char key[];
};

/* What all flags of a provider are made with. */
struct live_flag_style {
    uint64_t seed;
    bool causes;
    of_value *over; /* metadata that says that the lease is over; shared by flags without metadata */
};

/* A reference to a new flag, NULL without memory. Any thread. */
struct live_flag *live_flag_new(const struct live_flag_style *style, const struct fsw_flag *flag);
static inline struct live_flag *live_flag_ref(struct live_flag *flag)
{
    atomic_fetch_add_explicit(&flag->refs, 1, memory_order_relaxed);
    return flag;
}
/* Of the type that of_resolution.release has. */
void live_flag_unref(void *flag);

struct live_table {
    of_retired retired; /* first, since that is all the retiring knows of it */
    size_t count;
    struct live_index *index;
    struct live_flag *flags[]; /* references, sorted by key */
};

/*
 * The table of what the wire holds. Flags that `before` (may be NULL) has too are shared with it, and so is
 * the index where the keys are the same. NULL without memory.
 */
struct live_table *live_table_new(const struct live_flag_style *style, const struct live_table *before,
                                  const struct fsw_table *table);
void live_table_free(struct live_table *table);
/* The flag of this key, borrowed, or NULL. */
struct live_flag *live_table_find(const struct live_table *table, uint64_t seed, const char *key);

/* Puts the flag's value, or its safe one, as the type that is asked for; numbers convert where nothing is
 * lost. */
bool live_flag_put(const struct live_flag *flag, bool safe, of_type type, of_flag_value *value);

#endif
