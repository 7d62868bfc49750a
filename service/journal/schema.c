/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of journal.db; see schema.h and docs/journal.md. A step that has been released is never edited:
 * add one. */
#include "schema.h"

#include <string.h>
#include "base/alloc.h"
#include "base/log.h"
#include "database.h"
#include "migrate.h"

#define APPLICATION_ID 0x46534a31 /* "FSJ1" */

static const char version_1[] =
    /* The audit chain: nothing in clear about anybody. */
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, time INTEGER NOT NULL,"
    "  body_hash BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
    /* The clear text beside it. An erased body is NULL; a missing row is damage. */
    "CREATE TABLE bodies (number INTEGER PRIMARY KEY, body TEXT) STRICT;"
    /* Where the chain starts and ends, sealed with the key. */
    "CREATE TABLE ends (role TEXT PRIMARY KEY, number INTEGER NOT NULL, hash BLOB NOT NULL,"
    "  seal BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    /* Identities of events, longer or shorter than their entries. */
    "CREATE TABLE identities (key BLOB PRIMARY KEY, content BLOB NOT NULL, number INTEGER NOT NULL,"
    "  time INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX identities_by_time ON identities (time);"
    /* Which ticks changed what for whom. */
    "CREATE TABLE cells (subject TEXT NOT NULL, number INTEGER NOT NULL, flag TEXT NOT NULL,"
    "  context TEXT NOT NULL, PRIMARY KEY (subject, number, flag, context)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX cells_by_flag ON cells (flag, number);"
    "CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL, number INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE documents (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

static const char version_2[] =
    /* The base state: what pruned entries have left of facts. A removed one has no value. */
    "CREATE TABLE facts (subject TEXT NOT NULL, fact TEXT NOT NULL, number INTEGER NOT NULL,"
    "  time INTEGER NOT NULL, expires INTEGER NOT NULL, value TEXT, credential TEXT,"
    "  PRIMARY KEY (subject, fact)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX facts_removed ON facts (time) WHERE value IS NULL;"
    "CREATE INDEX facts_expiring ON facts (expires) WHERE expires > 0;";

static const char version_3[] =
    /* What bodies speak of by name: contexts, inputs. `number`: the last entry that does. Erased: no row. */
    "CREATE TABLE texts (name TEXT PRIMARY KEY, subject TEXT NOT NULL, number INTEGER NOT NULL,"
    "  text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX texts_by_subject ON texts (subject);"
    "CREATE INDEX texts_by_number ON texts (number);"
    /* Whom bodies name in clear. */
    "CREATE TABLE mentions (subject TEXT NOT NULL, number INTEGER NOT NULL,"
    "  PRIMARY KEY (subject, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX mentions_by_number ON mentions (number);"
    /* Ticks and answers told contexts and inputs in their bodies before. */
    "INSERT INTO mentions SELECT DISTINCT subject, number FROM cells;"
    "INSERT OR IGNORE INTO mentions SELECT json_extract(f.value, '$.subject'), e.number"
    "  FROM entries e JOIN bodies b ON b.number = e.number, json_each(b.body, '$.facts') f"
    "  WHERE e.kind = 'event' AND b.body IS NOT NULL;"
    "INSERT OR IGNORE INTO mentions SELECT s.value, e.number"
    "  FROM entries e JOIN bodies b ON b.number = e.number, json_each(b.body, '$.recompute.subjects') s"
    "  WHERE e.kind = 'event' AND b.body IS NOT NULL;"
    "INSERT OR IGNORE INTO mentions SELECT json_extract(a.value, '$.subject'), e.number"
    "  FROM entries e JOIN bodies b ON b.number = e.number, json_each(b.body, '$.answers') a"
    "  WHERE e.kind = 'answers' AND b.body IS NOT NULL;";

static const char version_4[] =
    /* The base state: the overrides of pruned entries that stand. `subject`: '' is everybody. */
    "CREATE TABLE overrides (flag TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL,"
    "  number INTEGER NOT NULL, time INTEGER NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL,"
    "  PRIMARY KEY (flag, subject, kind)) STRICT, WITHOUT ROWID;";

