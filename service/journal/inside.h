/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's own state, shared by its files: which member belongs to which thread.
 */
#ifndef FS_JOURNAL_INSIDE_H
#define FS_JOURNAL_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/queue.h"
#include "base/vec.h"
#include "checkpoint.h"
#include "journal/journal.h"
#include "prune.h"
#include "readers.h"
#include "store.h"

struct fs_journal {
    /* Set before the thread starts, unchanged until it has ended. */
    struct fs_journal_options options;
    char *directory;
    char *file;
    int lock;
    struct fs_queue *queue;
    struct fs_checkpointer *checkpointer;
    pthread_t thread;
    /* Any thread. */
    struct fs_readers readers;
    atomic_bool healthy;
    atomic_bool replayed; /* retention may begin */
    atomic_bool damaged;  /* an entry, or the file: seen by a reader or by retention */
    atomic_uint_least64_t last;
    atomic_size_t in_flight; /* taken from the queue, not committed yet */
    /* The journal's thread. */
    struct fs_store store;
    struct fs_pruner pruner;
    int64_t prune_at;                 /* mono ms: the next look at what is too old */
    struct fs_job **group;            /* group_limit */
    FS_VEC(struct fs_commit) commits; /* of the group */
    bool uncopied;                    /* commits since the last checkpoint that was asked for */
    bool erased;                      /* something, which still stands in the write-ahead log */
    int wal_asked;                    /* pages of the write-ahead log when one was asked for under load */
};

/* Keeps in mind that what just failed failed for damage. Any thread. */
void fs_journal_note_damage(struct fs_journal *journal, bool fine, const struct fs_err *err);

/* The journal's thread: takes jobs until the queue is closed and empty. */
void *fs_journal_write(void *journal);

#endif
