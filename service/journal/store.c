/* SPDX-License-Identifier: Apache-2.0 */
/* The writing side of journal.db; see store.h. */
#include "store.h"

#include <string.h>
#include "base/fault.h"
#include "base/log.h"
#include "chain.h"
#include "database.h"
#include "faults.h"
#include "schema.h"

/* Each new identity may take this many expired ones with it, so that the table shrinks without a task of its
 * own. */
#define FORGET_FACTOR 4

static const char *const sql[FS_STORE_STATEMENTS] = {
    [FS_STORE_BEGIN] = "BEGIN IMMEDIATE",
    [FS_STORE_COMMIT] = "COMMIT",
    [FS_STORE_ROLLBACK] = "ROLLBACK",
    [FS_STORE_SAVE] = "SAVEPOINT batch",
    [FS_STORE_RELEASE] = "RELEASE batch",
    [FS_STORE_UNDO] = "ROLLBACK TO batch",
    [FS_STORE_FIND_IDENTITY] = "SELECT content, number, time FROM identities WHERE key = ?1 AND time >= ?2",
    [FS_STORE_ADD_IDENTITY] =
        "INSERT OR REPLACE INTO identities (key, content, number, time) VALUES (?1, ?2, ?3, ?4)",
    [FS_STORE_FORGET_IDENTITIES] = ("DELETE FROM identities WHERE key IN "
                                    "(SELECT key FROM identities WHERE time < ?1 ORDER BY time LIMIT ?2)"),
    [FS_STORE_ADD_ENTRY] =
        "INSERT INTO entries (number, kind, time, body_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
    [FS_STORE_ADD_BODY] = "INSERT INTO bodies (number, body) VALUES (?1, ?2)",
    [FS_STORE_ADD_CELL] =
        "INSERT OR IGNORE INTO cells (subject, number, flag, context) VALUES (?1, ?2, ?3, ?4)",
    [FS_STORE_MOVE_TEXT] = "UPDATE texts SET number = ?2 WHERE name = ?1",
    [FS_STORE_ADD_TEXT] =
        ("INSERT INTO texts (name, subject, number, text, actor) VALUES (?1, ?2, ?3, ?4, ?5)"
         " RETURNING " FS_SUM_TEXT_COLUMNS),
    [FS_STORE_ADD_MENTION] = ("INSERT OR IGNORE INTO mentions (subject, number) VALUES (?1, ?2)"
                              " RETURNING " FS_SUM_MENTION_COLUMNS),
    [FS_STORE_SET_CURSOR] = "INSERT OR REPLACE INTO cursors (name, value, number) VALUES (?1, ?2, ?3)",
    [FS_STORE_SET_DOCUMENT] = "INSERT OR REPLACE INTO documents (name, value) VALUES (?1, ?2)",
    [FS_STORE_SET_SUM] = "UPDATE ends SET hash = ?2, seal = ?3 WHERE role = ?1",
    [FS_STORE_SET_HEAD] = "UPDATE ends SET number = ?1, hash = ?2, seal = ?3 WHERE role = 'head'",
};

static int note_wal(void *self, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct fs_store *)self)->wal_pages = pages;
    return SQLITE_OK;
}

/* A journal that lost its last entries, or got the wrong key, must not be written on. */
static bool load_head(struct fs_store *store, struct fs_err *err)
{
    sqlite3_stmt *head = fs_database_prepare(
        store->db,
        "SELECT e.number, e.hash, e.seal, coalesce((SELECT max(number) FROM entries), a.number),"
        " (SELECT hash FROM entries WHERE number = e.number), b.hash, t.hash"
        " FROM ends e, ends a, ends b, ends t WHERE e.role = 'head' AND a.role = 'anchor'"
        " AND b.role = 'base' AND t.role = 'texts'",
        err);
    if (!head)
        return false;
    bool fine = false;
    struct fs_sha256 seal, last = {{0}};
    if (sqlite3_step(head) != SQLITE_ROW || !fs_database_hash(head, 1, &store->hash) ||
        !fs_database_hash(head, 2, &seal) || !fs_database_hash(head, 5, &store->sums.base) ||
        !fs_database_hash(head, 6, &store->sums.texts)) {
        fs_fail(err, FS_ERR_DIFFERS, "the journal has lost its head: restore a backup");
        goto out;
    }
    store->number = (uint64_t)sqlite3_column_int64(head, 0);
    struct fs_sha256 wanted = fs_chain_seal_head(&store->key, store->number, &store->hash, &store->sums);
    if (!fs_sha256_equal(&seal, &wanted)) {
        fs_fail(err, FS_ERR_DIFFERS,
                "the head of the journal does not fit the audit key: either %s is another journal's, "
                "or somebody changed the journal",
                "audit.key");
        goto out;
    }
    bool present = sqlite3_column_type(head, 4) == SQLITE_NULL || fs_database_hash(head, 4, &last);
    if ((uint64_t)sqlite3_column_int64(head, 3) != store->number || !present ||
        (sqlite3_column_type(head, 4) != SQLITE_NULL && !fs_sha256_equal(&last, &store->hash))) {
        fs_fail(err, FS_ERR_DIFFERS,
                "the journal should end with entry %llu and does not: run `flagstaff verify`",
                (unsigned long long)store->number);
        goto out;
    }
    fine = true;
out:
    sqlite3_finalize(head);
    return fine;
}

