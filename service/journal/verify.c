/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the audit chain of a data directory, with or without a daemon on it: read-only, without the lock, in
 * one read transaction. Every entry must be there, with its body or an erased one, and the seals of both ends
 * must be the key's.
 */
#include "journal/journal.h"

#include <stdio.h>
#include <string.h>
#include "base.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "chain.h"
#include "database.h"
#include "directory.h"
#include "schema.h"

struct end {
    bool sealed; /* the row is there and its seal is the key's */
    uint64_t number;
    struct fs_sha256 hash;
};

struct check {
    const struct fs_sha256 *key;
    struct fs_verdict *out;
    struct end anchor, head;
    struct fs_sha256 hash; /* of the last entry that fitted */
    unsigned char *room;   /* FS_CHAIN_ROOM bytes and a body; owned */
    size_t capacity;
};

/* Returns false: the check ends here. */
static bool blame(struct check *check, uint64_t number, const char *what)
{
    check->out->bad = number ? number : 1;
    snprintf(check->out->text, sizeof check->out->text, "entry %llu: %s", (unsigned long long)check->out->bad,
             what);
    return false;
}

static bool load_end(sqlite3 *db, const char *role, const struct fs_sha256 *key, struct end *out,
                     struct fs_err *err)
{
    struct fs_sha256 seal;
    sqlite3_stmt *row = fs_database_prepare(db, "SELECT number, hash, seal FROM ends WHERE role = ?1", err);
    if (!row)
        return false;
    sqlite3_bind_text(row, 1, role, -1, SQLITE_STATIC);
    int step = sqlite3_step(row);
    if (step == SQLITE_ROW && fs_database_hash(row, 1, &out->hash) && fs_database_hash(row, 2, &seal)) {
        out->number = (uint64_t)sqlite3_column_int64(row, 0);
        struct fs_sha256 wanted = fs_chain_seal(key, role, out->number, &out->hash);
        out->sealed = fs_sha256_equal(&wanted, &seal);
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static struct fs_sha256 hash_body(struct check *check, uint64_t number, const void *body, size_t length)
{
    if (check->capacity < length + FS_CHAIN_ROOM) {
        check->capacity = 2 * (length + FS_CHAIN_ROOM);
        fs_free(check->room);
        check->room = fs_alloc(check->capacity);
    }
    if (length)
        memcpy(check->room + FS_CHAIN_ROOM, body, length);
    return fs_chain_body(check->key, number, check->room, length);
}

/* Columns: number, kind, time, body_hash, hash, whether there is a row in bodies, body. */
static bool check_row(struct check *check, sqlite3_stmt *row)
{
    struct fs_sha256 body_hash, hash;
    uint64_t expected = check->out->last + 1;
    uint64_t number = (uint64_t)sqlite3_column_int64(row, 0);
    const char *kind = (const char *)sqlite3_column_text(row, 1);
    if (number != expected)
        return blame(check, expected, "it is missing");
    if (!kind || !fs_database_hash(row, 3, &body_hash) || !fs_database_hash(row, 4, &hash))
        return blame(check, number, "its row is malformed");
    struct fs_sha256 wanted =
        fs_chain_next(&check->hash, number, kind, sqlite3_column_int64(row, 2), &body_hash);
    if (!fs_sha256_equal(&wanted, &hash))
        return blame(check, number, "its kind, time or hash was changed, or the one before it was");
    if (!sqlite3_column_int(row, 5))
        return blame(check, number, "its body is missing and was not erased");
    if (sqlite3_column_type(row, 6) == SQLITE_NULL) {
        check->out->erased++;
    } else {
        const void *body = sqlite3_column_blob(row, 6);
        struct fs_sha256 clear = hash_body(check, number, body, (size_t)sqlite3_column_bytes(row, 6));
        if (!fs_sha256_equal(&clear, &body_hash))
            return blame(check, number, "its body was changed");
    }
    check->hash = hash;
    check->out->last = number;
    check->out->checked++;
    return true;
}

static bool check_rows(struct check *check, sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *row = fs_database_prepare(db,
                                            "SELECT e.number, e.kind, e.time, e.body_hash, e.hash,"
                                            " b.number IS NOT NULL, b.body FROM entries e"
                                            " LEFT JOIN bodies b ON b.number = e.number ORDER BY e.number",
                                            err);
    if (!row)
        return false;
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        if (!check_row(check, row))
            break;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static void check_ends(struct check *check)
{
    struct fs_verdict *out = check->out;
    if (check->head.number > out->last)
        blame(check, out->last + 1, "it and all after it are missing");
    else if (check->head.number < out->last)
        blame(check, check->head.number + 1, "it was added without the audit key");
    else if (!fs_sha256_equal(&check->head.hash, &check->hash))
        blame(check, out->last, "the journal's head names another hash");
}

/* What pruned entries have left. */
static bool check_base(struct check *check, sqlite3 *db, struct fs_err *err)
{
    struct end base = {0};
    struct fs_sha256 sum;
    if (!load_end(db, "base", check->key, &base, err) || !fs_base_sum(db, check->key, &sum, err))
        return false;
    if (!base.sealed || base.number != check->anchor.number || !fs_sha256_equal(&sum, &base.hash))
        blame(check, check->out->first,
              "the facts and overrides that are kept of entries before it were changed");
    return true;
}

/* A text is what its name says, or it was changed. One that is not there was erased. */
static bool check_texts(struct check *check, sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *row = fs_database_prepare(db, "SELECT name, text, number FROM texts", err);
    if (!row)
        return false;
    const struct fs_sha256 secret = fs_chain_secret(check->key);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        char name[65];
        const char *text = (const char *)sqlite3_column_text(row, 1);
        fs_entry_text_name(secret.bytes, text, (size_t)sqlite3_column_bytes(row, 1), name);
        if (strcmp(name, (const char *)sqlite3_column_text(row, 0)) != 0) {
            blame(check, (uint64_t)sqlite3_column_int64(row, 2), "a text that it names was changed");
            break;
        }
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static bool check_chain(struct check *check, sqlite3 *db, struct fs_err *err)
{
    struct fs_verdict *out = check->out;
    if (!load_end(db, "anchor", check->key, &check->anchor, err) ||
        !load_end(db, "head", check->key, &check->head, err))
        return false;
    if (!check->anchor.sealed)
        return blame(check, 1, "where the journal begins is not sealed with the audit key") || true;
    if (!check->head.sealed)
        return blame(check, check->head.number, "where the journal ends is not sealed with the audit key") ||
               true;
    out->last = check->anchor.number;
    out->first = check->anchor.number + 1;
    check->hash = check->anchor.hash;
    if (!check_rows(check, db, err))
        return false;
    if (!out->bad)
        check_ends(check);
    if ((!out->bad && !check_base(check, db, err)) || (!out->bad && !check_texts(check, db, err)))
        return false;
    if (!out->bad)
        snprintf(out->text, sizeof out->text, "%llu entries fit, %llu with an erased body",
                 (unsigned long long)out->checked, (unsigned long long)out->erased);
    return true;
}

/* What the chain does not cover: the pages, the indexes, the cells. */
static bool check_pages(sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *row = fs_database_prepare(db, "PRAGMA quick_check(1)", err);
    if (!row)
        return false;
    int step = sqlite3_step(row);
    const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0) : NULL;
    bool fine = text && strcmp(text, "ok") == 0;
    if (!fine && text)
        fs_fail(err, FS_ERR_DIFFERS, "the file is damaged: restore a backup (%s)", text);
    else if (!fine)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return fine;
}

bool fs_journal_verify(const char *directory, struct fs_verdict *out, struct fs_err *err)
{
    struct fs_sha256 key = {{0}};
    struct check check = {.key = &key, .out = out};
    size_t version = 0;
    bool fine = false;
    memset(out, 0, sizeof *out);
    char *file = fs_directory_path(directory, FS_DIRECTORY_DATABASE);
    sqlite3 *db = NULL;
    if (!fs_directory_key(directory, false, &key, err))
        goto out;
    db = fs_database_open(file, FS_DATABASE_READ, err);
    if (!db || !fs_schema_check(db, fs_schema_version, &version, err))
        goto out;
    if (version < fs_schema_version) {
        fs_fail(err, FS_ERR_CONFIG,
                "the journal is of schema %zu, this version knows %zu: start the daemon once, it migrates it",
                version, fs_schema_version);
        goto out;
    }
    fine = fs_database_exec(db, "BEGIN", err) && check_pages(db, err) && check_chain(&check, db, err);
out:
    fs_database_close(db);
    fs_free(check.room);
    fs_free(file);
    fs_wipe(&key, sizeof key);
    return fine;
}
