/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a subject; see erase.h. */
#include "erase.h"

#include <stdlib.h>
#include "base.h"
#include "base/alloc.h"
#include "core/json.h"
#include "database.h"

#define BODIES_A_STEP 64
#define TEXTS_A_STEP  256
#define CELLS_A_STEP  1024

/* What a step took, as the entry tells it. */
struct taken {
    json_t *entries; /* ranges: [first, last] */
    json_t *texts;   /* names */
};

/* A statement with the subject as ?1, a limit as ?2 and the last entry as ?3. */
static sqlite3_stmt *prepare(const struct fs_erasing *erasing, const struct fs_store *store, const char *sql,
                             int limit, struct fs_err *err)
{
    sqlite3_stmt *statement = fs_database_prepare(store->db, sql, err);
    if (!statement)
        return NULL;
    sqlite3_bind_text(statement, 1, erasing->subject, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, limit);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)erasing->upto);
    return statement;
}

/* Ends a statement of which `step` was the last. */
static bool end(sqlite3_stmt *statement, int step, struct fs_err *err)
{
    bool fine = step == SQLITE_ROW || step == SQLITE_DONE ||
                fs_database_fail(sqlite3_db_handle(statement), "journal", err);
    sqlite3_finalize(statement);
    return fine;
}

void fs_erased_add(json_t *ranges, int64_t number)
{
    size_t count = json_array_size(ranges);
    json_t *last = count ? json_array_get(ranges, count - 1) : NULL;
    if (last && json_integer_value(json_array_get(last, 1)) + 1 == number)
        json_array_set_new(last, 1, json_integer(number));
    else
        json_array_append_new(ranges, json_pack("[I, I]", (json_int_t)number, (json_int_t)number));
}

/* --- the facts of others ------------------------------------------------------------------------------ */

static bool find_others(struct fs_erasing *erasing, const struct fs_store *store, struct fs_err *err)
{
    sqlite3_stmt *others = prepare(erasing, store,
                                   "SELECT DISTINCT o.subject FROM mentions m"
                                   " JOIN entries e ON e.number = m.number AND e.kind = 'event'"
                                   " JOIN bodies b ON b.number = m.number AND b.body IS NOT NULL"
                                   " JOIN mentions o ON o.number = m.number AND o.subject <> m.subject"
                                   " WHERE m.subject = ?1 AND m.number <= ?3 LIMIT ?2",
                                   -1, err);
    if (!others)
        return false;
    int step;
    while ((step = sqlite3_step(others)) == SQLITE_ROW)
        fs_vec_push(&erasing->others, fs_strdup((const char *)sqlite3_column_text(others, 0)));
    erasing->begun = true;
    return end(others, step, err);
}

/* The facts that these bodies tell of another subject would be lost with them. What an event makes of a fact
 * hangs on those before it, so all that tell of that subject are folded, in their order. `left`: how many
 * more may be. */
static bool settle_other(struct fs_erasing *erasing, struct fs_store *store, int *left, struct fs_err *err)
{
    const char *other = erasing->others.items[erasing->settled];
    const struct fs_base base = fs_store_base(store);
    sqlite3_stmt *events = fs_database_prepare(store->db,
                                               "SELECT e.number, e.time, b.body FROM mentions m"
                                               " JOIN entries e ON e.number = m.number AND e.kind = 'event'"
                                               " JOIN bodies b ON b.number = m.number AND b.body IS NOT NULL"
                                               " WHERE m.subject = ?1 AND m.number > ?2 AND m.number <= ?3"
                                               " ORDER BY m.number LIMIT ?4",
                                               err);
    if (!events)
        return false;
    sqlite3_bind_text(events, 1, other, -1, SQLITE_STATIC);
    sqlite3_bind_int64(events, 2, (sqlite3_int64)erasing->folded);
    sqlite3_bind_int64(events, 3, (sqlite3_int64)erasing->upto);
    sqlite3_bind_int(events, 4, *left);
    bool fine = true;
    int step = SQLITE_DONE;
    while (fine && (step = sqlite3_step(events)) == SQLITE_ROW) {
        struct fs_entry entry = {.number = (uint64_t)sqlite3_column_int64(events, 0),
                                 .kind = FS_ENTRY_EVENT,
                                 .time = sqlite3_column_int64(events, 1),
                                 .body = (const char *)sqlite3_column_text(events, 2),
                                 .length = (size_t)sqlite3_column_bytes(events, 2)};
        fine = fs_base_fold(&base, &entry, other, err);
        erasing->folded = entry.number;
        (*left)--;
    }
    if (*left > 0) {
        erasing->settled++;
        erasing->folded = 0;
    }
    return end(events, step, err) && fine;
}

