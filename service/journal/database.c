/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite connections with the journal's settings; see database.h. */
#include "database.h"

#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"

/* SQLite documentation: "Write-Ahead Logging", "PRAGMA synchronous": with WAL only FULL survives a loss of
 * power. */
static const char write_settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                     "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-8192;"
                                     "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;";
static const char checkpoint_settings[] = "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;";
static const char read_settings[] = "PRAGMA query_only=1; PRAGMA temp_store=MEMORY;";

static const char *primary_text(sqlite3 *db, enum fs_err_code *code)
{
    *code = FS_ERR_UNAVAILABLE;
    switch (sqlite3_errcode(db)) {
    case SQLITE_FULL:
        return "the disk is full: make room";
    case SQLITE_IOERR:
        return "the disk failed";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program holds the database";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        *code = FS_ERR_CONFIG;
        return "no right to read or write it";
    case SQLITE_NOTADB:
        *code = FS_ERR_CONFIG;
        return "this file is no journal";
    case SQLITE_CORRUPT:
        *code = FS_ERR_DIFFERS;
        return "the file is damaged: restore a backup";
    default:
        *code = FS_ERR_GENERAL;
        return "failed";
    }
}

bool fs_database_fail(sqlite3 *db, const char *doing, struct fs_err *err)
{
    enum fs_err_code code;
    const char *text = primary_text(db, &code);
    int system = sqlite3_system_errno(db);
    return fs_fail(err, code, "%s: %s (%s%s%s)", doing, text, sqlite3_errmsg(db), system ? "; " : "",
                   system ? strerror(system) : "");
}

bool fs_database_exec(sqlite3 *db, const char *sql, struct fs_err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fs_database_fail(db, "journal", err);
    return true;
}

sqlite3_stmt *fs_database_prepare(sqlite3 *db, const char *sql, struct fs_err *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        fs_database_fail(db, "journal", err);
    return statement;
}

bool fs_database_run(sqlite3_stmt *statement, struct fs_err *err)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done)
        fs_database_fail(sqlite3_db_handle(statement), "journal", err);
    sqlite3_reset(statement);
    return done;
}

bool fs_database_number(sqlite3 *db, const char *sql, sqlite3_int64 otherwise, sqlite3_int64 *out,
                        struct fs_err *err)
{
    sqlite3_stmt *statement = fs_database_prepare(db, sql, err);
    if (!statement)
        return false;
    int step = sqlite3_step(statement);
    *out = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : otherwise;
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        fs_database_fail(db, "journal", err);
    sqlite3_finalize(statement);
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

bool fs_database_hash(sqlite3_stmt *statement, int column, struct fs_sha256 *out)
{
    if (sqlite3_column_type(statement, column) != SQLITE_BLOB ||
        sqlite3_column_bytes(statement, column) != FS_SHA256_SIZE)
        return false;
    memcpy(out->bytes, sqlite3_column_blob(statement, column), FS_SHA256_SIZE);
    return true;
}

/* Asking for WAL is not an error where the file system cannot share memory: it is just not done. */
static bool is_wal(sqlite3 *db, struct fs_err *err)
{
    sqlite3_int64 wal;
    if (!fs_database_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 0, &wal, err))
        return false;
    return wal || fs_fail(err, FS_ERR_CONFIG, "this file system cannot hold the journal: use a local disk");
}

static bool set_up(sqlite3 *db, enum fs_database_use use, struct fs_err *err)
{
    sqlite3_busy_timeout(db, FS_DATABASE_BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (use == FS_DATABASE_WRITE)
        return fs_database_exec(db, write_settings, err) && is_wal(db, err);
    if (use == FS_DATABASE_CHECKPOINT)
        return fs_database_exec(db, checkpoint_settings, err);
    return fs_database_exec(db, read_settings, err);
}

static bool missing(const char *file, const char *suffix)
{
    struct stat st;
    char *path = fs_format("%s%s", file, suffix);
    bool is_missing = stat(path, &st) != 0;
    fs_free(path);
    return is_missing;
}

/* The name as a URI with `immutable`: for a file on a medium that cannot be written, where nothing waits in a
 * WAL. */
static char *immutable_uri(const char *file)
{
    char *escaped = sqlite3_mprintf("%s", file);
    char *uri = NULL;
    if (escaped && !strpbrk(escaped, "?#%"))
        uri = fs_format("file:%s?immutable=1", escaped);
    sqlite3_free(escaped);
    return uri;
}

static sqlite3 *open_with(const char *name, int flags, enum fs_database_use use, struct fs_err *err)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK && set_up(db, use, err)) {
        /* Reading the schema shows now whether this is a database at all and can be read. */
        sqlite3_int64 ignored;
        if (fs_database_number(db, "SELECT count(*) FROM sqlite_schema", 0, &ignored, err))
            return db;
    } else if (err && err->code == FS_OK) {
        fs_database_fail(db, "journal", err);
    }
    sqlite3_close(db);
    return NULL;
}

sqlite3 *fs_database_open(const char *file, enum fs_database_use use, struct fs_err *err)
{
    struct fs_err reason = {0};
    int flags = use == FS_DATABASE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    sqlite3 *db = open_with(file, flags, use, &reason);
    if (!db && use == FS_DATABASE_READ && !missing(file, "") && missing(file, "-wal")) {
        char *uri = immutable_uri(file);
        struct fs_err ignored = {0};
        if (uri)
            db = open_with(uri, flags | SQLITE_OPEN_URI, use, &ignored);
        fs_free(uri);
    }
    if (!db)
        fs_fail(err, reason.code, "%s: %s", file, reason.text);
    return db;
}

void fs_database_close(sqlite3 *db)
{
    sqlite3_close(db);
}
