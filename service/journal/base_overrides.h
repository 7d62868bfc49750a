/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base state's other half: the entries whose overrides stood when they were pruned, each with its body as
 * it was. Their rows are part of the sealed sum. Used by base.h, and by reading. Knows the schema, nothing of
 * threads.
 */
#ifndef FS_JOURNAL_BASE_OVERRIDES_H
#define FS_JOURNAL_BASE_OVERRIDES_H

#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"
#include "core/entry.h"

/* As the functions of base.h; the first takes an entry of kind override. */
bool fs_base_fold_override(sqlite3 *db, const struct fs_sha256 *key, const struct fs_entry *entry,
                           struct fs_sha256 *sum, struct fs_err *err);
bool fs_base_erase_overrides(sqlite3 *db, const struct fs_sha256 *key, const char *subject,
                             struct fs_sha256 *sum, struct fs_err *err);
bool fs_base_forget_overrides(sqlite3 *db, const struct fs_sha256 *key, int64_t before, int limit,
                              struct fs_sha256 *sum, struct fs_err *err);
/* Adds those that are there to the sum. */
bool fs_base_sum_overrides(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *sum,
                           struct fs_err *err);
/* In the order of their numbers, borrowed for the call, until `each` returns false. */
bool fs_base_read_overrides(sqlite3 *db, bool (*each)(void *self, const struct fs_entry *entry), void *self,
                            struct fs_err *err);

#endif
