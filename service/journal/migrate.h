/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What steps of the schema do that SQL alone cannot: hashes and seals. Each runs within the transaction of
 * its step.
 */
#ifndef FS_JOURNAL_MIGRATE_H
#define FS_JOURNAL_MIGRATE_H

#include <stdbool.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"

/* Seals the ends of a chain that has no entry yet. */
bool fs_migrate_seal_chain(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err);
/* Seals a base state in which nothing is. */
bool fs_migrate_seal_base(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err);
/* To schema 5: keyed identities, a sum over texts and mentions, a head that is sealed with the sums, and an
 * entry that names the bodies that were erased before. What does not fit its seal is not sealed anew. */
bool fs_migrate_sums(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err);

#endif
