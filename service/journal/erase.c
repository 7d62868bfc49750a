/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a subject; see erase.h. */
#include "erase.h"

#include "base.h"
#include "database.h"

#define BODIES_A_STEP 64
#define ROWS_A_STEP   1024

/* Runs a statement with the subject as ?1, a limit as ?2 and the last entry as ?3, and counts what it
 * changes. */
static bool run(sqlite3 *db, const char *sql, const char *subject, uint64_t upto, int limit,
                uint64_t *changed, struct fs_err *err)
{
    sqlite3_stmt *statement = fs_database_prepare(db, sql, err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, limit);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)upto);
    bool fine = fs_database_run(statement, err);
    *changed = (uint64_t)sqlite3_changes64(db);
    sqlite3_finalize(statement);
    return fine;
}

/* The facts of others that these bodies tell would be lost with them. */
static bool keep_facts_of_others(struct fs_pruner *pruner, const struct fs_store *store, const char *subject,
                                 uint64_t upto, struct fs_err *err)
{
    sqlite3_stmt *named =
        fs_database_prepare(store->db,
                            "SELECT e.number, e.time, b.body FROM mentions m"
                            " JOIN entries e ON e.number = m.number AND e.kind = 'event'"
                            " JOIN bodies b ON b.number = m.number AND b.body IS NOT NULL"
                            " WHERE m.subject = ?1 AND m.number <= ?3 ORDER BY m.number LIMIT ?2",
                            err);
    if (!named)
        return false;
    sqlite3_bind_text(named, 1, subject, -1, SQLITE_STATIC);
    sqlite3_bind_int(named, 2, BODIES_A_STEP);
    sqlite3_bind_int64(named, 3, (sqlite3_int64)upto);
    bool fine = true;
    int step = SQLITE_DONE;
    while (fine && (step = sqlite3_step(named)) == SQLITE_ROW) {
        struct fs_entry entry = {.number = (uint64_t)sqlite3_column_int64(named, 0),
                                 .kind = FS_ENTRY_EVENT,
                                 .time = sqlite3_column_int64(named, 1),
                                 .body = (const char *)sqlite3_column_text(named, 2),
                                 .length = (size_t)sqlite3_column_bytes(named, 2)};
        fine = fs_base_fold(store->db, &store->key, &entry, subject, &pruner->sum, err);
    }
    if (fine && step != SQLITE_ROW && step != SQLITE_DONE)
        fine = fs_database_fail(store->db, "journal", err);
    sqlite3_finalize(named);
    return fine;
}

bool fs_erase_step(struct fs_pruner *pruner, struct fs_store *store, const char *subject, uint64_t upto,
                   struct fs_erased *out, bool *more, struct fs_err *err)
{
    static const char bodies[] =
        "UPDATE bodies SET body = NULL WHERE number IN"
        " (SELECT number FROM mentions WHERE subject = ?1 AND number <= ?3 ORDER BY number LIMIT ?2)";
    static const char mentions[] =
        "DELETE FROM mentions WHERE subject = ?1 AND number IN"
        " (SELECT number FROM mentions WHERE subject = ?1 AND number <= ?3 ORDER BY number LIMIT ?2)";
    static const char texts[] = "DELETE FROM texts WHERE name IN (SELECT name FROM texts WHERE subject = ?1 "
                                "AND number <= ?3 LIMIT ?2)";
    static const char cells[] =
        "DELETE FROM cells WHERE (subject, number, flag, context) IN"
        " (SELECT subject, number, flag, context FROM cells WHERE subject = ?1 AND number <= ?3 LIMIT ?2)";
    uint64_t mentioned;
    store->changed = true;
    bool fine = fs_pruner_load(pruner, store->db, err) &&
                keep_facts_of_others(pruner, store, subject, upto, err) &&
                run(store->db, bodies, subject, upto, BODIES_A_STEP, &out->bodies, err) &&
                run(store->db, mentions, subject, upto, BODIES_A_STEP, &mentioned, err) &&
                run(store->db, texts, subject, upto, ROWS_A_STEP, &out->texts, err) &&
                run(store->db, cells, subject, upto, ROWS_A_STEP, &out->cells, err) &&
                fs_base_erase(store->db, &store->key, subject, &pruner->sum, err) &&
                fs_pruner_seal_base(pruner, store, err);
    *more = fine && (mentioned == BODIES_A_STEP || out->texts == ROWS_A_STEP || out->cells == ROWS_A_STEP);
    return fine;
}
