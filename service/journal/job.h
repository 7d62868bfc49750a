/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for the journal's thread: a copied draft or a batch of them, or a document that somebody waits
 * for.
 */
#ifndef FS_JOURNAL_JOB_H
#define FS_JOURNAL_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include "base/err.h"
#include "base/queue.h"
#include "core/entry.h"

/* A document to be written; lives with the thread that waits for it. */
struct fs_put {
    const char *name, *value;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, written;
    struct fs_err err;
};

struct fs_job {
    struct fs_message message;
    struct fs_put *put;           /* not NULL: a document, and no draft */
    struct fs_job *next;          /* of the same batch */
    struct fs_draft draft;        /* all that it points to lies in `store` */
    unsigned char *room;          /* FS_CHAIN_ROOM bytes before draft.body */
    struct fs_entry_cell store[]; /* the cells, then the texts */
};

/* A copy of the draft in one piece of memory. Owned by the caller: fs_job_destroy(). */
struct fs_job *fs_job_create(const struct fs_draft *draft);
struct fs_job *fs_job_create_put(struct fs_put *put);
/* With those of its batch. Accepts NULL. */
void fs_job_destroy(struct fs_job *job);

void fs_put_init(struct fs_put *put, const char *name, const char *value);
void fs_put_finish(struct fs_put *put);
/* Called by the journal's thread: wakes who waits. The put must not be touched afterwards. */
void fs_put_settle(struct fs_put *put, bool written, const struct fs_err *err);
/* Waits for it. false with `err`. */
bool fs_put_wait(struct fs_put *put, struct fs_err *err);

#endif
