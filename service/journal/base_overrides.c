/* SPDX-License-Identifier: Apache-2.0 */
/* Overrides of pruned entries; see base_overrides.h. */
#include "base_overrides.h"

#include "base/alloc.h"
#include "core/override.h"
#include "database.h"
#include "sum.h"

#define COLUMNS "flag, subject, kind, number, time, expires, body"

static const char *column_text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

/* The statement's columns are COLUMNS. */
static struct fs_sha256 hash_of(const struct fs_sha256 *key, sqlite3_stmt *row)
{
    struct fs_buf text;
    fs_buf_init(&text, SIZE_MAX);
    fs_buf_adds(&text, "override,");
    for (int i = 0; i < 3; i++)
        fs_sum_text(&text, column_text(row, i));
    for (int i = 3; i < 6; i++)
        fs_buf_addf(&text, "%lld,", (long long)sqlite3_column_int64(row, i));
    fs_sum_text(&text, column_text(row, 6));
    struct fs_sha256 hash = fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, text.data, text.length);
    fs_buf_finish(&text);
    return hash;
}

/* Runs a statement that returns rows, and has the sum follow each. Ends it. */
static bool follow(sqlite3 *db, const struct fs_sha256 *key, sqlite3_stmt *rows,
                   void (*move)(struct fs_sha256 *sum, const struct fs_sha256 *hash), struct fs_sha256 *sum,
                   struct fs_err *err)
{
    int step;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        struct fs_sha256 hash = hash_of(key, rows);
        move(sum, &hash);
    }
    bool fine = step == SQLITE_DONE || fs_database_fail(db, "journal", err);
    sqlite3_finalize(rows);
    return fine;
}

/* `kind`: NULL is any. */
static bool take_out(sqlite3 *db, const struct fs_sha256 *key, const struct fs_override *o, const char *kind,
                     struct fs_sha256 *sum, struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(db,
                                             "DELETE FROM overrides WHERE flag = ?1 AND subject = ?2"
                                             " AND (?3 IS NULL OR kind = ?3) RETURNING " COLUMNS,
                                             err);
    if (!rows)
        return false;
    sqlite3_bind_text(rows, 1, o->flag, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, o->subject ? o->subject : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 3, kind, -1, SQLITE_STATIC);
    return follow(db, key, rows, fs_sum_subtract, sum, err);
}

static bool put_in(sqlite3 *db, const struct fs_sha256 *key, const struct fs_override *o,
                   const struct fs_entry *entry, struct fs_sha256 *sum, struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(
        db, "INSERT INTO overrides (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING " COLUMNS,
        err);
    if (!rows)
        return false;
    sqlite3_bind_text(rows, 1, o->flag, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, o->subject ? o->subject : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 3, fs_override_kind_name(o->kind), -1, SQLITE_STATIC);
    sqlite3_bind_int64(rows, 4, (sqlite3_int64)entry->number);
    sqlite3_bind_int64(rows, 5, entry->time);
    sqlite3_bind_int64(rows, 6, o->expires);
    sqlite3_bind_text(rows, 7, entry->body, (int)entry->length, SQLITE_STATIC);
    return follow(db, key, rows, fs_sum_add, sum, err);
}

bool fs_base_fold_override(sqlite3 *db, const struct fs_sha256 *key, const struct fs_entry *entry,
                           struct fs_sha256 *sum, struct fs_err *err)
{
    struct fs_override_order order;
    if (!entry->body || !fs_override_read(entry->body, entry->length, entry->number, entry->time, &order))
        return true; /* erased */
    const struct fs_override *o = &order.override;
    bool any = order.release && order.any_kind;
    bool fine = take_out(db, key, o, any ? NULL : fs_override_kind_name(o->kind), sum, err) &&
                (order.release || put_in(db, key, o, entry, sum, err));
    fs_override_order_finish(&order);
    return fine;
}

bool fs_base_erase_overrides(sqlite3 *db, const struct fs_sha256 *key, const char *subject,
                             struct fs_sha256 *sum, struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(
        db, "DELETE FROM overrides WHERE subject = ?1 AND subject <> '' RETURNING " COLUMNS, err);
    if (!rows)
        return false;
    sqlite3_bind_text(rows, 1, subject, -1, SQLITE_STATIC);
    return follow(db, key, rows, fs_sum_subtract, sum, err);
}

bool fs_base_forget_overrides(sqlite3 *db, const struct fs_sha256 *key, int64_t before, int limit,
                              struct fs_sha256 *sum, struct fs_err *err)
{
    sqlite3_stmt *rows =
        fs_database_prepare(db,
                            "DELETE FROM overrides WHERE (flag, subject, kind) IN (SELECT flag, subject, kind"
                            " FROM overrides WHERE expires > 0 AND expires < ?1 LIMIT ?2) RETURNING " COLUMNS,
                            err);
    if (!rows)
        return false;
    sqlite3_bind_int64(rows, 1, before);
    sqlite3_bind_int(rows, 2, limit);
    return follow(db, key, rows, fs_sum_subtract, sum, err);
}

bool fs_base_sum_overrides(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *sum,
                           struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(db, "SELECT " COLUMNS " FROM overrides", err);
    return rows && follow(db, key, rows, fs_sum_add, sum, err);
}

bool fs_base_read_overrides(sqlite3 *db, bool (*each)(void *self, const struct fs_entry *entry), void *self,
                            struct fs_err *err)
{
    sqlite3_stmt *rows =
        fs_database_prepare(db, "SELECT number, time, body FROM overrides ORDER BY number", err);
    if (!rows)
        return false;
    int step;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        struct fs_entry entry = {.number = (uint64_t)sqlite3_column_int64(rows, 0),
                                 .kind = FS_ENTRY_OVERRIDE,
                                 .time = sqlite3_column_int64(rows, 1),
                                 .body = column_text(rows, 2),
                                 .length = (size_t)sqlite3_column_bytes(rows, 2)};
        if (!each(self, &entry))
            break;
    }
    bool fine = step == SQLITE_ROW || step == SQLITE_DONE || fs_database_fail(db, "journal", err);
    sqlite3_finalize(rows);
    return fine;
}