static bool settle_others(struct fs_erasing *erasing, struct fs_store *store, struct fs_err *err)
{
    int left = BODIES_A_STEP;
    while (left > 0 && erasing->settled < erasing->others.count)
        if (!settle_other(erasing, store, &left, err))
            return false;
    return true;
}

/* --- bodies, texts, cells ----------------------------------------------------------------------------- */

#define MENTIONED                                                                                            \
    " (SELECT number FROM mentions WHERE subject = ?1 AND number <= ?3 ORDER BY number LIMIT ?2)"

static int compare(const void *a, const void *b)
{
    sqlite3_int64 one = *(const sqlite3_int64 *)a, other = *(const sqlite3_int64 *)b;
    return (one > other) - (one < other);
}

static bool take_bodies(const struct fs_erasing *erasing, struct fs_store *store, struct taken *taken,
                        struct fs_erased *out, bool *more, struct fs_err *err)
{
    sqlite3_int64 numbers[BODIES_A_STEP];
    size_t count = 0;
    sqlite3_stmt *bodies = prepare(
        erasing, store,
        "UPDATE bodies SET body = NULL WHERE body IS NOT NULL AND number IN" MENTIONED " RETURNING number",
        BODIES_A_STEP, err);
    if (!bodies)
        return false;
    int step;
    while ((step = sqlite3_step(bodies)) == SQLITE_ROW && count < BODIES_A_STEP)
        numbers[count++] = sqlite3_column_int64(bodies, 0);
    if (!end(bodies, step, err))
        return false;
    qsort(numbers, count, sizeof *numbers, compare);
    for (size_t i = 0; i < count; i++)
        fs_erased_add(taken->entries, numbers[i]);
    out->bodies += count;
    sqlite3_stmt *mentions = prepare(erasing, store,
                                     "DELETE FROM mentions WHERE subject = ?1 AND number IN" MENTIONED
                                     " RETURNING " FS_SUM_MENTION_COLUMNS,
                                     BODIES_A_STEP, err);
    bool fine =
        mentions && fs_sum_subtract(mentions, FS_SUM_MENTIONS, &store->key, &store->next_sums.texts, err);
    *more = *more || sqlite3_changes(store->db) == BODIES_A_STEP;
    sqlite3_finalize(mentions);
    return fine;
}

/* Also those of contexts in which the subject acts for another, and those about nobody that name it. */
static bool find_texts(const struct fs_erasing *erasing, const struct fs_store *store, json_t *names,
                       struct fs_err *err)
{
    sqlite3_stmt *texts = prepare(erasing, store,
                                  "SELECT name FROM texts WHERE subject = ?1 AND number <= ?3"
                                  " UNION SELECT name FROM texts WHERE actor <> '' AND actor = ?1"
                                  " AND number <= ?3"
                                  " UNION SELECT name FROM texts WHERE subject = '' AND instr(text, ?4) > 0"
                                  " AND number <= ?3 LIMIT ?2",
                                  TEXTS_A_STEP, err);
    if (!texts)
        return false;
    json_t *subject = json_string(erasing->subject);
    char *quoted = fs_json_canonical_text(subject, SIZE_MAX, NULL);
    sqlite3_bind_text(texts, 4, quoted, -1, SQLITE_STATIC);
    int step;
    while ((step = sqlite3_step(texts)) == SQLITE_ROW)
        json_array_append_new(names, json_string((const char *)sqlite3_column_text(texts, 0)));
    bool fine = end(texts, step, err);
    json_decref(subject);
    fs_free(quoted);
    return fine;
}

