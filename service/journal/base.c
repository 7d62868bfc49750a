/* SPDX-License-Identifier: Apache-2.0 */
/* The base state; see base.h. */
#include "base.h"

#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "core/json.h"
#include "base_overrides.h"
#include "database.h"
#include "sum.h"

#define COLUMNS "subject, fact, number, time, expires, value, credential"

/* A row of the table, texts borrowed. */
struct row {
    const char *subject, *fact;
    uint64_t number;
    int64_t time, expires;
    const char *value; /* JSON; NULL: it was removed */
    const char *credential;
};

/* --- the sum ------------------------------------------------------------------------------------------ */

static struct fs_sha256 hash_of(const struct fs_sha256 *key, const struct row *row)
{
    struct fs_buf text;
    fs_buf_init(&text, SIZE_MAX);
    fs_sum_text(&text, row->subject);
    fs_sum_text(&text, row->fact);
    fs_buf_addf(&text, "%llu,%lld,%lld,", (unsigned long long)row->number, (long long)row->time,
                (long long)row->expires);
    fs_sum_text(&text, row->value);
    fs_sum_text(&text, row->credential);
    struct fs_sha256 hash = fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, text.data, text.length);
    fs_buf_finish(&text);
    return hash;
}

/* --- rows --------------------------------------------------------------------------------------------- */

static const char *column_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* The statement's columns are COLUMNS. */
static struct row row_of(sqlite3_stmt *statement)
{
    return (struct row){.subject = column_text(statement, 0),
                        .fact = column_text(statement, 1),
                        .number = (uint64_t)sqlite3_column_int64(statement, 2),
                        .time = sqlite3_column_int64(statement, 3),
                        .expires = sqlite3_column_int64(statement, 4),
                        .value = column_text(statement, 5),
                        .credential = column_text(statement, 6)};
}

