/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpointing thread; see checkpoint.h. */
#include "checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <sqlite3.h>
#include "base/alloc.h"
#include "base/log.h"
#include "database.h"
#include "thread.h"

struct fs_checkpointer {
    sqlite3 *db; /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted, stopping; /* under lock */
};

static void checkpoint(sqlite3 *db)
{
    int pages = 0, copied = 0;
    int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (result == SQLITE_OK || result == SQLITE_BUSY)
        FS_LOG_DEBUG("journal", "checkpoint", "pages", fs_log_int(pages), "copied", fs_log_int(copied));
    else
        FS_LOG_WARN("journal", "checkpoint failed, the write-ahead log stays", "error", sqlite3_errmsg(db));
}

static void *run(void *argument)
{
    struct fs_checkpointer *self = argument;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (!self->wanted) {
            pthread_cond_wait(&self->changed, &self->lock);
            continue;
        }
        self->wanted = false;
        pthread_mutex_unlock(&self->lock);
        checkpoint(self->db);
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

struct fs_checkpointer *fs_checkpointer_create(const char *file, struct fs_err *err)
{
    sqlite3 *db = fs_database_open(file, FS_DATABASE_CHECKPOINT, err);
    if (!db)
        return NULL;
    struct fs_checkpointer *self = FS_NEW(struct fs_checkpointer);
    self->db = db;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    if (fs_journal_thread(&self->thread, "fs-checkpoint", run, self, err))
        return self;
    fs_database_close(self->db);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    fs_free(self);
    return NULL;
}

void fs_checkpointer_destroy(struct fs_checkpointer *checkpointer)
{
    if (!checkpointer)
        return;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->changed);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    fs_database_close(checkpointer->db);
    pthread_cond_destroy(&checkpointer->changed);
    pthread_mutex_destroy(&checkpointer->lock);
    fs_free(checkpointer);
}

void fs_checkpointer_want(struct fs_checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->wanted = true;
    pthread_cond_signal(&checkpointer->changed);
    pthread_mutex_unlock(&checkpointer->lock);
}