static bool take_texts(const struct fs_erasing *erasing, struct fs_store *store, struct taken *taken,
                       struct fs_erased *out, bool *more, struct fs_err *err)
{
    if (!find_texts(erasing, store, taken->texts, err))
        return false;
    size_t count = json_array_size(taken->texts);
    out->texts += count;
    *more = *more || count == TEXTS_A_STEP;
    if (!count)
        return true;
    sqlite3_stmt *rows =
        fs_database_prepare(store->db,
                            "DELETE FROM texts WHERE name IN (SELECT value FROM json_each(?1))"
                            " RETURNING " FS_SUM_TEXT_COLUMNS,
                            err);
    if (!rows)
        return false;
    char *list = fs_json_canonical_text(taken->texts, SIZE_MAX, NULL);
    sqlite3_bind_text(rows, 1, list, -1, SQLITE_STATIC);
    bool fine = fs_sum_subtract(rows, FS_SUM_TEXTS, &store->key, &store->next_sums.texts, err);
    sqlite3_finalize(rows);
    fs_free(list);
    return fine;
}

static bool take_cells(const struct fs_erasing *erasing, const struct fs_store *store, struct fs_erased *out,
                       bool *more, struct fs_err *err)
{
    sqlite3_stmt *cells =
        prepare(erasing, store,
                "DELETE FROM cells WHERE (subject, number, flag, context) IN (SELECT subject, number, flag,"
                " context FROM cells WHERE subject = ?1 AND number <= ?3 LIMIT ?2)",
                CELLS_A_STEP, err);
    if (!cells)
        return false;
    int step = sqlite3_step(cells);
    int count = sqlite3_changes(store->db);
    out->cells += (uint64_t)count;
    *more = *more || count == CELLS_A_STEP;
    return end(cells, step, err);
}

/* --- a step ------------------------------------------------------------------------------------------- */

/* Verification takes a body that is not there for erased where an entry says so. */
static bool tell(const struct fs_erasing *erasing, struct fs_store *store, int64_t now,
                 const struct taken *taken, struct fs_commit *told, struct fs_err *err)
{
    if (!json_array_size(taken->entries) && !json_array_size(taken->texts))
        return true;
    struct fs_draft draft = {.kind = FS_ENTRY_ERASURE, .time = now};
    json_t *root = json_pack("{s:I, s:O, s:O}", "erasure", (json_int_t)erasing->upto, "entries",
                             taken->entries, "texts", taken->texts);
    char *body = fs_json_canonical_text(root, SIZE_MAX, &draft.length);
    draft.body = body;
    struct fs_job *job = fs_job_create(&draft);
    bool fine = fs_store_add(store, job, told, err);
    fs_job_destroy(job);
    fs_free(body);
    json_decref(root);
    return fine;
}

static bool take(const struct fs_erasing *erasing, struct fs_store *store, int64_t now, struct fs_erased *out,
                 struct fs_commit *told, bool *more, struct fs_err *err)
{
    struct taken taken = {json_array(), json_array()};
    const struct fs_base base = fs_store_base(store);
    /* The base state at once: what removed the subject's facts since may be among the first bodies. */
    bool fine = fs_base_erase(&base, erasing->subject, err) &&
                take_bodies(erasing, store, &taken, out, more, err) &&
                (*more || (take_texts(erasing, store, &taken, out, more, err) &&
                           take_cells(erasing, store, out, more, err))) &&
                tell(erasing, store, now, &taken, told, err);
    json_decref(taken.entries);
    json_decref(taken.texts);
    return fine;
}

bool fs_erase_step(struct fs_erasing *erasing, struct fs_store *store, int64_t now, struct fs_erased *out,
                   struct fs_commit *told, bool *more, struct fs_err *err)
{
    *told = (struct fs_commit){.result = FS_COMMIT_FAILED};
    store->changed = true;
    if ((!erasing->begun && !find_others(erasing, store, err)) || !settle_others(erasing, store, err))
        return false;
    *more = erasing->settled < erasing->others.count;
    return *more || take(erasing, store, now, out, told, more, err);
}

void fs_erasing_finish(struct fs_erasing *erasing)
{
    for (size_t i = 0; i < erasing->others.count; i++)
        fs_free(erasing->others.items[i]);
    fs_vec_finish(&erasing->others);
}
