/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for the journal's thread: a copied draft or a batch of them, or a task that somebody waits for.
 */
#ifndef FS_JOURNAL_JOB_H
#define FS_JOURNAL_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include "base/err.h"
#include "base/queue.h"
#include "core/entry.h"

struct fs_journal;

/* Something to be written that is no entry: run by the journal's thread, within a transaction. Lives with the
 * thread that waits for it. */
struct fs_task {
    bool (*run)(void *self, struct fs_journal *journal, struct fs_err *err);
    void *self;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, written;
    struct fs_err err;
};

struct fs_job {
    struct fs_message message;
    struct fs_task *task;  /* not NULL: this, and no draft */
    struct fs_job *next;   /* of the same batch */
    struct fs_draft draft; /* all that it points to lies behind it */
    unsigned char *room;   /* FS_CHAIN_ROOM bytes before draft.body */
};

/* A copy of the draft in one piece of memory. Owned by the caller: fs_job_destroy(). */
struct fs_job *fs_job_create(const struct fs_draft *draft);
struct fs_job *fs_job_create_task(struct fs_task *task);
/* With those of its batch. Accepts NULL. */
void fs_job_destroy(struct fs_job *job);

void fs_task_init(struct fs_task *task,
                  bool (*run)(void *self, struct fs_journal *journal, struct fs_err *err), void *self);
void fs_task_finish(struct fs_task *task);
/* Called by the journal's thread: wakes who waits. The task must not be touched afterwards. */
void fs_task_settle(struct fs_task *task, bool written, const struct fs_err *err);
/* Waits for it. false with `err`. */
bool fs_task_wait(struct fs_task *task, struct fs_err *err);

#endif
