/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed sums: of keyed hashes of all rows of a table, in no order, so that a row comes and goes without
 * the others being read. A row is hashed as its columns stand in the statement (docs/journal.md gives the
 * bytes). Belongs to the thread of the connection.
 */
#ifndef FS_JOURNAL_SUM_H
#define FS_JOURNAL_SUM_H

#include <stdbool.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"

/* Of tables beside the chain. The seal of the head has them, so that none can be put back without it. */
struct fs_sums {
    struct fs_sha256 base;  /* facts, overrides: what pruned or erased entries have left */
    struct fs_sha256 texts; /* texts, mentions: whom entries tell of */
};

/* Which table the rows are of: no two tables have rows that read alike. */
#define FS_SUM_FACTS     ""
#define FS_SUM_OVERRIDES "override,"
#define FS_SUM_TEXTS     "text,"
#define FS_SUM_MENTIONS  "mention,"

/* Runs a statement that returns rows to its end, adds each to the sum or takes it out, and resets it. */
bool fs_sum_add(sqlite3_stmt *rows, const char *table, const struct fs_sha256 *key, struct fs_sha256 *sum,
                struct fs_err *err);
bool fs_sum_subtract(sqlite3_stmt *rows, const char *table, const struct fs_sha256 *key,
                     struct fs_sha256 *sum, struct fs_err *err);
/* The sums of the rows that are there. */
bool fs_sum_base(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err);
bool fs_sum_texts(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err);

/* The columns that are hashed, in their order: what statements that change a table return. */
#define FS_SUM_FACT_COLUMNS     "subject, fact, number, time, expires, value, credential"
#define FS_SUM_OVERRIDE_COLUMNS "flag, subject, kind, number, time, expires, body"
#define FS_SUM_TEXT_COLUMNS     "name, subject, actor"
#define FS_SUM_MENTION_COLUMNS  "subject, number"

#endif
