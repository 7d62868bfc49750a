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

bool fs_pruner_load(struct fs_pruner *pruner, sqlite3 *db, struct fs_err *err)
{
    if (pruner->loaded)
        return true;
    sqlite3_stmt *ends = fs_database_prepare(db,
                                             "SELECT a.number, a.hash, b.hash FROM ends a, ends b"
                                             " WHERE a.role = 'anchor' AND b.role = 'base'",
                                             err);
    if (!ends)
        return false;
    pruner->loaded = sqlite3_step(ends) == SQLITE_ROW && fs_database_hash(ends, 1, &pruner->anchor_hash) &&
                     fs_database_hash(ends, 2, &pruner->sum);
    pruner->anchor = (uint64_t)sqlite3_column_int64(ends, 0);
    if (!pruner->loaded)
        fs_fail(err, FS_ERR_DIFFERS, "the journal has lost its anchor: restore a backup");
    sqlite3_finalize(ends);
    return pruner->loaded;
}

static bool set_end(sqlite3 *db, const struct fs_sha256 *key, const char *role, uint64_t number,
                    const struct fs_sha256 *hash, struct fs_err *err)
{
    struct fs_sha256 seal = fs_chain_seal(key, role, number, hash);
    sqlite3_stmt *set =
        fs_database_prepare(db, "UPDATE ends SET number = ?2, hash = ?3, seal = ?4 WHERE role = ?1", err);
    if (!set)
        return false;
    sqlite3_bind_text(set, 1, role, -1, SQLITE_STATIC);
    sqlite3_bind_int64(set, 2, (sqlite3_int64)number);
    sqlite3_bind_blob(set, 3, hash->bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(set, 4, seal.bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    bool fine = fs_database_run(set, err);
    sqlite3_finalize(set);
    return fine;
}

bool fs_pruner_seal_base(const struct fs_pruner *pruner, const struct fs_store *store, struct fs_err *err)
{
    return set_end(store->db, &store->key, "base", pruner->anchor, &pruner->sum, err);
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
static bool fold(struct fs_pruner *next, const struct fs_store *store, int64_t before, size_t *count,
                 struct fs_err *err)
{
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
        fine = fine && fs_base_fold(store->db, &store->key, &entry, NULL, &next->sum, err);
        next->anchor = entry.number;
        (*count)++;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fine = fs_database_fail(store->db, "journal", err);
    sqlite3_finalize(old);
    return fine;
}

static bool prune_entries(struct fs_pruner *next, const struct fs_store *store, int64_t before,
                          int64_t forget, bool *more, struct fs_err *err)
{
    size_t count = 0;
    if (!fold(next, store, before, &count, err))
        return false;
    *more = count == ENTRIES_A_STEP;
    return fs_base_forget(store->db, &store->key, forget, FACTS_A_STEP, &next->sum, err) &&
           delete_up_to(store->db, "DELETE FROM entries WHERE number <= ?1", next->anchor, NULL, err) &&
           delete_up_to(store->db, "DELETE FROM bodies WHERE number <= ?1", next->anchor, NULL, err) &&
           delete_up_to(store->db, "DELETE FROM texts WHERE number <= ?1", next->anchor, NULL, err) &&
           delete_up_to(store->db, "DELETE FROM mentions WHERE number <= ?1", next->anchor, NULL, err) &&
           set_end(store->db, &store->key, "anchor", next->anchor, &next->anchor_hash, err) &&
           fs_pruner_seal_base(next, store, err);
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

static bool is_same(const struct fs_pruner *a, const struct fs_pruner *b)
{
    return a->anchor == b->anchor && a->swept == b->swept && !a->sweep_at && !b->sweep_at &&
           fs_sha256_equal(&a->sum, &b->sum);
}

bool fs_prune_step(struct fs_pruner *pruner, struct fs_store *store, int64_t before, int64_t forget,
                   bool *more, struct fs_err *err)
{
    *more = false;
    if (!fs_pruner_load(pruner, store->db, err) || !fs_database_run(store->statements[FS_STORE_BEGIN], err))
        return false;
    struct fs_pruner next = *pruner;
    next.sweep_at = fs_strdup(pruner->sweep_at);
    bool fine =
        prune_entries(&next, store, before, forget, more, err) && sweep_cells(&next, store->db, more, err);
    if (fine && is_same(&next, pruner)) { /* nothing to write */
        fs_store_rollback(store);
        fs_free(next.sweep_at);
        return true;
    }
    fine = fine && fs_database_run(store->statements[FS_STORE_COMMIT], err);
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
