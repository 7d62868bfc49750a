/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal beside its writer: entries in order, the ticks of a cell, cursors and documents. */
#include "inside.h"

#include <string.h>
#include "base.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "database.h"

#define ERASED "null" /* what stands for a body that was erased: JSON that says nothing */

/* The statement's columns are number, kind, time, body. */
static bool fill_entry(sqlite3_stmt *statement, struct fs_entry *entry, struct fs_err *err)
{
    const char *kind = (const char *)sqlite3_column_text(statement, 1);
    entry->number = (uint64_t)sqlite3_column_int64(statement, 0);
    entry->time = sqlite3_column_int64(statement, 2);
    entry->body = (const char *)sqlite3_column_text(statement, 3);
    entry->length = (size_t)sqlite3_column_bytes(statement, 3);
    if (!entry->body) {
        entry->body = ERASED;
        entry->length = sizeof ERASED - 1;
    }
    if (!kind || !fs_entry_kind_parse(kind, &entry->kind))
        return fs_fail(err, FS_ERR_DIFFERS, "entry %llu of the journal is of the unknown kind '%s'",
                       (unsigned long long)entry->number, kind ? kind : "");
    return true;
}

/* An erased body is NULL; where there is a fifth column and nothing in it, the row is lost, and nobody knows
 * what it said. */
static bool is_whole(sqlite3_stmt *statement, const struct fs_entry *entry, struct fs_err *err)
{
    return sqlite3_column_count(statement) < 5 || sqlite3_column_type(statement, 4) != SQLITE_NULL ||
           fs_fail(err, FS_ERR_DIFFERS,
                   "the body of entry %llu is lost: run `flagstaff verify`, restore a backup",
                   (unsigned long long)entry->number);
}

struct fs_journal_texts {
    sqlite3_stmt *find;
    bool (*each)(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts);
    void *self;
};

static bool give_with_texts(void *self, const struct fs_entry *entry)
{
    struct fs_journal_texts *texts = self;
    return texts->each(texts->self, entry, texts);
}

const char *fs_journal_text(struct fs_journal_texts *texts, const char *name)
{
    sqlite3_reset(texts->find);
    sqlite3_bind_text(texts->find, 1, name, -1, SQLITE_TRANSIENT);
    return sqlite3_step(texts->find) == SQLITE_ROW ? (const char *)sqlite3_column_text(texts->find, 0) : NULL;
}

/* Gives at most `limit` entries to `each`; rows of one entry follow one another and count once. Ends the
 * statement. */
