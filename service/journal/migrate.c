/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and seals of the schema's steps; see migrate.h. */
#include "migrate.h"

#include <string.h>
#include "base/alloc.h"
#include "chain.h"
#include "core/entry.h"
#include "core/json.h"
#include "database.h"
#include "erase.h"
#include "sum.h"

struct end {
    uint64_t number;
    struct fs_sha256 hash, seal;
};

static bool put_end(sqlite3 *db, const char *role, const struct end *end, struct fs_err *err)
{
    sqlite3_stmt *put = fs_database_prepare(
        db, "INSERT OR REPLACE INTO ends (role, number, hash, seal) VALUES (?1, ?2, ?3, ?4)", err);
    if (!put)
        return false;
    sqlite3_bind_text(put, 1, role, -1, SQLITE_STATIC);
    sqlite3_bind_int64(put, 2, (sqlite3_int64)end->number);
    sqlite3_bind_blob(put, 3, end->hash.bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(put, 4, end->seal.bytes, FS_SHA256_SIZE, SQLITE_STATIC);
    bool fine = fs_database_run(put, err);
    sqlite3_finalize(put);
    return fine;
}

static bool seal(sqlite3 *db, const struct fs_sha256 *key, const char *role, const struct fs_sha256 *hash,
                 struct fs_err *err)
{
    struct end end = {.hash = *hash, .seal = fs_chain_seal(key, role, 0, hash)};
    return put_end(db, role, &end, err);
}

static const struct fs_sha256 zero;

bool fs_migrate_seal_chain(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    return seal(db, key, "anchor", &zero, err) && seal(db, key, "head", &zero, err);
}

bool fs_migrate_seal_base(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    return seal(db, key, "base", &zero, err);
}

/* An end as it was sealed up to schema 4. */
static bool take_end(sqlite3 *db, const struct fs_sha256 *key, const char *role, struct end *out,
                     struct fs_err *err)
{
    sqlite3_stmt *find = fs_database_prepare(db, "SELECT number, hash, seal FROM ends WHERE role = ?1", err);
    if (!find)
        return false;
    sqlite3_bind_text(find, 1, role, -1, SQLITE_STATIC);
    bool there = sqlite3_step(find) == SQLITE_ROW && fs_database_hash(find, 1, &out->hash) &&
                 fs_database_hash(find, 2, &out->seal);
    out->number = (uint64_t)sqlite3_column_int64(find, 0);
    sqlite3_finalize(find);
    struct fs_sha256 wanted = fs_chain_seal(key, role, out->number, &out->hash);
    return (there && fs_sha256_equal(&wanted, &out->seal)) ||
           fs_fail(err, FS_ERR_DIFFERS,
                   "the %s of the journal does not fit the audit key: either audit.key is another journal's, "
                   "or somebody changed the journal: restore a backup",
                   role);
}

static void keyed(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fs_sha256 digest;
    (void)count;
    if (sqlite3_value_bytes(values[0]) != FS_SHA256_SIZE)
        return; /* NULL, which no column takes */
    memcpy(digest.bytes, sqlite3_value_blob(values[0]), FS_SHA256_SIZE);
    digest = fs_chain_identity(sqlite3_user_data(context), &digest);
    sqlite3_result_blob(context, digest.bytes, FS_SHA256_SIZE, SQLITE_TRANSIENT);
}

static bool key_identities(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    if (sqlite3_create_function(db, "keyed", 1, SQLITE_UTF8, (void *)(uintptr_t)key, keyed, NULL, NULL) !=
        SQLITE_OK)
        return fs_database_fail(db, "journal", err);
    bool fine = fs_database_exec(db, "UPDATE identities SET key = keyed(key), content = keyed(content)", err);
    sqlite3_create_function(db, "keyed", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    return fine;
}

/* The bodies that earlier versions erased: they told nobody which, nor which texts. Owned; NULL where nothing
 * was erased, or with `err`. */
static json_t *find_erased(sqlite3 *db, struct fs_err *err)
{
    sqlite3_stmt *bodies =
        fs_database_prepare(db, "SELECT number FROM bodies WHERE body IS NULL ORDER BY number", err);
    if (!bodies)
        return NULL;
    json_t *ranges = json_array();
    int step;
    while ((step = sqlite3_step(bodies)) == SQLITE_ROW)
        fs_erased_add(ranges, sqlite3_column_int64(bodies, 0));
    if (step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(bodies);
    sqlite3_int64 erasures = 0;
    if (step == SQLITE_DONE &&
        fs_database_number(db, "SELECT count(*) FROM entries WHERE kind = 'erasure'", 0, &erasures, err) &&
        (erasures || json_array_size(ranges)))
        return ranges;
    json_decref(ranges);
    return NULL;
}

static bool insert(sqlite3 *db, uint64_t number, sqlite3_int64 time, const char *body,
                   const struct fs_sha256 *body_hash, const struct fs_sha256 *hash, struct fs_err *err)
{
    sqlite3_stmt *entry = fs_database_prepare(db,
                                              "INSERT INTO entries (number, kind, time, body_hash, hash)"
                                              " VALUES (?1, 'erasure', ?2, ?3, ?4)",
                                              err);
    sqlite3_stmt *clear = fs_database_prepare(db, "INSERT INTO bodies (number, body) VALUES (?1, ?2)", err);
    bool fine = entry && clear;
    if (fine) {
        sqlite3_bind_int64(entry, 1, (sqlite3_int64)number);
        sqlite3_bind_int64(entry, 2, time);
        sqlite3_bind_blob(entry, 3, body_hash->bytes, FS_SHA256_SIZE, SQLITE_STATIC);
        sqlite3_bind_blob(entry, 4, hash->bytes, FS_SHA256_SIZE, SQLITE_STATIC);
        sqlite3_bind_int64(clear, 1, (sqlite3_int64)number);
        sqlite3_bind_text(clear, 2, body, -1, SQLITE_STATIC);
        fine = fs_database_run(entry, err) && fs_database_run(clear, err);
    }
    sqlite3_finalize(entry);
    sqlite3_finalize(clear);
    return fine;
}

/* An entry behind the head, of the moment of the one before: a migration has no clock. */
static bool add_erasure(sqlite3 *db, const struct fs_sha256 *key, const char *body, size_t length,
                        struct end *head, struct fs_err *err)
{
    sqlite3_int64 time;
    unsigned char *room = fs_alloc(FS_CHAIN_ROOM + length);
    memcpy(room + FS_CHAIN_ROOM, body, length);
    struct fs_sha256 body_hash = fs_chain_body(key, ++head->number, room, length);
    fs_free(room);
    if (!fs_database_number(db, "SELECT time FROM entries ORDER BY number DESC LIMIT 1", 0, &time, err))
        return false;
    const char *kind = fs_entry_kind_name(FS_ENTRY_ERASURE);
    head->hash = fs_chain_next(&head->hash, head->number, kind, time, &body_hash);
    return insert(db, head->number, time, body, &body_hash, &head->hash, err);
}

static bool tell_erased(sqlite3 *db, const struct fs_sha256 *key, struct end *head, struct fs_err *err)
{
    struct fs_err failed = {0};
    json_t *ranges = find_erased(db, &failed);
    if (!ranges && failed.code) {
        *err = failed;
        return false;
    }
    if (!ranges)
        return true;
    size_t length;
    json_t *root = json_pack("{s:o, s:b}", "entries", ranges, "migrated", true);
    char *body = fs_json_canonical_text(root, SIZE_MAX, &length);
    bool fine = add_erasure(db, key, body, length, head, err);
    json_decref(root);
    fs_free(body);
    return fine;
}

bool fs_migrate_sums(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    struct end head, base;
    struct fs_sums sums;
    if (!take_end(db, key, "head", &head, err) || !take_end(db, key, "base", &base, err) ||
        !key_identities(db, key, err) || !tell_erased(db, key, &head, err) ||
        !fs_sum_texts(db, key, &sums.texts, err))
        return false;
    sums.base = base.hash; /* as it was sealed, whether the rows fit or not: verification tells */
    head.seal = fs_chain_seal_head(key, head.number, &head.hash, &sums);
    return seal(db, key, "base", &sums.base, err) && seal(db, key, "texts", &sums.texts, err) &&
           put_end(db, "head", &head, err);
}
