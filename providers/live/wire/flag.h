/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.h: from a flag's JSON to struct fsw_flag, and the table of all flags of a watch. Both are immutable
 * once made and reference counted, so readers keep them without a lock. Knows nothing of watches or
 * revisions.
 */
#ifndef WIRE_FLAG_H
#define WIRE_FLAG_H

#include <stdatomic.h>
#include <wire/wire.h>

/* The largest integer that every client can hold: 2^53-1. */
#define FSW_INTEGER_MAX ((json_int_t)9007199254740991)

enum fsw_outcome {
    FSW_OK,
    FSW_NO_MEMORY,
    FSW_BAD, /* it breaks the protocol */
};

/*
 * Reads a flag. Of json it keeps references to values that are objects and to metadata, which must not be
 * changed any more. *out is a reference. FSW_BAD where a member that matters is missing or of another type
 * than the flag's.
 */
enum fsw_outcome fsw_flag_parse(const json_t *json, const struct fsw_flag **out);

/* Whether going from a to b is a change that is told: type, value, variant, reason, safe or error. */
bool fsw_flag_differs(const struct fsw_flag *a, const struct fsw_flag *b);

struct fsw_table {
    atomic_uint refs;
    size_t count;
    const struct fsw_flag *flags[]; /* references, sorted by key */
};

const struct fsw_table *fsw_table_ref(const struct fsw_table *table);

/*
 * A new table: base without the keys in removed, then with the flags in flags put in or replaced. Either
 * array may be NULL. *out has one reference.
 */
enum fsw_outcome fsw_table_edit(const struct fsw_table *base, const json_t *removed, const json_t *flags,
                                const struct fsw_table **out);

/* base with the access flags of more, which win; what more does not have stays. For the safe values known. */
enum fsw_outcome fsw_table_merge_access(const struct fsw_table *base, const struct fsw_table *more,
                                        const struct fsw_table **out);

/*
 * The flips from before (NULL: empty) to after, sorted by key. *flips is malloc'd and holds references: free
 * with fsw_flips_free(). NULL with *count 0 where nothing differs.
 */
enum fsw_outcome fsw_table_diff(const struct fsw_table *before, const struct fsw_table *after,
                                struct fsw_flip **flips, size_t *count);
void fsw_flips_free(struct fsw_flip *flips, size_t count);

#endif
