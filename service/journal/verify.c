/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the audit chain of a data directory, with or without a daemon on it: read-only, without the lock, in
 * one read transaction. Every entry must be there, with its body or one that an entry tells was erased; the
 * seals of both ends must be the key's; what stands beside the chain must have the sums that are sealed.
 */
#include "journal/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/vec.h"
#include "chain.h"
#include "core/json.h"
#include "database.h"
#include "directory.h"
#include "names.h"
#include "schema.h"

struct end {
    bool sealed; /* the row is there and its seal is the key's */
    uint64_t number;
    struct fs_sha256 hash, seal;
};

/* Entries whose bodies were erased, as entry `by` tells. */
struct erased {
    uint64_t first, last, by;
};

struct check {
    const struct fs_sha256 *key;
    struct fs_verdict *out;
    struct end anchor, head, base, texts;
    FS_VEC(struct erased) erased; /* by their first */
    struct fs_names names;
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
    sqlite3_stmt *row = fs_database_prepare(db, "SELECT number, hash, seal FROM ends WHERE role = ?1", err);
    if (!row)
        return false;
    sqlite3_bind_text(row, 1, role, -1, SQLITE_STATIC);
    int step = sqlite3_step(row);
    if (step == SQLITE_ROW && fs_database_hash(row, 1, &out->hash) && fs_database_hash(row, 2, &out->seal)) {
        out->number = (uint64_t)sqlite3_column_int64(row, 0);
        struct fs_sha256 wanted = fs_chain_seal(key, role, out->number, &out->hash);
        out->sealed = fs_sha256_equal(&wanted, &out->seal);
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

/* The head is sealed together with the sums. */
static bool load_head(struct check *check, sqlite3 *db, struct fs_err *err)
{
    struct end *head = &check->head;
    const struct fs_sums sums = {check->base.hash, check->texts.hash};
    if (!load_end(db, "head", check->key, head, err))
        return false;
    struct fs_sha256 wanted = fs_chain_seal_head(check->key, head->number, &head->hash, &sums);
    head->sealed = fs_sha256_equal(&wanted, &head->seal);
    return true;
}

/* --- what was erased ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct erased *one = a, *other = b;
    return (one->first > other->first) - (one->first < other->first);
}

static void note_erased(struct check *check, uint64_t by, const char *body, size_t length)
{
    struct fs_err ignored;
    json_t *root = fs_json_read(body, length, 64, &ignored);
    const json_t *ranges = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        struct erased erased = {.first = (uint64_t)json_integer_value(json_array_get(range, 0)),
                                .last = (uint64_t)json_integer_value(json_array_get(range, 1)),
                                .by = by};
        fs_vec_push(&check->erased, erased);
    }
    fs_names_note(&check->names, by, root);
    json_decref(root);
}

/* Read before the rest: an erasure comes behind what it took. That the entries that tell of it are themselves
 * as they were is found when their turn comes. */
static bool load_erased(struct check *check, sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *row = fs_database_prepare(db,
                                            "SELECT e.number, b.body FROM entries e JOIN bodies b"
                                            " ON b.number = e.number WHERE e.kind = 'erasure'"
                                            " AND b.body IS NOT NULL ORDER BY e.number",
                                            err);
    if (!row)
        return false;
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW)
        note_erased(check, (uint64_t)sqlite3_column_int64(row, 0), (const char *)sqlite3_column_text(row, 1),
                    (size_t)sqlite3_column_bytes(row, 1));
    if (step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    if (check->erased.count)
        qsort(check->erased.items, check->erased.count, sizeof *check->erased.items, compare);
    return step == SQLITE_DONE;
}

/* No two erasures take the same body, so the last range that begins before it is the one. */
static bool was_erased(const struct check *check, uint64_t number)
{
    size_t low = 0, high = check->erased.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->erased.items[middle].first <= number)
            low = middle + 1;
        else
            high = middle;
    }
    const struct erased *erased = low ? &check->erased.items[low - 1] : NULL;
    return erased && number <= erased->last && number < erased->by;
}