/* Runs `sql` and gives each row to `take`, until that returns false. */
static bool each_row(sqlite3 *db, sqlite3_stmt *statement, bool (*take)(void *self, const struct row *row),
                     void *self, struct fs_err *err)
{
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct row row = row_of(statement);
        if (!take(self, &row))
            break;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(statement);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static bool put_row(sqlite3 *db, const struct row *row, struct fs_err *err)
{
    sqlite3_stmt *put = fs_database_prepare(
        db, "INSERT OR REPLACE INTO facts (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", err);
    if (!put)
        return false;
    sqlite3_bind_text(put, 1, row->subject, -1, SQLITE_STATIC);
    sqlite3_bind_text(put, 2, row->fact, -1, SQLITE_STATIC);
    sqlite3_bind_int64(put, 3, (sqlite3_int64)row->number);
    sqlite3_bind_int64(put, 4, row->time);
    sqlite3_bind_int64(put, 5, row->expires);
    sqlite3_bind_text(put, 6, row->value, -1, SQLITE_STATIC);
    sqlite3_bind_text(put, 7, row->credential, -1, SQLITE_STATIC);
    bool fine = fs_database_run(put, err);
    sqlite3_finalize(put);
    return fine;
}

/* --- folding ------------------------------------------------------------------------------------------ */

struct earlier {
    const struct fs_sha256 *key;
    struct fs_sha256 *sum;
    int64_t stated, accepted; /* of the event that comes, wall ms; 0: it states none */
    uint64_t number;          /* of its entry */
    int64_t time;             /* by which it is ordered, so */
    bool newer;               /* the row that is there stays */
};

static bool take_earlier(void *self, const struct row *row)
{
    struct earlier *earlier = self;
    earlier->time = fs_event_fact_time(earlier->stated, earlier->accepted, row->time);
    earlier->newer =
        row->time > earlier->time || (row->time == earlier->time && row->number > earlier->number);
    if (!earlier->newer) {
        struct fs_sha256 hash = hash_of(earlier->key, row);
        fs_sum_subtract(earlier->sum, &hash);
    }
    return false;
}

/* The row's time is settled here: `stated`, or from `accepted` and what is there. */
static bool fold_row(sqlite3 *db, const struct fs_sha256 *key, struct row *row, int64_t stated,
                     int64_t accepted, struct fs_sha256 *sum, struct fs_err *err)
{
    struct earlier earlier = {.key = key,
                              .sum = sum,
                              .stated = stated,
                              .accepted = accepted,
                              .number = row->number,
                              .time = fs_event_fact_time(stated, accepted, INT64_MIN)};
    sqlite3_stmt *find =
        fs_database_prepare(db, "SELECT " COLUMNS " FROM facts WHERE subject = ?1 AND fact = ?2", err);
    if (!find)
        return false;
    sqlite3_bind_text(find, 1, row->subject, -1, SQLITE_STATIC);
    sqlite3_bind_text(find, 2, row->fact, -1, SQLITE_STATIC);
    if (!each_row(db, find, take_earlier, &earlier, err))
        return false;
    if (earlier.newer)
        return true;
    row->time = earlier.time;
    struct fs_sha256 hash = hash_of(key, row);
    fs_sum_add(sum, &hash);
    return put_row(db, row, err);
}

bool fs_base_fold(sqlite3 *db, const struct fs_sha256 *key, const struct fs_entry *entry, const char *but,
                  struct fs_sha256 *sum, struct fs_err *err)
{
    struct fs_err ignored;
    if (entry->kind == FS_ENTRY_OVERRIDE)
        return fs_base_fold_override(db, key, entry, sum, err);
    struct fs_event *event = entry->kind == FS_ENTRY_EVENT && entry->body
                                 ? fs_event_read(entry->body, entry->length, &ignored)
                                 : NULL;
    bool fine = true;
    for (size_t i = 0; event && fine && i < event->fact_count; i++) {
        const struct fs_fact_change *change = &event->facts[i];
        if (but && !strcmp(change->subject, but))
            continue;
        char *value = change->value ? fs_json_canonical_text(change->value, SIZE_MAX, NULL) : NULL;
        struct row row = {.subject = change->subject,
                          .fact = change->fact,
                          .number = entry->number,
                          .expires = change->expires,
                          .value = value,
                          .credential = event->credential};
        fine = fold_row(db, key, &row, event->time, entry->time, sum, err);
        fs_free(value);
    }
    fs_event_destroy(event);
    return fine;
}

/* --- forgetting --------------------------------------------------------------------------------------- */

struct sums {
    const struct fs_sha256 *key;
    struct fs_sha256 *sum;
};

static bool take_out(void *self, const struct row *row)
{
    struct sums *sums = self;
    struct fs_sha256 hash = hash_of(sums->key, row);
    fs_sum_subtract(sums->sum, &hash);
    return true;
}

bool fs_base_forget(sqlite3 *db, const struct fs_sha256 *key, int64_t before, int limit,
                    struct fs_sha256 *sum, struct fs_err *err)
{
    static const char *const kinds[] = {
        "DELETE FROM facts WHERE (subject, fact) IN (SELECT subject, fact FROM facts"
        " WHERE value IS NULL AND time < ?1 LIMIT ?2) RETURNING " COLUMNS,
        "DELETE FROM facts WHERE (subject, fact) IN (SELECT subject, fact FROM facts"
        " WHERE expires > 0 AND expires < ?1 AND time < ?1 LIMIT ?2) RETURNING " COLUMNS,
    };
    bool fine = true;
    for (size_t i = 0; fine && i < sizeof kinds / sizeof *kinds; i++) {
        struct sums sums = {key, sum};
        sqlite3_stmt *forget = fs_database_prepare(db, kinds[i], err);
        if (!forget)
            return false;
        sqlite3_bind_int64(forget, 1, before);
        sqlite3_bind_int(forget, 2, limit);
        fine = each_row(db, forget, take_out, &sums, err);
    }
    return fine && fs_base_forget_overrides(db, key, before, limit, sum, err);
}

bool fs_base_erase(sqlite3 *db, const struct fs_sha256 *key, const char *subject, struct fs_sha256 *sum,
                   struct fs_err *err)
{
    struct sums sums = {key, sum};
    sqlite3_stmt *erase =
        fs_database_prepare(db, "DELETE FROM facts WHERE subject = ?1 RETURNING " COLUMNS, err);
    if (!erase)
        return false;
    sqlite3_bind_text(erase, 1, subject, -1, SQLITE_STATIC);
    return each_row(db, erase, take_out, &sums, err) && fs_base_erase_overrides(db, key, subject, sum, err);
}

/* --- reading ------------------------------------------------------------------------------------------ */

struct reading {
    bool (*each)(void *self, const struct fs_fact_state *fact);
    void *self;
    struct fs_err *err;
    bool wrong;
};

static bool give(void *self, const struct row *row)
{
    struct reading *reading = self;
    struct fs_fact_state fact = {
        .change = {.subject = fs_strdup(row->subject), .fact = fs_strdup(row->fact), .expires = row->expires},
        .time = row->time,
        .entry = row->number,
        .credential = row->credential};
    if (row->value)
        fact.change.value = fs_json_read(row->value, strlen(row->value), 64, reading->err);
    reading->wrong = row->value && !fact.change.value;
    bool more = !reading->wrong && reading->each(reading->self, &fact);
    json_decref(fact.change.value);
    fs_free(fact.change.subject);
    fs_free(fact.change.fact);
    return more;
}

bool fs_base_read(sqlite3 *db, bool (*each)(void *self, const struct fs_fact_state *fact), void *self,
                  struct fs_err *err)
{
    struct reading reading = {.each = each, .self = self, .err = err};
    sqlite3_stmt *all = fs_database_prepare(db, "SELECT " COLUMNS " FROM facts", err);
    return all && each_row(db, all, give, &reading, err) && !reading.wrong;
}

static bool take_in(void *self, const struct row *row)
{
    struct sums *sums = self;
    struct fs_sha256 hash = hash_of(sums->key, row);
    fs_sum_add(sums->sum, &hash);
    return true;
}

bool fs_base_sum(sqlite3 *db, const struct fs_sha256 *key, struct fs_sha256 *out, struct fs_err *err)
{
    struct sums sums = {key, out};
    memset(out, 0, sizeof *out);
    sqlite3_stmt *all = fs_database_prepare(db, "SELECT " COLUMNS " FROM facts", err);
    return all && each_row(db, all, take_in, &sums, err) && fs_base_sum_overrides(db, key, out, err);
}