static bool give_entries(struct fs_journal *journal, sqlite3_stmt *statement, size_t limit,
                         bool (*each)(void *self, const struct fs_entry *entry), void *self,
                         struct fs_err *err)
{
    uint64_t given = 0;
    bool fine = true;
    int step = SQLITE_DONE;
    while (limit > 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct fs_entry entry;
        if ((uint64_t)sqlite3_column_int64(statement, 0) == given)
            continue;
        fine = fill_entry(statement, &entry, err) && is_whole(statement, &entry, err);
        if (!fine || !each(self, &entry))
            break;
        given = entry.number;
        limit--;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fine = fs_database_fail(sqlite3_db_handle(statement), "journal", err);
    sqlite3_finalize(statement);
    fs_journal_note_damage(journal, fine, err);
    return fine;
}

bool fs_journal_read(struct fs_journal *journal, uint64_t from, size_t limit,
                     bool (*each)(void *self, const struct fs_entry *entry), void *self, struct fs_err *err)
{
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    if (!db)
        return false;
    sqlite3_stmt *statement = fs_database_prepare(db,
                                                  "SELECT e.number, e.kind, e.time, b.body, b.number"
                                                  " FROM entries e LEFT JOIN bodies b ON b.number = e.number"
                                                  " WHERE e.number >= ?1 ORDER BY e.number",
                                                  err);
    bool fine = statement != NULL;
    if (fine) {
        sqlite3_bind_int64(statement, 1, from > INT64_MAX ? INT64_MAX : (sqlite3_int64)from);
        fine = give_entries(journal, statement, limit, each, self, err);
    }
    fs_readers_give(&journal->readers, db);
    return fine;
}

/* ",event,tick," */
static void list_kinds(unsigned kinds, struct fs_buf *out)
{
    static const enum fs_entry_kind all[] = {
#define X(kind, name) kind,
        FS_ENTRY_KINDS(X)
#undef X
    };
    fs_buf_init(out, 1024);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (kinds & (1u << all[i]))
            fs_buf_addf(out, ",%s,", fs_entry_kind_name(all[i]));
}

bool fs_journal_read_back(struct fs_journal *journal, uint64_t from, uint64_t before, unsigned kinds,
                          size_t limit, bool (*each)(void *self, const struct fs_entry *entry), void *self,
                          struct fs_err *err)
{
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    if (!db)
        return false;
    sqlite3_stmt *statement =
        fs_database_prepare(db,
                            "SELECT e.number, e.kind, e.time, b.body, b.number"
                            " FROM entries e LEFT JOIN bodies b ON b.number = e.number"
                            " WHERE e.number >= ?1 AND e.number < ?2 AND instr(?3, ',' || e.kind || ',') > 0"
                            " ORDER BY e.number DESC",
                            err);
    struct fs_buf list;
    list_kinds(kinds, &list);
    bool fine = statement != NULL;
    if (fine) {
        sqlite3_bind_int64(statement, 1, from > INT64_MAX ? INT64_MAX : (sqlite3_int64)from);
        sqlite3_bind_int64(statement, 2, before > INT64_MAX ? INT64_MAX : (sqlite3_int64)before);
        sqlite3_bind_text(statement, 3, list.data, -1, SQLITE_STATIC);
        fine = give_entries(journal, statement, limit, each, self, err);
    }
    fs_buf_finish(&list);
    fs_readers_give(&journal->readers, db);
    return fine;
}

bool fs_journal_facts(struct fs_journal *journal, bool (*each)(void *self, const struct fs_fact_state *fact),
                      void *self, struct fs_err *err)
{
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    bool fine = db && fs_base_read(db, each, self, err);
    if (db)
        fs_readers_give(&journal->readers, db);
    return fine;
}

bool fs_journal_overrides(struct fs_journal *journal, bool (*each)(void *self, const struct fs_entry *entry),
                          void *self, struct fs_err *err)
{
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    bool fine = db && fs_base_read_overrides(db, each, self, err);
    if (db)
        fs_readers_give(&journal->readers, db);
    return fine;
}

/* CROSS JOIN fixes the order: down an index of the cells that gives the newest first, so that a limit ends it
 * early. */
#define CELL_COLUMNS "SELECT e.number, e.kind, e.time, b.body FROM "
#define CELL_BODIES  " CROSS JOIN bodies b ON b.number = e.number WHERE e.number < ?4 AND e.time <= ?5"
#define CELL_JOIN    " CROSS JOIN entries e ON e.number = c.number" CELL_BODIES " AND c.number < ?4"
#define CELL_NARROWED                                                                                        \
    " AND (?2 IS NULL OR c.flag = ?2) AND (?3 IS NULL OR c.context = ?3) ORDER BY c.number DESC"

static const char *cells_sql(const char *subject, const char *context, const char *flag)
{
    if (subject)
        return CELL_COLUMNS "cells c" CELL_JOIN " AND c.subject = ?1" CELL_NARROWED;
    if (flag)
        return CELL_COLUMNS "cells c INDEXED BY cells_by_flag" CELL_JOIN
                            " AND c.flag = ?2 AND (?3 IS NULL OR c.context = ?3) ORDER BY c.number DESC";
    if (context) /* no index: reads all cells */
        return CELL_COLUMNS "cells c" CELL_JOIN CELL_NARROWED;
    return CELL_COLUMNS "entries e" CELL_BODIES " AND e.kind = 'tick' ORDER BY e.number DESC";
}

bool fs_journal_cells(struct fs_journal *journal, const char *subject, const char *context, const char *flag,
                      int64_t until_wall, uint64_t before, size_t limit,
                      bool (*each)(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts),
                      void *self, struct fs_err *err)
{
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    if (!db)
        return false;
    struct fs_journal_texts texts = {
        .find = fs_database_prepare(db, "SELECT text FROM texts WHERE name = ?1", err),
        .each = each,
        .self = self};
    sqlite3_stmt *statement =
        texts.find ? fs_database_prepare(db, cells_sql(subject, context, flag), err) : NULL;
    bool fine = statement != NULL;
    if (fine) {
        sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, flag, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, context, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 4,
                           before == 0 || before > INT64_MAX ? INT64_MAX : (sqlite3_int64)before);
        sqlite3_bind_int64(statement, 5, until_wall == 0 ? INT64_MAX : until_wall);
        fine = give_entries(journal, statement, limit, give_with_texts, &texts, err);
    }
    sqlite3_finalize(texts.find);
    fs_readers_give(&journal->readers, db);
    return fine;
}