/* --- the chain ---------------------------------------------------------------------------------------- */

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
        if (!was_erased(check, number))
            return blame(check, number, "its body is gone, and no entry tells that it was erased");
        check->out->erased++;
    } else {
        const void *body = sqlite3_column_blob(row, 6);
        struct fs_sha256 clear = hash_body(check, number, body, (size_t)sqlite3_column_bytes(row, 6));
        if (!fs_sha256_equal(&clear, &body_hash))
            return blame(check, number, "its body was changed");
        struct fs_entry entry = {
            .number = number, .body = body, .length = (size_t)sqlite3_column_bytes(row, 6)};
        const char *wrong =
            fs_entry_kind_parse(kind, &entry.kind) ? fs_names_check(&check->names, &entry) : NULL;
        if (wrong)
            return blame(check, number, wrong);
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

#define BASE_CHANGED  "the facts and overrides that are kept of entries before it were changed"
#define TEXTS_CHANGED "whom it or those behind it tell of was changed (texts or mentions)"

/* What stands beside the chain and has a sum. */
static bool check_sums(struct check *check, sqlite3 *db, struct fs_err *err)
{
    struct fs_sums sums;
    if (!fs_sum_base(db, check->key, &sums.base, err) || !fs_sum_texts(db, check->key, &sums.texts, err))
        return false;
    if (!fs_sha256_equal(&sums.base, &check->base.hash))
        blame(check, check->out->first, BASE_CHANGED);
    else if (!fs_sha256_equal(&sums.texts, &check->texts.hash))
        blame(check, check->out->first, TEXTS_CHANGED);
    return true;
}

/* A text is what its name says, or it was changed; it is kept for the last entry that names it. */
static bool check_texts(struct check *check, sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *row = fs_database_prepare(db,
                                            "SELECT t.name, t.text, t.number, b.number IS NOT NULL"
                                            " AND (b.body IS NULL OR instr(b.body, t.name) > 0)"
                                            " FROM texts t LEFT JOIN bodies b ON b.number = t.number",
                                            err);
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
        if (!sqlite3_column_int(row, 3)) {
            blame(check, (uint64_t)sqlite3_column_int64(row, 2),
                  "a text is kept for it that it does not name");
            break;
        }
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(row);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

/* Where the check begins, and that it may. */
static bool check_seals(struct check *check)
{
    struct fs_verdict *out = check->out;
    if (!check->anchor.sealed)
        return blame(check, 1, "where the journal begins is not sealed with the audit key");
    out->last = check->anchor.number;
    out->first = check->anchor.number + 1;
    check->hash = check->anchor.hash;
    if (!check->base.sealed)
        return blame(check, out->first, BASE_CHANGED);
    if (!check->texts.sealed)
        return blame(check, out->first, TEXTS_CHANGED);
    return check->head.sealed ||
           blame(
               check, check->head.number,
               "where the journal ends is not sealed with the audit key, or not with what stands beside it");
}

static bool check_chain(struct check *check, sqlite3 *db, struct fs_err *err)
{
    struct fs_verdict *out = check->out;
    if (!load_end(db, "anchor", check->key, &check->anchor, err) ||
        !load_end(db, "base", check->key, &check->base, err) ||
        !load_end(db, "texts", check->key, &check->texts, err) || !load_head(check, db, err) ||
        !fs_names_begin(&check->names, db, err) || !load_erased(check, db, err))
        return false;
    if (!check_seals(check))
        return true;
    if (!check_rows(check, db, err))
        return false;
    if (!out->bad)
        check_ends(check);
    if ((!out->bad && !check_texts(check, db, err)) || (!out->bad && !check_sums(check, db, err)))
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
    fs_names_finish(&check.names);
    fs_database_close(db);
    fs_free(check.room);
    fs_vec_finish(&check.erased);
    fs_free(file);
    fs_wipe(&key, sizeof key);
    return fine;
}
