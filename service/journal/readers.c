/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only connections; see readers.h. */
#include "readers.h"

#include "database.h"

void fs_readers_init(struct fs_readers *readers, const char *file)
{
    readers->file = file;
    readers->idle_count = 0;
    pthread_mutex_init(&readers->lock, NULL);
}

void fs_readers_finish(struct fs_readers *readers)
{
    while (readers->idle_count > 0)
        fs_database_close(readers->idle[--readers->idle_count]);
    pthread_mutex_destroy(&readers->lock);
}

sqlite3 *fs_readers_take(struct fs_readers *readers, struct fs_err *err)
{
    sqlite3 *db = NULL;
    pthread_mutex_lock(&readers->lock);
    if (readers->idle_count > 0)
        db = readers->idle[--readers->idle_count];
    pthread_mutex_unlock(&readers->lock);
    return db ? db : fs_database_open(readers->file, FS_DATABASE_READ, err);
}

void fs_readers_give(struct fs_readers *readers, sqlite3 *db)
{
    pthread_mutex_lock(&readers->lock);
    if (readers->idle_count < FS_READERS_KEPT) {
        readers->idle[readers->idle_count++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&readers->lock);
    fs_database_close(db);
}
