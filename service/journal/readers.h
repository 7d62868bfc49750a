/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only connections that any thread may borrow: a few are kept, more are opened when all are lent.
 */
#ifndef FS_JOURNAL_READERS_H
#define FS_JOURNAL_READERS_H

#include <pthread.h>
#include <stddef.h>
#include <sqlite3.h>
#include "base/err.h"

#define FS_READERS_KEPT 4

struct fs_readers {
    const char *file; /* borrowed */
    pthread_mutex_t lock;
    sqlite3 *idle[FS_READERS_KEPT]; /* under lock */
    size_t idle_count;
};

void fs_readers_init(struct fs_readers *readers, const char *file);
/* All must have been given back. */
void fs_readers_finish(struct fs_readers *readers);
/* NULL with `err`. Any thread; to be given back by the same. */
sqlite3 *fs_readers_take(struct fs_readers *readers, struct fs_err *err);
void fs_readers_give(struct fs_readers *readers, sqlite3 *db);

#endif
