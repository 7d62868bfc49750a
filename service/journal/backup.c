/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the journal while it runs: one read transaction, so that the copy is one moment's, and the audit
 * key beside it, without which it can neither be checked nor opened.
 */
#include "inside.h"

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

bool fs_journal_backup(struct fs_journal *journal, const char *file, struct fs_err *err)
{
    struct fs_sha256 key = {{0}};
    char *key_file = fs_format("%s.key", file);
    bool fine = false;
    sqlite3 *from = fs_readers_take(&journal->readers, err);
    if (!from)
        goto out;
    if (!fs_directory_key(journal->directory, false, &key, err) || !fs_directory_write(file, "", 0, err))
        goto out;
    fine = fs_directory_write(key_file, key.bytes, FS_SHA256_SIZE, err);
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
