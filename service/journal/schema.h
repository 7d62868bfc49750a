/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of journal.db and how older ones become newer ones. docs/journal.md describes them.
 */
#ifndef FS_JOURNAL_SCHEMA_H
#define FS_JOURNAL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"

/* Step i makes version i + 1 (PRAGMA user_version) of version i. Each runs in a transaction of its own. */
struct fs_schema_step {
    const char *sql;
    /* Called after `sql`, in the same transaction; may be NULL. */
    bool (*after)(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err);
    /* The file is written anew before, which leaves no trace of what was deleted. */
    bool anew;
};

/* The journal's own steps. */
extern const struct fs_schema_step fs_schema_steps[];
extern const size_t fs_schema_version;

/* Brings the database to version `count`. An unknown or newer one is an error that says so. `key` seals a new
 * chain. */
bool fs_schema_migrate(sqlite3 *db, const struct fs_schema_step *steps, size_t count,
                       const struct fs_sha256 *key, struct fs_err *err);
/* That it is a journal of at most version `count`; its version in `version`. */
bool fs_schema_check(sqlite3 *db, size_t count, size_t *version, struct fs_err *err);

#endif