bool fs_store_open(struct fs_store *store, const char *file, const struct fs_sha256 *key, int64_t dedup_ms,
                   struct fs_err *err)
{
    memset(store, 0, sizeof *store);
    store->key = *key;
    store->dedup_ms = dedup_ms;
    store->db = fs_database_open(file, FS_DATABASE_WRITE, err);
    if (!store->db)
        return false;
    if (!fs_schema_migrate(store->db, fs_schema_steps, fs_schema_version, key, err) ||
        !load_head(store, err)) {
        fs_fail_in(err, "%s", file);
        goto failed;
    }
    for (size_t i = 0; i < FS_STORE_STATEMENTS; i++) {
        store->statements[i] = fs_database_prepare(store->db, sql[i], err);
        if (!store->statements[i])
            goto failed;
    }
    sqlite3_wal_hook(store->db, note_wal, store);
    return true;
failed:
    fs_store_close(store);
    return false;
}

void fs_store_close(struct fs_store *store)
{
    for (size_t i = 0; i < FS_STORE_STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    fs_database_close(store->db);
    store->db = NULL;
    fs_wipe(&store->key, sizeof store->key);
}

bool fs_store_begin(struct fs_store *store, struct fs_err *err)
{
    store->next_number = store->number;
    store->next_hash = store->hash;
    store->next_sums = store->sums;
    store->identities = 0;
    store->changed = false;
    return fs_database_run(store->statements[FS_STORE_BEGIN], err);
}

static void bind_hash(sqlite3_stmt *statement, int index, const struct fs_sha256 *hash)
{
    sqlite3_bind_blob(statement, index, hash->bytes, FS_SHA256_SIZE, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    sqlite3_bind_int64(statement, index, (sqlite3_int64)number);
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text ? text : "", -1, SQLITE_STATIC);
}

/* Looks the identity up. `known`: it is there, and `out` says with which content. */
static bool find_identity(struct fs_store *store, const struct fs_draft *draft,
                          const struct fs_identity *identity, struct fs_commit *out, bool *known,
                          struct fs_err *err)
{
    sqlite3_stmt *find = store->statements[FS_STORE_FIND_IDENTITY];
    bind_hash(find, 1, &identity->key);
    sqlite3_bind_int64(find, 2, draft->time - store->dedup_ms);
    int step = sqlite3_step(find);
    *known = step == SQLITE_ROW;
    if (*known) {
        struct fs_sha256 content = {{0}};
        bool same = fs_database_hash(find, 0, &content) && fs_sha256_equal(&content, &identity->content);
        out->number = (uint64_t)sqlite3_column_int64(find, 1);
        out->time = sqlite3_column_int64(find, 2);
        out->result = same ? FS_COMMIT_DUPLICATE : FS_COMMIT_CONFLICT;
    } else if (step != SQLITE_DONE) {
        fs_database_fail(store->db, "journal", err);
    }
    sqlite3_reset(find);
    return *known || step == SQLITE_DONE;
}

static bool add_identity(struct fs_store *store, const struct fs_draft *draft,
                         const struct fs_identity *identity, struct fs_err *err)
{
    sqlite3_stmt *add = store->statements[FS_STORE_ADD_IDENTITY];
    bind_hash(add, 1, &identity->key);
    bind_hash(add, 2, &identity->content);
    bind_number(add, 3, store->next_number);
    sqlite3_bind_int64(add, 4, draft->time);
    store->identities++;
    return fs_database_run(add, err);
}

static bool add_cells(struct fs_store *store, const struct fs_draft *draft, struct fs_err *err)
{
    sqlite3_stmt *add = store->statements[FS_STORE_ADD_CELL];
    for (size_t i = 0; i < draft->cell_count; i++) {
        bind_text(add, 1, draft->cells[i].subject);
        bind_number(add, 2, store->next_number);
        bind_text(add, 3, draft->cells[i].flag);
        bind_text(add, 4, draft->cells[i].context);
        if (!fs_database_run(add, err))
            return false;
    }
    return true;
}

/* A text that is there already is only named anew. */
static bool add_text(struct fs_store *store, const struct fs_entry_text *text, struct fs_err *err)
{
    sqlite3_stmt *move = store->statements[FS_STORE_MOVE_TEXT];
    bind_text(move, 1, text->name);
    bind_number(move, 2, store->next_number);
    if (!fs_database_run(move, err))
        return false;
    if (sqlite3_changes(store->db) > 0)
        return true;
    sqlite3_stmt *add = store->statements[FS_STORE_ADD_TEXT];
    bind_text(add, 1, text->name);
    bind_text(add, 2, text->subject);
    bind_number(add, 3, store->next_number);
    sqlite3_bind_text64(add, 4, text->text, text->length, SQLITE_STATIC, SQLITE_UTF8);
    bind_text(add, 5, text->actor);
    return fs_sum_add(add, FS_SUM_TEXTS, &store->key, &store->next_sums.texts, err);
}

static bool add_texts(struct fs_store *store, const struct fs_draft *draft, struct fs_err *err)
{
    bool fine = true;
    for (size_t i = 0; fine && i < draft->text_count; i++)
        fine = add_text(store, &draft->texts[i], err);
    return fine;
}

static bool add_mentions(struct fs_store *store, const struct fs_draft *draft, struct fs_err *err)
{
    sqlite3_stmt *add = store->statements[FS_STORE_ADD_MENTION];
    for (const char *const *subject = draft->subjects; subject && *subject; subject++) {
        bind_text(add, 1, *subject);
        bind_number(add, 2, store->next_number);
        if (!fs_sum_add(add, FS_SUM_MENTIONS, &store->key, &store->next_sums.texts, err))
            return false;
    }
    return true;
}

static bool set_cursor(struct fs_store *store, const struct fs_draft *draft, struct fs_err *err)
{
    sqlite3_stmt *set = store->statements[FS_STORE_SET_CURSOR];
    bind_text(set, 1, draft->cursor_name);
    bind_text(set, 2, draft->cursor_value);
    bind_number(set, 3, store->next_number);
    return fs_database_run(set, err);
}

static bool add_entry(struct fs_store *store, struct fs_job *job, struct fs_err *err)
{
    const struct fs_draft *draft = &job->draft;
    const char *kind = fs_entry_kind_name(draft->kind);
    uint64_t number = ++store->next_number;
    struct fs_sha256 body_hash = fs_chain_body(&store->key, number, job->room, draft->length);
    store->next_hash = fs_chain_next(&store->next_hash, number, kind, draft->time, &body_hash);
    store->changed = true;

    sqlite3_stmt *entry = store->statements[FS_STORE_ADD_ENTRY];
    bind_number(entry, 1, number);
    bind_text(entry, 2, kind);
    sqlite3_bind_int64(entry, 3, draft->time);
    bind_hash(entry, 4, &body_hash);
    bind_hash(entry, 5, &store->next_hash);
    sqlite3_stmt *body = store->statements[FS_STORE_ADD_BODY];
    bind_number(body, 1, number);
    sqlite3_bind_text64(body, 2, draft->body, draft->length, SQLITE_STATIC, SQLITE_UTF8);
    bool fine = fs_database_run(entry, err) && fs_database_run(body, err);
    return fine;
}

bool fs_store_add(struct fs_store *store, struct fs_job *job, struct fs_commit *out, struct fs_err *err)
{
    const struct fs_draft *draft = &job->draft;
    bool known = false;
    struct fs_identity identity = draft->identity;
    *out = (struct fs_commit){.token = draft->token, .time = draft->time, .result = FS_COMMIT_DONE};
    if (identity.set) {
        identity.key = fs_chain_identity(&store->key, &identity.key);
        identity.content = fs_chain_identity(&store->key, &identity.content);
    }
    if (identity.set && !find_identity(store, draft, &identity, out, &known, err))
        return false;
    if (known)
        return true;
    if (!add_entry(store, job, err) || !add_cells(store, draft, err) || !add_texts(store, draft, err) ||
        !add_mentions(store, draft, err) || (identity.set && !add_identity(store, draft, &identity, err)) ||
        (draft->cursor_name && !set_cursor(store, draft, err)))
        return false;
    out->number = store->next_number;
    return true;
}

static bool drop_batch(struct fs_store *store, struct fs_commit *out, size_t count, struct fs_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (out[i].result != FS_COMMIT_CONFLICT) {
            out[i].result = FS_COMMIT_DROPPED;
            out[i].number = 0;
        }
    }
    return fs_database_run(store->statements[FS_STORE_UNDO], err);
}