static const char version_5[] =
    /* Who acts in a context. */
    "ALTER TABLE texts ADD COLUMN actor TEXT NOT NULL DEFAULT '';"
    "UPDATE texts SET actor = CASE WHEN json_valid(text)"
    "  THEN coalesce(json_extract(text, '$.actor.key'), '') ELSE '' END;"
    "CREATE INDEX texts_by_actor ON texts (actor) WHERE actor <> '';"
    /* Bodies of schema 2 hold inputs in clear: whoever one names may be erased. Actors stand in their
       contexts. */
    "INSERT OR IGNORE INTO mentions SELECT t.value, e.number"
    "  FROM entries e JOIN bodies b ON b.number = e.number, json_each(b.body, '$.answers') a,"
    "  json_tree(CASE WHEN json_valid(json_extract(a.value, '$.input'))"
    "    THEN json_extract(a.value, '$.input') ELSE '{}' END) t"
    "  WHERE e.kind = 'answers' AND b.body IS NOT NULL AND t.type = 'text' AND t.value <> '';"
    "INSERT OR IGNORE INTO mentions SELECT json_extract(c.value, '$.actor.key'), e.number"
    "  FROM entries e JOIN bodies b ON b.number = e.number, json_each(b.body, '$.contexts') c"
    "  WHERE e.kind = 'tick' AND b.body IS NOT NULL AND json_extract(c.value, '$.actor.key') <> '';";

static const char version_6[] =
    /* At each start the values of before were not kept any more: `why` looks for the next one. */
    "CREATE INDEX entries_starts ON entries (number) WHERE kind = 'start';";

const struct fs_schema_step fs_schema_steps[] = {
    {version_1, fs_migrate_seal_chain, false},
    {version_2, fs_migrate_seal_base, false},
    {version_3, NULL, false},
    {version_4, NULL, false},
    {version_5, fs_migrate_sums, true},
    {version_6, NULL, false},
};
const size_t fs_schema_version = sizeof fs_schema_steps / sizeof fs_schema_steps[0];

bool fs_schema_check(sqlite3 *db, size_t count, size_t *version, struct fs_err *err)
{
    sqlite3_int64 found, application, tables;
    if (!fs_database_number(db, "PRAGMA user_version", 0, &found, err) ||
        !fs_database_number(db, "PRAGMA application_id", 0, &application, err) ||
        !fs_database_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err))
        return false;
    if (found < 0 || (found > 0 && application != APPLICATION_ID) || (found == 0 && tables > 0))
        return fs_fail(err, FS_ERR_CONFIG, "this SQLite file is no journal of Flagstaff");
    if ((size_t)found > count)
        return fs_fail(err, FS_ERR_CONFIG,
                       "the journal was written by a newer version (schema %lld, this one knows up to %zu): "
                       "run that version, or restore a backup from before",
                       (long long)found, count);
    *version = (size_t)found;
    return true;
}

/* Writes the file anew, since pages that are free may still hold what was deleted before deletion overwrote.
 * By way of a file beside it, not of memory: it is as large as the journal, and nobody else's to read. */
static bool write_anew(sqlite3 *db, struct fs_err *err)
{
    const char *file = sqlite3_db_filename(db, "main"), *slash = file ? strrchr(file, '/') : NULL;
    FS_LOG_INFO("journal", "writing the file anew, once: this takes its size twice more on the disk");
    if (slash)
        sqlite3_temp_directory = sqlite3_mprintf("%.*s", (int)(slash - file), file);
    bool fine = fs_database_exec(db, "PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY", err) ||
                fs_fail_in(err, "the file is written anew once, which takes its size twice more on the disk");
    sqlite3_free(sqlite3_temp_directory);
    sqlite3_temp_directory = NULL;
    return fine;
}

static bool run_step(sqlite3 *db, const struct fs_schema_step *step, size_t to, const struct fs_sha256 *key,
                     struct fs_err *err)
{
    char *pragmas = fs_format("PRAGMA user_version=%zu; PRAGMA application_id=%d;", to, APPLICATION_ID);
    bool fine = fs_database_exec(db, "BEGIN IMMEDIATE", err) && fs_database_exec(db, step->sql, err) &&
                (!step->after || step->after(db, key, err)) && fs_database_exec(db, pragmas, err) &&
                fs_database_exec(db, "COMMIT", err);
    if (!fine && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    fs_free(pragmas);
    return fine || fs_fail_in(err, "schema %zu", to);
}

bool fs_schema_migrate(sqlite3 *db, const struct fs_schema_step *steps, size_t count,
                       const struct fs_sha256 *key, struct fs_err *err)
{
    size_t version;
    if (!fs_schema_check(db, count, &version, err))
        return false;
    if (version > 0 && version < count)
        FS_LOG_INFO("journal", "migrating the schema", "from", fs_log_uint(version), "to",
                    fs_log_uint(count));
    bool old = version > 0;
    for (; version < count; version++) {
        if ((old && steps[version].anew && !write_anew(db, err)) ||
            !run_step(db, &steps[version], version + 1, key, err))
            return false;
    }
    return true;
}
