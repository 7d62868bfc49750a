/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base state: what pruned entries have left behind, which is the facts that they set or removed, and the
 * overrides (base_overrides.h). They are restored from here first, then from the entries that are still
 * there. A sum over keyed hashes of all rows is sealed beside the ends of the chain, so that a change of the
 * table does not go unnoticed (docs/journal.md gives the bytes). Knows the schema, nothing of threads.
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

/* Within a transaction: takes over what the entry did to facts and overrides, as core applied it: of one fact
 * the newest time wins. `sum` follows. Entries of other kinds, and erased bodies, do nothing. Facts of the
 * subject `but` (NULL: nobody) are left out. */
bool fs_base_fold(sqlite3 *db, const struct fs_sha256 *key, const struct fs_entry *entry, const char *but,
                  struct fs_sha256 *sum, struct fs_err *err);
/* Within a transaction: forgets all facts and overrides of a subject. */
bool fs_base_erase(sqlite3 *db, const struct fs_sha256 *key, const char *subject, struct fs_sha256 *sum,
                   struct fs_err *err);
/* Within a transaction: forgets at most `limit` each of the facts that were removed, and of the facts and
 * overrides that expired, before `before` (wall ms): no event that is still taken can be older. */
bool fs_base_forget(sqlite3 *db, const struct fs_sha256 *key, int64_t before, int limit,
                    struct fs_sha256 *sum, struct fs_err *err);
/* The facts, borrowed for the call, until `each` returns false. */
bool fs_base_read(sqlite3 *db, bool (*each)(void *self, const struct fs_fact_state *fact), void *self,
                  struct fs_err *err);
/* The sum of the rows that are there. */
bool fs_base_sum(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err);

#endif