bool fs_store_add_batch(struct fs_store *store, struct fs_job *job, struct fs_commit *out, struct fs_err *err)
{
    const uint64_t number = store->next_number;
    const struct fs_sha256 hash = store->next_hash;
    const struct fs_sums sums = store->next_sums;
    const int64_t identities = store->identities;
    const bool changed = store->changed;
    bool conflict = false;
    size_t count = 0;
    if (!fs_database_run(store->statements[FS_STORE_SAVE], err))
        return false;
    for (; job; job = job->next) {
        if (!fs_store_add(store, job, &out[count], err))
            return false;
        conflict |= out[count++].result == FS_COMMIT_CONFLICT;
    }
    if (conflict) {
        store->next_number = number;
        store->next_hash = hash;
        store->next_sums = sums;
        store->identities = identities;
        store->changed = changed;
    }
    return (!conflict || drop_batch(store, out, count, err)) &&
           fs_database_run(store->statements[FS_STORE_RELEASE], err);
}

bool fs_store_put(struct fs_store *store, const char *name, const char *value, struct fs_err *err)
{
    sqlite3_stmt *set = store->statements[FS_STORE_SET_DOCUMENT];
    bind_text(set, 1, name);
    bind_text(set, 2, value);
    store->changed = true;
    return fs_database_run(set, err);
}

