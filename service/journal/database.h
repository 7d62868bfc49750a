/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite connections as the journal wants them, and SQLite's errors in the operator's words.
 * Knows nothing of entries. A connection belongs to one thread at a time.
 */
#ifndef FS_JOURNAL_DATABASE_H
#define FS_JOURNAL_DATABASE_H

#include <stdbool.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"

/* Only another program (an operator's sqlite3) can hold the write lock: how long to wait for it. */
#define FS_DATABASE_BUSY_MS 500

enum fs_database_use {
    FS_DATABASE_WRITE,      /* the one that writes: WAL, synchronous FULL, no checkpoint of its own accord */
    FS_DATABASE_CHECKPOINT, /* copies the WAL into the file; never writes entries */
    FS_DATABASE_READ        /* read-only, beside the writer or without one */
};

/* Opens an existing file. NULL with `err`. Owned by the caller: fs_database_close(). */
sqlite3 *fs_database_open(const char *file, enum fs_database_use use, struct fs_err *err);
/* Accepts NULL. */
void fs_database_close(sqlite3 *db);
/* Puts SQLite's last error into `err`, as "DOING: what went wrong". Returns false. */
bool fs_database_fail(sqlite3 *db, const char *doing, struct fs_err *err);
/* Runs statements that give no rows. */
bool fs_database_exec(sqlite3 *db, const char *sql, struct fs_err *err);
/* NULL with `err`. Owned by the caller: sqlite3_finalize(). */
sqlite3_stmt *fs_database_prepare(sqlite3 *db, const char *sql, struct fs_err *err);
/* Steps a statement that gives no rows, and resets it. */
bool fs_database_run(sqlite3_stmt *statement, struct fs_err *err);
/* The first column of the first row; `otherwise` where there is no row. False with `err` on an error. */
bool fs_database_number(sqlite3 *db, const char *sql, sqlite3_int64 otherwise, sqlite3_int64 *out,
                        struct fs_err *err);
/* A column that holds a digest. False: it does not. */
bool fs_database_hash(sqlite3_stmt *statement, int column, struct fs_sha256 *out);

#endif
