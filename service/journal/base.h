/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base state: what entries that were pruned or erased have left behind, which is the facts that they set
 * or removed, the overrides that stand, and that a subject was erased. It is restored first, then come the
 * entries that are still there: those that it has in it already change nothing any more. Its rows are in a
 * sealed sum (sum.h). Knows the schema, nothing of threads.
 */
#ifndef FS_JOURNAL_BASE_H
#define FS_JOURNAL_BASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"
#include "core/entry.h"
#include "core/event.h"

/* For the calls within one transaction. */
struct fs_base {
    sqlite3 *db;
    const struct fs_sha256 *key;
    struct fs_sha256 *sum; /* follows */
};

/* Within a transaction: takes over what the entry did to facts and overrides, and that it erased a subject,
 * as core applied it: of one fact the newest time wins. So entries must come in their order, and of a fact
 * none be left out. Entries of other kinds, and erased bodies, do nothing. `only` this subject's facts; NULL:
 * everybody's. */
bool fs_base_fold(const struct fs_base *base, const struct fs_entry *entry, const char *only,
                  struct fs_err *err);
/* Within a transaction: forgets all facts and overrides of a subject. */
bool fs_base_erase(const struct fs_base *base, const char *subject, struct fs_err *err);
/* Within a transaction: forgets at most `limit` each of the facts that were removed, and of the facts and
 * overrides that expired, before `before` (wall ms), and that no entry behind `anchor` told of: no event that
 * is still taken, and none that waits to be folded, can be older. */
bool fs_base_forget(const struct fs_base *base, uint64_t anchor, int64_t before, int limit,
                    struct fs_err *err);
/* The facts, borrowed for the call, until `each` returns false. That a subject was erased is told as a fact
 * without a name (core/event.h). */
bool fs_base_read(sqlite3 *db, bool (*each)(void *self, const struct fs_fact_state *fact), void *self,
                  struct fs_err *err);
/* The entries whose overrides stand, in the order of their numbers, likewise. */
bool fs_base_read_overrides(sqlite3 *db, bool (*each)(void *self, const struct fs_entry *entry), void *self,
                            struct fs_err *err);

#endif
