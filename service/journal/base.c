/* SPDX-License-Identifier: Apache-2.0 */
/* The base state; see base.h. */
#include "base.h"

#include <string.h>
#include "base/alloc.h"
#include "chain.h"
#include "core/json.h"
#include "core/override.h"
#include "database.h"
#include "sum.h"

static const char *column_text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

/* Statements that change a table return the rows that they add or take away. Both end the statement. */
static bool put_in(const struct fs_base *base, sqlite3_stmt *rows, const char *table, struct fs_err *err)
{
    bool fine = fs_sum_add(rows, table, base->key, base->sum, err);
    sqlite3_finalize(rows);
    return fine;
}

static bool take_out(const struct fs_base *base, sqlite3_stmt *rows, const char *table, struct fs_err *err)
{
    bool fine = fs_sum_subtract(rows, table, base->key, base->sum, err);
    sqlite3_finalize(rows);
    return fine;
}

/* --- facts -------------------------------------------------------------------------------------------- */

/* When a fact became what it is known to be, and by which entry. */
struct known {
    int64_t time;    /* INT64_MIN: it is not known */
    uint64_t number; /* 0: none */
};

static bool find_fact(sqlite3 *db, const char *subject, const char *fact, struct known *out,
                      struct fs_err *err)
{
    *out = (struct known){.time = INT64_MIN};
    sqlite3_stmt *find =
        fs_database_prepare(db, "SELECT time, number FROM facts WHERE subject = ?1 AND fact = ?2", err);
    if (!find)
        return false;
    bind_text(find, 1, subject);
    bind_text(find, 2, fact);
    int step = sqlite3_step(find);
    if (step == SQLITE_ROW)
        *out = (struct known){sqlite3_column_int64(find, 0), (uint64_t)sqlite3_column_int64(find, 1)};
    else if (step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(find);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

/* Instead of what is known of the fact. */
static bool put_fact(const struct fs_base *base, const struct fs_fact_state *fact, const char *value,
                     struct fs_err *err)
{
    sqlite3_stmt *out = fs_database_prepare(
        base->db, "DELETE FROM facts WHERE subject = ?1 AND fact = ?2 RETURNING " FS_SUM_FACT_COLUMNS, err);
    if (!out)
        return false;
    bind_text(out, 1, fact->change.subject);
    bind_text(out, 2, fact->change.fact);
    if (!take_out(base, out, FS_SUM_FACTS, err))
        return false;
    sqlite3_stmt *in =
        fs_database_prepare(base->db,
                            "INSERT INTO facts (" FS_SUM_FACT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                            " RETURNING " FS_SUM_FACT_COLUMNS,
                            err);
    if (!in)
        return false;
    bind_text(in, 1, fact->change.subject);
    bind_text(in, 2, fact->change.fact);
    sqlite3_bind_int64(in, 3, (sqlite3_int64)fact->entry);
    sqlite3_bind_int64(in, 4, fact->time);
    sqlite3_bind_int64(in, 5, fact->change.expires);
    bind_text(in, 6, value);
    bind_text(in, 7, fact->credential);
    return put_in(base, in, FS_SUM_FACTS, err);
}

/* As core applies it: fs_event_fact_time() says how what is known orders it. */
static bool fold_fact(const struct fs_base *base, struct fs_fact_state *fact, int64_t stated,
                      int64_t accepted, struct fs_err *err)
{
    char name[65];
    struct known known, erased;
    const struct fs_sha256 secret = fs_chain_secret(base->key);
    const char *subject = fact->change.subject;
    fs_entry_text_name(secret.bytes, subject, strlen(subject), name);
    if (!find_fact(base->db, subject, fact->change.fact, &known, err) ||
        !find_fact(base->db, name, "", &erased, err))
        return false;
    if (erased.number >= fact->entry)
        erased.time = INT64_MIN; /* only what came after the erasure is too late */
    fact->time = fs_event_fact_time(stated, accepted, known.time > erased.time ? known.time : erased.time);
    if (known.time > fact->time || (known.time == fact->time && known.number > fact->entry) ||
        erased.time > fact->time)
        return true;
    char *value = fact->change.value ? fs_json_canonical_text(fact->change.value, SIZE_MAX, NULL) : NULL;
    bool fine = put_fact(base, fact, value, err);
    fs_free(value);
    return fine;
}

static bool fold_event(const struct fs_base *base, const struct fs_entry *entry, const char *only,
                       struct fs_err *err)
{
    struct fs_err ignored;
    struct fs_event *event = fs_event_read(entry->body, entry->length, &ignored);
    bool fine = true;
    for (size_t i = 0; event && fine && i < event->fact_count; i++) {
        if (only && strcmp(event->facts[i].subject, only) != 0)
            continue;
        struct fs_fact_state fact = {
            .change = event->facts[i], .entry = entry->number, .credential = event->credential};
        fine = fold_fact(base, &fact, event->time, entry->time, err);
    }
    fs_event_destroy(event);
    return fine;
}

/* A fact without a name, of the subject by its name: an older event must not bring back what was erased. */
static bool fold_erasure(const struct fs_base *base, const struct fs_entry *entry, struct fs_err *err)
{
    char name[65];
    struct known known;
    struct fs_fact_state fact = {.entry = entry->number};
    if (!fs_entry_erasure(entry, name, &fact.time))
        return true;
    if (!find_fact(base->db, name, "", &known, err))
        return false;
    fact.change = (struct fs_fact_change){.subject = name, .fact = (char[]){""}};
    fact.time = known.time > fact.time ? known.time : fact.time;
    return put_fact(base, &fact, NULL, err);
}

/* --- overrides ---------------------------------------------------------------------------------------- */

/* `kind`: NULL is any. */
static bool take_override(const struct fs_base *base, const struct fs_override *o, const char *kind,
                          struct fs_err *err)
{
    sqlite3_stmt *rows =
        fs_database_prepare(base->db,
                            "DELETE FROM overrides WHERE flag = ?1 AND subject = ?2"
                            " AND (?3 IS NULL OR kind = ?3) RETURNING " FS_SUM_OVERRIDE_COLUMNS,
                            err);
    if (!rows)
        return false;
    bind_text(rows, 1, o->flag);
    bind_text(rows, 2, o->subject ? o->subject : "");
    bind_text(rows, 3, kind);
    return take_out(base, rows, FS_SUM_OVERRIDES, err);
}

static bool put_override(const struct fs_base *base, const struct fs_override *o,
                         const struct fs_entry *entry, struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(base->db,
                                             "INSERT INTO overrides (" FS_SUM_OVERRIDE_COLUMNS
                                             ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                             " RETURNING " FS_SUM_OVERRIDE_COLUMNS,
                                             err);
    if (!rows)
        return false;
    bind_text(rows, 1, o->flag);
    bind_text(rows, 2, o->subject ? o->subject : "");
    bind_text(rows, 3, fs_override_kind_name(o->kind));
    sqlite3_bind_int64(rows, 4, (sqlite3_int64)entry->number);
    sqlite3_bind_int64(rows, 5, entry->time);
    sqlite3_bind_int64(rows, 6, o->expires);
    sqlite3_bind_text(rows, 7, entry->body, (int)entry->length, SQLITE_STATIC);
    return put_in(base, rows, FS_SUM_OVERRIDES, err);
}

static bool fold_override(const struct fs_base *base, const struct fs_entry *entry, struct fs_err *err)
{
    struct fs_override_order order;
    if (!fs_override_read(entry->body, entry->length, entry->number, entry->time, &order))
        return true;
    const struct fs_override *o = &order.override;
    bool any = order.release && order.any_kind;
    bool fine = take_override(base, o, any ? NULL : fs_override_kind_name(o->kind), err) &&
                (order.release || put_override(base, o, entry, err));
    fs_override_order_finish(&order);
    return fine;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

bool fs_base_fold(const struct fs_base *base, const struct fs_entry *entry, const char *only,
                  struct fs_err *err)
{
    if (!entry->body)
        return true; /* erased */
    if (entry->kind == FS_ENTRY_EVENT)
        return fold_event(base, entry, only, err);
    if (only)
        return true;
    if (entry->kind == FS_ENTRY_OVERRIDE)
        return fold_override(base, entry, err);
    return entry->kind != FS_ENTRY_ERASURE || fold_erasure(base, entry, err);
}

bool fs_base_forget(const struct fs_base *base, uint64_t anchor, int64_t before, int limit,
                    struct fs_err *err)
{
    static const struct {
        const char *sql, *table;
    } kinds[] = {
        {"DELETE FROM facts WHERE (subject, fact) IN (SELECT subject, fact FROM facts"
         " WHERE value IS NULL AND time < ?1 AND number <= ?3 LIMIT ?2) RETURNING " FS_SUM_FACT_COLUMNS,
         FS_SUM_FACTS},
        {"DELETE FROM facts WHERE (subject, fact) IN (SELECT subject, fact FROM facts WHERE expires > 0"
         " AND expires < ?1 AND time < ?1 AND number <= ?3 LIMIT ?2) RETURNING " FS_SUM_FACT_COLUMNS,
         FS_SUM_FACTS},
        {"DELETE FROM overrides WHERE (flag, subject, kind) IN (SELECT flag, subject, kind FROM overrides"
         " WHERE expires > 0 AND expires < ?1 AND number <= ?3 LIMIT ?2) RETURNING " FS_SUM_OVERRIDE_COLUMNS,
         FS_SUM_OVERRIDES},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        sqlite3_stmt *forget = fs_database_prepare(base->db, kinds[i].sql, err);
        if (!forget)
            return false;
        sqlite3_bind_int64(forget, 1, before);
        sqlite3_bind_int(forget, 2, limit);
        sqlite3_bind_int64(forget, 3, (sqlite3_int64)anchor);
        if (!take_out(base, forget, kinds[i].table, err))
            return false;
    }
    return true;
}

bool fs_base_erase(const struct fs_base *base, const char *subject, struct fs_err *err)
{
    sqlite3_stmt *facts = fs_database_prepare(
        base->db, "DELETE FROM facts WHERE subject = ?1 RETURNING " FS_SUM_FACT_COLUMNS, err);
    if (!facts)
        return false;
    bind_text(facts, 1, subject);
    if (!take_out(base, facts, FS_SUM_FACTS, err))
        return false;
    sqlite3_stmt *overrides = fs_database_prepare(
        base->db,
        "DELETE FROM overrides WHERE subject = ?1 AND subject <> '' RETURNING " FS_SUM_OVERRIDE_COLUMNS, err);
    if (!overrides)
        return false;
    bind_text(overrides, 1, subject);
    return take_out(base, overrides, FS_SUM_OVERRIDES, err);
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* Columns as FS_SUM_FACT_COLUMNS. `more` is what `each` says. */
static bool give_fact(sqlite3_stmt *row, bool (*each)(void *self, const struct fs_fact_state *fact),
                      void *self, bool *more, struct fs_err *err)
{
    const char *value = column_text(row, 5);
    struct fs_fact_state fact = {.change = {.subject = fs_strdup(column_text(row, 0)),
                                            .fact = fs_strdup(column_text(row, 1)),
                                            .expires = sqlite3_column_int64(row, 4)},
                                 .time = sqlite3_column_int64(row, 3),
                                 .entry = (uint64_t)sqlite3_column_int64(row, 2),
                                 .credential = column_text(row, 6)};
    if (value)
        fact.change.value = fs_json_read(value, strlen(value), 64, err);
    bool fine = !value || fact.change.value;
    *more = fine && each(self, &fact);
    json_decref(fact.change.value);
    fs_free(fact.change.subject);
    fs_free(fact.change.fact);
    return fine;
}

bool fs_base_read(sqlite3 *db, bool (*each)(void *self, const struct fs_fact_state *fact), void *self,
                  struct fs_err *err)
{
    sqlite3_stmt *all = fs_database_prepare(db, "SELECT " FS_SUM_FACT_COLUMNS " FROM facts", err);
    if (!all)
        return false;
    bool fine = true, more = true;
    int step = SQLITE_ROW;
    while (fine && more && (step = sqlite3_step(all)) == SQLITE_ROW)
        fine = give_fact(all, each, self, &more, err);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fine = fs_database_fail(db, "journal", err);
    sqlite3_finalize(all);
    return fine;
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