static bool forget_identities(struct fs_store *store, int64_t now, struct fs_err *err)
{
    if (store->identities == 0)
        return true;
    sqlite3_stmt *forget = store->statements[FS_STORE_FORGET_IDENTITIES];
    sqlite3_bind_int64(forget, 1, now - store->dedup_ms);
    sqlite3_bind_int64(forget, 2, store->identities * FORGET_FACTOR);
    return fs_database_run(forget, err);
}

static bool set_sum(struct fs_store *store, const char *role, const struct fs_sha256 *before,
                    const struct fs_sha256 *sum, struct fs_err *err)
{
    if (fs_sha256_equal(before, sum))
        return true;
    struct fs_sha256 seal = fs_chain_seal(&store->key, role, 0, sum);
    sqlite3_stmt *set = store->statements[FS_STORE_SET_SUM];
    bind_text(set, 1, role);
    bind_hash(set, 2, sum);
    bind_hash(set, 3, &seal);
    return fs_database_run(set, err);
}

bool fs_store_seal(struct fs_store *store, struct fs_err *err)
{
    const struct fs_sums *before = &store->sums, *sums = &store->next_sums;
    struct fs_sha256 seal = fs_chain_seal_head(&store->key, store->next_number, &store->next_hash, sums);
    sqlite3_stmt *set = store->statements[FS_STORE_SET_HEAD];
    bind_number(set, 1, store->next_number);
    bind_hash(set, 2, &store->next_hash);
    bind_hash(set, 3, &seal);
    return set_sum(store, "base", &before->base, &sums->base, err) &&
           set_sum(store, "texts", &before->texts, &sums->texts, err) && fs_database_run(set, err);
}

bool fs_store_end(struct fs_store *store, struct fs_err *err)
{
    if (!fs_database_run(store->statements[FS_STORE_COMMIT], err))
        return false;
    store->number = store->next_number;
    store->hash = store->next_hash;
    store->sums = store->next_sums;
    return true;
}

struct fs_base fs_store_base(struct fs_store *store)
{
    return (struct fs_base){store->db, &store->key, &store->next_sums.base};
}

bool fs_store_commit(struct fs_store *store, int64_t now, bool force, struct fs_err *err)
{
    bool fine =
        (!store->changed && !force) || (forget_identities(store, now, err) && fs_store_seal(store, err));
    fine = fine && fs_journal_fault(err) && fs_store_end(store, err);
    if (!fine)
        fs_store_rollback(store);
    return fine;
}

void fs_store_rollback(struct fs_store *store)
{
    if (!sqlite3_get_autocommit(store->db)) {
        struct fs_err err = {0};
        if (!fs_database_run(store->statements[FS_STORE_ROLLBACK], &err))
            FS_LOG_ERROR("journal", "cannot roll back", "error", err.text);
    }
}

void fs_store_restart_wal(struct fs_store *store)
{
    int pages = 0, copied = 0;
    sqlite3_busy_timeout(store->db, 0);
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_RESTART, &pages, &copied);
    sqlite3_busy_timeout(store->db, FS_DATABASE_BUSY_MS);
    FS_LOG_DEBUG("journal", "write-ahead log restarted", "result", fs_log_int(result), "pages",
                 fs_log_int(pages));
}

bool fs_store_cut_wal(struct fs_store *store)
{
    sqlite3_busy_timeout(store->db, 0); /* commits must not wait for a reader: it is tried again */
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(store->db, FS_DATABASE_BUSY_MS);
    return result == SQLITE_OK;
}
