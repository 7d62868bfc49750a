/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that copies the write-ahead log into the file, so that no commit has to. A passive checkpoint
 * never makes the writer wait (SQLite documentation, "Write-Ahead Logging", section 3.3).
 */
#ifndef FS_JOURNAL_CHECKPOINT_H
#define FS_JOURNAL_CHECKPOINT_H

#include "base/err.h"

struct fs_checkpointer;

/* Opens a connection of its own to `file` and starts the thread. NULL with `err`. */
struct fs_checkpointer *fs_checkpointer_create(const char *file, struct fs_err *err);
/* Ends the thread after what it is at. Accepts NULL. */
void fs_checkpointer_destroy(struct fs_checkpointer *checkpointer);
/* Asks for a checkpoint; returns at once. Any thread. */
void fs_checkpointer_want(struct fs_checkpointer *checkpointer);

#endif