bool fs_journal_starts(struct fs_journal *journal, uint64_t after, size_t limit, struct fs_journal_start *out,
                       size_t *count, struct fs_err *err)
{
    *count = 0;
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    if (!db)
        return false;
    sqlite3_stmt *statement =
        fs_database_prepare(db,
                            "SELECT s.number, s.time, coalesce((SELECT time FROM entries e"
                            " WHERE e.number < s.number ORDER BY e.number DESC LIMIT 1), s.time)"
                            " FROM entries s WHERE s.kind = 'start' AND s.number > ?1 ORDER BY s.number",
                            err);
    int step = SQLITE_DONE;
    if (statement)
        sqlite3_bind_int64(statement, 1, after > INT64_MAX ? INT64_MAX : (sqlite3_int64)after);
    while (statement && *count < limit && (step = sqlite3_step(statement)) == SQLITE_ROW)
        out[(*count)++] = (struct fs_journal_start){.number = (uint64_t)sqlite3_column_int64(statement, 0),
                                                    .time = sqlite3_column_int64(statement, 1),
                                                    .before = sqlite3_column_int64(statement, 2)};
    bool fine =
        statement && (step == SQLITE_ROW || step == SQLITE_DONE || fs_database_fail(db, "journal", err));
    sqlite3_finalize(statement);
    fs_readers_give(&journal->readers, db);
    return fine;
}

/* The text that `sql` finds for a name: NULL where there is none. That it cannot be read is something else,
 * and an error. */
static bool find_text(struct fs_journal *journal, const char *sql, const char *name, char **out,
                      struct fs_err *err)
{
    *out = NULL;
    sqlite3 *db = fs_readers_take(&journal->readers, err);
    if (!db)
        return false;
    sqlite3_stmt *statement = fs_database_prepare(db, sql, err);
    bool fine = statement != NULL;
    if (fine) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        int step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            *out = fs_strdup((const char *)sqlite3_column_text(statement, 0));
        else if (step != SQLITE_DONE)
            fine = fs_fail(err, FS_ERR_UNAVAILABLE, "the journal cannot be read: %s", sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    fs_readers_give(&journal->readers, db);
    return fine;
}

bool fs_journal_named(struct fs_journal *journal, const char *name, char **text, char **subject,
                      struct fs_err *err)
{
    *subject = NULL;
    return find_text(journal, "SELECT text FROM texts WHERE name = ?1", name, text, err) &&
           find_text(journal, "SELECT subject FROM texts WHERE name = ?1", name, subject, err);
}

bool fs_journal_cursor(struct fs_journal *journal, const char *name, char **out, struct fs_err *err)
{
    return find_text(journal, "SELECT value FROM cursors WHERE name = ?1", name, out, err);
}

bool fs_journal_get(struct fs_journal *journal, const char *name, char **out, struct fs_err *err)
{
    return find_text(journal, "SELECT value FROM documents WHERE name = ?1", name, out, err);
}
