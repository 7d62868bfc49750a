/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the journal while it runs: one read transaction, so that the copy is one moment's, and the audit
 * key beside it, without which it can neither be checked nor opened.
 */
#include "inside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "database.h"
#include "directory.h"

/* All pages in one step: with WAL the writer goes on meanwhile, and nothing makes the copy start again. */
static bool copy(sqlite3 *from, const char *file, struct fs_err *err)
{
    sqlite3 *to = NULL;
    bool fine = false;
    if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        fs_database_fail(to, file, err);
        goto out;
    }
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup) {
        fs_database_fail(to, file, err);
        goto out;
    }
    int step = sqlite3_backup_step(backup, -1);
    int finish = sqlite3_backup_finish(backup);
    fine = step == SQLITE_DONE && finish == SQLITE_OK;
    if (!fine)
        fs_database_fail(to, file, err);
out:
    sqlite3_close(to);
    return fine;
}

/* A file that cannot be made is the fault of who named it, and no one of our configuration. */
static bool make_file(const char *file, const void *bytes, size_t length, struct fs_err *err)
{
    if (fs_directory_write(file, bytes, length, err))
        return true;
    int error = errno;
    if (err->code != FS_ERR_CONFIG)
        return false;
    const char *what = error == EEXIST
                           ? "; a backup writes over nothing: name another file, or move this one away"
                       : error == ENOENT || error == ENOTDIR ? "; make the directory first"
                                                             : "";
    enum fs_err_code code = error == EEXIST                       ? FS_ERR_CONFLICT
                            : error == ENOENT || error == ENOTDIR ? FS_ERR_NOT_FOUND
                                                                  : FS_ERR_GENERAL;
    return fs_fail(err, code, "%s: cannot make: %s%s", file, strerror(error), what);
}

bool fs_journal_backup(struct fs_journal *journal, const char *file, struct fs_err *err)
{
    struct fs_sha256 key = {{0}};
    char *key_file = fs_format("%s.key", file);
    bool fine = false;
    sqlite3 *from = fs_readers_take(&journal->readers, err);
    if (!from)
        goto out;
    if (!fs_directory_key(journal->directory, false, &key, err) || !make_file(file, "", 0, err))
        goto out;
    fine = make_file(key_file, key.bytes, FS_SHA256_SIZE, err);
    if (fine && !copy(from, file, err)) {
        unlink(key_file);
        fine = false;
    }
    if (!fine)
        unlink(file);
out:
    if (from)
        fs_readers_give(&journal->readers, from);
    fs_wipe(&key, sizeof key);
    fs_free(key_file);
    return fine;
}
