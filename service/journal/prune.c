/* SPDX-License-Identifier: Apache-2.0 */
/* Retention; see prune.h. */
#include "prune.h"

#include <string.h>
#include "base.h"
#include "base/alloc.h"
#include "chain.h"
#include "database.h"

#define ENTRIES_A_STEP  256
#define SUBJECTS_A_STEP 256
#define FACTS_A_STEP    256

static bool load(struct fs_pruner *pruner, sqlite3 *db, struct fs_err *err)
{
    if (pruner->loaded)
        return true;
    sqlite3_stmt *ends = fs_database_prepare(db, "SELECT number, hash FROM ends WHERE role = 'anchor'", err);
    if (!ends)
        return false;
    pruner->loaded = sqlite3_step(ends) == SQLITE_ROW && fs_database_hash(ends, 1, &pruner->anchor_hash);
    pruner->anchor = (uint64_t)sqlite3_column_int64(ends, 0);
    if (!pruner->loaded)
        fs_fail(err, FS_ERR_DIFFERS, "the journal has lost its anchor: restore a backup");
    sqlite3_finalize(ends);
    return pruner->loaded;
}

static bool set_anchor(const struct fs_pruner *next, const struct fs_store *store, struct fs_err *err)
{
    struct fs_sha256 seal = fs_chain_seal(&store->key, "anchor", next->anchor, &next->anchor_hash);
    sqlite3_stmt *set = fs_database_prepare(
        store->db, "UPDATE ends SET number = ?1, hash = ?2, seal = ?3 WHERE role = 'anchor'", err);
    if (!set)
        return false;
    sqlite3_bind_int64(set, 1, (sqlite3_int64)next->anchor);
    sqlite3_bind_blob(set, 2, next->anchor_hash.bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(set, 3, seal.bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    bool fine = fs_database_run(set, err);
    sqlite3_finalize(set);
    return fine;
}

/* `sql` has the number as ?1, and the subject, if there is one, as ?2. */
static bool delete_up_to(sqlite3 *db, const char *sql, uint64_t number, const char *subject,
                         struct fs_err *err)
{
    sqlite3_stmt *statement = fs_database_prepare(db, sql, err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
    if (subject)
        sqlite3_bind_text(statement, 2, subject, -1, SQLITE_STATIC);
    bool fine = fs_database_run(statement, err);
    sqlite3_finalize(statement);
    return fine;
}

/* Folds the entries behind the anchor that may go, in `next`. */
static bool fold(struct fs_pruner *next, struct fs_store *store, int64_t before, size_t *count,
                 struct fs_err *err)
{
    const struct fs_base base = fs_store_base(store);
    sqlite3_stmt *old =
        fs_database_prepare(store->db,
                            "SELECT e.number, e.kind, e.time, e.hash, b.body FROM entries e"
                            " JOIN bodies b ON b.number = e.number"
                            " WHERE e.number > ?1 AND e.number < ?2 ORDER BY e.number LIMIT ?3",
                            err);
    if (!old)
        return false;
    sqlite3_bind_int64(old, 1, (sqlite3_int64)next->anchor);
    sqlite3_bind_int64(old, 2, (sqlite3_int64)store->number);
    sqlite3_bind_int(old, 3, ENTRIES_A_STEP);
    bool fine = true;
    int step = SQLITE_DONE;
    while (fine && (step = sqlite3_step(old)) == SQLITE_ROW && sqlite3_column_int64(old, 2) < before) {
        struct fs_entry entry = {.number = (uint64_t)sqlite3_column_int64(old, 0),
                                 .time = sqlite3_column_int64(old, 2),
                                 .body = (const char *)sqlite3_column_text(old, 4),
                                 .length = (size_t)sqlite3_column_bytes(old, 4)};
        const char *kind = (const char *)sqlite3_column_text(old, 1);
        if (entry.number != next->anchor + 1 || !kind || !fs_entry_kind_parse(kind, &entry.kind) ||
            !fs_database_hash(old, 3, &next->anchor_hash))
            fine =
                fs_fail(err, FS_ERR_DIFFERS, "entry %llu of the journal is damaged: run `flagstaff verify`",
                        (unsigned long long)next->anchor + 1);
        fine = fine && fs_base_fold(&base, &entry, NULL, err);
        next->anchor = entry.number;
        (*count)++;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fine = fs_database_fail(store->db, "journal", err);
    sqlite3_finalize(old);
    return fine;
}

/* Takes rows of texts or mentions out of their sum. `sql` has the number as ?1. */
static bool drop_up_to(struct fs_store *store, const char *sql, const char *table, uint64_t number,
                       struct fs_err *err)
{
    sqlite3_stmt *rows = fs_database_prepare(store->db, sql, err);
    if (!rows)
        return false;
    sqlite3_bind_int64(rows, 1, (sqlite3_int64)number);
    bool fine = fs_sum_subtract(rows, table, &store->key, &store->next_sums.texts, err);
    sqlite3_finalize(rows);
    return fine;
}

/* Entries that wait to be folded may tell of what happened `dedup` before them: nothing that is newer than
 * that is forgotten. */
static bool forget(const struct fs_pruner *next, struct fs_store *store, int64_t before, struct fs_err *err)
{
    sqlite3_int64 first;
    char *sql =
        fs_format("SELECT time FROM entries WHERE number = %llu", (unsigned long long)next->anchor + 1);
    const struct fs_base base = fs_store_base(store);
    bool fine = fs_database_number(store->db, sql, INT64_MAX, &first, err);
    fs_free(sql);
    if (fine && first - store->dedup_ms < before)
        before = first - store->dedup_ms;
    return fine && fs_base_forget(&base, next->anchor, before, FACTS_A_STEP, err);
}

static bool prune_entries(struct fs_pruner *next, struct fs_store *store, int64_t before, int64_t forgotten,
                          bool *more, struct fs_err *err)
{
    size_t count = 0;
    if (!fold(next, store, before, &count, err))
        return false;
    *more = count == ENTRIES_A_STEP;
    return forget(next, store, forgotten, err) &&
           delete_up_to(store->db, "DELETE FROM entries WHERE number <= ?1", next->anchor, NULL, err) &&
           delete_up_to(store->db, "DELETE FROM bodies WHERE number <= ?1", next->anchor, NULL, err) &&
           drop_up_to(store, "DELETE FROM texts WHERE number <= ?1 RETURNING " FS_SUM_TEXT_COLUMNS,
                      FS_SUM_TEXTS, next->anchor, err) &&
           drop_up_to(store, "DELETE FROM mentions WHERE number <= ?1 RETURNING " FS_SUM_MENTION_COLUMNS,
                      FS_SUM_MENTIONS, next->anchor, err) &&
           set_anchor(next, store, err) && fs_store_seal(store, err);
}

/* The first subject behind `at` that has cells, as an own copy in `out`; NULL: there is none. */
static bool next_subject(sqlite3 *db, const char *at, char **out, struct fs_err *err)
{
    sqlite3_stmt *find =
        fs_database_prepare(db,
                            at ? "SELECT subject FROM cells WHERE subject > ?1 ORDER BY subject LIMIT 1"
                               : "SELECT subject FROM cells ORDER BY subject LIMIT 1",
                            err);
    *out = NULL;
    if (!find)
        return false;
    if (at)
        sqlite3_bind_text(find, 1, at, -1, SQLITE_STATIC);
    int step = sqlite3_step(find);
    if (step == SQLITE_ROW)
        *out = fs_strdup((const char *)sqlite3_column_text(find, 0));
    else if (step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(find);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static bool sweep_cells(struct fs_pruner *next, sqlite3 *db, bool *more, struct fs_err *err)
{
    if (!next->sweep_at)
        next->sweep_to = next->anchor;
    for (int i = 0; i < SUBJECTS_A_STEP && next->swept < next->sweep_to; i++) {
        char *subject;
        if (!next_subject(db, next->sweep_at, &subject, err))
            return false;
        fs_free(next->sweep_at);
        next->sweep_at = subject;
        if (!subject)
            next->swept = next->sweep_to;
        else if (!delete_up_to(db, "DELETE FROM cells WHERE number <= ?1 AND subject = ?2", next->sweep_to,
                               subject, err))
            return false;
    }
    *more = *more || next->swept < next->anchor;
    return true;
}

static bool is_same(const struct fs_pruner *a, const struct fs_pruner *b, const struct fs_store *store)
{
    return a->anchor == b->anchor && a->swept == b->swept && !a->sweep_at && !b->sweep_at &&
           fs_sha256_equal(&store->sums.base, &store->next_sums.base);
}

bool fs_prune_step(struct fs_pruner *pruner, struct fs_store *store, int64_t before, int64_t forget,
                   bool *more, struct fs_err *err)
{
    *more = false;
    if (!load(pruner, store->db, err) || !fs_store_begin(store, err))
        return false;
    struct fs_pruner next = *pruner;
    next.sweep_at = fs_strdup(pruner->sweep_at);
    bool fine =
        prune_entries(&next, store, before, forget, more, err) && sweep_cells(&next, store->db, more, err);
    if (fine && is_same(&next, pruner, store)) { /* nothing to write */
        fs_store_rollback(store);
        fs_free(next.sweep_at);
        return true;
    }
    fine = fine && fs_store_end(store, err);
    if (fine) {
        fs_free(pruner->sweep_at);
        *pruner = next;
    } else {
        fs_store_rollback(store);
        fs_free(next.sweep_at);
    }
    return fine;
}

void fs_pruner_finish(struct fs_pruner *pruner)
{
    fs_free(pruner->sweep_at);
    memset(pruner, 0, sizeof *pruner);
}
