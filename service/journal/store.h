/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing side of journal.db: one transaction at a time, of one or many entries. Knows the schema and
 * the chain; knows no threads. Belongs to the journal's thread.
 */
#ifndef FS_JOURNAL_STORE_H
#define FS_JOURNAL_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sqlite3.h>
#include "base/digest.h"
#include "base/err.h"
#include "core/entry.h"
#include "base.h"
#include "job.h"
#include "sum.h"

enum fs_store_statement {
    FS_STORE_BEGIN,
    FS_STORE_COMMIT,
    FS_STORE_ROLLBACK,
    FS_STORE_SAVE,
    FS_STORE_RELEASE,
    FS_STORE_UNDO,
    FS_STORE_FIND_IDENTITY,
    FS_STORE_ADD_IDENTITY,
    FS_STORE_FORGET_IDENTITIES,
    FS_STORE_ADD_ENTRY,
    FS_STORE_ADD_BODY,
    FS_STORE_ADD_CELL,
    FS_STORE_MOVE_TEXT,
    FS_STORE_ADD_TEXT,
    FS_STORE_ADD_MENTION,
    FS_STORE_SET_CURSOR,
    FS_STORE_SET_DOCUMENT,
    FS_STORE_SET_SUM,
    FS_STORE_SET_HEAD,
    FS_STORE_STATEMENTS
};

struct fs_store {
    sqlite3 *db;
    sqlite3_stmt *statements[FS_STORE_STATEMENTS];
    struct fs_sha256 key;
    int64_t dedup_ms;
    uint64_t number;       /* of the last committed entry; 0: none */
    struct fs_sha256 hash; /* and its hash */
    struct fs_sums sums;
    uint64_t next_number; /* the same inside the open transaction */
    struct fs_sha256 next_hash;
    struct fs_sums next_sums;
    int64_t identities; /* added in the open transaction */
    bool changed;       /* the open transaction has something to write */
    int wal_pages;      /* of the write-ahead log after the last commit */
};

/* Opens the file, migrates it, and checks that the last entry is the one that the head names. */
bool fs_store_open(struct fs_store *store, const char *file, const struct fs_sha256 *key, int64_t dedup_ms,
                   struct fs_err *err);
/* Accepts a zeroed store. */
void fs_store_close(struct fs_store *store);

bool fs_store_begin(struct fs_store *store, struct fs_err *err);
/* Adds the job's draft; fills in `out`, whose result is DONE only when the transaction is. */
bool fs_store_add(struct fs_store *store, struct fs_job *job, struct fs_commit *out, struct fs_err *err);
/* Adds a batch: the job and its `next` ones. `out` has room for each; where one is a conflict, the others are
 * DROPPED, and nothing of them stays in the transaction. */
bool fs_store_add_batch(struct fs_store *store, struct fs_job *job, struct fs_commit *out,
                        struct fs_err *err);
bool fs_store_put(struct fs_store *store, const char *name, const char *value, struct fs_err *err);
/* Ends the transaction on the disk. `force` writes even where nothing changed, which shows that writing
 * works. `now`: wall ms, for forgetting identities. false: nothing of the transaction is kept. */
bool fs_store_commit(struct fs_store *store, int64_t now, bool force, struct fs_err *err);
/* The two parts of that which others need who write no entries: seals what the transaction made of the sums,
 * and ends it on the disk. */
bool fs_store_seal(struct fs_store *store, struct fs_err *err);
bool fs_store_end(struct fs_store *store, struct fs_err *err);
/* What folds into the base state within the open transaction. */
struct fs_base fs_store_base(struct fs_store *store);
/* Ends the transaction without a trace. */
void fs_store_rollback(struct fs_store *store);
/* Copies the rest of the write-ahead log into the file and starts it anew; gives way to readers. */
void fs_store_restart_wal(struct fs_store *store);
/* The same, and cuts it off: what was erased stands nowhere any more. False: somebody reads, try again. */
bool fs_store_cut_wal(struct fs_store *store);

#endif
