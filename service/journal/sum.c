/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed sums; see sum.h. */
#include "sum.h"

#include <string.h>
#include "base/buf.h"
#include "database.h"

/* Big-endian numbers. */
static void add(struct fs_sha256 *sum, const struct fs_sha256 *hash)
{
    unsigned carry = 0;
    for (size_t i = FS_SHA256_SIZE; i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + hash->bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void subtract(struct fs_sha256 *sum, const struct fs_sha256 *hash)
{
    int borrow = 0;
    for (size_t i = FS_SHA256_SIZE; i-- > 0;) {
        int digit = (int)sum->bytes[i] - hash->bytes[i] - borrow;
        borrow = digit < 0;
        sum->bytes[i] = (uint8_t)(digit + 256 * borrow);
    }
}

static void add_column(struct fs_buf *out, sqlite3_stmt *row, int column)
{
    if (sqlite3_column_type(row, column) == SQLITE_INTEGER) {
        fs_buf_addf(out, "%lld,", (long long)sqlite3_column_int64(row, column));
        return;
    }
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (text)
        fs_buf_addf(out, "%zu:%s,", strlen(text), text);
    else
        fs_buf_adds(out, "-,");
}

static bool follow(sqlite3_stmt *rows, const char *table, const struct fs_sha256 *key,
                   void (*move)(struct fs_sha256 *sum, const struct fs_sha256 *hash), struct fs_sha256 *sum,
                   struct fs_err *err)
{
    int step;
    struct fs_buf text;
    fs_buf_init(&text, SIZE_MAX);
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        fs_buf_reset(&text);
        fs_buf_adds(&text, table);
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            add_column(&text, rows, i);
        struct fs_sha256 hash = fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, text.data, text.length);
        move(sum, &hash);
    }
    fs_buf_finish(&text);
    bool fine = step == SQLITE_DONE || fs_database_fail(sqlite3_db_handle(rows), "journal", err);
    sqlite3_reset(rows);
    return fine;
}

bool fs_sum_add(sqlite3_stmt *rows, const char *table, const struct fs_sha256 *key, struct fs_sha256 *sum,
                struct fs_err *err)
{
    return follow(rows, table, key, add, sum, err);
}

bool fs_sum_subtract(sqlite3_stmt *rows, const char *table, const struct fs_sha256 *key,
                     struct fs_sha256 *sum, struct fs_err *err)
{
    return follow(rows, table, key, subtract, sum, err);
}

static bool add_all(sqlite3 *db, const char *sql, const char *table, const struct fs_sha256 *key,
                    struct fs_sha256 *sum, struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(db, sql, err);
    bool fine = rows && fs_sum_add(rows, table, key, sum, err);
    sqlite3_finalize(rows);
    return fine;
}

bool fs_sum_base(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err)
{
    memset(out, 0, sizeof *out);
    return add_all(db, "SELECT " FS_SUM_FACT_COLUMNS " FROM facts", FS_SUM_FACTS, key, out, err) &&
           add_all(db, "SELECT " FS_SUM_OVERRIDE_COLUMNS " FROM overrides", FS_SUM_OVERRIDES, key, out, err);
}

bool fs_sum_texts(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err)
{
    memset(out, 0, sizeof *out);
    return add_all(db, "SELECT " FS_SUM_TEXT_COLUMNS " FROM texts", FS_SUM_TEXTS, key, out, err) &&
           add_all(db, "SELECT " FS_SUM_MENTION_COLUMNS " FROM mentions", FS_SUM_MENTIONS, key, out, err);
}
